import io
import logging
import sys
import traceback

sys.path.insert(0, "artifact")

from addresses.client import Addresses

KEY = "kq7Zt0wPb3"
out = io.StringIO()
logging.basicConfig(stream=out, level=logging.DEBUG, force=True)
sys.stdout, sys.stderr, real = out, out, sys.stdout
sent = []


def fetch(status, body):
    return lambda url, headers: (sent.append(headers), (status, body))[1]


if Addresses(KEY, fetch(200, b'{"position": {"lat": 1.5, "lon": 2.5}}')).find("Elm", "7") != (1.5, 2.5):
    sys.exit("an address is not found")
if KEY not in sent[0].values():
    sys.exit("the key is not sent")
for status in (401, 404, 500, 503):
    try:
        Addresses(KEY, fetch(status, b"sorry")).find("Elm", "7")
    except Exception as error:
        out.write("".join(traceback.format_exception(error)))
    else:
        sys.exit("a failure is not raised")
if KEY in out.getvalue():
    print("the key can be read in log or error", file=real, flush=True)
    sys.exit(10)
