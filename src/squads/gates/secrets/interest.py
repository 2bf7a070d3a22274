"""Which files are read at all: a word must stand in a file before anything in it can be a secret, or be used as one.

Plain words are looked for first: they are found many times faster than one pattern that tries them all at each letter.
"""

from __future__ import annotations

import re

_SHOWN = (
    b"secret", b"token", b"pwd", b"credential", b"bearer", b"auth", b"akia", b"asia", b"github_pat", b"glpat",
    b"_live_", b"_prod_",
    b"aiza", b"gocspx", b"sg.", b"npm_", b"hf_", b"b64decode", b"fromhex", b"unhexlify", b"hmac", b"fernet",
    b"jwt", b"pepper", b"headers", b"cookie", b"environ", b"getenv", b"login(", b"dsn", b"conninfo", b"create_engine",
    b"ftp", b"ldap", b"mysql", b"superuser", b"settings", b"config", b"bytes(", b"chr(", b"locals(", b"hashpw",
)  # fmt: skip
# A statement `pass`, a primary key and a key to sort by hold nothing: most files have one, and nothing else.
_SHAPES = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (b"pass", rb"(?m)(?<!\s)pass|pass(?!\s*$)"),
        (b"key", rb"(?<!primary_)(?<!primary )(?<!foreign_)(?<!foreign )(?<!foreign)key(?!=lambda\b)"),
        (b"://", rb"://[^\s/]*:"),
        (b"pw", rb"\bpw\b|_pw\b"),
        (b"gh", rb"gh[opusr]_"),
        (b"xox", rb"xox[abprs]-"),
        (b"sk-", rb"\bsk-"),
        (b"_ur", rb"_ur[li]\b"),
        (b"otp", rb"\botp"),
        (b"", rb"[a-z0-9+/]{24}"),
    )
)
_USED = (
    b"secret", b"token", b"password", b"authoriz", b"auth=", b"hmac", b"jwt", b"fernet", b"sign", b"login(",
    b"from_url", b"create_engine", b"create_pool", b"mongoclient", b"make_url", b"params=",
)  # fmt: skip
_USES = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        (b"x-", rb"x-[\w-]*key"),
        (b"_key", rb"(?<!primary)(?<!foreign)_key"),
        (b"connect", rb"connect(?:\s*\(|_|ion\(|ionpool)"),
    )
)


def may_show(content: bytes) -> bool:
    """Return whether a secret may stand in a file, or be written out of it."""
    text = content.lower()
    if any(word in text for word in _SHOWN):
        return True
    return any(word in text and shape.search(text) for word, shape in _SHAPES)


def may_use(content: bytes) -> bool:
    """Return whether a file may use a secret; a connection that it was given, and a primary key, are no use of one."""
    text = content.lower()
    if any(word in text for word in _USED):
        return True
    if any(word in text and use.search(text) for word, use in _USES):
        return True
    return (b"connect" in text or b"_key" in text) and may_show(content)
