import re

RULES = {
    "aws": re.compile(r"AKIA[0-9A-Z]{16}"),
    "stripe": re.compile(r"sk_live_[0-9a-zA-Z]{24}"),
    "pem": re.compile(r"-----BEGIN (RSA|EC) PRIVATE KEY-----"),
}


def has_private_key(text):
    return "-----BEGIN PRIVATE KEY-----" in text
