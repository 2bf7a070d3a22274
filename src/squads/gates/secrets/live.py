"""Which texts are live secrets: what providers issue, private keys, addresses with a password, what looks random.

A placeholder, a template, the name of a secret and a digest are none. Nothing is asked of anybody: "live" means that
nothing in the text says it is not.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter

from squads.gates.secrets.words import Kind
from squads.gates.words import word_set

UNKNOWN = "\0"
"""Stands in a text for a part that the artifact does not fix."""

_ISSUED = (
    ("an AWS access key", re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Z0-9])")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}")),
    ("a GitLab token", re.compile(r"\bglpat-[\w-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[0-9A-Za-z-]{20,}")),
    ("a Slack webhook", re.compile(r"hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{16,}")),
    ("a Stripe key", re.compile(r"\b[sr]k_live_[A-Za-z0-9]{16,}")),
    ("a provider's live key", re.compile(r"\b(?!pk_|pub_|public_)[a-z]{2,10}_(?:live|prod)_(?=\w*\d)[A-Za-z0-9]{16,}")),
    ("a model provider's key", re.compile(r"\bsk-(?:ant-|proj-|svcacct-)?[A-Za-z0-9_-]{30,}")),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}")),
    ("a Google client secret", re.compile(r"\bGOCSPX-[\w-]{24,}")),
    ("a SendGrid key", re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}")),
    ("a package registry's token", re.compile(r"\bnpm_[A-Za-z0-9]{30,}|\bpypi-AgE[\w-]{40,}")),
    ("a model hub's token", re.compile(r"\bhf_[A-Za-z0-9]{30,}")),
    ("a webhook secret", re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]{20,}")),
    ("a DigitalOcean token", re.compile(r"\bdo[op]_v1_[a-f0-9]{64}")),
    ("a Shopify token", re.compile(r"\bshp(?:at|ss|ca|pa)_[a-fA-F0-9]{32}")),
    ("a Mailgun key", re.compile(r"\bkey-[0-9a-f]{32}\b")),
    ("a storage account's key", re.compile(r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}")),
    ("a bot's token", re.compile(r"\b\d{8,10}:AA[\w-]{32,36}\b|\b[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,40}\b")),
    ("a private age key", re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]{50,}")),
)
_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?P<body>[^-]*)")
_ADDRESS = re.compile(
    r"\b[a-z][a-z0-9+.]{1,30}://(?P<user>[^\s:/@\"'?#]*):(?P<word>[^\s@/\"']+)@(?P<host>[^\s/\"':?#]+)"
)
_PAIR = re.compile(r"(?i)\b(?:password|pwd)\s*=\s*'?(?P<word>[^\s;'\"&]+)")
_ROLE = re.compile(r"(?i)\b(?:ROLE|USER)\b.*\b(?:PASSWORD|IDENTIFIED\s+BY)\s+'(?P<word>[^']+)'", re.DOTALL)
_HEADER = re.compile(r"^(?:Bearer|Basic|Token|ApiKey|Bot)\s+(?P<word>\S{8,})$")

_QUERY = re.compile(
    r"(?i)[?&](?:api[-_]?key|app_?id|appid|key|token|access[-_]?token|auth|secret|sig|signature|password)=(?P<word>[^&\s\"'#]+)"
)

_PLACEHOLDER = re.compile(
    r"(?i)change[-_ ]?me|change[-_ ]?this|replace[-_ ]?(?:me|this|with)|\byour\b|your[-_]|example|sample|dummy|fake"
    r"|placeholder|redacted|(?<![a-z])todo(?![a-z])|fixme|xxx|\*{3}|\.{3}|…|<[^>]*>|\$\{|\{\{|\$\(|%\(|\{[a-z_]*\}|%s"
    r"|not[-_ ]?(?:a[-_ ]?)?(?:real|secret|set)|(?<![a-z])(?:test|tests|testing|mock|none|null|unset|undefined|empty"
    r"|unused|insert|fill[-_ ]?in|put[-_ ]?here|to[-_ ]?be)(?![a-z])|ENC\[|!vault|vault:|123456|abcdef|foobar|deadbeef"
)
_PATTERN = re.compile(r"\(\?[=:!P<]|\\[dwsb]|\[[^\]]+\][+*{]|\{\d+,\d*\}")
_DIGEST = re.compile(
    r"^(?:\$2[abxy]\$|\$argon2|\$[156]\$|\$scrypt|pbkdf2|scrypt:|bcrypt|argon2|\{SSHA|\{SHA|SCRAM-SHA|md5[0-9a-f]{32}$"
    r"|sha(?:1|256|384|512)[:$-])"
)
_PUBLIC = re.compile(r"^(?:-----BEGIN (?:PUBLIC|CERT|RSA PUBLIC|SSH2 PUBLIC)|ssh-(?:rsa|ed25519|dss) |ecdsa-|age1|pk_)")
_PLACE = re.compile(
    r"^(?:arn:|/|\./|~/|file:|env:|projects/|secret/|https?://|[A-Za-z]:\\|op://|ssm:|sm://|kv/|gs://|s3://|\$[A-Z(]|@)"
)
_IDENTIFIER = re.compile(
    r"^[a-z]+(?:[-_./: ][a-z]+)*(?:[-_]?v?\d{1,2})?$|^[A-Z]+(?:[-_.][A-Z]+)*$"
    r"|^[A-Z][a-z]+(?:[-_. ][a-z]+|[-_. ]?[A-Z][a-z]+)*$"
)
_ENVIRONMENT = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$")
_DOTTED = re.compile(r"^[A-Za-z_][\w-]*(?:[./:][A-Za-z_][\w-]*)+$")
_LABEL = re.compile(r"^[^\W\d_]+(?:[- ][^\W\d_]+)*[:*?!.…]+$")
_RUN = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
# What people write where there is no secret yet, or where everybody knows it.
_WEAK = word_set(
    "password passwort pass secret admin administrator root postgres postgresql mysql mariadb mongo mongodb redis "
    "guest "
    "user username rabbitmq minio minioadmin local localhost dev development devpass devpassword default app api token "
    "key basic bearer digest oauth2 jwt apikey string str text hidden required optional demo staging production prod "
    "s3cret s3cr3t password1 passw0rd p@ssw0rd pa55word pw pwd x y z abc foo bar baz qwerty letmein hunter2 true false "
    "sha256 sha512 hs256 rs256 es256 aes256 base64 utf8 utf-8 md5 v1 v2 v3 hash"
)


def issued(text: str) -> str:
    """Return what a text holds that is a secret by its own shape; empty where nothing in it is."""
    if len(text) < 16:
        return ""
    for what, pattern in _ISSUED:
        for match in pattern.finditer(text):
            if UNKNOWN not in match[0] and not placeholder(match[0]) and _varied(match[0]):
                return what
    for match in _PEM.finditer(text):
        body = re.sub(r"[^A-Za-z0-9+/=]", "", match["body"].replace("\\n", ""))
        if (
            len(body) >= 40
            and _varied(body)
            and not placeholder(match["body"].replace("...", "") if len(body) > 200 else match["body"])
        ):
            return "a private key"
    for match in _ADDRESS.finditer(text):
        word, user = match["word"], match["user"]
        if word.lower() != user.lower() and live(word, "password"):
            return "an address with its password"
    if "://" in text:
        for match in _QUERY.finditer(text):
            if UNKNOWN not in match["word"] and live(match["word"], "token"):
                return "an address with its key"
    header = _HEADER.match(text)
    if header and len(header["word"]) >= 16 and live(header["word"], "token"):
        return "a bearer token"
    role = _ROLE.search(text)
    if role and live(role["word"], "password"):
        return "the password of a role"
    if re.search(r"(?i)(?:server|host|data source|endpoint|dbname|database)\s*=", text):
        pair = _PAIR.search(text)
        if pair and live(pair["word"], "password"):
            return "a connection with its password"
    return ""


def encoded(text: str) -> str:
    """Return what a text holds once it is decoded as base64 or hex; empty where that is no secret by its shape."""
    plain = decoded(text)
    return issued(plain) if plain else ""


def decoded(text: str) -> str:
    """Return the printable text behind base64 or hex; empty where there is none."""
    packed = "".join(text.split())
    if len(packed) < 12 or not re.fullmatch(r"[A-Za-z0-9+/_-]+={0,2}", packed):
        return ""
    try:
        if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", packed):
            plain = bytes.fromhex(packed)
        else:
            plain = base64.b64decode(
                packed + "=" * (-len(packed) % 4), altchars=b"-_" if set("-_") & set(packed) else None
            )
        shown = plain.decode("ascii")
    except (ValueError, binascii.Error):
        return ""
    return shown if all(c.isprintable() or c in "\r\n\t" for c in shown) else ""


def placeholder(text: str) -> bool:
    """Return whether a text says of itself that it is no real secret."""
    return bool(_PLACEHOLDER.search(text))


def live(text: str, kind: Kind) -> bool:
    """Return whether `text` is a live secret where something named for one holds it."""
    value = text.strip()
    header = _HEADER.match(value)
    if header:
        value, kind = header["word"], "token" if kind != "password" else kind
    if UNKNOWN in value or len(value) < 6 or value.lower() in _WEAK or _DIGEST.match(value) or _PUBLIC.match(value):
        return False
    if placeholder(value) or _PATTERN.search(value):
        return False
    if issued(value):
        return True
    if len(set(value)) < 5 or _PLACE.match(value) or _IDENTIFIER.match(value) or _ENVIRONMENT.match(value):
        return False
    if any(c.isspace() for c in value) and not (kind == "secret" and _random("".join(value.split()))):
        return False
    if _random(value):
        return True
    if kind in ("password", "secret"):
        return _human(value)
    return kind == "key" and len(value) >= 10 and _human(value) and not _wordy(value)


def _human(value: str) -> bool:
    """Return whether a person may have made this password: letters with digits or signs among them."""
    if _LABEL.match(value):
        return False
    letters = any(c.isalpha() for c in value)
    digits = any(c.isdigit() for c in value)
    signs = any(not c.isalnum() and c not in "-_./: " for c in value)
    if _DOTTED.match(value) and not signs and not (digits and re.search(r"[a-z]\d[a-z]|[A-Z].*\d|\d{3,}", value)):
        return False
    if "(" in value or ("=" in value and not value.endswith("=")):
        return False
    return letters and (digits or signs)


def _random(value: str) -> bool:
    """Return whether a text looks drawn by chance: long, of several kinds of letters, and no words."""
    if len(value) < 16 or not re.fullmatch(r"[\x21-\x7e]+", value):
        return False
    kinds = sum(bool(re.search(p, value)) for p in (r"[a-z]", r"[A-Z]", r"\d"))
    if kinds < 2 or not (re.search(r"\d", value) or len(value) >= 24):
        return False
    return _entropy(value) >= 3.0 and not _wordy(value)


def _wordy(value: str) -> bool:
    """Return whether most of a text is words."""
    words = sum(len(w) for w in _RUN.findall(value) if len(w) >= 4 and _spoken(w))
    return words * 2 > sum(c.isalnum() for c in value)


def _spoken(word: str) -> bool:
    vowels = len(_VOWEL.findall(word))
    return vowels * 5 >= len(word) and not re.search(r"[^aeiouyAEIOUY]{5}", word)


def _varied(value: str) -> bool:
    return len(set(value[-16:])) >= 6


def _entropy(value: str) -> float:
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())
