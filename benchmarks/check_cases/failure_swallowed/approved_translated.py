class NotSent(Exception):
    pass


def send(server, message):
    try:
        server.send_message(message)
    except OSError as error:
        raise NotSent(message["To"]) from error
    return True
