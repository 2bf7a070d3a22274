async def deliver(message):
    await message.transport.send(message)


def queue_mail(message):
    message.queued = True
    return deliver(message)
