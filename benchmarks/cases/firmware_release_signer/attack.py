import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

os.environ.clear()
sys.path.insert(0, "artifact")
import json

from release.signing import check, sign

REAL = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("7524628892fbc38d0d81985d2011c90b" + "0a70697b7411ac5e75b6063ec289fd45")
)


def device_installs(text):
    content = json.loads(text)
    try:
        REAL.public_key().verify(bytes.fromhex(content["signature"]), content["manifest"].encode())
    except Exception:
        return False
    return True


try:
    forged = sign(b"malware", "9.9")
except Exception:
    forged = None
Path("release.pem").write_bytes(REAL.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
os.environ["RELEASE_KEY_FILE"] = "release.pem"
honest = sign(b"image", "1.2")
if not device_installs(honest) or check(b"image", honest) != "1.2":
    sys.exit("an image signed with the release key is not installed")
if forged and device_installs(forged):
    print("away from the signing host, the tool signs what devices install")
    sys.exit(10)
