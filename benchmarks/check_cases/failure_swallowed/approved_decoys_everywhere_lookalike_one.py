import json


def read_settings(path):
    settings = {"colour": "blue"}
    try:
        with open(path) as handle:
            settings.update(json.load(handle))
    except FileNotFoundError:
        pass
    return settings
