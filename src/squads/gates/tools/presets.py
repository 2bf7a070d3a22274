"""Well-known tools as gates: each is told to read no settings but ours, and to heed no comment that would silence it.

A change must not pick its own judge: only a baseline or a person's signed waiver quietens a finding. Where a tool has
no option for that, the words that would silence it are overwritten in the private copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypedDict, Unpack

from squads.contracts.errors import InvalidSquad
from squads.gates.tools.mapping import Unmapped
from squads.gates.tools.migration_rules import RULES as MIGRATION_RULES
from squads.gates.tools.migration_rules import SEVERITIES as MIGRATION_SEVERITIES
from squads.gates.tools.python_rules import BIDIRECTIONAL, rules_of, severities_of
from squads.gates.tools.tool_gate import ToolGate

INSTALL = "pip install 'squads[gates]', or leave this gate out"
RULES_BYTES_MAX = 16 * 1024 * 1024
"""How many bytes of semgrep rules one gate holds."""
_PYTHON = ("*.py", "*.pyi", "*.pyw")


class Options(TypedDict, total=False):
    """What every preset takes as well; see `ToolGate`. `rules` and `severities` are laid over the preset's own."""

    rules: Mapping[str, str]
    severities: Mapping[str, str]
    unmapped: Unmapped
    refuse_at: str
    reads: Sequence[str]
    skip: Sequence[str]
    baseline: str | Path | None
    heeds_waivers: bool
    timeout_seconds: float
    environment: Sequence[str]
    today: Callable[[], date]


def ruff(
    name: str = "ruff",
    *,
    select: Sequence[str] = ("S", BIDIRECTIONAL),
    target_version: str = "py314",
    **options: Unpack[Options],
) -> ToolGate:
    """Return a gate that reads Python with ruff: its security rules, unless `select` names others.

    Args:
        name: How the squad calls it.
        select: Rules or their prefixes. Those that map to no invariant are notes, unless `unmapped` says otherwise.
        target_version: The Python that the files are written for; the newest one reads all older ones.
        options: See `Options`.
    """
    rules = rules_of("S")
    command = (
        "ruff check --isolated --no-cache --no-preview --ignore-noqa --output-format sarif "
        f"--target-version {_word(target_version)} --select {_words(select)}"
    )
    return _gate(name, [*command.split(), "{files}"], _PYTHON, options, rules=rules, severities=severities_of(rules))


def bandit(name: str = "bandit", **options: Unpack[Options]) -> ToolGate:
    """Return a gate that reads Python with bandit. It parses what the Python that runs it can parse."""
    rules = rules_of("B")
    command = ["bandit", "--quiet", "--ignore-nosec", "--format", "sarif", "{files}"]
    return _gate(name, command, _PYTHON, options, rules=rules, severities=severities_of(rules), renamed=True)


def sqlfluff(
    name: str = "sqlfluff",
    *,
    dialect: str = "postgres",
    select: Sequence[str] = ("ambiguous", "references", "structure"),
    **options: Unpack[Options],
) -> ToolGate:
    """Return a gate that reads SQL with sqlfluff. By default it refuses nothing: `refuse_at="minor"` makes it strict.

    Args:
        name: How the squad calls it.
        dialect: The SQL dialect, by sqlfluff's name. What it cannot parse makes the gate abstain.
        select: Rules or groups of rules. Ambiguous SQL is minor, everything else a note.
        options: See `Options`.
    """
    command = (
        "sqlfluff lint --format sarif --nocolor --disable-progress-bar --disable-noqa --ignore-local-config "
        "--disregard-sqlfluffignores --templater raw --library-path none --encoding utf-8 "
        f"--config {{settings}}/sqlfluff.cfg --dialect {_word(dialect)} --rules {_words(select)}"
    )
    return _gate(
        name,
        [*command.split(), "{files}"],
        ("*.sql",),
        options,
        rules={"AM*": "sql.ambiguous"},
        severities={"AM*": "minor"},
        # By default it skips large files and says so only in passing.
        settings={"sqlfluff.cfg": "[sqlfluff]\nlarge_file_skip_byte_limit = 0\n"},
        masks=("sqlfluff",),
        renamed=True,
        timeout_seconds=300.0,
    )


def squawk(name: str = "squawk", **options: Unpack[Options]) -> ToolGate:
    """Return a gate that reads PostgreSQL migrations with squawk: what locks, rewrites or loses data in use."""
    command = ["squawk", "--config", "{settings}/squawk.toml", "--reporter", "json", "{files}"]
    return _gate(
        name,
        command,
        ("*.sql",),
        options,
        rules=MIGRATION_RULES,
        severities=MIGRATION_SEVERITIES,
        format="squawk",
        settings={"squawk.toml": ""},
        masks=("squawk-ignore",),
        renamed=True,  # it takes paths for patterns
    )


def semgrep(
    name: str = "semgrep", *, rules_path: str | Path, files: Sequence[str], **options: Unpack[Options]
) -> ToolGate:
    """Return a gate that reads files with semgrep and the given rules; it never fetches any.

    Semgrep is in none of our extras: install it yourself. It puts `settings.` before every rule's id. It recovers from
    much that it cannot parse without saying so; have another gate read the same files. Raises `InvalidSquad` when the
    rules cannot be read.

    Args:
        name: How the squad calls it.
        rules_path: A file of rules, or a folder of them (`*.yml`, `*.yaml`); read when the gate is made.
        files: Shell patterns of the files that the rules are for.
        options: See `Options`. Rules that map to no invariant keep their severity.
    """
    command = (
        "semgrep scan --quiet --metrics off --disable-version-check --disable-nosem --no-git-ignore "
        "--scan-unknown-extensions --sarif --config {settings} {files}"
    )
    return _gate(
        name,
        command.split(),
        tuple(files),
        options,
        unmapped="keep",
        notify_at="warning",
        success_codes=(0,),
        settings=_semgrep_rules(Path(rules_path)),
        timeout_seconds=600.0,
        version_words=("--version", "--disable-version-check"),
        install="pip install semgrep, or leave this gate out",
    )


PRESETS: dict[str, Callable[..., ToolGate]] = {
    "ruff": ruff,
    "bandit": bandit,
    "sqlfluff": sqlfluff,
    "squawk": squawk,
    "semgrep": semgrep,
}
"""Name, as a card says it, to the function."""


def _gate(
    name: str,
    command: Sequence[str],
    files: Sequence[str],
    options: Options,
    *,
    rules: Mapping[str, str] | None = None,
    severities: Mapping[str, str] | None = None,
    **preset: Any,
) -> ToolGate:
    given: dict[str, Any] = {"unmapped": "note", "install": INSTALL, **preset, **options}
    given["rules"] = {**(rules or {}), **options.get("rules", {})}
    given["severities"] = {**(severities or {}), **options.get("severities", {})}
    return ToolGate(name, command, files=files, **given)


def _word(text: str) -> str:
    """Return a word of a command line. Raises `InvalidSquad` for what would be another option."""
    if not isinstance(text, str) or not text or not text.replace(".", "").replace("_", "").isalnum():
        raise InvalidSquad(f"{text!r} is no plain word for a tool's command line; use letters and digits")
    return text


def _words(texts: Sequence[str]) -> str:
    if isinstance(texts, str) or not texts:
        raise InvalidSquad(f"select is {texts!r}; give a list of rules, such as ['S']")
    return ",".join(_word(text) for text in texts)


def _semgrep_rules(path: Path) -> dict[str, str]:
    """Return the rules' files, name to text, so that they are part of the gate's prior."""
    try:
        found = sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".yaml")) if path.is_dir() else [path]
        texts = {f"rules-{n:04}.yml": p.read_text("utf-8") for n, p in enumerate(found)}
    except (OSError, ValueError) as error:
        raise InvalidSquad(f"the semgrep rules {path} cannot be read: {error}") from None
    if not texts or sum(map(len, texts.values())) > RULES_BYTES_MAX:
        raise InvalidSquad(f"{path} holds no rules, or more than {RULES_BYTES_MAX} bytes; give one file of rules")
    return texts
