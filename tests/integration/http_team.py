"""A squad whose three roles think over real HTTP, and the replies that a model server gives them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from squads import Builder, Composed, Coordinator, Gate, Packet, Squad
from squads.testing import Call, ModelServer, without_keys
from squads.testing.served import Reply

NULLABLE = "CREATE TABLE t (a int, b int, UNIQUE (a, b));\n"
MENDED = "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));\n"

CUT = Call("plan", {"tasks": [{"name": "table", "brief": "A table t with unique pairs.", "builder": "builder"}]})
APPROVES = Call("approve", {"notes": []})
REFUSES = Call(
    "refuse",
    {
        "findings": [
            {
                "invariant": "sql.unique-null",
                "severity": "blocker",
                "message": "a and b may be NULL, so the rows repeat.",
                "path": "t.sql",
                "line": 1,
                "evidence": "UNIQUE (a, b)",
                "satisfy": "NOT NULL on both columns",
            }
        ]
    },
)
BUILT = Call("hand_in", {"summary": "A table."})

PLANNER, MAKER, READER = "gpt-planner", "claude-maker", "gpt-reader"
"""The three models, as their providers call them."""


def hands_in(text: str) -> Call:
    """A builder's reply that is the whole artifact."""
    return Call("hand_in", {"files": [{"path": "t.sql", "text": text}]})


def script(
    *, planner: Sequence[Reply] = (CUT,), maker: Sequence[Reply] = (), reader: Sequence[Reply] = ()
) -> dict[str, Sequence[Reply]]:
    """Return the replies of the three models; who is not asked has no word in it."""
    given = {PLANNER: planner, MAKER: maker, READER: reader}
    return {model: replies for model, replies in given.items() if replies}


REVISED = script(maker=[hands_in(NULLABLE), hands_in(MENDED)], reader=[REFUSES, APPROVES])
"""Plan, build, refusal with a finding, revision, approval."""
STRAIGHT = script(maker=[hands_in(MENDED)], reader=[APPROVES])
"""Plan, build, approval."""


def point(monkeypatch: pytest.MonkeyPatch, server: ModelServer) -> None:
    """Point every SDK at the server, by the variable that its own documentation names."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)


def spoken(provider: str, model: str) -> str:
    """Return the model string with which `provider` is asked for the server's model."""
    return f"litellm:openai/{model}" if provider == "litellm" else f"{provider}:{model}"


def team(planner: str = "openai", maker: str = "openai", reader: str = "openai", **options: Any) -> Squad:
    """Return the squad; each role is asked through the provider that is named. `roles=` adds to what a role is told."""
    roles: Mapping[str, Mapping[str, Any]] = options.pop("roles", {})
    models = {
        "coordinator": spoken(planner, PLANNER),
        "builder": spoken(maker, MAKER),
        "schema": spoken(reader, READER),
    }

    def told(name: str, prior: str) -> dict[str, Any]:
        return {"name": name, "prior": prior, "model": models[name], **roles.get(name, {})}

    return Squad(
        **{
            "coordinator": Coordinator(**told("coordinator", "Thinks in arcs.")),
            "builder": Builder(**told("builder", "Thinks in objects.")),
            "gates": [Gate(**told("schema", "Thinks in invariants."))],
            **options,
        }
    )


def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses between two tries be thousandths of a second; what a provider asks for is waited all the same."""
    from squads.adapters.pydantic_ai import retrying

    monkeypatch.setattr(retrying, "Patience", partial(retrying.Patience, first_wait_seconds=0.004))


async def followed(squad: Squad, packet: str | Packet = "A table of pairs.", **watchers: Any) -> tuple[list[Any], Any]:
    """Run a packet and return its receipts and its outcome."""
    async with squad:
        *receipts, outcome = [happened async for happened in squad.stream(packet, **watchers)]
    return receipts, outcome


async def ran(squad: Squad, packet: str | Packet = "A table of pairs.") -> Any:
    """Run a packet, let go of the connections, and return the outcome."""
    async with squad:
        return await squad.run(packet)


def files_of(outcome: Any) -> dict[str, str]:
    """Return a composition's files; fails with the whole story where nothing composed."""
    assert isinstance(outcome, Composed), str(outcome)
    return {file.path: file.text for file in outcome.artifact.files}


PROVIDERS = ("anthropic", "openai", "openai-chat", "litellm")


def warm_up() -> None:
    """Run a packet with each provider: importing vendors takes seconds, litellm most of all, and no test has them."""

    async def run() -> None:
        for provider in PROVIDERS:
            async with ModelServer(STRAIGHT) as server:
                with pytest.MonkeyPatch.context() as patch:
                    point(patch, server)
                    files_of(await ran(team(provider, provider, provider)))

    with without_keys():
        asyncio.run(run())
