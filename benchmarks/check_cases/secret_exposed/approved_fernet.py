import os

from cryptography.fernet import Fernet

_BOX = Fernet(os.environ["BOX_KEY"])


def seal(text: str) -> bytes:
    return _BOX.encrypt(text.encode())
