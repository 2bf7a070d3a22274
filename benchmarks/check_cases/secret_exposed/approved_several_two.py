import uuid

NAMESPACE_KEY = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def identify(name):
    return uuid.uuid5(uuid.UUID(NAMESPACE_KEY), name)
