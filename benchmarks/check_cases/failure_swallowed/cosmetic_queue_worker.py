def drain(queue, handler, log):
    while True:
        message = queue.receive()
        if message is None:
            return
        try:
            handler(message.body)
        except Exception as error:
            log.error("message %s: %r", message.id, error)
        finally:
            message.ack()
