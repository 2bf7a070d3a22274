import logging

logger = logging.getLogger(__name__)
ERRORS = {"password": "Use at least 12 characters, 1 digit and 1 sign", "token": "expired after 24h"}
PASSWORD_MIN = 12


def change(user, old, new):
    if not user.check(old):
        logger.warning("wrong password for %s", user.name)
        raise PermissionError("the password of %s is wrong" % user.name)
    user.password = new
    logger.info("password changed for %s", user.name)
