class Bus:
    def __init__(self):
        self.handlers = []

    def subscribe(self, handler):
        self.handlers.append(handler)

    def emit(self, event):
        for handler in self.handlers:
            handler(event)


bus = Bus()


async def store_event(event):
    await event.save()


bus.subscribe(store_event)
