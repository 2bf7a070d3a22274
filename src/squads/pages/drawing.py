"""Drawings as SVG: the graph of attempts and verdicts, and the timeline. Each has a title, a description and a table.

Plain shapes and words; colours come from the page's style by class, so that they follow light, dark and print. Text is
escaped here, because drawings are the one markup that a page takes as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from squads.pages.blocks import MARKS, Tone
from squads.pages.report import Report, Span, Try
from squads.pages.text import duration, one_line, shortened

NODES_SHOWN_MAX = 60
GATES_SHOWN_MAX = 6
BARS_SHOWN_MAX = 60
WIDTH, ROW, GAP_X, GAP_Y, LANES = 264, 18, 32, 44, 56
NAME_CHARS_MAX = 34


@dataclass(frozen=True, slots=True)
class Node:
    """One box: what it is, how it ended, and what each gate said."""

    id: str
    title: str
    tone: Tone
    gates: tuple[tuple[str, Tone], ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow."""

    start: str
    end: str
    words: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that is drawn, in the order of the log."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0


class Box(NamedTuple):
    """Where a node stands."""

    x: int
    y: int
    height: int
    row: int


def graph_of(report: Report) -> Graph:
    """Return the packet's attempts as a graph: what was made from what, and what a refusal led to."""
    nodes = [Node("packet", "the brief", "plain")]
    edges: list[Edge] = []
    shown = report.tries[: NODES_SHOWN_MAX - 3]
    by_subject: dict[str, str] = {}
    newest_plan = "packet"
    last_of: dict[tuple[str, int], str] = {}
    for tried in shown:
        name = f"{tried.reads}-{tried.task}-{tried.number}"
        gates = tuple((j.ticket.gate, j.tone) for j in tried.last)
        nodes.append(Node(name, one_line(f"{report.attempt(tried)}, {tried.author}"), tried.tone, gates))
        before = last_of.get((tried.reads, tried.task))
        if before is not None:
            edges.append(Edge(before, name, "refused, tried again", "bad"))
        elif tried.reads == "plan":
            edges.append(Edge("packet", name, "cut into tasks"))
        elif tried.reads == "artifact":
            edges.append(Edge(newest_plan, name, "built"))
        if tried.reads == "plan":
            newest_plan = name
        sources = tried.parts if tried.reads == "composition" else tried.manifest.made_from if tried.manifest else ()
        edges += [Edge(by_subject[s], name, "made from", "good") for s in sources if s in by_subject]
        by_subject[tried.subject] = name
        last_of[tried.reads, tried.task] = name
    last = nodes[-1].id
    if report.question is not None:
        denied = any(a.decision == "denied" for a in report.answers)
        approved = sum(a.decision == "approved" for a in report.answers) >= report.question.quorum
        tone: Tone = "bad" if denied else "good" if approved else "unsure"
        people = tuple((report.people.get(a.author, a.author), _answer(a.decision)) for a in report.answers)
        nodes.append(Node("approval", "approval by people", tone, people))
        edges.append(Edge(by_subject.get(report.question.subject, last), "approval", "asked", "good"))
        last = "approval"
    if report.finish is not None:
        composed = report.finish.outcome == "composed"
        nodes.append(Node("finish", "composed" if composed else "not composed", "good" if composed else "bad"))
        edges.append(Edge(last, "finish", "ended", "good" if composed else "bad"))
    return Graph(tuple(nodes), tuple(dict.fromkeys(edges)), len(report.tries) - len(shown))


def _answer(decision: str) -> Tone:
    return "good" if decision == "approved" else "bad"


def graph_svg(graph: Graph) -> str:
    """Return the graph as SVG, in rows: what something was made from stands above it."""
    import networkx

    net: networkx.DiGraph[str] = networkx.DiGraph()
    net.add_nodes_from(node.id for node in graph.nodes)
    net.add_edges_from((edge.start, edge.end) for edge in graph.edges)
    order = {node.id: place for place, node in enumerate(graph.nodes)}
    nodes = {node.id: node for node in graph.nodes}
    boxes: dict[str, Box] = {}
    rows = [sorted(row, key=order.__getitem__) for row in networkx.topological_generations(net)]
    y = 16
    for number, row in enumerate(rows):
        heights = [34 + ROW * min(len(nodes[name].gates), GATES_SHOWN_MAX + 1) for name in row]
        for column, (name, height) in enumerate(zip(row, heights, strict=True)):
            boxes[name] = Box(LANES + column * (WIDTH + GAP_X), y, height, number)
        y += max(heights) + GAP_Y
    width = LANES + max(len(row) for row in rows) * (WIDTH + GAP_X)
    # An arrow over other rows runs in a lane of its own at the left, where no box stands.
    lanes = [e for e in graph.edges if boxes[e.end].row - boxes[e.start].row > 1]
    drawn = "".join(_edge(e, boxes, lanes.index(e) if e in lanes else -1) for e in graph.edges)
    drawn += "".join(_node(node, boxes[node.id]) for node in graph.nodes)
    described = "; ".join(f"{nodes[e.start].title} to {nodes[e.end].title}: {e.words}" for e in graph.edges)
    return _svg("graph", width, y - GAP_Y + 16, "Graph of attempts and verdicts", described, drawn)


def _node(node: Node, box: Box) -> str:
    x, y, height, _ = box
    parts = [f'<rect class="box {node.tone}" x="{x}" y="{y}" width="{WIDTH}" height="{height}" rx="8"/>']
    title = escape(shortened(node.title, NAME_CHARS_MAX))
    parts.append(f'<text class="mark {node.tone}" x="{x + 12}" y="{y + 22}">{MARKS[node.tone]}</text>')
    parts.append(f'<text x="{x + 30}" y="{y + 22}" font-weight="600">{title}</text>')
    shown = list(node.gates[:GATES_SHOWN_MAX])
    for row, (gate, tone) in enumerate(shown, 1):
        line = y + 22 + row * ROW
        parts.append(f'<text class="mark {tone}" x="{x + 12}" y="{line}">{MARKS[tone]}</text>')
        parts.append(f'<text class="soft" x="{x + 30}" y="{line}">{escape(shortened(one_line(gate), 34))}</text>')
    if len(node.gates) > len(shown):
        line = y + 22 + (len(shown) + 1) * ROW
        parts.append(f'<text class="soft" x="{x + 30}" y="{line}">and {len(node.gates) - len(shown)} more</text>')
    return f"<g><title>{escape(node.title)}</title>{''.join(parts)}</g>"


def _edge(edge: Edge, boxes: dict[str, Box], lane: int) -> str:
    start, end = boxes[edge.start], boxes[edge.end]
    start_x, start_y = start.x + WIDTH // 2, start.y + start.height
    end_x, end_y = end.x + WIDTH // 2, end.y - 9
    if lane >= 0:
        left = LANES - 12 - lane % 5 * 9
        turn = start_y + 12 + lane % 5 * 3
        path = f"M{start_x},{start_y} V{turn} H{left} V{end_y - 14} H{end_x} V{end_y}"
    else:
        middle = (start_y + end_y) // 2
        path = f"M{start_x},{start_y} C{start_x},{middle} {end_x},{middle} {end_x},{end_y}"
    head = f"M{end_x},{end_y + 8} l-5,-9 h10 z"
    label = ""
    if edge.tone == "bad" and lane < 0:
        label = f'<text class="mark bad" x="{end_x + 12}" y="{(start_y + end_y) // 2 + 6}">{escape(edge.words)}</text>'
    title = f"<title>{escape(edge.words)}</title>"
    return (
        f'<g>{title}<path class="edge {edge.tone}" d="{path}"/><path class="head {edge.tone}" d="{head}"/>{label}</g>'
    )


def timeline_svg(spans: Sequence[Span], start_ms: int, end_ms: int) -> str:
    """Return the timeline: one bar for each piece of work, from being asked for to being answered."""
    shown = spans[:BARS_SHOWN_MAX]
    names, bars, row = 320, 460, 26
    length = max(end_ms - start_ms, 1)
    parts = []
    for number, span in enumerate(shown):
        y = 30 + number * row
        left = names + (span.start_ms - start_ms) * bars // length
        until = end_ms if span.end_ms is None else span.end_ms
        width = max((until - span.start_ms) * bars // length, 4)
        left = min(left, names + bars - width)
        label = escape(shortened(one_line(f"{span.who}: {span.what}"), 46))
        title = escape(one_line(f"{span.who}: {span.what}, {span.said}, {duration(until - span.start_ms)}"))
        parts.append(
            f'<g><title>{title}</title><text x="8" y="{y + 13}">{label}</text>'
            f'<line class="rule" x1="{names}" y1="{y + 20}" x2="{names + bars}" y2="{y + 20}"/>'
            f'<rect class="bar {span.tone}" x="{left}" y="{y + 2}" width="{width}" height="13" rx="3"/>'
            f'<text class="mark {span.tone}" x="{names + bars + 10}" y="{y + 13}">{MARKS[span.tone]}</text></g>'
        )
    parts.append(f'<text class="soft" x="{names}" y="18">0</text>')
    end = escape(duration(end_ms - start_ms))
    parts.append(f'<text class="soft" x="{names + bars}" y="18" text-anchor="end">{end}</text>')
    described = f"{len(shown)} pieces of work between the first and the last receipt; the table below says the same."
    return _svg("timeline", names + bars + 36, 40 + len(shown) * row, "Timeline", described, "".join(parts))


def _svg(name: str, width: int, height: int, title: str, described: str, inner: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(described)}</desc>'
        f"{inner}</svg>"
    )


def gate_marks(tried: Try) -> str:
    """Return each gate's last word on an attempt, for the table that stands beside the graph."""
    return ", ".join(f"{MARKS[j.tone]} {j.ticket.gate}" for j in tried.last) or "nobody was asked"
