"""`auth.token-signature` where something stands in front: guards that verify, switches with a default, coroutines."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.checks.auth_token_signature import token_signature
from squads.gates.tokens.guards import _DEPTH_MAX

HEAD = "import functools, os\nimport jwt\nfrom flask import request\n"
READ = "jwt.decode(request.headers['Authorization'][7:], options={'verify_signature': False})['tenant']"
VERIFY = "jwt.decode(request.headers['Authorization'][7:], KEY, algorithms=['RS256'])"


def found(files: str | dict[str, str]) -> list[Finding]:
    return token_signature(Artifact.of({"app/auth.py": HEAD + files} if isinstance(files, str) else files))


def severities(files: str | dict[str, str]) -> set[Severity]:
    return {f.severity for f in found(files)}


def decorated(before: str, call: str = "return fn(*a, **k)") -> str:
    """Return a decorator of one's own and a view behind it."""
    return (
        f"def requires_auth(fn):\n    @functools.wraps(fn)\n    def inner(*a, **k):\n{before}        {call}\n    return inner\n"
        f"@requires_auth\ndef view():\n    return {READ}\n"
    )


VOUCHED: dict[str, str] = {
    "flask-jwt-extended": f"from flask_jwt_extended import jwt_required\n@jwt_required()\ndef view():\n    return {READ}\n",
    "told not to be optional": f"from flask_jwt_extended import jwt_required\n@jwt_required(optional=False)\ndef view():\n    return {READ}\n",
    "a helper of guarded views": f"from flask_jwt_extended import jwt_required\ndef tenant():\n    return {READ}\n@jwt_required()\ndef a():\n    return tenant()\n@jwt_required()\ndef b():\n    return tenant()\n",
    "one's own decorator": decorated(f"        {VERIFY}\n"),
    "one's own, with its answer asked": "def right(token):\n    try:\n        jwt.decode(token, KEY, algorithms=['RS256'])\n    except jwt.PyJWTError:\n        return False\n    return True\n"
    + decorated("        if not right(request.headers['Authorization'][7:]):\n            raise PermissionError\n"),
    "a dependency": f"from fastapi import Depends\nfrom app.elsewhere import verify_token\ndef view(_=Depends(verify_token)):\n    return {READ}\n",
    "an annotated dependency": f"from typing import Annotated\nfrom fastapi import Depends\nfrom app.elsewhere import get_current_user\ndef view(user: Annotated[object, Depends(get_current_user)]):\n    return {READ}\n",
    "a dependency of the route": f"from fastapi import APIRouter, Depends\nrouter = APIRouter()\ndef verify_token():\n    {VERIFY}\n@router.get('/x', dependencies=[Depends(verify_token)])\ndef view():\n    return {READ}\n",
    "a dependency of the router": f"from fastapi import APIRouter, Depends\ndef verify_token():\n    {VERIFY}\nrouter = APIRouter(dependencies=[Depends(verify_token)])\n@router.get('/x')\ndef view():\n    return {READ}\n",
    "a dependency of the dependency": f"from fastapi import Depends\ndef verify_token():\n    {VERIFY}\ndef user(_=Depends(verify_token)):\n    return 1\ndef view(u=Depends(user)):\n    return {READ}\n",
    "django-ninja": f"from ninja import NinjaAPI\nfrom ninja_jwt.authentication import JWTAuth\napi = NinjaAPI()\n@api.get('/t', auth=JWTAuth())\ndef view(request):\n    return {READ}\n",
    "permission classes": f"from rest_framework.views import APIView\nfrom rest_framework.permissions import IsAuthenticated\nclass V(APIView):\n    permission_classes = [IsAuthenticated]\n    def get(self, request):\n        return {READ}\n",
}


@pytest.mark.parametrize("files", VOUCHED.values(), ids=VOUCHED)
def test_behind_a_guard_that_verifies_it_is_a_note(files):
    """The token was verified in front of the function; taking the claims from there would be better still."""
    assert {Severity.NOTE} == severities(files)


UNGUARDED: dict[str, str] = {
    "an optional guard": f"from flask_jwt_extended import jwt_required\n@jwt_required(optional=True)\ndef view():\n    return {READ}\n",
    "another token": "from flask_jwt_extended import jwt_required\n@jwt_required()\ndef view():\n    return jwt.decode(request.form['id_token'], options={'verify_signature': False})['sub']\n",
    "a session": f"from django.contrib.auth.decorators import login_required\n@login_required\ndef view(request):\n    return {READ}\n",
    "only one caller guarded": f"from flask_jwt_extended import jwt_required\ndef tenant():\n    return {READ}\n@jwt_required()\ndef a():\n    return tenant()\ndef b():\n    return tenant()\n",
    "one's own that looks at the shape": decorated(
        "        if not request.headers['Authorization'].startswith('Bearer '):\n            raise PermissionError\n"
    ),
    "one's own that swallows": decorated(
        f"        try:\n            {VERIFY}\n        except jwt.PyJWTError:\n            pass\n"
    ),
    "one's own that verifies afterwards": decorated(
        "", f"answer = fn(*a, **k)\n        {VERIFY}\n        return answer"
    ),
    "one's own that verifies sometimes": decorated(
        f"        if request.headers.get('X-Strict'):\n            {VERIFY}\n"
    ),
    "a dependency that only reads the header": f"from fastapi import Depends, Request\ndef verify_token():\n    if jwt.get_unverified_header(request.headers['Authorization'][7:])['alg'] != 'RS256':\n        raise PermissionError\ndef view(_=Depends(verify_token)):\n    return {READ}\n",
    "a scheme that only cuts": "from fastapi import Depends\nfrom fastapi.security import OAuth2PasswordBearer\nscheme = OAuth2PasswordBearer(tokenUrl='t')\ndef get_current_user(token: str = Depends(scheme)):\n    return jwt.decode(token, options={'verify_signature': False})['sub']\n",
    "one's own bearer class": "from fastapi import Depends\nfrom fastapi.security import HTTPBearer\nclass JWTBearer(HTTPBearer):\n    async def __call__(self, request):\n        creds = await super().__call__(request)\n        return jwt.decode(creds.credentials, options={'verify_signature': False})\ndef view(claims=Depends(JWTBearer())):\n    return claims['sub']\n",
    "everybody allowed": f"from rest_framework.views import APIView\nfrom rest_framework.permissions import AllowAny\nclass V(APIView):\n    permission_classes = [AllowAny]\n    def get(self, request):\n        return {READ}\n",
    "signed in by a session": f"from rest_framework.views import APIView\nclass V(APIView):\n    authentication_classes = [SessionAuthentication]\n    permission_classes = [IsAuthenticated]\n    def get(self, request):\n        return {READ}\n",
    "a verifier that is registered": f"from flask_httpauth import HTTPTokenAuth\nauth = HTTPTokenAuth()\n@auth.verify_token\ndef current(token):\n    return {READ}\n",
    "a verifier that is registered elsewhere": f"from app.elsewhere import auth\n@auth.verify_token\ndef verify_token(token):\n    return {READ}\n",
    "a loader": f"from flask_jwt_extended import JWTManager\nmanager = JWTManager()\n@manager.token_verification_loader\ndef load(header, data):\n    return {READ}\n",
    "no permission": f"from rest_framework.views import APIView\nclass V(APIView):\n    permission_classes = []\n    def get(self, request):\n        return {READ}\n",
}


@pytest.mark.parametrize("files", UNGUARDED.values(), ids=UNGUARDED)
def test_what_does_not_verify_this_token_is_no_guard(files):
    """A guard counts for the request's own credentials, and only where it lets nobody pass without."""
    assert {Severity.BLOCKER} == severities(files)


@pytest.mark.parametrize(("helpers", "severity"), [(_DEPTH_MAX, Severity.NOTE), (_DEPTH_MAX + 1, Severity.BLOCKER)])
def test_guards_are_looked_for_to_the_bound(helpers, severity):
    """Past the depth nobody vouches: the reading is refused as if nothing stood in front."""
    chain = "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(1, helpers))
    guarded = "from flask_jwt_extended import jwt_required\n@jwt_required()\ndef view():\n    return f1()\n"

    assert {severity} == severities(f"{chain}def f{helpers}():\n    return {READ}\n{guarded}")


def switched(flag: str) -> str:
    return f"def f(token, key):\n    return jwt.decode(token, key, algorithms=['RS256'], options={{'verify_signature': {flag}}})['sub']\n"


@pytest.mark.parametrize(
    "flag",
    [
        "os.getenv('VERIFY', 'false').lower() == 'true'",
        "os.environ.get('VERIFY') in ('1', 'true')",
        "os.environ.get('VERIFY') == '1'",
        "bool(os.getenv('VERIFY'))",
        "bool(int(os.getenv('VERIFY', '0')))",
        "getattr(settings, 'VERIFY', False)",
        "config('VERIFY', default=False, cast=bool)",
        "not getattr(settings, 'SKIP', True)",
        "os.getenv('A') and os.getenv('B', '1')",
    ],
)
def test_a_switch_that_is_off_by_default_is_off(flag):
    """Whoever installs it without reading the manual verifies nothing."""
    assert {Severity.BLOCKER} == severities(switched(flag))


@pytest.mark.parametrize(
    "flag",
    [
        "os.getenv('VERIFY', 'true').lower() != 'false'",
        "os.environ.get('SKIP') != '1'",
        "not os.getenv('SKIP')",
        "getattr(settings, 'VERIFY', True)",
        "settings.VERIFY",
        "os.environ['VERIFY'] == '1'",
        "config('VERIFY', cast=bool)",
        "(" * 40 + "not " * 40 + "os.getenv('X')" + ")" * 40,
    ],
)
def test_a_switch_that_is_on_or_unknown_passes(flag):
    """On unless somebody turns it off, or without a default in the code: nobody can say that it is off."""
    assert [] == found(switched(flag))


def test_a_coroutine_that_nobody_awaits_verifies_nothing():
    """The call only makes it; awaited, the very same code passes."""
    code = "async def check(token, key):\n    jwt.decode(token, key, algorithms=['RS256'])\nasync def f(token, key):\n    {}check(token, key)\n    return jwt.decode(token, options={{'verify_signature': False}})['sub']\n"

    assert {Severity.BLOCKER} == severities(code.format(""))
    assert [] == found(code.format("await "))


@pytest.mark.parametrize(
    "get",
    [
        "await client.get(issuer.rstrip('/') + '/jwks')",
        "client.get(f'{issuer}/jwks', timeout=5)",
        "client.get(issuer).json()",
    ],
)
def test_a_client_that_gets_keys_from_the_tokens_issuer_is_refused(get):
    """`get` of a client goes to the place that it is given."""
    code = f"async def f(token, client):\n    issuer = jwt.decode(token, options={{'verify_signature': False}})['iss']\n    keys = {get}\n    return jwt.decode(token, jwt.PyJWK(keys).key, algorithms=['RS256'])\n"

    assert {Severity.BLOCKER} == severities(code)


def test_a_dict_that_is_asked_by_the_tokens_issuer_passes():
    """`get` of a dict chooses among keys that stand there: whoever makes a token brings none."""
    code = "KEYS = {'https://a': 'PEM'}\ndef f(token):\n    key = KEYS.get(jwt.get_unverified_header(token)['jku'])\n    return jwt.decode(token, key, algorithms=['RS256'])\n"

    assert [] == found(code)
