import base64, json, os
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.exceptions import InvalidSignature

KEY = serialization.load_pem_public_key(os.environ["PUB"].encode())


def _d(s):
    return base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))


def handler(event, context):
    token = event["headers"]["authorization"].partition(" ")[2]
    h, p, s = token.split(".")
    try:
        KEY.verify(_d(s), f"{h}.{p}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return {"isAuthorized": False}
    claims = json.loads(_d(p))
    return {"isAuthorized": claims["aud"] == "api", "context": {"sub": claims["sub"]}}
