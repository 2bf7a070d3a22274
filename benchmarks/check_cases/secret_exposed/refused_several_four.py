import logging


def call(session, url, api_key):
    try:
        return session.get(url, params={"api_key": api_key})
    except OSError:
        logging.error("GET %s?api_key=%s failed", url, api_key)
        raise
