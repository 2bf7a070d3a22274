from cryptography.fernet import Fernet

_BOX = Fernet(b"3q2-7wQ9pXvR1sTzY8uLkJhGfDsA5mNbVcXzQwErTyU=")


def seal(text: str) -> bytes:
    return _BOX.encrypt(text.encode())
