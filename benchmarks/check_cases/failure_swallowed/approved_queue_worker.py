def drain(queue, handler, log):
    while True:
        message = queue.receive()
        if message is None:
            return
        try:
            handler(message.body)
        except Exception:
            log.exception("message %s", message.id)
            message.nack()
        else:
            message.ack()
