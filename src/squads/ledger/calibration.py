"""Whether a gate's recorded figures are what a workspace's policy demands.

A record counts cases, a policy demands shares, and both are integers: nothing is rounded, and kernel and verifier come
to the same answer. It must never take a case that was not there for one that went well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from squads.ledger.packet import Story
from squads.ledger.report import Tally

PPM: Final = 1_000_000
"""Parts per million: what a share of 1 is written as."""


def demands_record(policy: Mapping[str, Any]) -> bool:
    """Say whether a policy lets only gates count that have a record; one that says nothing of it does not."""
    return _demanded(policy) != (0, PPM)


def meets(rates: Iterable[Mapping[str, Any]], policy: Mapping[str, Any]) -> bool:
    """Say whether a record's rates are as good as a policy demands.

    The catch is counted over the defects of the invariants that the gate holds, false refusals over everything right
    that it was shown. Without a single case nothing is met.
    """
    catch_min, refusals_max = _demanded(policy)
    listed = list(rates)
    held = [rate for rate in listed if rate["held"]]
    defects, caught = (sum(rate[name] for rate in held) for name in ("defects", "caught"))
    clean, refused = (sum(rate[name] for rate in listed) for name in ("clean", "refused"))
    if catch_min > 0 and (not defects or caught * PPM < catch_min * defects):
        return False
    return refusals_max >= PPM or (clean > 0 and refused * PPM <= refusals_max * clean)


def check_calibration(story: Story, counted: Iterable[tuple[str, int]], tally: Tally) -> None:
    """Tell `tally` of gates that were counted without the record that the policy in force demanded.

    `counted` are the verdicts that count: (gate, index in the log).
    """
    demanding = 0
    for gate, seq in counted:
        policy = next((p.said for p in reversed(story.policies) if p.seq < seq), {})
        if not demands_record(policy):
            continue
        demanding += 1
        prior = story.roles[gate]["prior"]
        record = next((c for c in reversed(story.calibrations) if c.seq < seq and c.said["prior"] == prior), None)
        if record is None:
            what = "no receipt says how good it is"
        elif not meets(record.said["rates"], policy):
            what = f"the record in receipt {record.seq} is not as good"
        else:
            continue
        message = f"receipt {seq}: the policy in force demands a record of {gate}, and {what}; it must not count"
        tally.fail("calibration", message, seq)
    said = "every gate that counts has the record that the policy demands" if demanding else "the policy demands none"
    tally.note("calibration", "passed", said)


def _demanded(policy: Mapping[str, Any]) -> tuple[int, int]:
    return policy.get("catch_ppm_min", 0), policy.get("false_refusals_ppm_max", PPM)
