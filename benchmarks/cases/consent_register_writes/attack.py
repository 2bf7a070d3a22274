import logging
import sys
import types

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from consent.handlers import withdraw


def dropped(person, purpose):
    raise KeyError(person)


def full(entry):
    raise OSError("disk is full")


cache, kept = types.SimpleNamespace(drop=dropped), []
request = {"person": "ada", "purpose": "newsletter"}
honest = withdraw(request, types.SimpleNamespace(append=kept.append), cache)
if honest.status != 200 or len(kept) != 1:
    sys.exit("a withdrawal is not recorded")
try:
    answer = withdraw(request, types.SimpleNamespace(append=full), cache)
except Exception:
    sys.exit(0)
if answer.status < 400:
    print(f"answered {int(answer.status)}, and nothing is written")
    sys.exit(10)
