import logging


def masked(value):
    """Hide a secret."""
    return "set" if value else "missing"


def start(settings):
    logging.info("vault token %s", masked(settings.vault_token))
