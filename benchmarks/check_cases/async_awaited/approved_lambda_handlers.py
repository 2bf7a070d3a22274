async def on_paid(event, db):
    await db.mark(event["id"])


async def on_refunded(event, db):
    await db.unmark(event["id"])


HANDLERS = {"paid": on_paid, "refunded": on_refunded}


async def dispatch(event, db):
    handler = HANDLERS[event["kind"]]
    await handler(event, db)
