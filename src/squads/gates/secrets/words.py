"""Which names hold a secret: `db_password` does, `password_hash`, `secret_name` and `cache_key` do not."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from squads.gates.words import word_set

Kind = Literal["password", "secret", "token", "key"]
"""What a name promises: a password may be short and made by a person, a token or key looks random."""

_PASSWORDS = word_set(
    "password passwd passwrd pwd passphrase passcode pass pw pswd passwort kennwort mdp senha contrasena wachtwoord "
    "otp totp heslo passord losenord adgangskode salasana"
)
_KEYS = word_set(
    "api access secret private signing sign signature encryption encrypt crypt auth master account storage hmac jwt "
    "webhook service fernet aes session cipher license app client server shared subscription sendgrid stripe twilio "
    "openai aws azure gcp rsa ssh host mailgun cookie integration ingest write admin deploy"
)
_TOKENS = word_set(
    "access refresh auth api bearer session reset id deploy bot github gitlab slack npm pypi oauth user service "
    "personal admin webhook push device verification invite magic jwt upload hf vault sentry"
)
# A last word that says it is about a secret, and not one.
_ABOUT = word_set(
    "name names field fields path file filename url uri header headers prompt label type types env var variable arn "
    "pattern regex re length len size prefix suffix help hint error errors message msg column param params parameter "
    "hash hashes hashed digest policy expiry expires ttl endpoint alg algorithm algorithms id ids ref refs version "
    "count min max validator validators manager provider store backend class cls func factory rotation days hours "
    "seconds minutes age bits bytes_max chars charset alphabet rules rule strength score view form page template "
    "required enabled valid ok exists set changed reset_url input widget context scheme format key_id usage mask "
    "placeholder question text title location directory dir folder scope scopes lifetime delimiter separator index "
    "position lookup checker encoder hasher source kind status state response request model table attribute attr mode "
    "re_pattern budget limit bucket stream hasher issuer audience count description"
)
_NOT = word_set(
    "public publishable site hash hashed digest checksum fingerprint sha sha1 sha256 md5 etag encrypted ciphertext "
    "sealed fake dummy sample example mock placeholder masked redacted csrf xsrf cache primary foreign sort partition "
    "idempotency dedup next page continuation cursor num no missing invalid bad wrong pub without revoked expired test "
    "has is use uses allow allows require requires disable disabled enable enabled show hide needs supports want wants"
)
_ITEMS = word_set(
    "object dict lookup route routing message translation locale feature flag group map row record item entry event "
    "type shard registry state tag label blob bucket file path s3 redis memo memory lock queue topic column join index "
    "unique natural surrogate business candidate composite sorting query search verify verifying verification peer"
)
# Tokens of a language are counted, and those that let somebody in are not.
_COUNTED = word_set(
    "max min num total prompt completion input output count used cached chunk text per context stop pad eos"
)
# Addresses that usually hold the password of what they lead to.
_ADDRESS = re.compile(
    r"(?i)^_?(?:\w*_)?(?:dsn|conninfo|connection_string|(?:database|db|broker|amqp|redis|mongo|postgres)_ur[li])$"
)
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case: `dbPassword`, `DB_PASSWORD` and `db-password` are the same two."""
    return tuple(w.lower() for w in _CAMEL.findall(name))


@lru_cache(maxsize=4096)
def kind_of(name: str) -> Kind | None:
    """Return what kind of secret something of this name holds; None where it holds none."""
    words = words_of(name)
    if words[-2:] == ("b", "64") or words[-2:] == ("base", "64"):
        words = words[:-2]
    while words and (words[-1].isdigit() or words[-1] in ("value", "b64", "base64", "str", "raw", "default", "bytes")):
        words = words[:-1]
    if not words or words[-1] in _ABOUT or not _NOT.isdisjoint(words):
        return None
    if words[-1] in ("tokens", "token") and not _COUNTED.isdisjoint(words):
        return None
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _PASSWORDS:
        return (
            None
            if last == "pass" and before in ("by", "first", "second", "multi", "single", "one", "two")
            else ("password")
        )
    if last.endswith(("password", "passwd", "passwort", "kennwort", "passphrase")):
        return "password"
    if last in ("secret", "secrets", "pepper", "clientsecret", "jwtsecret", "appsecret", "geheimnis"):
        return "secret"
    if last in ("apikey", "secretkey", "accesskey", "privatekey", "authkey", "pem"):
        return None if last == "pem" and before != "key" else "key"
    if last in ("token", "tokens", "authtoken", "accesstoken", "apitoken", "bottoken"):
        return "token"
    if last in ("credential", "credentials", "creds", "jwt", "bearer"):
        return "token"
    if last == "key" and before in _KEYS:
        return "secret" if before in ("secret", "signing", "jwt", "hmac", "session", "cookie") else "key"
    return None


def key_like(name: str) -> bool:
    """Return whether a name ends in `key` and says of no other kind of key: what looks drawn by chance is one then."""
    words = words_of(name)
    return bool(words) and words[-1] in ("key", "keys") and _NOT.isdisjoint(words) and _ITEMS.isdisjoint(words)


def is_address(name: str) -> bool:
    """Return whether something of this name leads somewhere, and usually has the password in it."""
    return bool(_ADDRESS.search(name))


def reveals(name: str) -> bool:
    """Return whether showing something of this name shows a secret; a bare `token` may be a parser's."""
    if _ADDRESS.search(name):
        return True
    kind, words = kind_of(name), words_of(name)
    if kind != "token":
        return kind is not None and words != ("secrets",)  # a bare plural is a list of them, mostly of their names
    return (len(words) > 1 and bool(_TOKENS.intersection(words[:-1]))) or words[-1] in ("authtoken", "accesstoken")
