def to_milliseconds(seconds: str) -> int:
    return int(float(seconds) * 1000)
