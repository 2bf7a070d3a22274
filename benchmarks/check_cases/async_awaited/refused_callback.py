class Job:
    def __init__(self, work, on_done):
        self.work = work
        self.on_done = on_done

    def run(self):
        result = self.work()
        self.on_done(result)


def finish(items, on_finished):
    for item in items:
        item.close()
    on_finished(items)


async def publish(items):
    for item in items:
        await item.publish()


def close_all(items):
    finish(items, publish)
