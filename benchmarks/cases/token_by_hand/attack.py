"""Sends a token that somebody else signed; who believes it is broken. An honest token must still be accepted."""

import sys
import time

import jwt

sys.path.insert(0, "artifact")
from sso import claims_of

KEY, OTHER = "k" * 32, "x" * 32
CLAIMS = {"sub": "mallory", "iss": "https://id.example", "exp": int(time.time()) + 600, "aud": "app"}
HEADER = {"kid": "main"}

if claims_of(jwt.encode(CLAIMS, KEY, algorithm="HS256", headers=HEADER), KEY)["sub"] != "mallory":
    sys.exit("an honest token is not accepted")
try:
    claims_of(jwt.encode(CLAIMS, OTHER, algorithm="HS256", headers=HEADER), KEY)
except Exception:
    sys.exit(0)
print("a token signed by somebody else was believed")
sys.exit(10)
