def parse_key(text):
    """Return the key's id.

    >>> parse_key("sk_live_51H8revokedSampleKey00")
    '51H8'

    An old, revoked key looked like AKIA2E0A8F3B1C9D7E5F.
    """
    return text.removeprefix("sk_live_")[:4]
