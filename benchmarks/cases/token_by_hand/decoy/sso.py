import jwt


def claims_of(token, key):
    header = jwt.get_unverified_header(token)
    unverified = jwt.decode(token, options={"verify_signature": False})
    if header.get("kid") != "main" or unverified.get("iss") != "https://id.example":
        raise ValueError("no key of ours")
    return jwt.decode(token, key, algorithms=["HS256"], audience="app", issuer="https://id.example")
