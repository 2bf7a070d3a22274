import os
import sys

os.environ.clear()
sys.path.insert(0, "artifact")
from relay.client import RelayClient


def relay_accepts(headers):
    return headers.get("X-Relay-Token") == "nlr-" + "8EJBtXApm5DJ97Sg1PWJPMxTa3IFPQS"


try:
    headers = RelayClient().headers()
except Exception:
    headers = {}
os.environ["RELAY_TOKEN"] = "nlr-of-the-test"
if RelayClient().headers()["X-Relay-Token"] != "nlr-of-the-test":
    sys.exit("a token from the environment is not used")
if relay_accepts(headers):
    print("with nothing set, the relay accepts the token that the code brings")
    sys.exit(10)
