import inspect


async def on_paid(event, db):
    await db.mark(event["id"])


def on_refunded(event, db):
    db.later(event["id"])


HANDLERS = {"paid": on_paid, "refunded": on_refunded}


async def dispatch(event, db):
    handler = HANDLERS[event["kind"]]
    answer = handler(event, db)
    if inspect.isawaitable(answer):
        await answer
