import jwt
from flask import request
from g import jwt_required


@jwt_required
def me():
    raw = request.headers["Authorization"].split()[1]
    return jwt.decode(raw, options={"verify_signature": False})["sub"]
