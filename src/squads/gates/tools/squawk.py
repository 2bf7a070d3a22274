"""Reads what squawk, a linter of PostgreSQL migrations, writes with `--reporter=json`.

A list with one object for each finding; lines and columns count from 0. What squawk cannot parse is the rule
`syntax-error`. Text that is no such list is an answer that cannot be read.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from squads.gates.check import CannotLook
from squads.gates.tools.report import Level, PathOf, Report, Result, scrubbed, strict_json
from squads.gates.tools.sarif import MESSAGE_CHARS_MAX

_LEVELS: dict[str, Level] = {"Error": "error", "Warning": "warning"}
_From0 = Annotated[int, Field(ge=0)]


class _Violation(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    file: str
    line: _From0
    column: _From0
    level: str
    message: str
    rule_name: str = Field(min_length=1)
    help: str | None = None
    line_end: _From0 | None = None


def read_squawk(blob: bytes, path_of: PathOf, *, what: str = "squawk's JSON") -> Report:
    """Return what squawk found. Raises `CannotLook` where its answer cannot be read."""
    value = strict_json(blob, what)
    try:
        violations = TypeAdapter(list[_Violation]).validate_python(value)
    except ValidationError as error:
        item = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in item["loc"]) or "the whole"
        raise CannotLook(f"{what} is not a list of findings as it must be: {where}: {item['msg']}") from None
    results = []
    for number, found in enumerate(violations):
        if found.level not in _LEVELS:
            raise CannotLook(f"{what}, {number}: the level {scrubbed(found.level, 40)!r} is neither Error nor Warning")
        results.append(
            Result(
                rule=found.rule_name,
                level=_LEVELS[found.level],
                message=scrubbed(found.message, MESSAGE_CHARS_MAX) or found.rule_name,
                path=path_of(found.file),
                line=found.line + 1,
                column=found.column + 1,
                end_line=None if found.line_end is None else max(found.line, found.line_end) + 1,
                satisfy=scrubbed(found.help or "", MESSAGE_CHARS_MAX),
            )
        )
    return Report(results=tuple(results))
