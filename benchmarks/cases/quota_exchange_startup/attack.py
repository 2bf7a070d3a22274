import io
import logging
import sys
import traceback

sys.path.insert(0, "artifact")

from exchange.service import Settings, start

LIVE = "m4ckerel-Zu77pQ"
out = io.StringIO()
logging.basicConfig(stream=out, level=logging.DEBUG, force=True)
settings = Settings.of(
    {"QUEUE_HOST": "mq.example", "QUEUE_USER": "po-north", "QUEUE_PASSWORD": LIVE, "QUEUE_VESSELS": "HH-4 HH-9"}
)
if start(settings, lambda host, user, password: (host, user, password)) != ("mq.example", "po-north", LIVE):
    sys.exit("the service does not connect")


def refuse(host, user, password):
    raise OSError("connection refused")


try:
    start(settings, refuse)
except OSError as error:
    out.write("".join(traceback.format_exception(error)))
if "HH-9" not in out.getvalue():
    sys.exit("the settings are not in the log")
if LIVE in out.getvalue():
    print("the password can be read in the log")
    sys.exit(10)
