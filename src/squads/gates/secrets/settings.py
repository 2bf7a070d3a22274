"""Live secrets in files of settings: env, YAML, JSON, TOML, INI, properties, shell, Dockerfile, Terraform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.contracts.artifact import File
from squads.gates.secrets.live import decoded, issued, live
from squads.gates.secrets.words import kind_of

SETTINGS_FILES = (
    "*.env", ".env", ".env.*", "*.yaml", "*.yml", "*.json", "*.toml", "*.ini", "*.cfg", "*.conf", "*.config",
    "*.properties", "*.sh", "*.bash", "Dockerfile", "Dockerfile.*", "*.dockerfile", "*.tf", "*.tfvars", "*.pem",
    "*.key", "*.sql", "*.service", "*.npmrc", ".npmrc", ".pypirc", ".netrc", ".pgpass", "*.xml", "*.plist",
    "Makefile",
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
_REMARK = re.compile(r"(?:^|\s)#\s.*$")
_TOLD = re.compile(r"(?i)revoked|example|sample|dummy|fake|expired|placeholder|not real")
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
    named = ""
    for number, line in enumerate(lines, start=1):
        bare = line.strip()
        if not bare or (bare.startswith(("#", "//", ";", "--")) and (_TOLD.search(bare) or not issued(bare))):
            continue
        what = _of_line(line, named, manifest=manifest, sql=file.path.endswith(".sql"))
        if what and number not in found:
            yield Line(number, bare, what)
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
        kind = kind_of(name.rsplit(".", 1)[-1])
        inside = decoded(text)
        if manifest and inside and pair and line[:1].isspace():
            kind = kind or "secret"
            if live(inside, "password") or issued(inside):
                return f"the value of {name}"
            continue
        if kind is not None and (live(text, kind) or (bool(inside) and len(inside) >= 8 and live(inside, kind))):
            return f"the value of {name}"
        if inside and issued(inside):
            return f"{issued(inside)}, encoded,"
    return issued(line)


def _plain(written: str) -> str:
    """Return a value without its quotes, the remark behind it, and what only separates."""
    text = written.strip().rstrip(",;").strip()
    if text[:1] in "\"'" and text[:1]:
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return _REMARK.sub("", text).strip().rstrip("},]").strip()
