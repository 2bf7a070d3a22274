from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


class NotConfigured(Exception):
    """Something that the settings refer to is not set."""


@dataclass(frozen=True)
class Settings:
    database_url: str
    stages: tuple[str, ...]


def expand(text: str, environment: Mapping[str, str]) -> str:
    try:
        return string.Template(text).substitute(environment)
    except KeyError as missing:
        raise NotConfigured(f"set {missing.args[0]}") from None


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    with path.open("rb") as file:
        page = tomllib.load(file)
    database = page["database"]
    password = expand(database["password"], environment)
    url = f"postgresql://{database['user']}:{quote(password, safe='')}@{database['host']}/{database['name']}"
    return Settings(url, tuple(page["stages"]["names"]))
