"""What calls into XML, signature and SAML libraries do: parse, verify, read identity, or nothing that matters here.

One function per kind of call; each returns None where the call is none of its own. The last one is the call of which
nothing is known: a message that goes in comes out as something unclear, and where its name speaks of verifying,
somebody outside of the artifact was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from squads.gates.saml import words
from squads.gates.saml.calls import Call, Forks, Walker, message, origins_of
from squads.gates.saml.documents import parse, search
from squads.gates.saml.sameness import WEAK, comparing
from squads.gates.saml.signatures import command, crypto, onelogin, signxml, toolkit, xmlsec
from squads.gates.saml.values import (
    NONE,
    Const,
    Data,
    Items,
    Setting,
    State,
    Value,
    Verdict,
    derived,
    outside,
    parts,
    shaped,
    texts,
)
from squads.gates.words import word_set


def external(walker: Walker, call: Call, state: State) -> Forks:
    """Return what a call to something outside of the artifact gives."""
    for kind in _KINDS:
        found = kind(walker, call, state)
        if found is not None:
            return found
    return _unknown(walker, call, state)


_LEAVING = re.compile(
    r"^(flask\.abort|werkzeug\.exceptions\.abort|quart\.abort|bottle\.abort|aiohttp\.web\.abort|sys\.exit|exit|quit|os\._exit"
    r"|django\.\w+\.abort|pytest\.(fail|skip))$"
)


def _leaving(walker: Walker, call: Call, state: State) -> Forks | None:
    if not call.named(_LEAVING) and call.attribute != "abort":
        return None
    walker.leave(state)
    return []


_VERIFIES_ITSELF = frozenset(("assume_role_with_saml",))
"""Who is handed a whole message and verifies it: then this program is the user's own, and signs nobody in."""


def _handing_on(walker: Walker, call: Call, state: State) -> Forks | None:
    if call.attribute not in _VERIFIES_ITSELF:
        return None
    walker.hand_on(origins_of(list(call.every), state))
    return [(state, outside(f"{call.label}()"))]


_PASSING = re.compile(
    r"^(base64|zlib|gzip|bz2|urllib\.parse|html|io|copy|codecs|binascii|textwrap|typing\.cast|itertools|six|json"
    r"|lxml\.etree\.(tostring|QName|ElementTree|cleanup_namespaces)|xml\.etree\.\w+\.(tostring|ElementTree)"
    r"|xmlsec\.tree|functools|operator|defusedxml\.\w+\.tostring|xml\.sax\.saxutils|asyncio\.to_thread)\b"
)
_PASSING_BUILTINS = word_set(
    "bytes str bytearray memoryview list tuple dict set frozenset sorted reversed next iter enumerate zip map filter "
    "getattr min max len int float bool any all repr isinstance hasattr vars id"
)
_SHOWING = re.compile(
    r"^(print|pprint\.\w+|sys\.std(out|err)\.write|click\.(echo|secho)|typer\.(echo|secho)|rich\.print|warnings\.warn)$"
)
_LOGGER = re.compile(r"log|console|stdout|stderr|capture", re.IGNORECASE)
_LEVELS = word_set("debug info warning warn error exception critical log print write echo rule")
_ASKING = frozenset(
    ("get", "pop", "getlist", "get_argument", "get_body_argument", "getfirst", "getvalue", "param", "__getitem__")
)
_OF_STRINGS: dict[str, Callable[..., object]] = {
    "lower": str.lower, "upper": str.upper, "strip": str.strip, "encode": lambda s: s, "decode": lambda s: s,
    "lstrip": str.lstrip, "rstrip": str.rstrip, "casefold": str.casefold, "title": str.title,
}  # fmt: skip


def _settings(walker: Walker, call: Call, state: State) -> Forks | None:
    """Environment variables and options, with what they are by default."""
    if isinstance(call.base, Setting | Const) and call.attribute in _OF_STRINGS and not call.args:
        held = call.base.value if isinstance(call.base, Const) else call.base.default
        text = _OF_STRINGS[call.attribute](held) if isinstance(held, str) else held
        made = text if isinstance(text, str) else held
        return [(state, Const(made) if isinstance(call.base, Const) else Setting(made))]
    if (
        isinstance(call.base, Const)
        and isinstance(call.base.value, str)
        and call.attribute in ("format", "join", "replace")
    ):
        filled = call.base.value
        if call.attribute == "join" and call.args and isinstance(call.args[0], Items):
            return [(state, Const(filled.join(t for _, v in call.args[0].entries for t in texts(v) or ["?"])))]
        for value in call.every:
            filled = filled.replace("{}", str(value.value) if isinstance(value, Const) else "?", 1)
        data = [d for v in call.every for d in parts(v, state) if d.form != "opaque"]
        return [(state, derived(*data) if data else Const(filled))]
    if (
        call.attribute in ("bool", "int", "str", "loads", "strtobool")
        and call.args
        and isinstance(call.args[0], Setting | Const)
    ):
        held = call.args[0].value if isinstance(call.args[0], Const) else call.args[0].default
        if call.attribute == "int" and isinstance(held, str):
            held = int(held) if held.isdigit() else None
        if call.attribute in ("loads", "strtobool") and isinstance(held, str):
            held = held.lower() in ("1", "true", "yes", "on")
        return [(state, Const(held) if isinstance(call.args[0], Const) else Setting(held))]
    if call.named(re.compile(r"^os\.(getenv|environ\.get)$")):
        default = call.argument(1, "default")
        return [(state, Setting(default.value if isinstance(default, Const) else None))]
    if (
        "default" in call.words
        and not (isinstance(call.base, Data) and call.base.form != "opaque")
        and isinstance(call.words["default"], Const)
        and not any(parts(a, state) for a in call.args)
    ):
        return [(state, Setting(call.words["default"].value))]
    if call.attribute in ("get", "getattr", "getboolean", "Field") and not message(call, state):
        default = call.argument(2 if call.attribute == "getattr" else 0 if call.attribute == "Field" else 1)
        if isinstance(default, Const) and isinstance(default.value, bool | type(None)) and call.args:
            asked = [t for a in call.args for t in texts(a)]
            if not any(words.RESPONSE_KEY.search(t) for t in asked) and (isinstance(default.value, bool)):
                return [(state, Setting(default.value))]
    if call.attribute in ("len", "bool", "any", "list") and call.args and isinstance(call.args[0], Verdict):
        return [(state, call.args[0])]
    if call.label in ("any", "all") and call.args and isinstance(call.args[0], Items):
        entries = call.args[0].entries
        return [(state, entries[-1][1] if entries else Const(call.label == "all"))]
    return None


def _of_data(walker: Walker, call: Call, state: State) -> Forks | None:
    """Methods of data: an element's `find`, a form's `get`, a text's `decode`."""
    base = call.base
    if not isinstance(base, Data):
        return None
    strings = [t for v in call.every for t in texts(v)]
    if base.key and words.SAYS_OF_ITSELF.search(call.attribute):
        return [(state, replace(base, tag=WEAK))]
    if base.form == "opaque":
        if call.attribute in _ASKING and strings:
            origins = frozenset(f"{o}[{strings[0]!r}]"[:160] for o in base.origins)
            if words.RESPONSE_KEY.search(strings[0]):
                origins = frozenset((f"the field {strings[0]}",))
            return [(state, Data(origins, reads=base.reads, key=base.key))]
        if call.attribute in ("encode", "decode", "strip", "read", "getvalue", "replace"):
            return [(state, base)]
        if call.attribute in ("find", "findtext", "findall", "xpath", "iterfind", "iter", "getElementsByTagName",
                              "getElementsByTagNameNS", "find_all", "select", "select_one", "findAll"):  # fmt: skip
            named, strong = words.identity(strings)
            if named and strong:
                return [(state, walker.read(call.node, base, strings, state))]
            return [(state, base)]
        return None
    if call.attribute == "getparent" and words.of_signature([base.tag]):
        state.remark("within")
    if base.form == "unclear" and not words.identity(strings)[0]:
        walker.use(call.every, state)
        return [(state, base)]
    if call.attribute in _TRIMMING and not words.identity(strings)[0]:
        return [(state, base)]
    found = walker.read(call.node, base, strings, state)
    if call.attribute in _LOOKING or (base.form == "text" and call.attribute in ("find", "rfind")):
        walker.use([found], state)
    return [(state, found)]


_TRIMMING = frozenset(("strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "replace"))
_LOOKING = frozenset(("startswith", "endswith", "index", "rindex", "partition", "rpartition", "split", "count"))
"""Methods of text that tell where a name stands: what comes next is about it."""


def _containers(walker: Walker, call: Call, state: State) -> Forks | None:
    if isinstance(call.base, Items):
        return [(state, _held(call.base, call, state))]
    return None


def _held(box: Items, call: Call, state: State) -> Value:
    if call.attribute in ("get", "pop", "setdefault") and call.args and isinstance(call.args[0], Const):
        for key, value in box.entries:
            if key == call.args[0]:
                return value
    data = [d for _, v in box.entries for d in parts(v, state)]
    return derived(*data) if data else outside("an item")


def _passing(walker: Walker, call: Call, state: State) -> Forks | None:
    built_in = bool(call.names & _PASSING_BUILTINS) or (not call.names and call.label in _PASSING_BUILTINS)
    if (
        not built_in
        and "decrypt" not in call.attribute
        and not any(_PASSING.search(n) and "()" not in n for n in call.names)
    ):
        return None
    data = [d for v in call.every for d in parts(v, state)]
    if call.attribute in ("list", "tuple", "dict", "set", "sorted") and call.args and isinstance(call.args[0], Items):
        return [(state, call.args[0])]
    if call.attribute == "dict" and call.words:
        return [(state, Items(tuple((Const(k), v) for k, v in call.words.items())))]
    if not data:
        return [(state, Const(texts(call.args[0])[0]) if call.args and texts(call.args[0]) else Setting(None))]
    made = derived(*data)
    decoded = call.attribute in ("b64decode", "decompress", "decodebytes", "urlsafe_b64decode", "standard_b64decode")
    return [(state, shaped(made, "text") if decoded and made.form == "opaque" else made)]


def _showing(walker: Walker, call: Call, state: State) -> Forks | None:
    label = call.label.rpartition(".")[0]
    if call.named(_SHOWING) or (call.attribute in _LEVELS and _LOGGER.search(label)):
        return [(state, NONE)]
    return None


def _unknown(walker: Walker, call: Call, state: State) -> Forks:
    walker.use(call.every, state)
    held = message(call, state)
    data = [d for v in call.every for d in parts(v, state)]
    asked = bool(words.VERIFYING.search(call.attribute)) or bool(words.VERIFYING.search(call.label.rpartition(".")[0]))
    saml = [d for d in data if any(re.search("saml|assertion", o, re.IGNORECASE) for o in d.origins)]
    key = any(d.key for d in data)
    if asked and (held or saml):
        walker.may_fail(state)
        origins = frozenset().union(*(d.origins for d in (held or saml)))
        for origin in origins:
            state.trust.setdefault(origin, "unclear")
        return [(state, Data(origins, "unclear", key=key))]
    if held:
        return [(state, replace(derived(*held), form="unclear", key=key))]
    return [(state, Data(frozenset((f"{call.label}()"[:120],)), reads=frozenset(), key=key))]


_KINDS: tuple[Callable[[Walker, Call, State], Forks | None], ...] = (
    *(_leaving, _handing_on, comparing),
    *(signxml, xmlsec, command, onelogin, toolkit, crypto),
    *(parse, search),
    *(_settings, _passing, _showing, _containers, _of_data),
)
"""Every kind of call that is known, in the order in which they are asked."""
