from cryptography.fernet import Fernet

_BOX = Fernet(Fernet.generate_key())


def seal(text: str) -> bytes:
    return _BOX.encrypt(text.encode())
