from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/meters/<meter>/readings")
def add_reading(meter):
    stored = False
    try:
        app.db.execute("INSERT INTO readings VALUES (?, ?)", (meter, request.json["value"]))
        app.db.commit()
        stored = True
    except Exception:
        app.db.rollback()
        app.logger.exception("reading")
    return jsonify(stored=stored), 201 if stored else 503
