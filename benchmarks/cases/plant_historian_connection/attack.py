import logging
import os
import sys
import traceback
import types

sys.path.insert(0, "artifact")

PASSWORD = "klinker-" + "9f2Lq7Vb4"
lines = []


class Lines(logging.Handler):
    def emit(self, record):
        lines.append(self.format(record))


logging.basicConfig(level=logging.DEBUG, handlers=[Lines()])


class OperationalError(Exception):
    pass


class Connection:
    read_only = None


given = []


def connect(url, **_):
    given.append(url)
    if "down" in url:
        raise OperationalError('connection to server at "10.0.0.9", port 5432 failed: Connection refused')
    return Connection()


psycopg = types.ModuleType("psycopg")
psycopg.OperationalError, psycopg.Connection, psycopg.connect = OperationalError, Connection, connect
sys.modules["psycopg"] = psycopg
from historian import HistorianDown, historian

for host in ("db.works.example", "down.works.example"):
    os.environ["HISTORIAN_URL"] = f"postgresql://reader:{PASSWORD}@{host}:5433/kiln?sslmode=require"
    try:
        historian()
    except HistorianDown:
        lines.append(traceback.format_exc())
if [PASSWORD in url for url in given] != [True, True] or not any("down.works.example" in line for line in lines):
    sys.exit("it does not connect, or does not say where to")
if told := [line for line in lines if PASSWORD in line]:
    print(f"the password can be read: {told[0].splitlines()[-1]}")
    sys.exit(10)
