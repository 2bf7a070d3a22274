"""The verifier: reads a whole log once, in constant memory, and says for each check what it found.

It believes nothing but `trust`: sizes, roots, links and roles are recomputed from the leaves. It must never
stop at the first fault, for the pattern of faults tells a changed row from a dropped one, and never call
unchecked passed.

Each row passes these steps:

    1 framing, sequence, leaf hash, link, time    `walk.Walk.take`
    2 opening, statement, signature, role, actor  `witness.Witness.read`
    3 the root at each checkpoint's size          `trail.Trail.reach`
      and at each head that a verdict names       `heads.Heads.feed`
    4 at the end: holes, coverage, rollback       `actors.Actors.finish`, `trail.Trail.finish`
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from itertools import islice
from types import MappingProxyType
from typing import Final

from squads.ledger.report import CHECKS, OUTSIDE_CHECKS, Report, Stray, Tally
from squads.ledger.trail import Trail, by_claimed_size
from squads.ledger.trust import Trust
from squads.ledger.walk import Row, Walk
from squads.ledger.witness import Witness

ROWS_PER_STEP: Final = 1_024
NO_ANCHORS: Final[Mapping[str, Iterable[str]]] = MappingProxyType({})


def verify_log(
    leaves: Iterable[Row],
    *,
    trust: Trust,
    checkpoints: Iterable[str],
    outside: Iterable[str] | None = None,
    anchors: Mapping[str, Iterable[str]] = NO_ANCHORS,
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
        anchors: More such notes, by the names of their places, in any order and with whatever else lies there; each
            place has results of its own. Their notes are held in memory, all else streams by.
        signatures: False checks structure only: every receipt's frame, place, link and hash, entry 0, and of the
            checkpoints the newest one here and the newest one outside, which cover all before them. `statement`,
            `signature`, `role`, `suspect`, `actor` and `tree-head` then stay unchecked.
        threads: How many threads verify signatures; as many as there are cores is best. The report is the same.
    """
    if signatures and threads > 1:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            return _read_through(leaves, trust, checkpoints, outside, anchors, signatures, pool, threads)
    return _read_through(leaves, trust, checkpoints, outside, anchors, signatures, None, 1)


def _read_through(
    leaves: Iterable[Row],
    trust: Trust,
    checkpoints: Iterable[str],
    outside: Iterable[str] | None,
    anchors: Mapping[str, Iterable[str]],
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
    own = Trail(checkpoints, trust, tally, outside=False)
    trails = [own]
    if outside is None:
        for check in OUTSIDE_CHECKS:
            tally.note(check, "unchecked", "no checkpoint from outside was given; keep one, verify with it")
    else:
        trails.append(Trail(outside, trust, tally, outside=True))
    trails += [
        Trail(by_claimed_size(notes), trust, tally, outside=True, source=name) for name, notes in anchors.items()
    ]
    if not signatures:
        for check in ("statement", "signature", "role", "suspect", "actor", "tree-head"):
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
            witness.heads.feed(hashes, walk.misplaced_from)
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
    witness.actors.finish()
    for trail in trails:
        trail.finish(walk.next_seq)
    strays = tuple(stray for trail in trails for stray in trail.strays)
    _judge_strays(strays, walk.next_seq, tally, anchors)
    return Report(
        origin=trust.origin,
        size=walk.rows,
        root=walk.edge.root(),
        results=tally.results(anchors),
        strays=strays,
        covering=own.covering,
    )


def _judge_strays(strays: Sequence[Stray], size: int, tally: Tally, anchors: Container[str]) -> None:
    """Hold signed notes beyond the log's end against each other: no tree of ours says which of them is right."""
    roots: dict[int, Stray] = {}
    for stray in strays:
        other = roots.setdefault(stray.size, stray)
        if stray.size > size and stray.root != other.root:
            tally.fail(
                "fork",
                f"{other.source} and {stray.source} hold checkpoints over {stray.size} receipts that the log's key "
                "signed over different ones: the log was forked; keep both signed notes, together they are the proof",
                stray.size,
                source=stray.source if stray.source in anchors else "",
            )
