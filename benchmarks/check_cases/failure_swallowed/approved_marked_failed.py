def deliver(outbox, transport):
    for message in outbox.pending():
        try:
            transport.send(message)
        except Exception as error:
            message.state = "failed"
            message.reason = str(error)
        else:
            message.state = "sent"
        message.save()
    return True
