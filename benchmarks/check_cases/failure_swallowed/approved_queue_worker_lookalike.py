def drain(queue, handler, log, dead):
    while True:
        message = queue.receive()
        if message is None:
            return
        try:
            handler(message.body)
        except Exception:
            log.exception("message %s", message.id)
            dead.put(message.body)
        message.ack()
