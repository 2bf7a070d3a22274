"""What a program asks beside its queries: those it only keeps, caches, connections without a tenant."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from squads.gates.sql.python.file import PythonFile
from squads.gates.sql.tenancy.assembled import kept_texts
from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.bounds import answer
from squads.gates.sql.tenancy.caches import MAY_KEEP, kept_for_all
from squads.gates.sql.tenancy.handing import past_helpers
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.shared import Crossing, Shared
from squads.gates.sql.tenancy.telling import told_at
from squads.gates.sql.tenancy.text_keys import learned_keys
from squads.gates.sql.tenancy.uses import Use


def in_constants(
    file: PythonFile, keyed: Mapping[str, frozenset[str]], shared: Shared, roots: frozenset[str]
) -> Iterator[Crossing]:
    """Yield queries that a module only keeps, by names or in a dict, where others of them ask for the tenant."""
    found: list[tuple[ast.expr, Use]] = []
    kept: set[str] = set()
    texts = list(kept_texts(file))
    every = learned_keys([t for _, t in texts], dict(keyed), roots)
    for node, text in texts if every else ():
        read = answer(text, every, shared.composite, shared.alone, shared.repeating)
        kept |= read.bound if read is not None else frozenset()
        found += [(node, use) for use in (read.unbound if read is not None else ()) if not use.grouped]
    asked = {k for t in kept for k in every[t]}
    for node, use in found:
        if use.why != "missing" or (use.by_id and not asked.isdisjoint(use.keys)):
            yield from told_at(file, node, use.table, sorted(use.keys)[0], use.why, "", True)


def in_handing(
    files: Iterable[PythonFile], setters: frozenset[str], roots: frozenset[str], modules: Modules
) -> Iterator[Crossing]:
    """Yield what files ask past the helper that hands the tenant to the database."""
    for file in files:
        if isinstance(file.tree, ast.Module):
            for node, table, function in past_helpers(file.tree, setters, roots, modules):
                message = f"{function.name} asks {table} on a connection for which nobody sets the tenant."
                yield Crossing(file.source.place(*file.offsets(node)), message, f"{min(setters)}(...)")


def in_caches(file: PythonFile, roots: frozenset[str], modules: Modules) -> Iterator[Crossing]:
    """Yield what a file keeps of one tenant under a key that leaves the tenant out."""
    if not isinstance(file.tree, ast.Module) or not roots or MAY_KEEP.search(modules.texts[file.path]) is None:
        return
    for kept in kept_for_all(file.tree, Hand(file.tree, roots, modules)):
        for node in kept.places:
            start, end = file.offsets(node)
            place = file.source.place(start, start + 1 if node is kept.function else end)
            message = (
                f"What {kept.function.name} finds for one tenant is kept under a key without the tenant: the next one "
                "that asks by the same key is given it."
            )
            yield Crossing(place, message, "put the tenant into the key")
