from flask import abort, request


def require_admin():
    if request.headers.get("X-Admin-Token") != "u7Kq2Rz9Wm4Xt1Vb":
        abort(403)
