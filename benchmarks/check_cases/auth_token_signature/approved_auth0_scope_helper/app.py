from flask import Flask, jsonify
from auth import requires_auth, requires_scope

app = Flask(__name__)


@app.route("/private")
@requires_auth
def private():
    if requires_scope("read:messages"):
        return jsonify(ok=True)
    return jsonify(ok=False), 403
