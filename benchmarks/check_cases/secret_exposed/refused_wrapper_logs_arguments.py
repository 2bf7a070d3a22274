import functools
import logging

log = logging.getLogger("calls")


def traced(function):
    @functools.wraps(function)
    def inner(*given, **named):
        log.debug("%s %s %s", function.__name__, given, named)
        return function(*given, **named)

    return inner


@traced
def sign_in(user, password):
    return user.check(password)
