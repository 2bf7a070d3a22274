"""The words by which SAML is known: which names carry identity, which belong to keys, and which to metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable

SAML_MENTIONED = re.compile(rb"saml", re.IGNORECASE)
"""A file that holds it, in its text or its path, is about SAML."""
_NAME_ID = re.compile(rb"\bNameID\b")
_BESIDE_NAME_ID = re.compile(
    rb"\bAssertion\b|AttributeStatement|AuthnStatement|SubjectConfirmation|\bxmlsec\b|\bsignxml\b"
)

_IDENTITY = re.compile(
    r"(?<![A-Za-z])(NameID|NameIdentifier|nameid|name_id|BaseID|AttributeStatement|attribute_?statement|AttributeValue|attribute_?value"
    r"|SessionIndex|session_index|sessionindex|AuthnStatement|EncryptedID|Attribute|Subject)(?![A-Za-z_-])"
)
_COMMON = frozenset(("Attribute", "Subject"))
_SAML = re.compile(
    r"urn:oasis:names:tc:SAML:[12]\.\d:(assertion|protocol)|\bsaml(2p?|p|1p?)?[:_]|SAML_?Response", re.IGNORECASE
)
_PREFIXED = re.compile(r"saml2?_(NameID|Subject|Attribute\w*|AuthnStatement)$")
_KEY = re.compile(r"X509Certificate|X509Data|KeyInfo|KeyValue|Modulus")
_METADATA = re.compile(
    r"(IDPSSO|SPSSO|Entity|Entities|Role)\w*Descriptor|SAML:2\.0:metadata|RequestedAttribute|EntityAttributes"
)
_SIGNATURE = re.compile(r"(?<![A-Za-z])(Signature|SignatureValue|SignedInfo)(?![A-Za-z])")
_REQUEST = re.compile(r"SAMLRequest|LogoutRequest|AuthnRequest|AttributeQuery")
SAYS_OF_ITSELF = re.compile(
    r"subject|issuer|serial|not_valid|not_before|not_after|rfc4514|common_?name|attributes_for|extension|^version$|_name$"
)
"""What a certificate is asked for that everybody can write into one of their own."""
RESPONSE_KEY = re.compile(r"saml_?(response|assertion|art)|^assertion_?xml", re.IGNORECASE)

VERIFYING = re.compile(
    r"verif|validat|is_valid|authentic|check_?(the_?)?(sig|resp|asser|saml)|signed|signature|trust", re.IGNORECASE
)
"""What a function outside of the artifact is called that may verify a signature."""

KNOWN_ATTRIBUTES = frozenset(
    (
        "NameID",
        "AttributeStatement",
        "AttributeValue",
        "SessionIndex",
        "name_id",
        "attribute_statement",
        "attribute_value",
        "session_index",
        "NameId",
        "nameid",
    )
)
"""Attributes of parsed objects that carry identity."""


def about(path: str, content: bytes) -> bool:
    """Say whether a file is about SAML; `local-name()='NameID'` beside a signature needs no namespace to say so."""
    if SAML_MENTIONED.search(content) or SAML_MENTIONED.search(path.encode()):
        return True
    return bool(_NAME_ID.search(content) and _BESIDE_NAME_ID.search(content))


def prefixed(name: str) -> bool:
    """Say whether an attribute is a tag with its prefix: `saml_NameID`."""
    return bool(_PREFIXED.match(name))


def identity(strings: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Return the identity words in `strings`, and whether the strings name SAML besides."""
    every = list(strings)
    found = frozenset(m for s in every for m in _IDENTITY.findall(s))
    return found, any(_SAML.search(s) for s in every)


def only_common(found: frozenset[str]) -> bool:
    """Say whether the words are such as other schemas use too."""
    return found <= _COMMON


def of_key(strings: Iterable[str]) -> bool:
    """Say whether a key or certificate inside of a message is asked for."""
    return any(_KEY.search(s) for s in strings)


def of_metadata(strings: Iterable[str]) -> bool:
    """Say whether a metadata document is meant: configuration, signed or not."""
    return any(_METADATA.search(s) for s in strings)


def of_signature(strings: Iterable[str]) -> bool:
    """Say whether the signature element is asked for."""
    return any(_SIGNATURE.search(s) for s in strings)


def of_request(strings: Iterable[str]) -> bool:
    """Say whether a request is meant: it asks for something and makes nobody sign in."""
    return any(_REQUEST.search(s) for s in strings)
