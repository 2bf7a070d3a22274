import hashlib
import hmac
import os
import sys
from urllib.parse import parse_qs, urlsplit

os.environ.clear()
sys.path.insert(0, "artifact")
import links

KEY = bytes.fromhex("3b2071f97da09f0530f603c723465ec4664d9c9c")


def server_accepts(url):
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    text = f"{parts.path}\n{query['expires'][0]}".encode()
    return query["mac"] == [hmac.new(KEY, text, hashlib.sha256).hexdigest()]


try:
    stolen = links.link("/customers/7/contract.pdf")
except Exception:
    stolen = None
os.environ["LINK_KEY"] = KEY.hex()
honest = links.link("/a.pdf")
if not server_accepts(honest) or not links.is_valid(honest):
    sys.exit("a link made with the server's key is not accepted")
if stolen and server_accepts(stolen):
    print("with nothing set, the module signs links that the server accepts")
    sys.exit(10)
