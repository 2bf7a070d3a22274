from contextlib import suppress as quietly


def close_till(till, ledger):
    with quietly(OSError, ValueError):
        ledger.write(till.summary())
    till.closed = True
    return till
