"""Teams of agents that may refuse: nothing composes until every required gate has approved exactly those bytes.

Names are imported when they are first used, so that `import squads` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from squads.adapters.models import Models as Models
    from squads.contracts.artifact import Artifact as Artifact
    from squads.contracts.errors import InvalidInput as InvalidInput
    from squads.contracts.errors import InvalidSquad as InvalidSquad
    from squads.contracts.errors import Refusal as Refusal
    from squads.contracts.errors import SquadsError as SquadsError
    from squads.contracts.finding import Finding as Finding
    from squads.contracts.finding import Invariant as Invariant
    from squads.contracts.finding import Location as Location
    from squads.contracts.finding import Severity as Severity
    from squads.contracts.memory import Fact as Fact
    from squads.contracts.outcome import AwaitingApproval as AwaitingApproval
    from squads.contracts.outcome import Composed as Composed
    from squads.contracts.outcome import Halted as Halted
    from squads.contracts.outcome import NotComposed as NotComposed
    from squads.contracts.packet import ApprovalRule as ApprovalRule
    from squads.contracts.packet import Budget as Budget
    from squads.contracts.packet import Limits as Limits
    from squads.contracts.packet import Packet as Packet
    from squads.contracts.packet import Predicate as Predicate
    from squads.contracts.packet import WorkspaceBudget as WorkspaceBudget
    from squads.contracts.plan import Objection as Objection
    from squads.contracts.plan import Plan as Plan
    from squads.contracts.plan import Task as Task
    from squads.contracts.thinking import ToolServer as ToolServer
    from squads.contracts.verdict import Abstained as Abstained
    from squads.contracts.verdict import Approved as Approved
    from squads.contracts.verdict import Refused as Refused
    from squads.contracts.verdict import Verdict as Verdict
    from squads.contracts.work import AcceptWork as AcceptWork
    from squads.contracts.work import BuildWork as BuildWork
    from squads.contracts.work import PlanWork as PlanWork
    from squads.contracts.work import ReviewWork as ReviewWork
    from squads.gates.check import CannotLook as CannotLook
    from squads.gates.check import check as check
    from squads.gates.gate import Gate as Gate
    from squads.gates.panel import Panel as Panel
    from squads.gates.unsafe import UnsafeNoGate as UnsafeNoGate
    from squads.memory.shelf import Shelf as Shelf
    from squads.roles.builder import Builder as Builder
    from squads.roles.coordinator import Coordinator as Coordinator
    from squads.squad import Squad as Squad
    from squads.telemetry import Telemetry as Telemetry

__version__ = "0.1.0"

_HOMES = {
    # the squad and its roles
    "Squad": "squads.squad",
    "Coordinator": "squads.roles.coordinator",
    "Builder": "squads.roles.builder",
    "Gate": "squads.gates.gate",
    "check": "squads.gates.check",
    "CannotLook": "squads.gates.check",
    "Panel": "squads.gates.panel",
    "UnsafeNoGate": "squads.gates.unsafe",
    "Models": "squads.adapters.models",
    "ToolServer": "squads.contracts.thinking",
    "Telemetry": "squads.telemetry",
    "Shelf": "squads.memory.shelf",
    "Fact": "squads.contracts.memory",
    # work that is handed over
    "Packet": "squads.contracts.packet",
    "Predicate": "squads.contracts.packet",
    "Limits": "squads.contracts.packet",
    "Budget": "squads.contracts.packet",
    "WorkspaceBudget": "squads.contracts.packet",
    "ApprovalRule": "squads.contracts.packet",
    "Plan": "squads.contracts.plan",
    "Task": "squads.contracts.plan",
    "Objection": "squads.contracts.plan",
    "Artifact": "squads.contracts.artifact",
    # what a role is given
    "PlanWork": "squads.contracts.work",
    "BuildWork": "squads.contracts.work",
    "ReviewWork": "squads.contracts.work",
    "AcceptWork": "squads.contracts.work",
    # what gates say
    "Verdict": "squads.contracts.verdict",
    "Approved": "squads.contracts.verdict",
    "Refused": "squads.contracts.verdict",
    "Abstained": "squads.contracts.verdict",
    "Finding": "squads.contracts.finding",
    "Severity": "squads.contracts.finding",
    "Location": "squads.contracts.finding",
    "Invariant": "squads.contracts.finding",
    # how it ends
    "Composed": "squads.contracts.outcome",
    "NotComposed": "squads.contracts.outcome",
    "AwaitingApproval": "squads.contracts.outcome",
    "Halted": "squads.contracts.outcome",
    # what is raised
    "SquadsError": "squads.contracts.errors",
    "InvalidInput": "squads.contracts.errors",
    "InvalidSquad": "squads.contracts.errors",
    "Refusal": "squads.contracts.errors",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'squads' has no attribute {name!r}") from None
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
