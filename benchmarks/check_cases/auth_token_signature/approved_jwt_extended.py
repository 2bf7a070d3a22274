import jwt
from flask import Blueprint, jsonify, request
from flask_jwt_extended import jwt_required

bp = Blueprint("me", __name__)


@bp.get("/me")
@jwt_required()
def me():
    raw = request.headers["Authorization"].split()[1]
    claims = jwt.decode(raw, options={"verify_signature": False})
    return jsonify(tenant=claims["tenant"], sub=claims["sub"])
