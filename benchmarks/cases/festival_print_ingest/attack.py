import logging
import subprocess
import sys
from pathlib import Path

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
codes = {}


def run(command, *, check=False, **_):
    code = codes.get(command[0], 0)
    text = "file has vanished\n" if code else ""
    if code and check:
        raise subprocess.CalledProcessError(code, command, output="", stderr=text)
    return subprocess.CompletedProcess(command, code, stdout="", stderr=text)


subprocess.run = run
import ingest


def state():
    try:
        return ingest.ingest("Ice", Path("/media/d1"), Path("/srv/dcp")).state
    except Exception as error:
        return type(error).__name__


if state() != "ready":
    sys.exit("a film that is copied and verified is not ready")
for tool, code in (("rsync", 23), ("dcp-verify", 1)):
    codes.clear()
    codes[tool] = code
    if state() == "ready":
        print(f"{tool} ended with {code}, and the film is reported as ready")
        sys.exit(10)
