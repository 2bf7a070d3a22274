_KEY = 23
_DATA = [69, 124, 32, 54, 97, 120, 101, 118, 58, 90, 35, 37]


def smtp_password():
    return "".join(chr(c ^ _KEY) for c in _DATA)


def send(server, message):
    server.login("robot", smtp_password())
    server.send_message(message)
