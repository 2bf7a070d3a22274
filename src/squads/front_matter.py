"""The front matter of a Markdown page: strict YAML between two lines of dashes, each value with its line.

Strict means: one mapping, no key twice, no anchors, aliases or tags, no more than `MATTER_BYTES_MAX` bytes and
`DEPTH_MAX` levels. A date stays the text that was written. Nothing here knows what the keys mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from squads.contracts.errors import InvalidCard

PAGE_BYTES_MAX = 256 * 1024
"""How large a page with front matter may be."""
MATTER_BYTES_MAX = 16 * 1024
DEPTH_MAX = 8
_FENCE = "---"
_PLAIN = {
    "tag:yaml.org,2002:str",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:null",
    "tag:yaml.org,2002:float",
}
_PLAIN_GROUPS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says: values by key, the line of each, and the prose below them."""

    path: str
    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    prose: str = ""

    def place(self, key: str) -> str:
        """Return where a key stands, such as `gates/schema.md:3`."""
        return f"{self.path}:{self.lines.get(key, 1)}"


def has_front_matter(content: bytes) -> bool:
    """Return whether a page begins with a line of three dashes."""
    return content.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].rstrip(b"\r \t") == _FENCE.encode()


def read_page(content: bytes, path: str, *, plain: Collection[str] = ()) -> Page:
    """Return what a page says; one without front matter is prose alone. Raises `InvalidCard` with file and line.

    `plain` are keys whose lines may be no YAML, as coding assistants write and read them (`description: Use it when:
    ...`): where every key of a page is one of these, a line's text is the value as it stands.
    """
    if len(content) > PAGE_BYTES_MAX:
        raise InvalidCard(f"{path} has {len(content):,} bytes, more than {PAGE_BYTES_MAX:,}; cut its prose")
    try:
        text = content.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidCard(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error
    if not has_front_matter(content):
        return Page(path, prose=text.strip())
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines[1:], start=1) if line.rstrip() in (_FENCE, "...")), None)
    if end is None:
        raise InvalidCard(f"{path}:1: the front matter is not closed; write `---` on a line of its own below the keys")
    matter = "\n".join(lines[1:end])
    if len(matter.encode()) > MATTER_BYTES_MAX:
        raise InvalidCard(f"{path}: the front matter has more than {MATTER_BYTES_MAX:,} bytes; move prose below it")
    values, places = _plain_lines(matter, plain) or _mapping(matter, path)
    return Page(path, values, places, "\n".join(lines[end + 1 :]).strip())


def _plain_lines(matter: str, plain: Collection[str]) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Return a page of one-line texts, or None where it is none or is YAML as well."""
    import yaml

    found = {}
    for number, line in enumerate(matter.split("\n"), start=2):
        key, colon, value = line.partition(":")
        if not line.strip():
            continue
        if not colon or key not in plain or key in found:
            return None
        found[key] = (value.strip(), number)
    if not {"name", "description"} <= found.keys():
        return None
    try:
        yaml.safe_load(matter)
    except yaml.YAMLError:
        return {key: found[key][0] for key in found}, {key: found[key][1] for key in found}
    except (RecursionError, ValueError):
        return None
    return None


def _mapping(matter: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    import yaml

    try:
        for event in yaml.parse(matter, Loader=yaml.SafeLoader):  # anchors could make a small text huge
            if getattr(event, "anchor", None):
                at = event.start_mark.line + 2 if event.start_mark else 1
                raise InvalidCard(f"{path}:{at}: anchors and aliases are not read here; write the value out")
        node = yaml.compose(matter, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 2}" if mark else ""
        what = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
        raise InvalidCard(f"{path}{line}: this is no YAML: {what}; quote text that holds `:` or `#`") from error
    except RecursionError as error:
        raise InvalidCard(f"{path}: the front matter is nested too deeply; flatten it") from error
    if node is None:
        return {}, {}
    if not isinstance(node, yaml.MappingNode):
        raise InvalidCard(f"{path}:2: the front matter must be `key: value` lines")
    values = _value(node, path, 0)
    return values, {key.value: key.start_mark.line + 2 for key, _ in node.value}


def _value(node: Any, path: str, depth: int) -> Any:
    import yaml

    line = node.start_mark.line + 2
    if depth > DEPTH_MAX:
        raise InvalidCard(f"{path}:{line}: nested more than {DEPTH_MAX} levels deep; flatten it")
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_GROUPS:
        raise InvalidCard(f"{path}:{line}: {node.tag.rsplit(':', 1)[-1]!r} values are not read here; write plain text")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, inner in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InvalidCard(f"{path}:{key.start_mark.line + 2}: a key must be plain text")
            if key.value in found:
                raise InvalidCard(f"{path}:{key.start_mark.line + 2}: {key.value!r} stands here twice; keep one")
            found[key.value] = _value(inner, path, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(inner, path, depth + 1) for inner in node.value]
    if node.tag == _TIMESTAMP:
        return node.value
    if node.tag not in _PLAIN:
        raise InvalidCard(f"{path}:{line}: {node.tag.rsplit(':', 1)[-1]!r} values are not read here; write plain text")
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError as error:  # such as an integer with thousands of digits
        raise InvalidCard(f"{path}:{line}: the value cannot be read: {error}") from error
