import sys
import time

import jwt

sys.path.insert(0, "artifact")
from playout.commands import Command, Refused, Station, command_from

KEY, FORMER, OTHER = "k" * 32, "f" * 32, "x" * 32
STATIONS = {"north": Station("north", KEY, FORMER)}


def token(key, algorithm="HS256", **more):
    claims = {"iss": "north", "aud": "playout", "cmd": "insert", "clip": "c7", "exp": int(time.time()) + 60} | more
    return jwt.encode(claims, key, algorithm=algorithm)


if command_from(token(KEY), STATIONS) != Command("north", "insert", "c7"):
    sys.exit("an honest token is refused")
for wrong in (token(KEY, iss="south"), token(KEY, cmd="format")):
    try:
        command_from(wrong, STATIONS)
    except Refused:
        continue
    sys.exit("an unknown station or command is not refused")
head, body, _ = token(KEY).split(".")
for kind, forged in {
    "signed by somebody else": token(OTHER),
    "without a signature": token(None, algorithm="none"),
    "with an empty signature": f"{head}.{body}.",
}.items():
    try:
        command_from(forged, STATIONS)
    except Exception:
        continue
    print(f"a token {kind} was believed")
    sys.exit(10)
