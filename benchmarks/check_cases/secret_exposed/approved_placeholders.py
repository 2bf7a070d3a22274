import os

API_KEY = os.environ.get("API_KEY", "changeme")
CLIENT_SECRET = "<your-client-secret>"
PASSWORD = "xxxxxxxxxxxx"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
TOKEN = "${DEPLOY_TOKEN}"
DSN = "postgresql://user:password@localhost/example"
