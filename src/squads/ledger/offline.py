"""Verify a bundle with nothing but `trust.json`: no network, no clock, no file, no key.

It believes the trust that it is given. Size and root come from the checkpoint that the trusted key signed, indexes from
receipts that lead to that root, and keys from the log's own registry, replayed by index under the trusted root. It must
never stop at the first fault, call unchecked passed, or add the checks up to one answer.

    1 the file is one bundle                                    framing
    2 the checkpoint is signed by the log's key                 checkpoint
    3 every receipt: frame, place, statement, signature, role   inclusion, statement, opening, signature, role, binding
    4 what the packet's receipts say together                   `packet`, `approvals`
    5 heads and checkpoints that others keep are of this log    tree-head, anchored
    6 content, and what no bundle can show                      content, completeness
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from squads.ledger.approvals import Approval, Judged, judge
from squads.ledger.bundle import Bundle
from squads.ledger.checkpoint import Checkpoint, verify_checkpoint
from squads.ledger.content import check_content
from squads.ledger.errors import Malformed
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.packet import Story
from squads.ledger.proof import check_consistency
from squads.ledger.reader import Reader
from squads.ledger.report import Result, Tally
from squads.ledger.trust import Trust

BUNDLE_CHECKS: Final[dict[str, str]] = {
    "framing": "the file is one bundle, and every receipt in it one leaf",
    "checkpoint": "the checkpoint is signed by the log's key",
    "inclusion": "every receipt stands in the log, at the index that it says",
    "opening": "entry 0 opens this log and is signed by the trusted root",
    "statement": "every receipt says something known, in one reading",
    "signature": "every receipt's signatures are genuine",
    "role": "every signer held a role that may say this, at this index",
    "suspect": "nothing that counts was signed by a key that was later declared suspect",
    "binding": "every receipt is about what it names, and every id follows from the packet's nonce",
    "packet": "the packet was opened once and ended once",
    "ticket": "every verdict answers a ticket that was logged before it, about the same bytes and attempt",
    "equivocation": "nobody gave two answers to one question",
    "composition": "what composed is made of the newest attempts of the plan in force",
    "gates": "every required gate approved every attempt that it reads",
    "independence": "no gate approved its own work, and each is as far from the makers as the packet demands",
    "custody": "every gate's key was kept as the policy in force demands",
    "calibration": "every gate was measured to be as good as the policy in force demands",
    "acceptance": "the coordinator accepted exactly what composed",
    "people": "the people who had to be asked approved exactly what composed",
    "tree-head": "every log head that a verdict names is of this log",
    "anchored": "the checkpoints kept elsewhere are of the same log",
    "content": "all content that is here has the digest that receipts name",
    "completeness": "no receipt of the log is left out",
}
"""Every check of a bundle by name, with what it shows when it passes; reports list them in this order."""
BEYOND_A_BUNDLE: Final = frozenset({"tree-head", "anchored", "content", "completeness"})
"""Checks that a sound bundle may leave unchecked: it need not bring what they look at."""
_ALL_BUT_FRAMING: Final = tuple(check for check in BUNDLE_CHECKS if check != "framing")
_NEED_A_ROOT: Final = tuple(c for c in _ALL_BUT_FRAMING if c not in ("checkpoint", "opening", "anchored"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleReport:
    """Everything that was found in a bundle: one result per check, and never one boolean."""

    origin: str
    """The log that is trusted."""
    packet: str
    """The packet that was judged; empty where there was none."""
    size: int | None
    """How many receipts the checkpoint covers; None unless its signature was genuine."""
    root: bytes | None
    receipts: int
    """How many of them the bundle brings."""
    outcome: str
    """`composed`, `not-composed`, `open`, or `unknown`; worth what the checks say."""
    reason: str
    artifact: str
    """The digest of what composed; empty unless something did."""
    gates: tuple[str, ...]
    """The gates that the packet required. Whether they were the right ones is for the reader to say."""
    approvals: tuple[Approval, ...]
    """Every verdict that what composed rests on."""
    refusals: tuple[int, ...]
    """Where in the log the verdicts stand that refused something on the way."""
    evidence: tuple[tuple[str, str], ...]
    """Pairs of signed notes that cannot both be of one log: whoever holds a pair can prove a fork to anybody."""
    results: tuple[Result, ...]
    """One per check, in the order of `BUNDLE_CHECKS`."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The checks that failed; the first is usually the cause of the later ones."""
        return tuple(result for result in self.results if result.state == "failed")

    @property
    def warned(self) -> tuple[Result, ...]:
        """The checks whose outcome a person must weigh."""
        return tuple(result for result in self.results if result.state == "warned")

    @property
    def unchecked(self) -> tuple[Result, ...]:
        """The checks that were not made, or not to the end."""
        return tuple(result for result in self.results if result.state == "unchecked")

    @property
    def exit_code(self) -> int:
        """1 where a check failed, 2 where one that a bundle must be able to show was not made, else 0."""
        if self.failed:
            return 1
        return 2 if any(result.check not in BEYOND_A_BUNDLE for result in self.unchecked) else 0

    def __getitem__(self, check: str) -> Result:
        """Return the result of one check by name."""
        return next(result for result in self.results if result.check == check)

    @property
    def outcome_said(self) -> str:
        """What became of the packet, as one sentence."""
        if self.outcome == "composed":
            return f"It composed {self.artifact}, and required {', '.join(self.gates) or 'no gate'}."
        if self.outcome == "not-composed":
            return f"It did not compose, because of {self.reason}; it required {', '.join(self.gates) or 'no gate'}."
        if self.outcome == "open":
            return "It has not ended, as far as this bundle shows, so nothing composed."
        return "Nothing can be said about what became of it."

    @property
    def conclusion(self) -> str:
        """What the checks come to, as one sentence that leaves none of them out of sight."""
        if self.failed:
            return f"Broken: {self.failed[0].message}"
        if self.exit_code:
            missing = next(result for result in self.unchecked if result.check not in BEYOND_A_BUNDLE)
            return f"Could not find out: {missing.message}"
        root = "" if self.root is None else self.root.hex()[:16]
        more = [*(r.check for r in self.warned), *(r.check for r in self.unchecked)]
        weigh = f"; weigh what is said of {', '.join(more)}" if more else ""
        return f"Verified: {self.receipts} receipts under the checkpoint over {self.size}, root {root}…{weigh}"

    def as_json(self) -> dict[str, Any]:
        """Return the report as values that JSON can hold, with its exit code."""
        return {
            "origin": self.origin,
            "packet": self.packet,
            "size": self.size,
            "root": None if self.root is None else self.root.hex(),
            "receipts": self.receipts,
            "outcome": self.outcome,
            "reason": self.reason,
            "artifact": self.artifact,
            "gates": list(self.gates),
            "approvals": [
                {name: getattr(given, name) for name in given.__dataclass_fields__} for given in self.approvals
            ],
            "refusals": list(self.refusals),
            "evidence": [list(pair) for pair in self.evidence],
            "results": [{"check": r.check, "state": r.state, "message": r.message} for r in self.results],
            "exit_code": self.exit_code,
        }


def verify_bundle(data: bytes, trust: Trust, *, seen: Iterable[str] = ()) -> BundleReport:
    """Return what was found in a bundle's file; raises nothing, whatever the file holds.

    Args:
        data: The file.
        trust: Must have come another way than the bundle, or all of this shows nothing.
        seen: Signed checkpoints of this log that the verifier holds or fetched: what shows a rewritten log.
    """
    tally = Tally(BUNDLE_CHECKS)
    # 1
    try:
        bundle = Bundle.from_json(data)
    except Malformed as error:
        tally.fail("framing", f"this is no bundle that can be read in one way: {error}")
        _left_open(tally, _ALL_BUT_FRAMING, "the bundle could not be read")
        return _reported(trust, None, None, Judged(outcome="unknown"), (), tally)
    if bundle.origin != trust.origin:
        tally.fail("framing", "the bundle says that it is from another log than trust.json names")
    # 2
    checkpoint = _genuine(bundle, trust, tally)
    evidence: tuple[tuple[str, str], ...] = ()
    judged = Judged(outcome="unknown")
    if checkpoint is None:
        _left_open(
            tally, _NEED_A_ROOT, "without a genuine checkpoint no receipt has a place, and nothing can be judged"
        )
        _left_open(tally, ("opening", "anchored"), "there is no genuine checkpoint to compare with")
        return _reported(trust, bundle, None, judged, evidence, tally)
    # 3
    reader = Reader(trust, checkpoint, tally)
    for receipt in bundle.receipts:
        reader.read(receipt)
    receipts = reader.witnessed()
    # 4
    if reader.registry is None:
        if not bundle.receipts or bundle.receipts[0].leaf.seq != 0:
            tally.fail("opening", "the bundle does not bring entry 0, so no key is known; ask for a whole bundle")
        _left_open(
            tally, [c for c in _NEED_A_ROOT if c != "inclusion"], "no sound entry 0 was read, so no key is known"
        )
    else:
        story = Story.told(receipts, bundle.packet, tally)
        judged = judge(story, tally)
        check_content(bundle.content, story, tally)
        _check_heads(bundle, checkpoint, story, tally)
        _check_complete(bundle, checkpoint, tally)
    # 5
    evidence = _compare(bundle, checkpoint, trust, seen, tally)
    return _reported(trust, bundle, checkpoint, judged, evidence, tally)


def _genuine(bundle: Bundle, trust: Trust, tally: Tally) -> Checkpoint | None:
    try:
        return verify_checkpoint(bundle.checkpoint, trust.log_key)
    except Malformed as error:
        tally.fail("checkpoint", f"the bundle's checkpoint is not the log's: {error}; is trust.json of another log?")
        return None


def _compare(
    bundle: Bundle, checkpoint: Checkpoint, trust: Trust, seen: Iterable[str], tally: Tally
) -> tuple[tuple[str, str], ...]:
    """Compare the checkpoint with every note that was kept elsewhere; return the pairs that prove a fork."""
    evidence: list[tuple[str, str]] = []
    known = {checkpoint.size: (checkpoint.root, bundle.checkpoint)}

    def differs(other: Checkpoint, note: str) -> bool:
        root, ours = known.get(other.size, (other.root, note))
        if other.root == root:
            return False
        tally.fail(
            "anchored",
            f"two checkpoints over {other.size} receipts, both signed by the log's key, have different roots: the log "
            "was forked; keep both notes, together they are the proof",
            other.size,
        )
        evidence.append((note, ours))
        return True

    # 1. Notes that the bundle brings, each with its proof.
    for one in bundle.anchored:
        try:
            other = verify_checkpoint(one.note, trust.log_key)
        except Malformed as error:
            tally.fail("anchored", f"a checkpoint from elsewhere is not the log's: {error}")
            continue
        if differs(other, one.note):
            continue
        old, new = sorted((other, checkpoint), key=lambda note: note.size)
        try:
            if old.size > 0:
                check_consistency(old.size, old.root, new.size, new.root, one.path)
            elif old.root != EMPTY_ROOT or one.path:
                raise Malformed("a checkpoint over no receipts has the root of the empty tree, and no path")
        except Malformed as error:
            tally.fail(
                "anchored",
                f"the checkpoint over {other.size} receipts that was kept elsewhere is not shown to be of this log: "
                f"{error}; ask for the bundle again, and if it stays so, the log was rewritten",
                other.size,
            )
            continue
        known.setdefault(other.size, (other.root, one.note))
    # 2. Notes that the verifier holds, compared with those that are proved.
    compared = 0
    for note in seen:
        try:
            other = verify_checkpoint(note, trust.log_key)
        except Malformed as error:
            tally.fail("anchored", f"a checkpoint that you gave is not the log's: {error}")
            continue
        if other.size not in known:
            message = f"nothing proves that your checkpoint over {other.size} receipts is of this log"
            tally.note("anchored", "unchecked", f"{message}; ask for a bundle that brings that note", other.size)
        elif not differs(other, note):
            compared += 1
    if compared:
        tally.note("anchored", "passed", f"{compared} checkpoints that you hold are of the same log")
    elif bundle.anchored:
        message = f"{len(bundle.anchored)} checkpoints from elsewhere are of the same log; they came with the bundle"
        tally.note("anchored", "passed", f"{message}, so compare with one that you hold")
    else:
        message = "no checkpoint from elsewhere was given; compare with one that you or others keep"
        tally.note("anchored", "unchecked", message)
    return tuple(evidence)


def _check_heads(bundle: Bundle, checkpoint: Checkpoint, story: Story, tally: Tally) -> None:
    """Compare the log with the heads that verdicts name: a gate signed them, and whoever writes the log cannot."""
    named = [v for v in story.of("verdict") if v.said["tree_head"] is not None]
    if not named:
        tally.note("tree-head", "unchecked", "no verdict of this packet names a log head")
    for verdict in named:
        size, root = verdict.said["tree_head"]["size"], bytes.fromhex(verdict.said["tree_head"]["root"])
        try:
            if size > verdict.seq:
                raise Malformed("it covers more than stood before the verdict: the log was cut and written anew")
            if size > 0:
                check_consistency(size, root, checkpoint.size, checkpoint.root, bundle.heads.get(size, ()))
            elif root != EMPTY_ROOT:
                raise Malformed("it covers nothing and has another root than the empty tree")
        except Malformed as error:
            tally.fail(
                "tree-head",
                f"receipt {verdict.seq}: the log head over {size} receipts that its verdict names is not shown to be "
                f"of this log: {error}; ask for the bundle again, and if it stays so, the log was rewritten",
                verdict.seq,
            )


def _check_complete(bundle: Bundle, checkpoint: Checkpoint, tally: Tally) -> None:
    size, count = checkpoint.size, len(bundle.receipts)
    # They ascend and each stands below the size, or `inclusion` has failed: as many as the size are all.
    if count != size:
        tally.note(
            "completeness",
            "unchecked",
            f"{count} of the log's {size} receipts are here; what is left out, such as a key that was revoked later or "
            "a second answer, no bundle can show: verify the whole ledger, or ask for its revocations",
        )


def _left_open(tally: Tally, checks: tuple[str, ...] | list[str], message: str) -> None:
    for check in checks:
        tally.note(check, "unchecked", message)


def _reported(
    trust: Trust,
    bundle: Bundle | None,
    checkpoint: Checkpoint | None,
    judged: Judged,
    evidence: tuple[tuple[str, str], ...],
    tally: Tally,
) -> BundleReport:
    return BundleReport(
        origin=trust.origin,
        packet=bundle.packet if bundle else "",
        size=checkpoint.size if checkpoint else None,
        root=checkpoint.root if checkpoint else None,
        receipts=len(bundle.receipts) if bundle else 0,
        outcome=judged.outcome,
        reason=judged.reason,
        artifact=judged.artifact,
        gates=judged.gates,
        approvals=judged.approvals,
        refusals=judged.refusals,
        evidence=evidence,
        results=tally.results(),
    )
