import logging
import secrets
import sys
import traceback

sys.path.insert(0, "artifact")
from scada.client import Power, ScadaClient, ScadaError

KEY = secrets.token_hex(20)
seen = []


class Collector(logging.Handler):
    def emit(self, record):
        seen.append(record.getMessage())


logging.getLogger().addHandler(Collector())
logging.getLogger().setLevel(logging.DEBUG)
asked = []


def get(status, text):
    def answer(url):
        asked.append(url)
        return status, text

    return answer


client = ScadaClient("scada.example", KEY, get(200, '{"value": 1850.5, "at": "12:00"}'))
if client.power("W-04") != Power("W-04", 1850.5, "12:00") or f"key={KEY}" not in asked[0]:
    sys.exit("an honest question does not work")
seen.append(repr(client))
for status, text in ((503, "busy"), (403, "no"), (200, "<html>"), (200, "{}")):
    try:
        ScadaClient("scada.example", KEY, get(status, text)).power("W-04")
    except ScadaError as error:
        seen.extend(("".join(traceback.format_exception(error)), str(error), repr(error)))
    else:
        sys.exit("a failure is not raised")
for text in seen:
    if KEY[8:] in text:
        print("the key can be read in what is logged or raised")
        sys.exit(10)
