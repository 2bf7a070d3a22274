def to_cents(euros: str) -> int:
    return int(float(euros) * 100)
