import functools


def audited(fn):
    @functools.wraps(fn)
    async def inner(*args, **kwargs):
        print(fn.__name__)
        return await fn(*args, **kwargs)

    return inner


@audited
async def grant(user, role, db):
    await db.add(user, role)


async def promote(user, db):
    grant(user, "editor", db)
    return "promoted"
