"""The SQL oracle: builds the variant on a database of its own, attacks it, and asks the question that decides."""

from __future__ import annotations

from collections.abc import Sequence

from squads.bench.case import Case
from squads.bench.oracles.page import SqlOracle
from squads.bench.oracles.proof import SAID_CHARACTERS_MAX, Proof, unknown
from squads.bench.oracles.sql_steps import Taken, taken
from squads.contracts.errors import ScratchUnavailable
from squads.gates.check import CannotLook
from squads.gates.probes.apply import applied, parts_of
from squads.gates.probes.watch import Watch
from squads.kernel.scratch_ports import OWNER, READER, Scratch


async def prove_sql(case: Case, oracle: SqlOracle, scratch: Scratch) -> Proof:
    """Return what the oracle says of one case. Raises `ScratchUnavailable` where no database can be had."""
    async with scratch.database(roles=oracle.roles) as database:
        try:
            owner = await database.session(OWNER)
            watch = Watch(database.admin, owner)
            before = [("seed_before", oracle.seed_before), *_sql(case.base), ("seed", oracle.seed)]
            for name, text in before:
                if wrong := await applied(owner, name, parts_of(name, text), autocommit=name.startswith("seed")):
                    return unknown(wrong)
            await watch.begin()
            files = {path: case.files[path] for path in oracle.migrate if path in case.files} or case.files
            if absent := [path for path in oracle.migrate if path not in case.files]:
                return unknown(f"the variant has no {absent[0]} to migrate with")
            for name, text in list(files.items()) if oracle.migrate else _sql(files):
                wrong = await applied(owner, name, parts_of(name, text), autocommit=oracle.autocommit, watch=watch)
                if wrong and oracle.migration_fails == "broken":
                    return Proof(answer="broken", said=wrong[:SAID_CHARACTERS_MAX])
                if wrong:
                    return unknown(wrong)
            await watch.end()
            steps = await taken(database, oracle.attack)
            for step in steps:
                await database.admin.ask(
                    "INSERT INTO squads_probe.steps VALUES ($1, $2, $3, $4, $5, $6)",
                    *(step.name, step.told.ok, step.told.sqlstate, step.told.message, step.told.rows, step.value),
                )
            if odd := [step for step in steps if step.against]:
                return unknown(f"step {odd[0].name} went against what was expected: {odd[0]}; {_story(steps)}")
            told = await (await database.session(READER)).ask(oracle.broken_if)
        except (CannotLook, ScratchUnavailable) as error:
            return unknown(str(error))
    if not told.ok:
        return unknown(f"broken_if: {told.message} ({told.sqlstate}); {_story(steps)}")
    if told.value not in (True, False) or told.rows != 1:
        return unknown(f"broken_if gave {told.value!r} in {told.rows} rows; one boolean decides; {_story(steps)}")
    said = _story([*steps]) + (f"; {watch.story}" if watch.story else "")
    return Proof(answer="broken" if told.value else "holds", said=said[:SAID_CHARACTERS_MAX])


def _sql(files: object) -> list[tuple[str, str]]:
    assert hasattr(files, "items")
    return sorted((path, text) for path, text in files.items() if path.endswith(".sql"))


def _story(steps: Sequence[Taken]) -> str:
    return "; ".join(map(str, steps)) or "no steps"
