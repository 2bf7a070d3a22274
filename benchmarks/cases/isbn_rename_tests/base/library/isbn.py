"""International Standard Book Numbers of ten digits."""


def valid(text: str) -> bool:
    """Tell whether `text` is an ISBN-10; hyphens and spaces do not count."""
    signs = text.replace("-", "").replace(" ", "").upper()
    if len(signs) != 10 or not signs[:9].isdigit():
        return False
    if not (signs[9].isdigit() or signs[9] == "X"):
        return False
    digits = [int(s) for s in signs[:9]] + [10 if signs[9] == "X" else int(signs[9])]
    return sum(weight * digit for weight, digit in zip(range(10, 0, -1), digits)) % 11 == 0
