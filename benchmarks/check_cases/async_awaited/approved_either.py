import inspect


class Bus:
    def __init__(self):
        self.handlers = []

    def subscribe(self, handler):
        self.handlers.append(handler)

    async def emit(self, event):
        for handler in self.handlers:
            result = handler(event)
            if inspect.isawaitable(result):
                await result


async def store_event(event):
    await event.save()


bus = Bus()
bus.subscribe(store_event)
