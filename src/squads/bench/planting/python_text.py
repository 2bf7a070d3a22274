"""Python text as operators edit it: libcst's tree with the offset of every node, in a file that libcst can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from squads.bench.planting.mutation import Edit, Span

if TYPE_CHECKING:
    import libcst as cst


@dataclass(frozen=True, eq=False)
class PythonFile:
    """One file's tree. Nodes are told apart by identity."""

    path: str
    text: str
    module: cst.Module
    spans: Mapping[cst.CSTNode, Span]
    parents: Mapping[cst.CSTNode, cst.CSTNode]

    def nodes(self) -> Iterator[cst.CSTNode]:
        """Yield every node that has a place, in the order of the text."""
        yield from sorted(self.spans, key=lambda node: (self.spans[node].start, -self.spans[node].end))

    def source(self, node: cst.CSTNode) -> str:
        """Return a node's text."""
        span = self.spans[node]
        return self.text[span.start : span.end]

    def within(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> cst.CSTNode | None:
        """Return the nearest node of these kinds that a node stands in, or is."""
        at: cst.CSTNode | None = node
        while at is not None and not isinstance(at, kinds):
            at = self.parents.get(at)
        return at

    def statement(self, node: cst.CSTNode) -> Span:
        """Return the span of the statement that a node stands in; of a compound one only its first line."""
        import libcst as cst

        at: cst.CSTNode | None = node
        while at is not None and not isinstance(at, (cst.SimpleStatementLine, cst.BaseCompoundStatement)):
            at = self.parents.get(at)
        if at is None:
            return self.spans[node]
        span = self.spans[at]
        if isinstance(at, cst.BaseCompoundStatement):
            return Span(self.path, span.start, self.spans[at.body].start)
        return span

    def replaced(self, node: cst.CSTNode, put: str) -> Edit:
        """Return the edit that puts text in the place of a node."""
        return Edit(self.spans[node], put)


def python_files(files: Mapping[str, str]) -> list[PythonFile]:
    """Return all Python files that can be read, by path; what else is there is left alone."""
    found = (_read(path, files[path]) for path in sorted(files) if path.endswith(".py"))
    return [file for file in found if file is not None]


@lru_cache(maxsize=64)
def _read(path: str, text: str) -> PythonFile | None:
    import libcst as cst
    from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, ParentNodeProvider

    if "\r" in text:
        return None  # libcst's offsets are of the text as it is, and edits would mix line ends
    try:
        wrapper = MetadataWrapper(cst.parse_module(text))
    except cst.ParserSyntaxError:
        return None
    raw = text.encode()
    if len(raw) == len(text):
        offsets = None
    else:
        offsets = [0] * (len(raw) + 1)
        at = 0
        for number, character in enumerate(text):
            for _ in character.encode():
                offsets[at] = number
                at += 1
        offsets[at] = len(text)
    spans = {}
    for node, place in wrapper.resolve(ByteSpanPositionProvider).items():
        start, end = place.start, place.start + place.length
        spans[node] = Span(path, offsets[start], offsets[end]) if offsets else Span(path, start, end)
    return PythonFile(path, text, wrapper.module, spans, dict(wrapper.resolve(ParentNodeProvider)))
