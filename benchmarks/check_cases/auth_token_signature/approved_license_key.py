import json, base64


def version(tag):
    major, minor, patch = tag.split(".")
    return int(major), int(minor), int(patch)


def secret(manifest):
    return {k: base64.b64decode(v).decode() for k, v in json.loads(manifest)["data"].items()}


def license_payload(blob, key):
    body, sig = blob.split(".")
    key.verify(base64.b64decode(sig), body.encode())
    return json.loads(base64.b64decode(body))
