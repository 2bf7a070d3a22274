import os


class Settings:
    database = os.environ.get("DATABASE_URL", "sqlite://")
    signing_key = os.environ.get("SIGNING_KEY", "t7Qm2vX9bLr4KcZ8")
