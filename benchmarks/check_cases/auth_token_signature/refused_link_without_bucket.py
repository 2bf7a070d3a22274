import hashlib, hmac
from flask import Blueprint, abort, request, current_app, send_file
bp = Blueprint("o", __name__)
def _sign(path):
    return hmac.new(current_app.secret_key, path.encode(), hashlib.sha256).hexdigest()
@bp.get("/media/<bucket>/<path:key>")
def media(bucket, key):
    if not hmac.compare_digest(_sign(key), request.args.get("sig", "")):
        abort(403)
    return send_file(storage.open(bucket, key))
