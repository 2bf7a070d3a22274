from flask import current_app
from itsdangerous import BadData, SignatureExpired, URLSafeTimedSerializer

from .models import User


def _s():
    return URLSafeTimedSerializer(current_app.secret_key, salt="reset")


def token_for(user):
    return _s().dumps({"id": user.id, "v": user.password_version})


def user_of(token):
    ok, payload = _s().loads_unsafe(token, max_age=3600)
    return ok and User.query.filter_by(id=payload["id"], password_version=payload["v"]).first()


def expired_user(token):
    s = _s()
    try:
        payload = s.loads(token, max_age=3600)
    except SignatureExpired as e:
        payload = s.load_payload(e.payload)  # genuine, only old
    except BadData:
        return None
    return User.query.get(payload["id"])
