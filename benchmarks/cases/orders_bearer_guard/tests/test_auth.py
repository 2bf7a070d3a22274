import time
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from orders.auth import Refused, configure, requires

KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@requires("orders:read")
def handler(request, caller):
    return caller.customer


def call(authorization):
    configure({"k1": PUBLIC.decode()})
    return handler(SimpleNamespace(headers={"Authorization": authorization}))


def bearer(**changes):
    claims = {
        "sub": "ada", "scope": "orders:read orders:write", "aud": "orders", "iss": "https://login.shop.example",
        "exp": time.time() + 60, **changes,
    }
    return "Bearer " + jwt.encode(claims, KEY, "RS256", {"kid": "k1"})


def test_the_caller_is_known():
    assert "ada" == call(bearer())


@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer ", "Bearer abc"])
def test_no_token_is_401(header):
    with pytest.raises(Refused) as refused:
        call(header)

    assert 401 == refused.value.status


def test_another_scope_is_403():
    with pytest.raises(Refused) as refused:
        call(bearer(scope="profile"))

    assert 403 == refused.value.status


@pytest.mark.parametrize("change", [{"iss": "https://staging.shop.example"}])
def test_wrong_claims_are_401(change):
    with pytest.raises(Refused) as refused:
        call(bearer(**change))

    assert 401 == refused.value.status
