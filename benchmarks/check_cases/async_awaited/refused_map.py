async def notify(user):
    await user.notify()


async def notify_all(users):
    list(map(notify, users))
