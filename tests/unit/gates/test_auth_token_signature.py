"""`auth.token-signature`: unverified claims are refused however they are read; what is verified, or no token, passes."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.auth_token_signature import INVARIANT, token_signature

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/auth_token_signature"
B64 = "import base64, binascii, hashlib, hmac, json, os, time\n"
JWT = "import jwt\n"


def found(files: str | dict[str, str]) -> list[Finding]:
    return token_signature(Artifact.of({"app/auth.py": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


DEFECTS: dict[str, str | dict[str, str]] = {
    "the seed's": INVARIANT.refused,
    "unpacked": B64
    + "def read(token):\n    _, body, _ = token.split('.')\n    return json.loads(base64.urlsafe_b64decode(body + '=='))\n",
    "partition": B64
    + "def read(token):\n    rest = token.partition('.')[2]\n    return json.loads(base64.urlsafe_b64decode(rest.partition('.')[0] + '=='))\n",
    "rsplit": B64
    + "def read(token):\n    signing_input = token.rsplit('.', 1)[0]\n    return json.loads(base64.urlsafe_b64decode(signing_input.split('.')[1] + '=='))\n",
    "index from behind": B64
    + "def read(token):\n    return json.loads(base64.b64decode(token.split('.')[-2].encode() + b'==', b'-_'))\n",
    "slices": B64
    + "def read(t):\n    a = t.find('.')\n    b = t.rfind('.')\n    return json.loads(binascii.a2b_base64(t[a + 1:b].replace('-', '+').replace('_', '/') + '==='))\n",
    "a regular expression": "import re\n"
    + B64
    + "P = re.compile(r'^([\\w-]+)\\.([\\w-]+)\\.([\\w-]*)$')\ndef read(t):\n    m = P.match(t)\n    return json.loads(base64.urlsafe_b64decode(m.group(2) + '=='))\n",
    "bytes": B64
    + "def read(t):\n    h, p, s = t.encode().split(b'.')\n    p += b'=' * (-len(p) % 4)\n    return json.loads(base64.urlsafe_b64decode(p))['sub']\n",
    "a comprehension": B64
    + "def read(t):\n    header, claims = [json.loads(base64.urlsafe_b64decode(x + '==')) for x in t.split('.')[:2]]\n    return claims\n",
    "a mapped helper": B64
    + "def part(x):\n    return json.loads(base64.urlsafe_b64decode(x + '=='))\ndef read(t):\n    h, c = map(part, t.split('.')[:2])\n    return c['sub']\n",
    "helpers in other files": {
        "app/util/encoding.py": "import base64\ndef unb64(s: str) -> bytes:\n    return base64.urlsafe_b64decode(s + '=' * (-len(s) % 4))\n",
        "app/util/__init__.py": "from .encoding import unb64 as b64url_decode\n",
        "app/util/parts.py": "def payload_of(token):\n    return token.split('.')[1]\n",
        "app/security.py": "import json\nfrom app.util import b64url_decode\nfrom app.util.parts import payload_of\ndef current_user(request):\n    raw = request.headers['Authorization'].removeprefix('Bearer ')\n    return json.loads(b64url_decode(payload_of(raw)))['sub']\n",
    },
    "json in another file": {
        "app/a.py": "from .b import to_object\ndef user(token):\n    return to_object(token.split('.')[1])['sub']\n",
        "app/b.py": "import json\nfrom base64 import urlsafe_b64decode as d\ndef to_object(segment):\n    return json.loads(d(segment + '=='))\n",
    },
    "a class": B64
    + "class Token:\n    def __init__(self, raw):\n        self.raw = raw\n        self.header, self.payload, self.sig = raw.split('.')\n    @property\n    def claims(self):\n        return json.loads(base64.urlsafe_b64decode(self.payload + '=='))\n",
    "named verify": B64
    + "def verify_id_token(token, aud):\n    '''Verify the id token.'''\n    c = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    if c['aud'] != aud or c['exp'] < time.time():\n        raise ValueError('invalid')\n    return c\n",
    "only the expiry, to let in": B64
    + "def authenticate(token):\n    c = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    return c['exp'] > time.time()\n",
    "the role decides": B64
    + "def delete(token, db):\n    c = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    if c['role'] == 'admin':\n        db.drop()\n",
    "a signature of another token": B64
    + "def read(token, other, key):\n    h, p, s = other.split('.')\n    if not hmac.compare_digest(hmac.new(key, (h + '.' + p).encode(), 'sha256').digest(), base64.urlsafe_b64decode(s)):\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n",
    "compared with itself": B64
    + "def read(token):\n    h, p, s = token.split('.')\n    if s != token.split('.')[2]:\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "the result is dropped": B64
    + "def read(token, key):\n    h, p, s = token.split('.')\n    good = hmac.compare_digest(hmac.new(key, f'{h}.{p}'.encode(), 'sha256').hexdigest(), s)\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "a verdict that nobody reads": B64
    + "def read(token, verifier):\n    h, p, s = token.split('.')\n    ok = verifier.verify(f'{h}.{p}', s)\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "a verification that passes on": B64
    + "def read(token, public_key):\n    h, p, s = token.split('.')\n    try:\n        public_key.verify(base64.urlsafe_b64decode(s), f'{h}.{p}'.encode())\n    except Exception:\n        pass\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "verified in production only": B64
    + "def read(token, key):\n    h, p, s = token.split('.')\n    if os.environ.get('ENV') == 'prod':\n        if not hmac.compare_digest(hmac.new(key, f'{h}.{p}'.encode(), 'sha256').hexdigest(), s):\n            raise ValueError\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "a helper that verifies nothing": B64
    + "def check(token):\n    assert token.count('.') == 2\ndef read(token):\n    check(token)\n    return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n",
    "the claims are validated": B64
    + "def payload(token):\n    return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\ndef read(token):\n    c = payload(token)\n    validate_claims(c, audience='me')\n    return c\n",
    "falls back": JWT
    + "def read(token, key):\n    try:\n        return jwt.decode(token, key, algorithms=['RS256'])\n    except jwt.InvalidSignatureError:\n        return jwt.decode(token, options={'verify_signature': False})\n",
    "options": JWT
    + "def read(token):\n    return jwt.decode(token, algorithms=['RS256'], options={'verify_signature': False, 'verify_exp': True})\n",
    "options of a module": {
        "app/settings.py": "JWT_OPTIONS = {'verify_aud': True, 'verify_signature': False}\n",
        "app/auth.py": "import jwt\nfrom . import settings\ndef user(token):\n    return jwt.decode(token, settings.KEY, algorithms=['RS256'], options=settings.JWT_OPTIONS)['sub']\n",
    },
    "options spread": "from jwt import decode as read_token\nBASE = dict(verify_signature=False)\ndef user(t):\n    return read_token(t, options={**BASE, 'verify_exp': True})['sub']\n",
    "options by keyword": JWT
    + "def user(t):\n    kw = {'algorithms': ['RS256'], 'options': {'verify_signature': False}}\n    return jwt.decode(t, **kw)['sub']\n",
    "options of a class": JWT
    + "class A:\n    OPTIONS = {'verify_signature': False}\n    def user(self, t):\n        return jwt.decode(t, options=self.OPTIONS)['sub']\n",
    "options of an object": JWT
    + "reader = jwt.PyJWT(options={'verify_signature': False})\ndef user(t):\n    return reader.decode(t, 'k', algorithms=['HS256'])['sub']\n",
    "a flag that is false by default": JWT
    + "def claims(t, key=None, verify=False):\n    return jwt.decode(t, key, algorithms=['RS256'], options={'verify_signature': verify})\n",
    "a flag that a caller clears": JWT
    + "def claims(t, key, verify=True):\n    return jwt.decode(t, key, algorithms=['RS256'], options={'verify_signature': verify})\ndef user(t):\n    return claims(t, None, verify=False)['sub']\n",
    "partial": "import functools, jwt\nread = functools.partial(jwt.decode, options={'verify_signature': False})\ndef user(t):\n    return read(t)['sub']\n",
    "partial in a class": "import functools, jwt\nclass A:\n    read = staticmethod(functools.partial(jwt.decode, options={'verify_signature': False}))\n    def user(self, t):\n        return self.read(t)['sub']\n",
    "getattr": JWT + "def user(t):\n    return getattr(jwt, 'decode')(t, options={'verify_signature': False})['sub']\n",
    "imported inside": "def user(t):\n    from jwt import decode\n    return decode(t, options={'verify_signature': False})['sub']\n",
    "imported by name": "import importlib\ndef user(t):\n    return importlib.import_module('jwt').decode(t, options={'verify_signature': False})['sub']\n",
    "PyJWT 1": JWT + "def user(t):\n    return jwt.decode(t, verify=False)['sub']\n",
    "PyJWT 1 by position": JWT + "def user(t):\n    return jwt.decode(t, '', False)['sub']\n",
    "PyJWT 1 without algorithms": JWT + "def user(t, key):\n    return jwt.decode(t, key)['sub']\n",
    "decode_complete": JWT
    + "def user(t):\n    return jwt.decode_complete(t, options={'verify_signature': False})['payload']['sub']\n",
    "jose unverified": "from jose import jwt as j\ndef user(t):\n    return j.get_unverified_claims(t)['sub']\n",
    "jose without algorithms": "from jose import jwt\ndef user(t, key):\n    return jwt.decode(t, key, algorithms=None)['sub']\n",
    "jose jws": "import json\nfrom jose import jws\ndef user(t, key):\n    return json.loads(jws.verify(t, key, ['RS256'], verify=False))['sub']\n",
    "google": "from google.auth import jwt\ndef user(t):\n    return jwt.decode(t, verify=False)['email']\n",
    "simplejwt": "from rest_framework_simplejwt.backends import TokenBackend\ndef user(t):\n    return TokenBackend('HS256', 'k').decode(t, verify=False)['user_id']\n",
    "jwcrypto without key": "from jwcrypto import jwt\nimport json\ndef user(t):\n    return json.loads(jwt.JWT(jwt=t).token.objects['payload'])['sub']\n",
    "jwcrypto's object": "from jwcrypto import jws\nimport json\ndef user(t):\n    o = jws.JWS()\n    o.deserialize(t)\n    return json.loads(o.objects['payload'])['sub']\n",
    "itsdangerous": "from itsdangerous import URLSafeTimedSerializer\ns = URLSafeTimedSerializer('k')\ndef user(t):\n    ok, payload = s.loads_unsafe(t)\n    return payload['sub']\n",
    "algorithm none": JWT + "def user(t, key):\n    return jwt.decode(t, key, algorithms=['RS256', 'none'])['sub']\n",
    "algorithm of the header": JWT
    + "def user(t, key):\n    alg = jwt.get_unverified_header(t).get('alg', 'RS256')\n    return jwt.decode(t, key, algorithms=[alg])['sub']\n",
    "algorithm of the header, by hand": "import base64, json, jwt\ndef user(t, key):\n    h = json.loads(base64.urlsafe_b64decode(t.split('.')[0] + '=='))\n    return jwt.decode(t, key, algorithms=[h['alg']])['sub']\n",
    "two families on one key": JWT
    + "def user(t):\n    return jwt.decode(t, PUBLIC_KEY, algorithms=['HS256', 'RS256'])['sub']\n",
    "the key of the header": "import jwt, json\ndef user(t):\n    jwk = jwt.get_unverified_header(t)['jwk']\n    key = jwt.PyJWK(jwk).key\n    return jwt.decode(t, key, algorithms=['RS256'])['sub']\n",
    "the address of the header": "import jwt, requests\ndef user(t):\n    url = jwt.get_unverified_header(t)['jku']\n    jwks = jwt.PyJWKSet.from_dict(requests.get(url).json())\n    key = jwks.keys[0].key\n    return jwt.decode(t, key, algorithms=['RS256'])['sub']\n",
    "the address of the issuer": "import jwt\ndef user(t):\n    iss = jwt.decode(t, options={'verify_signature': False})['iss']\n    key = jwt.PyJWKClient(f'{iss}/.well-known/jwks.json').get_signing_key_from_jwt(t).key\n    return jwt.decode(t, key, algorithms=['RS256'])['sub']\n",
    "a kid that names a file": "import jwt\ndef user(t):\n    kid = jwt.get_unverified_header(t)['kid']\n    with open(f'/keys/{kid}.pem') as f:\n        key = f.read()\n    return jwt.decode(t, key, algorithms=['RS256'])['sub']\n",
}

COSMETIC: dict[str, str | dict[str, str]] = {
    "a comment": INVARIANT.refused.replace("# verified by", "# signature is VERIFIED, see RFC 7515, by"),
    "a docstring": B64
    + "def read(token):\n    '''Signature verified upstream with jwt.decode(token, key, algorithms=[\"RS256\"]).'''\n    return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n",
    "another name": INVARIANT.refused.replace("claims_of", "claims_of_verified_token"),
    "three parts are counted": B64
    + "def read(token):\n    parts = token.split('.')\n    if len(parts) != 3 or not parts[2]:\n        raise ValueError('no signature')\n    return json.loads(base64.urlsafe_b64decode(parts[1] + '=='))\n",
    "the issuer is compared": B64
    + "def read(token):\n    c = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    if c.get('iss') != 'https://accounts.google.com' or c.get('aud') != 'me':\n        raise PermissionError\n    return c\n",
    "the algorithm is compared": B64
    + "def read(token):\n    h, c = (json.loads(base64.urlsafe_b64decode(x + '==')) for x in token.split('.')[:2])\n    if h['alg'] != 'RS256':\n        raise ValueError\n    return c\n",
    "the signature is decoded": B64
    + "def read(token):\n    h, p, s = token.split('.')\n    signature = base64.urlsafe_b64decode(s + '==')\n    if len(signature) != 256:\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "logged": B64
    + "import logging\ndef read(token):\n    c = json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    logging.warning('unverified token of %s', c['sub'])\n    return c\n",
    "a hash without a key": B64
    + "def read(token):\n    h, p, s = token.split('.')\n    if hashlib.sha256((h + '.' + p).encode()).hexdigest() != s:\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "a library with verification off": JWT
    + "def read(token):\n    return jwt.decode(token, 'key', algorithms=['RS256'], audience='me', options={'verify_signature': False, 'verify_aud': True, 'require': ['exp', 'aud']})\n",
    "a switch renamed": JWT
    + "SIGNATURE_CHECKED_BY_GATEWAY = False\ndef read(token):\n    return jwt.decode(token, options={'verify_signature': SIGNATURE_CHECKED_BY_GATEWAY})\n",
    "a data class": B64
    + "def read(token):\n    return VerifiedClaims(**json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '==')))\n",
}

HMAC = "hmac.new(key, f'{h}.{p}'.encode(), hashlib.sha256).digest()"
BODY = "json.loads(base64.urlsafe_b64decode(p + '=='))"
CLEAN: dict[str, str | dict[str, str]] = {
    "the seed's fix": INVARIANT.approved,
    "a fixed key": JWT
    + "def user(t):\n    return jwt.decode(t, settings.SECRET_KEY, algorithms=[settings.ALGORITHM])['sub']\n",
    "issuing": JWT + "def issue(u):\n    return jwt.encode({'sub': u}, KEY, algorithm='HS256')\n",
    "kid chooses": JWT
    + "def user(t):\n    kid = jwt.get_unverified_header(t)['kid']\n    return jwt.decode(t, KEYS[kid], algorithms=['RS256'], audience='me')['sub']\n",
    "kid in a loop": "from jose import jwt\ndef user(t, jwks):\n    h = jwt.get_unverified_header(t)\n    key = next((k for k in jwks['keys'] if k['kid'] == h['kid']), None)\n    if key is None:\n        raise ValueError\n    return jwt.decode(t, key, algorithms=['RS256'], audience='me')\n",
    "issuer chooses": JWT
    + "def user(t):\n    unverified = jwt.decode(t, options={'verify_signature': False})\n    issuer = unverified['iss']\n    if issuer not in TRUSTED:\n        raise ValueError('issuer')\n    key = jwt.PyJWKClient(issuer + '/.well-known/jwks.json').get_signing_key_from_jwt(t).key\n    return jwt.decode(t, key, algorithms=['RS256'], issuer=issuer)\n",
    "tenant chooses, by hand": "import jwt, base64, json\ndef user(t):\n    tid = json.loads(base64.urlsafe_b64decode(t.split('.')[1] + '=='))['tid']\n    tenant = Tenant.objects.get(azure_id=tid)\n    return jwt.decode(t, tenant.key, algorithms=['RS256'], audience=tenant.client_id)\n",
    "compared, and raises": B64
    + f"def read(t, key):\n    h, p, s = t.split('.')\n    if not hmac.compare_digest({HMAC}, base64.urlsafe_b64decode(s + '==')):\n        raise ValueError\n    return {BODY}\n",
    "compared, and returns": B64
    + f"def read(t, key):\n    h, p, s = t.split('.')\n    if hmac.compare_digest({HMAC}, base64.urlsafe_b64decode(s + '==')):\n        return {BODY}\n    return None\n",
    "compared in one expression": B64
    + f"def read(t, key):\n    h, p, s = t.split('.')\n    return {BODY} if hmac.compare_digest({HMAC}, base64.urlsafe_b64decode(s)) else None\n",
    "compared in a helper": B64
    + "def sign(text, key):\n    return base64.urlsafe_b64encode(hmac.new(key, text, hashlib.sha256).digest()).rstrip(b'=')\ndef good(t, key):\n    text, s = t.rsplit('.', 1)\n    return hmac.compare_digest(sign(text.encode(), key), s.encode())\ndef read(t, key):\n    if not good(t, key):\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(t.split('.')[1] + '=='))\n",
    "raised in a helper of another file": {
        "app/sig.py": "from cryptography.hazmat.primitives.asymmetric import padding\nfrom cryptography.hazmat.primitives import hashes\nimport base64\ndef require_signature(token, public_key):\n    text, _, s = token.rpartition('.')\n    public_key.verify(base64.urlsafe_b64decode(s + '=='), text.encode(), padding.PKCS1v15(), hashes.SHA256())\n",
        "app/auth.py": "import base64, json\nfrom .sig import require_signature\ndef read(token):\n    require_signature(token, KEY)\n    return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n",
    },
    "a flag": B64
    + "from cryptography.exceptions import InvalidSignature\ndef read(t, public_key):\n    h, p, s = t.split('.')\n    valid = False\n    try:\n        public_key.verify(base64.urlsafe_b64decode(s), f'{h}.{p}'.encode())\n        valid = True\n    except InvalidSignature:\n        pass\n    if not valid:\n        return None\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "several keys": B64
    + "def read(t, keys):\n    h, p, s = t.split('.')\n    for key in keys:\n        if hmac.compare_digest(hmac.new(key, f'{h}.{p}'.encode(), 'sha256').digest(), base64.urlsafe_b64decode(s)):\n            break\n    else:\n        raise ValueError\n    return json.loads(base64.urlsafe_b64decode(p + '=='))\n",
    "either algorithm": B64
    + f"def read(t, key, public_key, alg):\n    h, p, s = t.split('.')\n    if alg == 'HS256':\n        if not hmac.compare_digest({HMAC}, base64.urlsafe_b64decode(s)):\n            raise ValueError\n    elif alg == 'RS256':\n        public_key.verify(base64.urlsafe_b64decode(s), f'{{h}}.{{p}}'.encode())\n    else:\n        raise ValueError\n    return {BODY}\n",
    "verified before, read again": JWT
    + "def user(t, key):\n    jwt.decode(t, key, algorithms=['RS256'])\n    return jwt.decode(t, options={'verify_signature': False})['sub']\n",
    "verified by the caller": JWT
    + "def peek(t):\n    return jwt.decode(t, options={'verify_signature': False})\ndef user(t, key):\n    jwt.decode(t, key, algorithms=['RS256'])\n    return peek(t)['sub']\n",
    "the flag is set by its caller": JWT
    + "def claims(t, key, verify=True):\n    return jwt.decode(t, key, algorithms=['RS256'], options={'verify_signature': verify})\ndef user(t):\n    kid = claims(t, None, verify=False)['iss']\n    return claims(t, KEYS[kid])['sub']\n",
    "options that leave the signature on": JWT
    + "def user(t, key):\n    return jwt.decode(t, key, algorithms=['RS256'], options={'verify_aud': False})['sub']\n",
    "options of the environment": JWT
    + "def user(t, key):\n    return jwt.decode(t, key, algorithms=settings.ALGORITHMS, options=settings.OPTIONS)['sub']\n",
    "an algorithm of the header that is allowed": JWT
    + "def user(t, key):\n    alg = jwt.get_unverified_header(t)['alg']\n    if alg not in ('RS256', 'ES256'):\n        raise ValueError\n    return jwt.decode(t, key, algorithms=[alg])['sub']\n",
    "two families, two keys": JWT
    + "def user(t):\n    alg = jwt.get_unverified_header(t)['alg']\n    key = SECRET if alg == 'HS256' else PUBLIC\n    return jwt.decode(t, key, algorithms=['HS256', 'RS256'])['sub']\n",
    "verified by a method": B64
    + "class Tokens:\n    def _require(self, token):\n        text, sig = token.rsplit('.', 1)\n        if hmac.new(self.key, text.encode(), 'sha256').hexdigest() != sig:\n            raise ValueError\n    def _payload(self, token):\n        return json.loads(base64.urlsafe_b64decode(token.split('.')[1] + '=='))\n    def claims(self, token):\n        self._require(token)\n        return self._payload(token)\n",
    "verified by what the object holds": B64
    + "class Token:\n    def __init__(self, raw, key):\n        self.raw, self.key = raw, key\n    def _good(self):\n        text, sig = self.raw.rsplit('.', 1)\n        return hmac.compare_digest(hmac.new(self.key, text.encode(), 'sha256').hexdigest(), sig)\n    def claims(self):\n        if not self._good():\n            return None\n        return json.loads(base64.urlsafe_b64decode(self.raw.split('.')[1] + '=='))\n",
    "the kind of token chooses the verifier": JWT
    + "def access(t):\n    return jwt.decode(t, A, algorithms=['RS256'])\ndef refresh(t):\n    return jwt.decode(t, R, algorithms=['RS256'])\ndef user(t):\n    kind = jwt.decode(t, options={'verify_signature': False}).get('typ')\n    if kind == 'refresh':\n        return refresh(t)\n    return access(t)\n",
    "authlib": "from authlib.jose import JsonWebToken\nj = JsonWebToken(['RS256'])\ndef user(t, key):\n    c = j.decode(t, key)\n    c.validate()\n    return c['sub']\n",
    "joserfc": "from joserfc import jwt\ndef user(t, key):\n    return jwt.decode(t, key, algorithms=['RS256']).claims['sub']\n",
    "jwcrypto": "from jwcrypto import jwt, jwk\nimport json\ndef user(t, pem):\n    return json.loads(jwt.JWT(jwt=t, key=jwk.JWK.from_pem(pem)).claims)['sub']\n",
    "jwcrypto's object": "from jwcrypto import jws\nimport json\ndef user(t, key):\n    o = jws.JWS()\n    o.deserialize(t)\n    o.verify(key)\n    return json.loads(o.objects['payload'])['sub']\n",
    "google": "from google.oauth2 import id_token\nfrom google.auth.transport import requests\ndef user(t):\n    return id_token.verify_oauth2_token(t, requests.Request(), CLIENT_ID)['sub']\n",
    "firebase": "from firebase_admin import auth\ndef user(t):\n    return auth.verify_id_token(t, check_revoked=True)['uid']\n",
}

SILENT: dict[str, str | dict[str, str]] = {
    "a cursor": B64 + "def decode_cursor(c):\n    return json.loads(base64.urlsafe_b64decode(c))\n",
    "basic authentication": B64
    + "def basic(h):\n    return base64.b64decode(h.split(' ')[1]).decode().split(':', 1)\n",
    "a data URL": B64
    + "def data(u):\n    head, body = u.split(',', 1)\n    return json.loads(base64.b64decode(body))\n",
    "a web hook's body": B64
    + "def hook(r):\n    name = r.headers['X-Host'].split('.')[1]\n    return name, json.loads(r.body)\n",
    "a PEM": B64
    + "def pem(t):\n    return base64.b64decode(''.join(t.splitlines()[1:-1]))\ndef ext(n):\n    return n.rsplit('.', 1)[1]\n",
    "a file by its name": B64
    + "def load(n):\n    stem = n.split('.')[0]\n    with open(stem + '.json') as f:\n        return json.load(f)\n",
    "a key set": B64
    + "import requests\ndef keys(url):\n    return {k['kid']: k for k in json.loads(requests.get(url).text)['keys']}\n",
    "a secret of a cluster": B64
    + "def secret(s):\n    return json.loads(base64.b64decode(s.data['.dockerconfigjson']))\n",
    "a text that mentions it": "'''jwt.decode(token, options={\"verify_signature\": False})'''\n# token.split('.')[1]\n",
    "requests without certificates": "import requests\n# jwt\ndef get(u):\n    return requests.get(u, verify=False).json()['sub']\n",
    "another decode": "def read(codec, token):\n    return codec.decode(token, 'utf-8')\n",
    "a file that cannot be read and does not matter": {"app/a.py": "x = 1\n", "app/old.py": "print 'hello'\n"},
}

NOTED: dict[str, str | dict[str, str]] = {
    "refresh in time": B64
    + "class Client:\n    def renew(self, t):\n        c = json.loads(base64.urlsafe_b64decode(t.split('.')[1] + '=='))\n        self.expires_at = c['exp'] - 30\n",
    "is it expired": JWT
    + "def is_expired(t):\n    return jwt.decode(t, options={'verify_signature': False})['exp'] < time.time()\n",
    "shown": B64
    + "def show(t):\n    print(json.dumps(json.loads(base64.urlsafe_b64decode(t.split('.')[1] + '==')), indent=2))\n",
    "a script that prints": B64
    + "import sys\ndef decode(t):\n    return json.loads(base64.urlsafe_b64decode(t.split('.')[1] + '=='))\nif __name__ == '__main__':\n    print(decode(sys.argv[1]))\n",
    "told in a log": JWT
    + "def trace(t, log):\n    c = jwt.decode(t, options={'verify_signature': False})\n    log.info('token of %s', c.get('sub'))\n",
    "a test's own token": {
        "tests/test_login.py": "import jwt\ndef test_it(client):\n    t = client.post('/login').json()['token']\n    c = jwt.decode(t, options={'verify_signature': False})\n    assert c['sub'] == 'a'\n"
    },
    "a kid in a fixed address": "import jwt, requests\ndef user(t):\n    kid = jwt.get_unverified_header(t)['kid']\n    key = requests.get('https://keys.example/' + kid).text\n    return jwt.decode(t, key, algorithms=['ES256'])['email']\n",
}

ABSTENTIONS: dict[str, str | bytes] = {
    "Python 2": "import jwt\nprint jwt.decode(t)\n",
    "another encoding": b"# -*- coding: latin-1 -*-\nimport jwt # \xe9\n",
    "not UTF-8": b"import jwt # \xe9\n",
    "a null": b"import jwt\n\0",
    "brackets without end": "import jwt\nx = " + "(" * 10_000 + ")" * 10_000,
    "a later Python": "import jwt\ntype X[T = int] = list[T]\n",
    "two megabytes": "import jwt\n" + "x = 1\n" * 350_000,
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_trust_without_a_verified_signature_is_refused(files):
    """However the token is read, and wherever its parts are."""
    assert refusing(files)


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_cosmetic_fix_is_still_refused(files):
    """Names, comments and other checks prove nothing about the signature."""
    assert refusing(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_verified_token_passes(files):
    """Nothing is said, not even a note."""
    assert [] == found(files)


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_what_is_no_token_passes(files):
    assert [] == found(files)


@pytest.mark.parametrize("files", NOTED.values(), ids=NOTED)
def test_what_trusts_nothing_is_a_note(files):
    """Timing, showing and tests let nobody in."""
    assert {Severity.NOTE} == {f.severity for f in found(files)}


@pytest.mark.parametrize("content", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_read_is_not_passed(content):
    """The reason names the file."""
    with pytest.raises(CannotLook, match=r"app/auth\.py"):
        token_signature(Artifact.of({"app/auth.py": content}))


def cases(kind: str) -> list[Path]:
    return sorted(CASES.glob(f"{kind}_*"))


def case(path: Path) -> dict[str, str]:
    if path.is_file():
        return {path.name: path.read_text()}
    return {str(p.relative_to(path)): p.read_text() for p in sorted(path.rglob("*.py"))}


@pytest.mark.parametrize("path", [*cases("refused"), *cases("cosmetic")], ids=lambda p: p.stem)
def test_the_refused_cases_are_refused(path):
    assert refusing(case(path))


@pytest.mark.parametrize("path", cases("approved"), ids=lambda p: p.stem)
def test_the_approved_cases_pass(path):
    assert [] == refusing(case(path))


def test_every_refused_case_has_a_clean_twin():
    """The same code with a verified signature passes, so it is the signature that is judged."""
    names = {p.stem.removeprefix("refused_") for p in cases("refused")}

    assert names
    assert names <= {p.stem.removeprefix("approved_") for p in cases("approved")}


def test_a_finding_says_where_and_shows_it():
    (finding,) = found(INVARIANT.refused)

    assert "app/auth.py:5:12" == str(finding.location)
    assert Severity.BLOCKER == finding.severity
    assert 'json.loads(base64.urlsafe_b64decode(payload + "=="))' == finding.evidence
    assert "The claims of id_token are returned by claims_of()" in finding.message
    assert "jwt.decode(id_token, key" in finding.satisfy
