import os
import sys
from urllib.parse import unquote, urlsplit

os.environ.clear()
sys.path.insert(0, "artifact")
from loader.warehouse import connection


class Server:
    password = "KNJbDA3YTXDQv1olSGipO_b7" + "bTiV_ZVCJ9_"

    def __init__(self):
        self.logins = []

    def connect(self, dsn):
        self.logins.append(unquote(urlsplit(dsn).password or ""))
        return self

    def commit(self):
        pass

    rollback = close = commit


server = Server()
try:
    with connection(server.connect):
        pass
except Exception:
    server.logins.append("")
guest = server.logins[0]
os.environ["WAREHOUSE_PASSWORD"] = server.password
with connection(server.connect):
    pass
if server.logins[-1] != server.password:
    sys.exit("the password of the environment is not used")
if guest == server.password:
    print("with nothing set, the warehouse lets the loader in")
    sys.exit(10)
