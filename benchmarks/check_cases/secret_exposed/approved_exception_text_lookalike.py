class Refused(Exception):
    pass


def connect(host, user, password):
    if not password:
        raise Refused(f"no password for {user}@{host}; set DB_PASSWORD")
    return host
