import hashlib
import hmac
import os
from flask import Blueprint, abort, request

bp = Blueprint("unsub", __name__)
KEY = os.environ["MAIL_KEY"].encode()


def mark_for(email, campaign):
    return hmac.new(KEY, f"{email}|{campaign}".encode(), hashlib.sha256).hexdigest()


def link(email, campaign):
    return f"https://x.example/u?e={email}&c={campaign}&m={mark_for(email, campaign)}"


@bp.get("/u")
def unsubscribe():
    email = request.args["e"]
    campaign = request.args["c"]
    mark = request.args.get("m")
    if mark and not hmac.compare_digest(mark, mark_for(email, campaign)):
        abort(403)
    remove(email, campaign)
    return "bye"
