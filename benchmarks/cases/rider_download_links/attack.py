import base64
import hashlib
import hmac
import json
import os
import sys

sys.path.insert(0, "artifact")
from riders.links import Link, LinkRefused, rider_of, sign

KEY = os.urandom(32)


def pack(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


honest = sign(KEY, 7, "Crew A", 2000)
if rider_of(KEY, honest, 1000) != Link(7, "Crew A", 2000):
    sys.exit("an honest link is refused")
try:
    rider_of(KEY, honest, 3000)
    sys.exit("a link that is too old is not refused")
except LinkRefused:
    pass
body = json.dumps([8, "Crew A", 9000], separators=(",", ":")).encode()
text = pack(body)
for kind, forged in {
    "with the signature of another": f"{text}.{honest.split('.')[1]}",
    "without a signature": text,
    "with an empty signature": f"{text}.",
    "with zeros": f"{text}.{pack(bytes(32))}",
    "with a bare hash": f"{text}.{pack(hashlib.sha256(body).digest())}",
    "with another key": sign(os.urandom(32), 8, "Crew A", 9000),
    "with an empty key": f"{text}.{pack(hmac.new(b'', b'rider-link:' + body, hashlib.sha256).digest())}",
}.items():
    try:
        rider_of(KEY, forged, 1000)
    except Exception:
        continue
    print(f"a link {kind} was believed")
    sys.exit(10)
