import jwt


def claims_of(token, keys):
    kid = jwt.get_unverified_header(token).get("kid")
    if kid not in keys:
        raise jwt.InvalidKeyError(kid)
    return jwt.decode(token, keys[kid], algorithms=["ES256"])


def subject(request, keys):
    return claims_of(request.headers["Authorization"].removeprefix("Bearer "), keys)["sub"]
