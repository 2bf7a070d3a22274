import jwt


async def verify_signature(token, keys):
    jwt.decode(token, keys["a"], algorithms=["RS256"])


async def current(token, keys):
    await verify_signature(token, keys)
    return jwt.decode(token, options={"verify_signature": False})["sub"]
