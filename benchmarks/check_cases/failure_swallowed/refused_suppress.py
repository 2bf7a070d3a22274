from contextlib import suppress


def transfer(bank, source, target, cents):
    bank.withdraw(source, cents)
    with suppress(Exception):
        bank.deposit(target, cents)
    return {"status": "completed", "cents": cents}
