import os

SIGNING_KEY = os.environ["SIGNING_KEY"]
PASSWORD = os.getenv("DB_PASSWORD", "")
TOKEN = os.environ.get("API_TOKEN")
if not TOKEN:
    raise RuntimeError("API_TOKEN is not set")
