import jwt

KEY_SETS = {
    "https://login.one.example/": jwt.PyJWKClient("https://login.one.example/keys"),
    "https://login.two.example/": jwt.PyJWKClient("https://login.two.example/keys"),
}


def authenticate(token: str) -> dict:
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    if issuer not in KEY_SETS:
        raise PermissionError(f"unknown issuer {issuer!r}")
    key = KEY_SETS[issuer].get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=["RS256"], issuer=issuer, audience="portal")
