import logging


class Cache:
    def __init__(self, client):
        self.client = client

    def get_user(self, key, load):
        try:
            hit = self.client.get(key)
            if hit is not None:
                return hit
        except ConnectionError:
            logging.warning("cache is away")
        user = load(key)
        try:
            self.client.set(key, user)
        except ConnectionError:
            logging.warning("cache is away")
        return user
