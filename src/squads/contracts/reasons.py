"""Why a packet ended: every reason, which of them are refusals, and what each means to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Reason = Literal[
    "composed",
    # a signed refusal stands behind these
    "plan-refused",
    "task-refused",
    "composition-refused",
    "not-accepted",
    "packet-objected",
    "task-objected",
    "approval-denied",
    # these could not find out
    "not-authorised",
    "no-gates",
    "unheld-gate",
    "weak-custody",
    "uncalibrated",
    "self-gate",
    "no-applicable-gate",
    "no-coordinator",
    "no-builder",
    "unknown-rules",
    "plan-invalid",
    "gate-abstained",
    "role-failed",
    "paths-meet",
    "over-bound",
    "budget-spent",
    "approval-expired",
    "packet-expired",
    "equivocation",
]
"""Why a packet ended."""

REFUSALS: frozenset[str] = frozenset(
    {
        "plan-refused",
        "task-refused",
        "composition-refused",
        "not-accepted",
        "packet-objected",
        "task-objected",
        "approval-denied",
    }
)
"""The reasons behind which a signed refusal stands; every other one means that we could not find out."""

EXPLAINED: Mapping[str, str] = {
    "composed": "every required gate approved exactly these bytes",
    "plan-refused": "a gate refused every plan; read its findings and say in the brief what they ask for",
    "task-refused": "a gate refused every attempt; mend what its findings name",
    "composition-refused": "a gate refused the composition and no task could be re-opened; mend what its findings name",
    "not-accepted": "the coordinator's end-to-end check refused the composition; see `words` for its reasons",
    "packet-objected": "the coordinator refused the packet; see `words` for its objection and its proposal",
    "task-objected": "a builder refused its brief more often than may be amended; see `words` for its objection",
    "approval-denied": "a person who was asked said no",
    "not-authorised": "nobody could approve this: fewer of the named approvers have keys than the quorum needs",
    "no-gates": "the packet required no gate, and without gates nothing composes; name at least one",
    "unheld-gate": "a required gate is held by nobody, and such a gate is not a gate; add it to the squad",
    "weak-custody": "the policy demands better custody than any key of a required gate has; keep it in a signer daemon",
    "uncalibrated": "the policy demands a better record than a required gate has; measure it: `squads bench record`",
    "self-gate": "a gate would have judged its own work or its own prior; give it another prior or model",
    "no-applicable-gate": "no gate had anything to read in what would compose; add a gate for such files",
    "no-coordinator": "the squad has no single coordinator with a live key",
    "no-builder": "the squad has no builder with a live key",
    "unknown-rules": "the packet was opened under rules that this version does not know; upgrade squads",
    "plan-invalid": "no plan could be run: cyclic, over a bound, or naming what is not there; see `words`",
    "gate-abstained": "a gate could not look, also when asked once more; its verdict says why",
    "role-failed": "a role crashed, was late, or gave no usable answer; see `words`, and the log for more",
    "paths-meet": "two tasks wrote one path without building on each other; add a task after both that writes it",
    "over-bound": "the packet ran into a bound (messages or compositions); raise it in `limits`, or cut the work",
    "budget-spent": "the next answer could have passed a budget, or the last one did; raise it, or cut the work",
    "approval-expired": "nobody answered in time, and expiry refuses; open the packet again",
    "packet-expired": "the packet was open longer than `limits.packet_ms_max`; raise it, or cut the work",
    "equivocation": "a gate gave two different signed answers to one ticket; revoke its key and find out why",
}
"""What each reason means and what to do next, as one sentence."""
