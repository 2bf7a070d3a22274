"""Floor 4: what a user tests a squad with: scripted roles, fixed clock and signer, conformance suites.

No model, no key, no network and no waiting: roles say what a test has written down for them, time stands still until
it is moved, and an adapter of your own is held to the suite that ours pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from squads.testing.conformance_blobs import BlobsConformance as BlobsConformance
    from squads.testing.conformance_bus import BusConformance as BusConformance
    from squads.testing.conformance_journal import JournalConformance as JournalConformance
    from squads.testing.conformance_leases import LeasesConformance as LeasesConformance
    from squads.testing.conformance_ledger import LedgerConformance as LedgerConformance
    from squads.testing.conformance_models import ModelConformance as ModelConformance
    from squads.testing.conformance_roles import BuilderConformance as BuilderConformance
    from squads.testing.conformance_roles import GateConformance as GateConformance
    from squads.testing.conformance_sandbox import SandboxConformance as SandboxConformance
    from squads.testing.fixed import FixedClock as FixedClock
    from squads.testing.fixed import FixedSigner as FixedSigner
    from squads.testing.fixed import seeded_entropy as seeded_entropy
    from squads.testing.guards import EscapedCall as EscapedCall
    from squads.testing.guards import only_loopback as only_loopback
    from squads.testing.guards import without_keys as without_keys
    from squads.testing.malformed import MALFORMED as MALFORMED
    from squads.testing.model_server import ModelServer as ModelServer
    from squads.testing.scripted import ScriptedBuilder as ScriptedBuilder
    from squads.testing.scripted import ScriptedCoordinator as ScriptedCoordinator
    from squads.testing.scripted import ScriptedGate as ScriptedGate
    from squads.testing.scripted import UnexpectedWork as UnexpectedWork
    from squads.testing.scripted import UnusedReplies as UnusedReplies
    from squads.testing.scripted_model import Asked as Asked
    from squads.testing.scripted_model import ScriptedModel as ScriptedModel
    from squads.testing.served import Call as Call
    from squads.testing.served import Fault as Fault
    from squads.testing.served import ServerReply as ServerReply
    from squads.testing.served import ServerRequest as ServerRequest
    from squads.testing.served import Tokens as Tokens
    from squads.testing.served import injected as injected
    from squads.testing.served_process import ServerProcess as ServerProcess
    from squads.testing.served_script import UnexpectedRequest as UnexpectedRequest
    from squads.testing.wire import Wire as Wire
    from squads.testing.wire import routed_client as routed_client

_HOMES = {
    # roles that follow a script
    "ScriptedBuilder": "squads.testing.scripted",
    "ScriptedCoordinator": "squads.testing.scripted",
    "ScriptedGate": "squads.testing.scripted",
    "ScriptedModel": "squads.testing.scripted_model",
    "Asked": "squads.testing.scripted_model",
    "UnexpectedWork": "squads.testing.scripted",
    "UnusedReplies": "squads.testing.scripted",
    # time, chance and keys
    "FixedClock": "squads.testing.fixed",
    "FixedSigner": "squads.testing.fixed",
    "seeded_entropy": "squads.testing.fixed",
    # models without keys
    "ModelServer": "squads.testing.model_server",
    "ServerProcess": "squads.testing.served_process",
    "ServerReply": "squads.testing.served",
    "ServerRequest": "squads.testing.served",
    "Call": "squads.testing.served",
    "Fault": "squads.testing.served",
    "Tokens": "squads.testing.served",
    "injected": "squads.testing.served",
    "UnexpectedRequest": "squads.testing.served_script",
    "EscapedCall": "squads.testing.guards",
    "only_loopback": "squads.testing.guards",
    "without_keys": "squads.testing.guards",
    "Wire": "squads.testing.wire",
    "routed_client": "squads.testing.wire",
    # one suite per kind of role, and files that no gate should fall over
    "BuilderConformance": "squads.testing.conformance_roles",
    "GateConformance": "squads.testing.conformance_roles",
    "MALFORMED": "squads.testing.malformed",
    # one suite per port
    "BusConformance": "squads.testing.conformance_bus",
    "BlobsConformance": "squads.testing.conformance_blobs",
    "JournalConformance": "squads.testing.conformance_journal",
    "LeasesConformance": "squads.testing.conformance_leases",
    "LedgerConformance": "squads.testing.conformance_ledger",
    "ModelConformance": "squads.testing.conformance_models",
    "SandboxConformance": "squads.testing.conformance_sandbox",
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
