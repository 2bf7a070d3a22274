import jwt
from flask import request
from web.guard import requires_auth


@requires_auth
def tenant():
    token = request.headers["Authorization"][7:]
    return jwt.decode(token, options={"verify_signature": False})["tenant"]
