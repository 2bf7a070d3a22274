"""What people may enter."""

import re

_EMAIL = re.compile(r"[^@]+@[a-z0-9-]+(\.[a-z0-9-]+)+")


def is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text.lower()) is not None
