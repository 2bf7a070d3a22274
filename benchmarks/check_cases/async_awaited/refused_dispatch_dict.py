async def on_join(event): await event.room.enter(event.user)
async def on_leave(event): await event.room.leave(event.user)

HANDLERS = {"join": on_join, "leave": on_leave}

async def pump(stream):
    async for event in stream:
        handler = HANDLERS.get(event.kind)
        if handler is not None:
            handler(event)
