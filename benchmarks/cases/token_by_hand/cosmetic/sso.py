import base64
import json
import time


def _part(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def claims_of(token, key):
    header, claims = _part(token, 0), _part(token, 1)
    if header["alg"] != "HS256" or claims["iss"] != "https://id.example" or claims["exp"] < time.time():
        raise ValueError("invalid token")
    return claims
