"""What verifies a signature, by which certificate, and how its answer comes: an exception, a value, a signed tree."""

from __future__ import annotations

import re

from squads.gates.saml.calls import Call, Forks, Walker, came_along, nothing, origins_of
from squads.gates.saml.values import (
    NONE,
    OWN,
    Const,
    Data,
    State,
    Verdict,
    derived,
    parts,
    shaped,
    texts,
)

# Signatures

_SIGNXML = re.compile(r"signxml.*Verifier\(\)\.verify$")
_SIGNXML_WORDS = frozenset(
    ("x509_cert", "ca_pem_file", "ca_path", "require_x509", "cert_resolver", "cert_subject_name")
)
_PINNING = ("x509_cert", "ca_pem_file", "ca_path", "cert_resolver", "hmac_key")


def signxml(walker: Walker, call: Call, state: State) -> Forks | None:
    """A signxml verifier raises, and gives back what is signed; only that may be read."""
    ours = call.named(_SIGNXML) or (call.attribute == "verify" and bool(_SIGNXML_WORDS & set(call.words)))
    if not ours:
        return None
    data = call.argument(0, "data")
    pinned = [call.words[w] for w in _PINNING if w in call.words and call.words[w] != NONE]
    walker.may_fail(state)
    origins = origins_of([data], state)
    if not pinned or any(came_along(p, state, origins) for p in pinned):
        state.remark("certificate")
        return [(state, Data(origins, "tree"))]
    state.believe(origins, "elsewhere")
    return [(state, Data(origins, "signed"))]


_XMLSEC = re.compile(r"xmlsec\.SignatureContext\(\)\.verify(_binary)?$")
_XMLSEC_KEY = re.compile(r"xmlsec\.(Key|KeysManager)\b")


def xmlsec(walker: Walker, call: Call, state: State) -> Forks | None:
    """An xmlsec context raises, and gives nothing back; the tree is verified in place."""
    if call.named(_XMLSEC_KEY):
        brought = any(came_along(v, state) for v in call.every)
        return [(state, Data(frozenset(("a key",)), key=brought))]
    keys = [state.attributes.get((o, "key")) for o in (call.base.origins if isinstance(call.base, Data) else ())]
    known = [k for k in keys if k is not None]
    if not call.named(_XMLSEC) and not (known and call.attribute in ("verify", "verify_binary")):
        return None
    walker.may_fail(state)
    if any(came_along(k, state) for k in known):
        state.remark("certificate")
    else:
        state.believe(origins_of(call.every, state), "verified")
        state.remark("in place")
    return [(state, NONE)]


_CRYPTO = re.compile(r"^(cryptography|rsa|OpenSSL|Crypto|Cryptodome|ecdsa|M2Crypto|nacl)\b.*verify\w*$")


def crypto(walker: Walker, call: Call, state: State) -> Forks | None:
    """A public key's own `verify`, for those who take XML signatures apart by hand."""
    if not (call.named(_CRYPTO) or (call.attribute == "verify" and len(call.args) >= 3)):
        return None
    walker.may_fail(state)
    if came_along(call.base, state):
        state.remark("certificate")
        return [(state, NONE)]
    listed = any(d.tag.endswith("SignedInfo") for v in call.every for d in parts(v, state))
    state.believe(origins_of(list(call.every), state), "half" if listed else "verified")
    return [(state, NONE)]


def command(walker: Walker, call: Call, state: State) -> Forks | None:
    """The command xmlsec1: `check=True` raises, else the return code is the answer."""
    if not any(n.startswith(("subprocess.", "asyncio.create_subprocess")) for n in call.names):
        return None
    line = " ".join(t for v in call.every for t in texts(v))
    if "xmlsec1" not in line or "verify" not in line:
        return None
    held = [d for v in state.env.values() for d in parts(v, state) if d.form in ("text", "tree")]
    origins = frozenset().union(origins_of(list(call.every), state), *(d.origins for d in held))
    if call.attribute in ("check_call", "check_output") or call.words.get("check") == Const(True):
        walker.may_fail(state)
        state.believe(origins, "verified")
        return [(state, NONE)]
    return [(state, Verdict(origins, negated=True))]


# SAML toolkits

_SIGNED_BY = re.compile(r"OneLogin_Saml2_Utils\.validate_\w*sign$|saml2\.utils\.validate_\w*sign$")
_ONELOGIN = re.compile(r"OneLogin_Saml2_(Auth|Response)\b")
_IDENTITY_OF = re.compile(r"^get_(nameid|name_id|attribute|session_(index|expiration)|friendlyname)\w*$")


def onelogin(walker: Walker, call: Call, state: State) -> Forks | None:
    """python3-saml: it answers when it is asked, and gives identity to whoever does not ask."""
    if call.named(_SIGNED_BY) or call.attribute in ("validate_sign", "validate_binary_sign", "validate_node_sign"):
        given = call.argument(1, "cert", "multicerts")
        brought = nothing(given) or came_along(given, state)
        origins = origins_of([call.argument(0, "xml")], state)
        if call.words.get("raise_exceptions") == Const(True) and not brought:
            walker.may_fail(state)
            state.believe(origins, "verified")
        if brought:
            state.remark("certificate")
        return [(state, Verdict(origins, certificate=not brought))]
    if not isinstance(call.base, Data) or call.base.form not in ("opaque", "unclear"):
        return None
    base, ours = call.base, call.named(_ONELOGIN)
    processed = any((o, "#processed") in state.attributes for o in base.origins)
    match call.attribute:
        case "process_response":
            for origin in base.origins:
                state.attributes[origin, "#processed"] = NONE
            return [(state, NONE)]
        case "get_errors" | "get_last_error_reason" | "get_error" if ours or processed:
            return [(state, Verdict(base.origins, negated=True))]
        case "is_authenticated" if ours or processed:
            return [(state, Verdict(base.origins))]
        case "is_valid" | "check_signature" if ours:
            if call.words.get("raise_exceptions") == Const(True):
                walker.may_fail(state)
                state.believe(base.origins, "verified")
            return [(state, Verdict(base.origins))]
        case name if _IDENTITY_OF.match(name) and (ours or processed):
            return [(state, walker.unread(call.node, base, state))]
    return None


_TOOLKIT = re.compile(
    r"^minisaml\b.*validate_response$|^saml2\b.*(correctly_signed_\w+|check_signature|verify_signature)$"
)
_TOOLKIT_METHODS = ("parse_authn_request_response", "correctly_signed_response", "correctly_signed_message")
_SAML2_PARSERS = re.compile(r"^saml2\b.*(_from_string|create_class_from_xml_string|extension_element_from_string)$")


def toolkit(walker: Walker, call: Call, state: State) -> Forks | None:
    """pysaml2 and minisaml verify while they parse; pysaml2's bare parsers do not."""
    if call.named(_SAML2_PARSERS):
        data = [d for v in call.every for d in parts(v, state)]
        return [(state, shaped(derived(*data), "tree") if data else OWN)]
    if not call.named(_TOOLKIT) and call.attribute not in _TOOLKIT_METHODS:
        return None
    origins = origins_of(list(call.every), state)
    walker.may_fail(state)
    if came_along(call.words.get("certificate"), state):
        state.remark("certificate")
        return [(state, Data(origins, "tree"))]
    state.believe(origins, "elsewhere")
    return [(state, Data(origins, "signed"))]
