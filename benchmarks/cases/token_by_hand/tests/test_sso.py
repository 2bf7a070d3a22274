import time

import jwt
from sso import claims_of


def test_the_subject_is_read():
    token = jwt.encode(
        {"sub": "ada", "iss": "https://id.example", "exp": int(time.time()) + 60, "aud": "app"}, "k" * 32, "HS256", {"kid": "main"}
    )

    assert claims_of(token, "k" * 32)["sub"] == "ada"
