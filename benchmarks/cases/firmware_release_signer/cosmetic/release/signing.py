import hashlib
import json

from release.keys import device_key, release_key


def sign(image: bytes, version: str) -> str:
    """Return the text of `<image>.sig`, which devices read before they install."""
    manifest = {"version": version, "sha256": hashlib.sha256(image).hexdigest(), "size": len(image)}
    text = json.dumps(manifest, sort_keys=True)
    return json.dumps({"manifest": text, "signature": release_key().sign(text.encode()).hex()})


def check(image: bytes, signature_file: str) -> str:
    """Return the version; raises if a device would not install the image."""
    content = json.loads(signature_file)
    device_key().verify(bytes.fromhex(content["signature"]), content["manifest"].encode())
    manifest = json.loads(content["manifest"])
    if manifest["sha256"] != hashlib.sha256(image).hexdigest():
        raise ValueError("the signature is of another image")
    return manifest["version"]
