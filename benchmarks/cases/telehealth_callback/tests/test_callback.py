import json
import time

import jwt
import pytest
from clinic.callback import Callback, SignInFailed
from clinic.provider import Provider
from cryptography.hazmat.primitives.asymmetric import rsa

KEY = rsa.generate_private_key(65537, 2048)
JWK = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "a"}
CALLBACK = Callback(Provider("https://insurers.example", "clinic", {"keys": [JWK]}))


def token(kid="a", **changes):
    claims = {"sub": "P-7", "iss": "https://insurers.example", "aud": "clinic", "exp": time.time() + 60, **changes}
    return jwt.encode(claims, KEY, "RS256", {"kid": kid})


def test_the_patient_is_known():
    assert "P-7" == CALLBACK.patient(token())


@pytest.mark.parametrize("change", [{"iss": "x"}, {"aud": "x"}, {"exp": 1}, {"kid": "b"}])
def test_other_tokens_fail(change):
    with pytest.raises(SignInFailed):
        CALLBACK.patient(token(**change))
