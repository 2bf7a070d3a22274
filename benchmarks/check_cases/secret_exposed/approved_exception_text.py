class Refused(Exception):
    pass


def connect(host, user, password):
    if not host:
        raise Refused(f"cannot connect {user}@{host}")
    return host
