import logging

log = logging.getLogger(__name__)


def rotate(vault, name):
    value = vault.new_secret()
    vault.put(name, value)
    log.info("secret %s was rotated; %d letters", name, len(value))
    return {"secret_name": name, "rotated": True}
