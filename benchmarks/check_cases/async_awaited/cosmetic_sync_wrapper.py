import functools


def audited(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        print(fn.__name__)
        return fn(*args, **kwargs)

    return inner


@audited
async def grant(user, role, db):
    await db.add(user, role)


async def promote(user, db):
    outcome = grant(user, "editor", db)
    print("granted", outcome)
    return "promoted"
