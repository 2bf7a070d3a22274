"""Writes the parts of the documentation that are read off the code, so that no page can say something else.

A page holds a pair of marks, and everything between them belongs to this program:

    <!-- generated: reasons -->
    <!-- end of generated -->

    python docs/generate.py           writes every page again
    python docs/generate.py --check   names the pages that are stale, and exits with 1
"""

from __future__ import annotations

import ast
import enum
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import squads
from squads.contracts import errors
from squads.contracts.base import Contract, Document
from squads.contracts.reasons import EXPLAINED, REFUSALS
from squads.contracts.records import PACKET_RECORDS, WORKSPACE_RECORDS, Record
from squads.gates.builtin import built_in
from squads.kernel.lifecycle import ATTEMPT, PACKET, Phase, Stage
from squads.ledger.types import KINDS

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- generated: ([^>]*?) -->\n).*?(<!-- end of generated -->)", re.DOTALL)
UNITS = {
    "bytes": "bytes",
    "chars": "characters",
    "microusd": "millionths of a US dollar",
    "ms": "milliseconds",
}
"""The last word of a field's name, `_max` left out, and the unit it stands for."""
MODELS: dict[str, str] = {
    "Part": "squads.contracts.records",
    "RoleRecord": "squads.contracts.records",
    "MemberRecord": "squads.contracts.records",
    "ModelRecord": "squads.contracts.records",
    "RecalledRecord": "squads.contracts.records",
    "Cited": "squads.contracts.verdict",
    "Recalled": "squads.contracts.memory",
    "TaskRecord": "squads.contracts.records",
    "HeldRecord": "squads.contracts.records",
    "TreeHead": "squads.contracts.records",
    "Usage": "squads.contracts.finding",
    "FindingCounts": "squads.contracts.finding",
    "Judgement": "squads.contracts.outcome",
    "Acceptance": "squads.contracts.plan",
    "File": "squads.contracts.artifact",
    "Manifest": "squads.contracts.artifact",
    "PlanWork": "squads.contracts.work",
    "BuildWork": "squads.contracts.work",
    "ReviewWork": "squads.contracts.work",
    "AcceptWork": "squads.contracts.work",
    "Complaint": "squads.contracts.work",
    "Allowance": "squads.contracts.packet",
    "RoleAllowance": "squads.contracts.packet",
    "WorkspaceBudget": "squads.contracts.packet",
    "RoleSpend": "squads.contracts.outcome",
    "Waiver": "squads.contracts.work",
    "BusSettings": "squads.buses",
    "serve_roles": "squads.buses",
}
"""What is documented and is no public name: where each is imported from."""


def rendered(page: str) -> str:
    """Return a page with everything between its marks written again."""
    return BLOCK.sub(lambda m: f"{m[1]}\n{_block(*m[2].split()).strip()}\n\n{m[3]}", page)


def pages() -> Iterator[Path]:
    """Yield every page that has marks."""
    for path in sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("memory/*.md"), ROOT / "README.md"]):
        if path.is_file() and "<!-- generated: " in path.read_text("utf-8"):
            yield path


def stale() -> list[Path]:
    """Return the pages that say something else than the code."""
    return [p for p in pages() if rendered(p.read_text("utf-8")) != p.read_text("utf-8")]


def _block(noun: str, *words: str) -> str:
    return _BLOCKS[noun](*words)


# Lifecycles -----------------------------------------------------------------------------------------------------------


def lifecycle(which: str) -> str:
    """Return a Mermaid diagram of one of the two lifecycle tables."""
    table: Any = {"packet": PACKET, "attempt": ATTEMPT}[which]
    states: Any = {"packet": Phase, "attempt": Stage}[which]
    begins = {"packet": ["new"], "attempt": ["assigned", "reviewing"]}[which]
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f"    {_identifier(s.value)}: {s.value}" for s in states]
    lines += [f"    [*] --> {_identifier(b)}" for b in begins]
    lines += [f"    {_identifier(a.value)} --> {_identifier(b.value)}: {event}" for (a, event), b in table.items()]
    left = {a for a, _ in table}
    lines += [f"    {_identifier(s.value)} --> [*]" for s in states if s not in left]
    return "\n".join([*lines, "```"])


def _identifier(state: str) -> str:
    return state.replace("-", "_")


def reasons() -> str:
    """Return the table of all reasons with which a packet ends."""
    rows = [
        (f"`{reason}`", "0" if reason == "composed" else "1" if reason in REFUSALS else "2", meaning)
        for reason, meaning in EXPLAINED.items()
    ]
    return _table(("reason", "exit code", "what it means and what to do next"), rows)


# Public names ---------------------------------------------------------------------------------------------------------


def names(*wanted: str) -> str:
    """Return one section for each public name."""
    return "\n\n".join(_section(name) for name in wanted)


def _section(name: str) -> str:
    thing = getattr(squads, name) if name in squads.__all__ else getattr(import_module(MODELS[name]), name)
    heading = f"### `{name}`"
    if name == "__version__":
        return f"{heading}\n\nThe version of the library, as text."
    if not inspect.isclass(thing) and not inspect.isfunction(thing):
        return f"{heading}\n\n`{_readable(str(thing))}`: any of the three."
    parts = [heading]
    if name in MODELS:
        parts.append(f"Import it from `{MODELS[name]}`.")
    if inspect.isfunction(thing):
        said = "async " * inspect.iscoroutinefunction(thing) + _signature(name, thing)
        return "\n\n".join([*parts, f"```text\n{said}\n```", *_docstring(thing)])
    if issubclass(thing, enum.Enum):
        values = ", ".join(f"`{m.name}` (`{m.value!r}`)" for m in thing)
        return "\n\n".join([*parts, *_docstring(thing), f"Members: {values}."])
    plain = not issubclass(thing, (Contract, BaseException)) and not hasattr(thing, "__dataclass_fields__")
    if plain and "__init__" in vars(thing):
        parts.append(f"```text\n{_signature(name, thing.__init__)}\n```")
    if issubclass(thing, BaseException):
        parts.append(f"Bases: {', '.join(f'`{b.__name__}`' for b in thing.__bases__)}.")
    parts += _docstring(thing)
    if fields := _fields(thing):
        parts.append(fields)
    if members := list(_members(thing)):
        parts.append(_table(("member", "what it gives"), members))
    return "\n\n".join(parts)


def _docstring(thing: Any) -> list[str]:
    """Return a docstring as Markdown: its paragraphs, and its sections as lists."""
    text = inspect.getdoc(thing) or ""
    head, *sections = re.split(r"\n(?=(?:Args|Raises|Source):\n)", text)
    parts = [_one_line(p) for p in head.split("\n\n") if p.strip()]
    for section in sections:
        title, _, body = section.partition(":\n")
        entries = re.split(r"\n(?=\S)", textwrap.dedent(body).strip())
        items = []
        for entry in entries:
            key, colon, meaning = entry.partition(": ")
            items.append(f"- `{key}`: {_one_line(meaning)}" if colon else f"- {_one_line(entry)}")
        parts += [f"{'Arguments' if title == 'Args' else title}:", "\n".join(items)]
    return parts


def _members(thing: Any) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for base in inspect.getmro(thing):
        if not base.__module__.startswith("squads") or base in (Contract, Document):
            continue
        for member, value in vars(base).items():
            if member.startswith(("_", "model_")) or member in seen:
                continue
            seen.add(member)
            plain = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
            if inspect.isfunction(plain) and plain.__doc__:
                shown = _signature(member, plain)
                shown = f"async {shown}" if inspect.iscoroutinefunction(plain) else shown
                yield f"`{shown}`", _summary(plain)
            elif isinstance(value, property) or type(value).__name__ == "cached_property":
                yield f"`{member}`", _summary(value)


def _summary(thing: Any) -> str:
    return _one_line((inspect.getdoc(thing) or "").split("\n\n")[0])


def _fields(thing: Any) -> str:
    """Return a table of a class's fields, its bases' included; empty where it has none."""
    rows = []
    seen: set[str] = set()
    for base in inspect.getmro(thing):
        if not base.__module__.startswith("squads"):
            continue
        documented = _field_docstrings(base)
        for field, annotation in inspect.get_annotations(base).items():
            if field.startswith("_") or field in seen or field == "model_config":
                continue
            seen.add(field)
            default, bounds = _default(thing, field)
            meaning = ". ".join(p for p in (_unit(field), documented.get(field, "").rstrip(".")) if p)
            rows.append(
                (f"`{field}`", f"`{_readable(str(annotation))}`", default, bounds, f"{meaning}." * bool(meaning))
            )
    return _table(("field", "type", "default", "bounds", "what it says"), rows) if rows else ""


def _field_docstrings(thing: Any) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(thing))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for one, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(one, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[ast.unparse(one.target)] = _one_line(str(after.value.value))
    return found


def _default(thing: Any, field: str) -> tuple[str, str]:
    model = getattr(thing, "model_fields", {}).get(field)
    if model is None:
        slots = getattr(thing, "__dataclass_fields__", {}).get(field)
        if slots is not None:
            if callable(slots.default_factory):
                return f"`{_value(slots.default_factory())}`", ""
            return ("required" if "MISSING" in type(slots.default).__name__ else f"`{_value(slots.default)}`"), ""
        return (f"`{_value(getattr(thing, field))}`" if hasattr(thing, field) else ""), ""
    bounds = []
    for one in model.metadata:
        bounds += [
            text.format(value)
            for attribute, text in (
                ("ge", "at least {}"),
                ("le", "at most {}"),
                ("min_length", "length at least {}"),
                ("max_length", "length at most {}"),
            )
            if (value := getattr(one, attribute, None)) is not None
        ]
    bounds = [re.sub(r"\d{4,}", lambda m: f"{int(m[0]):,}", b) for b in bounds]
    return ("required" if model.is_required() else f"`{_value(model.default)}`"), ", ".join(bounds)


def _value(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        inner = ", ".join(_value(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Contract):
        return f"{type(value).__name__}()"
    if inspect.isfunction(value):
        return value.__name__
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return repr(value)


def _unit(field: str) -> str:
    unit = UNITS.get(field.removesuffix("_max").rsplit("_", 1)[-1]) if "_" in field else None
    return f"In {unit}" if unit else ""


def _signature(name: str, function: Any) -> str:
    parts = []
    starred = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        shown = str(parameter.replace(annotation=parameter.empty, default=parameter.empty))
        if parameter.annotation is not parameter.empty:
            shown += f": {_readable(str(parameter.annotation))}"
        if parameter.default is not parameter.empty:
            shown += f" = {_value(parameter.default)}"
        parts.append(shown)
    gives = inspect.signature(function).return_annotation
    tail = "" if gives in (inspect.Signature.empty, "None") else f" -> {_readable(str(gives))}"
    line = f"{name}({', '.join(parts)}){tail}"
    if name in squads.__all__ and len(line) > 110:
        line = f"{name}(\n" + "".join(f"    {p},\n" for p in parts) + f"){tail}"
    return line


def _readable(annotation: str) -> str:
    whole = re.fullmatch(r"(['\"])(.*)\1", annotation)
    return re.sub(r"\bsquads\.[a-z_.]+\.(?=[A-Z])", "", whole[2] if whole else annotation).replace("typing.", "")


# Errors, receipts, checks ---------------------------------------------------------------------------------------------


def error_tree() -> str:
    """Return the tree of errors as it is drawn in the code, and a table of what each means."""
    tree = textwrap.dedent((errors.__doc__ or "").split("\n\n", 2)[2]).strip()
    rows = [(f"`{c.__name__}`", f"`{c.__bases__[0].__name__}`", _summary(c)) for c in error_classes()]
    return f"```text\n{tree}\n```\n\n" + _table(("error", "below", "what happened"), rows)


def error_classes() -> list[type[Exception]]:
    """Return every error of the library, in the order of the file."""
    return [c for c in vars(errors).values() if inspect.isclass(c) and issubclass(c, errors.SquadsError)]


def receipts(stream: str, direction: str) -> str:
    """Return one section for each kind of receipt of a stream that goes one way."""
    known: dict[str, type[Record]] = {**PACKET_RECORDS, **WORKSPACE_RECORDS}
    parts = []
    for kind in KINDS.values():
        if (kind.stream, kind.direction) != (stream, direction):
            continue
        signers = ", ".join(sorted(kind.signers))
        parts.append(f"### `{kind.name}`\n\nSigned by: {signers}.")
        if (record := known.get(kind.name)) is not None:
            hidden = ("workspace", "packet", "kind") if stream == "packet" else ("workspace", "kind")
            rows = [r for r in _fields(record).split("\n") if not re.match(rf"\| `({'|'.join(hidden)})` ", r)]
            parts += [_summary(record), "\n".join(rows)]
    return "\n\n".join(parts)


def checks() -> str:
    """Return one section for each built-in check, from its invariant and the notes in its file."""
    parts = []
    for gate in built_in():
        rule = gate.invariant
        assert not isinstance(rule, str)
        notes = inspect.getdoc(sys.modules[gate.function.__module__]) or ""
        weighed = re.search(r"^What is weighed.*?(?=^Where it comes from)", notes, re.DOTALL | re.MULTILINE)
        language = "sql" if any("sql" in f for f in gate.files) else "text"
        facts = [
            ("severity", f"`{rule.severity.value}`"),
            ("refuses from", f"`{gate.refuse_at.value}`"),
            ("files", ", ".join(f"`{f}`" for f in gate.files)),
            ("reads", ", ".join(f"`{r.value}`" for r in gate.reads)),
            ("CWE", str(rule.cwe or "none")),
            ("origin", rule.origin),
        ]
        parts += [
            f"## `{rule.id}`",
            rule.statement,
            f"Why it matters: {rule.why}",
            "\n".join(f"- {key}: {value}" for key, value in facts),
            f"Refused:\n\n```{language}\n{rule.refused.rstrip()}\n```",
            f"Approved:\n\n```{language}\n{rule.approved.rstrip()}\n```",
        ]
        if weighed:
            first, *items = re.split(r"\n(?=- )", weighed[0].strip())
            parts += [_one_line(first), "\n".join(_one_line(i) for i in items)]
    return "\n\n".join(parts)


# Small things ---------------------------------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    used = [i for i, title in enumerate(head) if any(row[i] for row in rows)]
    lines = [
        [head[i] for i in used],
        ["---"] * len(used),
        *([row[i].replace("|", "\\|") for i in used] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_BLOCKS: dict[str, Callable[..., str]] = {
    "lifecycle": lifecycle,
    "reasons": reasons,
    "names": names,
    "errors": error_tree,
    "receipts": receipts,
    "checks": checks,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are stale."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"unknown arguments {arguments}; give none, or --check\n")
        return 2
    found = stale()
    for path in found:
        if arguments:
            sys.stderr.write(f"{path.relative_to(ROOT)} is stale; run: python docs/generate.py\n")
        else:
            path.write_text(rendered(path.read_text("utf-8")), "utf-8")
    return 1 if found and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
