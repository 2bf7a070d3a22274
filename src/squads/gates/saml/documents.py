"""What turns a message into a tree, a stream of events or a match: parsers, and searches over text."""

from __future__ import annotations

import re

from squads.gates.saml import words
from squads.gates.saml.calls import Call, Forks, Walker
from squads.gates.saml.values import (
    NONE,
    OWN,
    Callee,
    Const,
    Data,
    Form,
    Object,
    Setting,
    State,
    Value,
    derived,
    outside,
    parts,
    shaped,
    texts,
)

# XML

_XML = re.compile(
    r"^(xml\.|lxml\b|defusedxml\b|xmltodict\b|untangle\b|bs4\b|xmlschema\b|html5lib\b|pyexpat\b|cElementTree)"
)
_PARSERS = frozenset(("fromstring", "fromstringlist", "parseString", "XML", "XMLID", "iterparse", "BeautifulSoup"))
_PARSERS_OF_XML = frozenset(("parse", "feed", "Parse", "ParseFile", "fragment_fromstring", "document_fromstring"))
_EVENTS = (
    ("startElement", 2), ("startElementNS", 3), ("start", 2), ("start_element", 2), ("characters", 1), ("data", 1),
    ("char_data", 1), ("endElement", 1), ("endElementNS", 2), ("end", 1), ("end_element", 1), ("close", 0),
)  # fmt: skip


def parse(walker: Walker, call: Call, state: State) -> Forks | None:
    """Parse, at once or as a stream: a hardened parser gives a tree like any other."""
    of_xml = call.named(_XML)
    origins = call.base.origins if isinstance(call.base, Data) else frozenset()
    if of_xml and call.attribute in ("close", "read_events"):
        fed = [state.attributes[o, "#fed"] for o in origins if (o, "#fed") in state.attributes]
        return [(state, fed[0] if fed else OWN)]
    if of_xml and call.attribute == "setContentHandler" and call.args:
        state.attributes.update({(o, "#handler"): call.args[0] for o in origins})
        return [(state, NONE)]
    if of_xml and call.attribute in ("XMLParser", "XMLPullParser", "HTMLParser"):
        target = call.words.get("target")
        parser = outside(f"{call.label}()")
        if target is not None:
            state.attributes.update({(o, "#handler"): target for o in parser.origins})
        return [(state, parser)]
    if call.attribute not in _PARSERS and not (of_xml and call.attribute in _PARSERS_OF_XML):
        return None
    given = call.argument(0, "text", "source", "string", "data", "markup", "xml_input")
    data = parts(given, state) if given is not None else []
    if isinstance(given, Const) and call.attribute == "parse":
        data = [outside(f"the file {given.value!r:.60}")]
    if isinstance(given, Setting):
        data = [outside("a file")]
    form: Form = (
        "metadata"
        if any(words.of_metadata(d.origins) or "metadata" in "".join(d.origins).lower() for d in data)
        else "tree"
    )
    tree: Data = shaped(derived(*data), form) if data else OWN
    state.attributes.update({(o, "#fed"): tree for o in origins})
    handlers: list[Value] = [v for v in call.every if isinstance(v, Object)]
    for value in (call.base, *call.every):
        if isinstance(value, Data):
            for (owner, name), held in list(state.attributes.items()):
                if owner in value.origins and (name == "#handler" or str(name).endswith("Handler")):
                    handlers.append(held)
    states = [state]
    for handler in handlers:
        states = [s2 for s in states for s2 in _stream(walker, handler, tree, s)]
    return [(s, handlers[0] if call.attribute == "fromstring" and handlers else tree) for s in states]


def _stream(walker: Walker, handler: Value, tree: Data, state: State) -> list[State]:
    """Run the methods that a streaming parser calls, twice, so that one remembers what another saw."""
    states = [state]
    if isinstance(handler, Callee):
        arguments: list[Value] = [tree] * max(1, len(handler.function.parameters) - (handler.owner is not None))
        return [s for s, _ in walker.run(handler, arguments, {}, state)]
    if isinstance(handler, Object):
        for _ in range(2):
            for name, count in _EVENTS:
                method = walker.method(handler, name)
                if method is not None:
                    states = [s2 for s in states for s2, _ in walker.run(method, [tree] * count, {}, s)]
    return states


_SEARCHES = frozenset(("search", "match", "fullmatch", "findall", "finditer", "split", "sub"))


def search(walker: Walker, call: Call, state: State) -> Forks | None:
    """Regular expressions and compiled XPath: what they find is read."""
    if call.attribute in ("compile", "XPath", "ETXPath", "CSSSelector") and call.args and texts(call.args[0]):
        return [(state, Const(texts(call.args[0])[0]))]
    if isinstance(call.base, Const) and call.attribute in (*_SEARCHES, "__call__"):
        pattern, rest = texts(call.base), call.every
    elif any(n.startswith(("re.", "regex.")) for n in call.names) and call.attribute in _SEARCHES and call.args:
        pattern, rest = texts(call.args[0]), [*call.args[1:], *call.words.values()]
    else:
        return None
    data = [d for v in rest for d in parts(v, state)]
    if not data or not pattern:
        return None
    whole = derived(*data)
    if words.identity(pattern)[0] and whole.form == "opaque":
        whole = shaped(whole, "text")
    return [(state, walker.read(call.node, whole, pattern, state))]
