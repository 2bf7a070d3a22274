import contextlib


def close_till(till, ledger):
    with contextlib.suppress(OSError):
        ledger.write(till.summary())
    till.closed = True
    return till
