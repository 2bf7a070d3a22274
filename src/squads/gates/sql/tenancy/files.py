"""Queries that stand in SQL files for a generator or a loader: each with placeholders, and none of them a schema's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText
from squads.gates.check import CannotLook
from squads.gates.sql.lex import Source, statements
from squads.gates.sql.tenancy.bounds import answer
from squads.gates.sql.tenancy.shared import Crossing, Shared
from squads.gates.sql.tenancy.uses import Use
from squads.gates.sql.tenancy.words import sweeps

_STARTS = ("select", "update", "delete", "with", "insert")
_GIVEN = re.compile(r"\$\d|(?<![:\w]):[a-z_]\w*|(?<!\w)@[a-z_]\w*|\bsqlc\s*\.|%s|%\(|\?")
_NAMED = re.compile(r"--\s*(?:name|query)?\s*:?\s*([A-Za-z_]\w*)")
_MARK = re.compile(r"(?<![\w@])@([a-z_]\w*)|\bsqlc\s*\.\s*n?arg\s*\(\s*'?(\w+)'?\s*\)")


def in_files(artifact: Artifact, shared: Shared) -> Iterator[Crossing]:
    """Yield the queries of SQL files that leave out the tenant, where others of them ask for it."""
    if not shared.keyed:
        return
    found: list[tuple[Crossing, Use]] = []
    kept: set[str] = set()
    for file in artifact.matching("*.sql"):
        if _GIVEN.search(file.content.decode(errors="replace")) is None:
            continue
        try:
            source = Source(file.path, file.text)
            parts = list(statements(source))
        except (CannotLook, NotText):
            continue
        for part in parts:
            words = [t.value for t in part.tokens]
            text = source.text[part.tokens[0].start : part.tokens[-1].end]
            if not words or words[0] not in _STARTS or _GIVEN.search(text) is None:
                continue
            read = answer(
                _MARK.sub(lambda m: f":{m[1] or m[2]}", text),
                shared.keyed,
                shared.composite,
                shared.alone,
                shared.repeating,
            )
            if read is None:
                continue
            kept |= read.bound
            before = source.text[: part.tokens[0].start].rstrip().rsplit("\n", 1)[-1]
            named = _NAMED.search(before)
            for use in read.unbound:
                if use.grouped or (named and sweeps(_snake(named[1]))):
                    continue
                key = sorted(use.keys)[0]
                crossing = Crossing(
                    source.place(part.tokens[0].start, part.tokens[-1].end),
                    f"This query over {use.table} leaves out {key}, so it reaches every tenant.",
                    f"AND {key} = ...",
                )
                found.append((crossing, use))
    asked = {k for t in kept for k in shared.keyed.get(t, ())}
    for crossing, use in found:
        if use.table in kept or use.why != "missing" or (use.by_id and not asked.isdisjoint(use.keys)):
            yield crossing


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
