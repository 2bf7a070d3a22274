"""Floor 4: what a user tests a squad with: scripted roles, fixed clock and signer, conformance suites.

No model, no key, no network and no waiting: roles say what a test has written down for them, time stands still until
it is moved, and an adapter of your own is held to the suite that ours pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from squads.testing.conformance_blobs import BlobsConformance as BlobsConformance
    from squads.testing.conformance_bus import BusConformance as BusConformance
    from squads.testing.conformance_ledger import LedgerConformance as LedgerConformance
    from squads.testing.conformance_roles import BuilderConformance as BuilderConformance
    from squads.testing.conformance_roles import GateConformance as GateConformance
    from squads.testing.fixed import FixedClock as FixedClock
    from squads.testing.fixed import FixedSigner as FixedSigner
    from squads.testing.fixed import seeded_entropy as seeded_entropy
    from squads.testing.malformed import MALFORMED as MALFORMED
    from squads.testing.scripted import ScriptedBuilder as ScriptedBuilder
    from squads.testing.scripted import ScriptedCoordinator as ScriptedCoordinator
    from squads.testing.scripted import ScriptedGate as ScriptedGate
    from squads.testing.scripted import UnexpectedWork as UnexpectedWork
    from squads.testing.scripted import UnusedReplies as UnusedReplies

_HOMES = {
    # roles that follow a script
    "ScriptedBuilder": "squads.testing.scripted",
    "ScriptedCoordinator": "squads.testing.scripted",
    "ScriptedGate": "squads.testing.scripted",
    "UnexpectedWork": "squads.testing.scripted",
    "UnusedReplies": "squads.testing.scripted",
    # time, chance and keys
    "FixedClock": "squads.testing.fixed",
    "FixedSigner": "squads.testing.fixed",
    "seeded_entropy": "squads.testing.fixed",
    # one suite per kind of role, and files that no gate should fall over
    "BuilderConformance": "squads.testing.conformance_roles",
    "GateConformance": "squads.testing.conformance_roles",
    "MALFORMED": "squads.testing.malformed",
    # one suite per port
    "BusConformance": "squads.testing.conformance_bus",
    "BlobsConformance": "squads.testing.conformance_blobs",
    "LedgerConformance": "squads.testing.conformance_ledger",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'squads.testing' has no attribute {name!r}") from None
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
