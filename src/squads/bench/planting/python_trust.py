"""Operators that break what code may believe and show: signatures, tenants in queries, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from squads.bench.planting.mutation import Edit, Mutation, Operator, Span
from squads.bench.planting.python_text import PythonFile, python_files

if TYPE_CHECKING:
    import libcst as cst

Files = Mapping[str, str]
_TENANT = r"(?:\w+\.)?\w*(?:tenant|workspace|org|organi[sz]ation|account|company|team|customer|shop|clinic|client)\w*"
_MARK = r"(?:\?|%s|:\w+|%\(\w+\)s|\$\d+|@\w+)"
_PREDICATE = re.compile(
    rf"(?P<after>\s+and\s+{_TENANT}\s*=\s*(?P<first>{_MARK}))|(?P<before>(?<=where)\s+{_TENANT}\s*=\s*(?P<second>{_MARK})\s+and)"
    rf"|(?P<alone>\s+where\s+{_TENANT}\s*=\s*(?P<third>{_MARK})(?!\s+(?:and|or)\b))",
    re.IGNORECASE,
)
_NAMED_TENANT = re.compile(rf"{_TENANT}", re.IGNORECASE)
_POSITIONAL = re.compile(r"\?|%s")
_FILTERS = frozenset({"filter", "filter_by", "where", "get", "get_or_none", "exclude", "find", "find_one"})
_SECRET = re.compile(r"secret|token|password|passwd|api_?key|signing_?key|private_?key|dsn|credential", re.IGNORECASE)


def signature(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each call that decodes a token and names its algorithms: it no longer verifies."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if not isinstance(node, cst.Call) or not _called(node, "decode"):
                continue
            options = _argument(node, "options")
            if (
                options is not None
                and isinstance(options.value, cst.Dict)
                and "verify_signature" not in file.source(options)
            ):
                entries = "".join(f", {file.source(e)}" for e in options.value.elements)
                put = f'{{"verify_signature": False{entries}}}'
                yield Mutation((file.replaced(options.value, put),), (file.statement(node),))
            elif options is None and _argument(node, "algorithms") is not None:
                last = file.spans[node.args[-1]].end
                edit = Edit(Span(file.path, last, last), ', options={"verify_signature": False}')
                yield Mutation((edit,), (file.statement(node),))


def comparison(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each `if` that leaves when a signature differs: it no longer looks."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if not isinstance(node, cst.If) or node.orelse is not None or not isinstance(node.body, cst.IndentedBlock):
                continue
            if re.search(r"compare_digest|verify|check_signature|signature", file.source(node.test)) and re.match(
                r"\s*(?:raise|return)\b", file.source(node.body)
            ):
                whole = file.spans[node]
                around = file.within(file.parents[node], cst.FunctionDef)
                about = file.spans[around] if around is not None else whole
                if _only(file, node):
                    continue
                line = file.text.rfind("\n", 0, whole.start) + 1
                end = file.text.find("\n", whole.end - 1) + 1 or whole.end
                yield Mutation((Edit(Span(file.path, line, end)),), (about,))


def query(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each tenant's condition in a query's text, with the value that it was given."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if not isinstance(node, cst.SimpleString):
                continue
            written = file.source(node)
            for match in _PREDICATE.finditer(written):
                mark = match["first"] or match["second"] or match["third"]
                edits = [Edit(_part(file, node, match.start(), match.end()))]
                if _POSITIONAL.fullmatch(mark):
                    whole = file.spans[_text_of(file, node)].start
                    until = file.spans[node].start + match.end()
                    number = len(_POSITIONAL.findall(file.text[whole:until])) - 1
                    value = _value(file, node, number)
                    if value is None:
                        continue
                    edits.append(Edit(value))
                yield Mutation(tuple(edits), (file.statement(node),))


def filters(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each tenant's condition among several that a query's method is given."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            if not isinstance(node, cst.Call) or len(node.args) < 2 or not _called(node, *_FILTERS):
                continue
            for number, argument in enumerate(node.args):
                named = argument.keyword.value if argument.keyword else ""
                compared = isinstance(argument.value, cst.Comparison) and file.source(argument.value)
                if not _NAMED_TENANT.search(named or compared or ""):
                    continue
                start, end = file.spans[argument].start, file.spans[argument].end
                if number:
                    start = file.spans[node.args[number - 1]].end
                else:
                    end = file.spans[node.args[1]].start
                yield Mutation((Edit(Span(file.path, start, end)),), (file.statement(node),))


def secret_default(files: Files) -> Iterator[Mutation]:
    """Yield one mutation for each secret that is read from the environment: it has a default then."""
    import libcst as cst

    for file in python_files(files):
        for node in file.nodes():
            name = _environment(file, node)
            if name is None or not _SECRET.search(name):
                continue
            # Made from the name, so that the same seed plants the same bytes, and shaped like what is issued.
            secret = sha256(f"{file.path} {name}".encode()).hexdigest()[:40]
            if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and len(node.args) == 1:
                put = f'{file.source(node.func)}("{name}", "{secret}")'
            elif isinstance(node, cst.Subscript):
                put = f'{file.source(node.value)}.get("{name}", "{secret}")'
            else:
                continue
            yield Mutation((file.replaced(node, put),), (file.statement(node),))


def _environment(file: PythonFile, node: cst.CSTNode) -> str | None:
    """Return the variable that a node reads from the environment."""
    match = re.fullmatch(
        r"""(?:\w+\.)*(?:environ|environment|env)(?:\.get\(|\[)\s*["'](\w+)["']\s*[\])]|(?:os\.)?getenv\(["'](\w+)["']\)""",
        file.source(node),
    )
    return (match[1] or match[2]) if match else None


def _called(call: cst.Call, *names: str) -> bool:
    import libcst as cst

    return isinstance(call.func, cst.Attribute) and call.func.attr.value in names


def _argument(call: cst.Call, name: str) -> cst.Arg | None:
    return next((a for a in call.args if a.keyword is not None and a.keyword.value == name), None)


def _only(file: PythonFile, node: cst.CSTNode) -> bool:
    """Whether a statement is alone in its block, which would be empty without it."""
    import libcst as cst

    block = file.parents[node]
    return isinstance(block, cst.IndentedBlock) and len(block.body) == 1


def _text_of(file: PythonFile, node: cst.CSTNode) -> cst.CSTNode:
    """Return the whole text that a string is a piece of."""
    import libcst as cst

    while isinstance(file.parents.get(node), cst.ConcatenatedString):
        node = file.parents[node]
    return node


def _part(file: PythonFile, node: cst.SimpleString, start: int, end: int) -> Span:
    begin = file.spans[node].start
    return Span(file.path, begin + start, begin + end)


def _value(file: PythonFile, node: cst.SimpleString, number: int) -> Span | None:
    """Return the span of the value for the placeholder `number` of a query, with a comma beside it."""
    import libcst as cst

    call = file.within(node, cst.Call)
    if not isinstance(call, cst.Call):
        return None
    given = next((a.value for a in call.args if isinstance(a.value, (cst.Tuple, cst.List))), None)
    if not isinstance(given, (cst.Tuple, cst.List)) or number >= len(given.elements) or len(given.elements) < 2:
        return None
    spans = [file.spans[e.value] for e in given.elements]
    if number:
        if len(spans) == 2 and isinstance(given, cst.Tuple):  # the comma stays: it makes the tuple
            comma = file.text.index(",", spans[0].end)
            return Span(file.path, comma + 1, spans[1].end)
        return Span(file.path, spans[number - 1].end, spans[number].end)
    if len(spans) == 2 and isinstance(given, cst.Tuple) and "," not in file.text[spans[1].end : file.spans[given].end]:
        return None  # what stays would be no tuple
    return Span(file.path, spans[0].start, spans[1].start)


OPERATORS = (
    Operator("python.signature", "python", "auth.token-signature", "decodes a token without verifying it", signature),
    Operator(
        "python.comparison", "python", "auth.token-signature", "drops the look at a signature that differs", comparison
    ),
    Operator("python.query", "python", "sql.tenant", "takes the tenant's condition from a query's text", query),
    Operator("python.filters", "python", "sql.tenant", "takes the tenant's condition from a query's method", filters),
    Operator(
        "python.secret-default",
        "python",
        "secret.exposed",
        "gives a secret of the environment a default",
        secret_default,
    ),
)
"""All operators of this file."""
