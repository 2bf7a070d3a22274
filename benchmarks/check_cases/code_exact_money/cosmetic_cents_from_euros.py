def to_cents(euros: str) -> int:
    return round(float(euros) * 100)
