from app.fallback import WORD

DATABASE = {"user": "app", "password": WORD}
