"""The verifier: reads a whole log once, in constant memory, and says for each check what it found.

It believes nothing but `trust`: sizes, roots, links and roles are recomputed from the leaves. It must never
stop at the first fault, for the pattern of faults tells a changed row from a dropped one, and never call
unchecked passed.

Each row passes these steps:

    1 framing, sequence, leaf hash, link, time    `walk.Walk.take`
    2 opening, statement, signature, role         `witness.Witness.read`
    3 the root at each checkpoint's size          `trail.Trail.reach`
    4 at the end: coverage, rollback              `trail.Trail.finish`
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from squads.ledger.report import CHECKS, Report, Tally
from squads.ledger.trail import Trail
from squads.ledger.trust import Trust
from squads.ledger.walk import Row, Walk
from squads.ledger.witness import Witness

ROWS_PER_STEP: Final = 1_024


def verify_log(
    leaves: Iterable[Row],
    *,
    trust: Trust,
    checkpoints: Iterable[str],
    outside: Iterable[str] | None = None,
    signatures: bool = True,
    threads: int = 1,
) -> Report:
    """Return what a full reading of the log found; raises nothing for bad content.

    Everything must come from one moment: read `outside` first, then `checkpoints` and `leaves` of one
    snapshot, or a log that grows meanwhile looks cut.

    Args:
        leaves: Every row, in order.
        trust: The one thing that is believed.
        checkpoints: The stored notes, oldest first.
        outside: Notes that the writer of the database could not rewrite, oldest first; None if there are
            none, which leaves `rollback` and `fork` unchecked.
        signatures: False checks structure only: every receipt's frame, place, link and hash, entry 0, and of the
            checkpoints the newest one here and the newest one outside, which cover all before them. `statement`,
            `signature`, `role` and `suspect` then stay unchecked.
        threads: How many threads verify signatures; as many as there are cores is best. The report is the same.
    """
    if signatures and threads > 1:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            return _read_through(leaves, trust, checkpoints, outside, signatures, pool, threads)
    return _read_through(leaves, trust, checkpoints, outside, signatures, None, 1)


def _read_through(
    leaves: Iterable[Row],
    trust: Trust,
    checkpoints: Iterable[str],
    outside: Iterable[str] | None,
    signatures: bool,
    pool: Executor | None,
    threads: int,
) -> Report:
    tally = Tally()
    walk = Walk(tally)
    witness = Witness(trust, tally)
    if not signatures:
        checkpoints = deque(checkpoints, maxlen=1)
        outside = None if outside is None else deque(outside, maxlen=1)
    trails = [Trail(checkpoints, trust, tally, outside=False)]
    if outside is None:
        for check in ("outside-signature", "rollback", "fork"):
            tally.note(check, "unchecked", "no checkpoint from outside was given; keep one, verify with it")
    else:
        trails.append(Trail(outside, trust, tally, outside=True))
    if not signatures:
        for check in ("statement", "signature", "role", "suspect"):
            tally.note(check, "unchecked", "signatures were not asked for; verify with signatures to know")
        for check in ("checkpoint-signature", "checkpoint-root"):
            tally.note(check, "passed", f"{CHECKS[check]}: only the newest one was looked at")

    rows = iter(leaves)
    while chunk := list(islice(rows, ROWS_PER_STEP)):
        # 1 and 2.
        hashes = walk.take(chunk)
        if signatures:
            for seq, leaf, _ in chunk:
                witness.read(seq, leaf)
            witness.settle(pool, threads)
        elif walk.rows == len(chunk):
            witness.read(chunk[0][0], chunk[0][1], opening_only=True)
        # 3. Feed the tree up to each checkpoint's size in turn, so that every root is seen at its own size.
        fed = 0
        start = walk.rows - len(chunk)
        while fed < len(hashes):
            ahead = [trail.next_size - start for trail in trails if trail.next_size > start + fed]
            stop = min([len(hashes), *ahead])
            walk.edge.extend(hashes[fed:stop])
            fed = stop
            for trail in trails:
                trail.reach(walk.edge, walk.misplaced_from)
    # 4.
    if walk.rows == 0:
        tally.fail("opening", "the log holds no receipt, so nothing is shown; is this the right ledger?")
    for trail in trails:
        trail.finish(walk.next_seq)
    return Report(origin=trust.origin, size=walk.rows, root=walk.edge.root(), results=tally.results())
