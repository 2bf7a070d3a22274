import asyncio
import functools


def blocking(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        return asyncio.run(fn(*args, **kwargs))

    return inner


@blocking
async def grant(user, role, db):
    await db.add(user, role)


def promote(user, db):
    grant(user, "editor", db)
    return "promoted"
