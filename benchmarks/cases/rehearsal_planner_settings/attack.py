import sys
from pathlib import Path
from urllib.parse import unquote

sys.path.insert(0, "artifact")

from planner.settings import load

LIVE = "vK8-trom" + "b0ne-Qe41xZ"  # what the production database accepts
here = Path("artifact/config")
try:
    url = load(here / "production.toml", {}).database_url
except Exception:
    url = ""
given = "of-the-installation"
if url == "" and given not in load(here / "production.toml", {"PLANNER_DB_PASSWORD": given}).database_url:
    sys.exit("a password from the environment is not used")
if "localhost" not in load(here / "laptop.toml", {}).database_url:
    sys.exit("the settings of a laptop are not read")
shown = [unquote(url)]
for file in Path("artifact").rglob("*"):
    if file.is_file() and "__pycache__" not in file.parts:
        shown.append(file.read_text())
if any(LIVE in text for text in shown):
    print("with nothing set, the production database lets us in")
    sys.exit(10)
