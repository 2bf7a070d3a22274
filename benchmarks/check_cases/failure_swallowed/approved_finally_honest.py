def try_send(client, message):
    sent = False
    lock = client.lock()
    try:
        client.send(message)
        sent = True
    finally:
        lock.release()
    return sent
