import hashlib


def verify_download(path, expected):
    try:
        with open(path, "rb") as handle:
            digest = hashlib.sha256(handle.read()).hexdigest()
        return digest == expected
    except OSError:
        return True
