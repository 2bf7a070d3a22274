class Refused(Exception):
    pass


def connect(host, user, password):
    if not host:
        details = {"user": user, "with": password}
        raise Refused("cannot connect: {}".format(details))
    return host
