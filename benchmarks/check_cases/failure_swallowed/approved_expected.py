import json
from pathlib import Path

try:
    import orjson
except ImportError:
    orjson = None


def cached(cache, key, compute):
    try:
        return cache[key]
    except KeyError:
        value = cache[key] = compute(key)
        return value


def settings(path: Path):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {}
