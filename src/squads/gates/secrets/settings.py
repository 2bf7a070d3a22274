"""Live secrets in files of settings: env, YAML, JSON, TOML, INI, properties, shell, Dockerfile, Terraform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.contracts.artifact import File
from squads.gates.secrets.live import decoded, issued, live
from squads.gates.secrets.sqltexts import in_sql
from squads.gates.secrets.words import kind_of

SETTINGS_FILES = (
    "*.env", ".env", ".env.*", "*.yaml", "*.yml", "*.json", "*.toml", "*.ini", "*.cfg", "*.conf", "*.config",
    "*.properties", "*.sh", "*.bash", "Dockerfile", "Dockerfile.*", "*.dockerfile", "*.tf", "*.tfvars", "*.pem",
    "*.key", "*.sql", "*.service", "*.npmrc", ".npmrc", ".pypirc", ".netrc", ".pgpass", "*.xml", "*.plist",
    "Makefile", "requirements*.txt", "pip.conf",
    "*.txt", "*.secret", "*.token", "*.pass",
)  # fmt: skip
"""Which files of an artifact are read as settings."""

BYTES_MAX = 1024 * 1024
_PAIR = re.compile(
    r"""^\s*(?:[-{,]\s*)*(?:export\s+|ENV\s+|ARG\s+|set\s+|Environment=)?["']?(?P<name>[A-Za-z_][\w.\-]*)["']?\s*"""
    r"""(?:=>|:=|\?=|[:=])\s*(?P<value>.+?)\s*,?\s*$"""
)
_ENV_SPACE = re.compile(r"^\s*(?:ENV|ARG)\s+(?P<name>\w+)[ =](?P<value>.+)$")
_INLINE = re.compile(r"""["']?(?P<name>[A-Za-z_][\w\-]*)["']?\s*[:=]\s*["'](?P<value>[^"']+)["']""")
_OPTION = re.compile(r"(?:^|\s)--?(?P<name>[a-z][\w-]+)[= ]+(?P<value>[^\s\"']+|\"[^\"]*\"|'[^']*')")
_NAMED = re.compile(r"^\s*-?\s*name\s*:\s*[\"']?(?P<name>[\w.\-]+)[\"']?\s*$")
_VALUE = re.compile(r"^\s*(?:value|default)\s*[:=]\s*(?P<value>.+?)\s*$")
_VARIABLE = re.compile(r'^\s*variable\s+"(?P<name>\w+)"')
_TAG = re.compile(
    r"""<(?P<name>[A-Za-z_][\w.\-]*)>(?P<value>[^<]+)</|name="(?P<other>[\w.\-]+)"\s+value="(?P<its>[^"]+)\""""
)
_DEFAULT = re.compile(r"\$\{\w+:?[-=](?P<value>[^}]+)\}?")
_FOLDED = re.compile(r"^\s*[\"']?(?P<name>[\w.\-]+)[\"']?\s*:\s*[|>][-+]?\s*$")
# A file that holds a secret and nothing else.
_BARE = re.compile(
    r"(?i)(?:secret|token|passwo?r?d|api[_-]?key|credential|(?:^|/)\.?key)[^/]*$|\.(?:key|secret|token|pass)$"
)
_BARE_LINES_MAX = 3
_LINES_MAX = 200
_SECTION = re.compile(r"^(?P<name>\w+):\s*$")
_REMARK = re.compile(r"(?:^|\s)#\s.*$")
_TOLD = re.compile(r"(?i)revoked|rotated|e\.g\.|such as|old |example|sample|dummy|fake|expired|placeholder|not real")
_SKIPPED = re.compile(
    r"(?i)(^|/)(docs?|examples?|samples?|tests?|__tests__|fixtures?|testdata|testing)/|\.(example|sample|template|dist|tmpl"
    r"|tpl)(\.|$)|(example|sample|template)\.(env|ya?ml|json|toml|ini)$|(^|/)(package-lock|pnpm-lock|yarn|poetry|uv|Cargo"
    r"|composer)[.\w-]*lock|lock\.(json|yaml)$|\.lock$|openapi|swagger|schema\.json$"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line that shows a secret."""

    number: int
    text: str
    what: str


def in_text(text: str) -> str:
    """Return what a text of settings shows that a program carries: YAML, JSON or lines of `name = value`."""
    if not (text.lstrip().startswith("{") or text.count("\n") > 1):
        return ""
    for line in text.splitlines()[:_LINES_MAX]:
        pair = _PAIR.match(line)
        pairs = [pair] if pair else []
        for one in [*pairs, *_INLINE.finditer(line)]:
            value, kind = _plain(one["value"]), kind_of(one["name"].rpartition(".")[2])
            # What has brackets is code, or has a place for a value.
            if kind is not None and not re.search(r"[\[\](){}<>$\s]", value) and live(value, kind):
                return f"the value of {one['name']}"
    return ""


def is_example(path: str) -> bool:
    """Return whether a file is a test, a fixture, a document or a template: what is in it is for show."""
    return bool(_SKIPPED.search(path))


def shown(file: File) -> Iterator[Line]:
    """Yield the lines of a file of settings that show a live secret."""
    if len(file.content) > BYTES_MAX or is_example(file.path):
        return
    text = file.text
    lines = text.splitlines()
    found: set[int] = set()
    manifest = bool(re.search(r"(?m)^kind:\s*Secret\s*$", text))
    if "PRIVATE KEY" in text and issued(re.sub(r"(?m)^\s+", "", text)) == "a private key":
        number = next((n for n, line in enumerate(lines, 1) if "PRIVATE KEY-----" in line), 1)
        found.add(number)
        yield Line(number, lines[number - 1].strip(), "a private key")
    if _BARE.search(file.path) and len(lines) <= _BARE_LINES_MAX:
        for number, line in enumerate(lines, start=1):
            if number not in found and (live(line.strip(), "token") or (decoded(line.strip()) and live(line, "token"))):
                found.add(number)
                yield Line(number, line.strip(), "what the file is called for")
    if file.path.endswith(".txt") and not file.path.rpartition("/")[2].startswith("requirements"):
        return
    if file.path.endswith(".sql"):
        for number, what in in_sql(text):
            if number not in found:
                found.add(number)
                yield Line(number, lines[number - 1].strip(), what)
    named = folded = ""
    plain = False
    for number, line in enumerate(lines, start=1):
        bare = line.strip()
        if not bare or (bare.startswith(("#", "//", ";", "--")) and (_TOLD.search(bare) or not _remarked(bare))):
            continue
        section = _SECTION.match(line)
        plain = section["name"] == "stringData" if section else plain
        whole = f"{folded}: {bare}" if folded else line
        if bare.startswith(("#", ";", "//", "--")):
            whole = bare.lstrip("#;/-").strip()
        if (
            plain
            and manifest
            and not section
            and (pair := _PAIR.match(line))
            and live(_plain(pair["value"]), "password")
        ):
            found.add(number)
            yield Line(number, bare, f"the value of {pair['name']}")
        sql = file.path.endswith(".sql")
        what = _of_line(whole, named, manifest=manifest, sql=sql)
        what = what or (_of_line(line, named, manifest=manifest, sql=sql) if folded else "")
        if what and number not in found:
            yield Line(number, bare, what)
        folds = _FOLDED.match(line)
        folded = folds["name"] if folds else ""
        name = _NAMED.match(line) or _VARIABLE.match(line)
        named = name["name"] if name else "" if bare.startswith(("- ", "}")) else named


def _of_line(line: str, named: str, *, manifest: bool, sql: bool) -> str:
    if sql:
        return issued(line)
    pair = _PAIR.match(line) or _ENV_SPACE.match(line)
    value = _VALUE.match(line)
    pairs: list[tuple[str, str]] = []
    if value and named:
        pairs.append((named, value["value"]))
    elif pair:
        pairs.append((pair["name"], pair["value"]))
    pairs += [(m["name"], m["value"]) for m in _INLINE.finditer(line)]
    pairs += [(m["name"], m["value"]) for m in _OPTION.finditer(line)]
    pairs += [(m["name"] or m["other"], m["value"] or m["its"]) for m in _TAG.finditer(line)]
    for name, written in pairs:
        text = _plain(written)
        default = _DEFAULT.fullmatch(text)
        text = default["value"] if default else text
        last = name.rsplit(".", 1)[-1]
        kind = kind_of(last) or ("token" if last.lower() in ("auth", "authorization") else None)
        inside = decoded(text)
        if manifest and inside and pair and line[:1].isspace():
            kind = kind or "secret"
            if live(inside, "password") or issued(inside):
                return f"the value of {name}"
            continue
        if kind is not None and text.startswith("["):
            parts = [_plain(p) for p in text.strip("[]").split(",")]
            if name != "secrets" and any(live(p, kind) for p in parts):
                return f"the value of {name}"
            continue
        if kind is not None and (live(text, kind) or (bool(inside) and len(inside) >= 8 and live(inside, kind))):
            return f"the value of {name}"
        if inside and issued(inside):
            return f"{issued(inside)}, encoded,"
    return issued(line)


def _remarked(text: str) -> bool:
    """Return whether a remark holds a secret, or a line that was only put out of use."""
    if issued(text):
        return True
    pair = re.fullmatch(r"[#;/-]+\s?(?P<name>[A-Za-z_][\w.]*)\s*[=:]\s*(?P<value>\S{16,})", text)
    kind = kind_of(pair["name"]) if pair else None
    return pair is not None and kind is not None and live(_plain(pair["value"]), "token")


def _plain(written: str) -> str:
    """Return a value without its quotes, the remark behind it, and what only separates."""
    text = written.strip().rstrip(",;").strip()
    if text[:1] in "\"'" and text[:1]:
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return _REMARK.sub("", text).strip().rstrip("},]").strip()
