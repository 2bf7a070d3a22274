import asyncio

lock = asyncio.Lock()


async def withdraw(account, cents):
    with lock:
        balance = await account.balance()
        await account.set_balance(balance - cents)
