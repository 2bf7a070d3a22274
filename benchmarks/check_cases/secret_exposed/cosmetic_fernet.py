import base64

from cryptography.fernet import Fernet

_RAW = [
    222,
    173,
    190,
    239,
    193,
    10,
    167,
    91,
    33,
    48,
    77,
    201,
    15,
    99,
    140,
    7,
    61,
    5,
    88,
    214,
    19,
    44,
    180,
    222,
    9,
    101,
    3,
    250,
    66,
    147,
    31,
    2,
]
_BOX = Fernet(base64.urlsafe_b64encode(bytes(_RAW)))


def seal(text: str) -> bytes:
    return _BOX.encrypt(text.encode())
