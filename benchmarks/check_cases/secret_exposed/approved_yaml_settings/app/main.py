import yaml


def settings(path):
    with open(path) as handle:
        return yaml.safe_load(handle)
