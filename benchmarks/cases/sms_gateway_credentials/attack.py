import base64
import os
import sys

os.environ.clear()
sys.path.insert(0, "artifact")
from reminders.sender import SmsSender
from reminders.settings import SmsSettings

PASSWORD = "Vz7-gL3i2w" + "Q9xFbfb5" + "zPX9u1r"


def gateway(url, *, headers, json):
    kind, _, text = headers["Authorization"].partition(" ")
    return 202 if base64.b64decode(text).decode() == f"reminders:{PASSWORD}" else 401


if not SmsSender(SmsSettings.load({"SMS_PASSWORD": PASSWORD}), gateway).remind("+3581", "Tomorrow at nine."):
    sys.exit("the gateway refuses its own password")
try:
    took = SmsSender(SmsSettings.load(os.environ), gateway).remind("+3581", "You won!")
except Exception:
    took = False
if took:
    print("with nothing set, the gateway lets us in")
    sys.exit(10)
