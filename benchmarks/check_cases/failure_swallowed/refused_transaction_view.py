from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/meters/<meter>/readings")
def add_reading(meter):
    try:
        app.db.execute("INSERT INTO readings VALUES (?, ?)", (meter, request.json["value"]))
        app.db.commit()
    except Exception:
        app.db.rollback()
        app.logger.exception("reading")
    return jsonify(status="stored"), 201
