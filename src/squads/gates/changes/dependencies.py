"""What a project depends on, as its files say it: names with their versions, and the lines they stand on."""

from __future__ import annotations

import json
import re
import tomllib

FILES = re.compile(
    r"(?:^|/)(?:requirements[\w.-]*\.(?:txt|in)|constraints[\w.-]*\.txt|pyproject\.toml|setup\.cfg|setup\.py|Pipfile|package\.json|environment\.ya?ml)$|(?:^|/)requirements/[\w.-]+\.(?:txt|in)$"
)
LOCKS = re.compile(r"(?:^|/)(?:poetry\.lock|uv\.lock|Pipfile\.lock|package-lock\.json|pdm\.lock|yarn\.lock)$")
_NAME = re.compile(r"^[A-Za-z0-9][\w.-]*")


def dependencies(path: str, text: str) -> dict[str, str]:
    """Return name to requirement; empty for what cannot be read."""
    name = path.rsplit("/", 1)[-1]
    found: list[str] = []
    try:
        if name == "pyproject.toml":
            data = tomllib.loads(text)
            project = data.get("project", {})
            found += project.get("dependencies", [])
            for extra in project.get("optional-dependencies", {}).values():
                found += extra
            for group in data.get("dependency-groups", {}).values():
                found += [g for g in group if isinstance(g, str)]
            poetry = data.get("tool", {}).get("poetry", {})
            sets = [
                poetry.get("dependencies", {}),
                *(g.get("dependencies", {}) for g in poetry.get("group", {}).values()),
            ]
            found += [f"{n} {v}" for s in sets for n, v in s.items() if n != "python"]
        elif name == "package.json":
            data = json.loads(text)
            found += [f"{n} {v}" for k in ("dependencies", "devDependencies") for n, v in data.get(k, {}).items()]
        elif name in ("setup.py", "setup.cfg", "Pipfile") or name.startswith("environment"):
            found += re.findall(
                r"(?m)^\s*-?\s*[\"']?([A-Za-z][\w.-]*\s*(?:\[[\w,]+\])?\s*(?:[=<>~!]=?[^\"',\n]*))", text
            )
        else:
            found += [line.split("#")[0].strip() for line in text.splitlines() if _NAME.match(line.strip())]
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, AttributeError, TypeError):
        return {}
    named = ((match[0].lower().replace("_", "-"), one) for one in found if (match := _NAME.match(one.strip())))
    return {name: " ".join(one.split()) for name, one in named}


def line_of(text: str, name: str) -> int:
    """Return the line on which a dependency is written."""
    pattern = re.compile(rf"(?i)(?<![\w-]){re.escape(name).replace('-', '[-_]')}(?![\w-])")
    return next((n for n, line in enumerate(text.split("\n"), 1) if pattern.search(line)), 1)
