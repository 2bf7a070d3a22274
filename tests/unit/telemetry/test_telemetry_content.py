"""Content leaves only where somebody asked for it: canaries are planted everywhere, and what left is read."""

from __future__ import annotations

import pytest
from telemetry_scene import BUILDER, COORDINATOR, GATE, Watched, squad_of_minds

from squads import (
    Approved,
    Builder,
    Composed,
    Coordinator,
    Finding,
    Gate,
    Location,
    Packet,
    Plan,
    Predicate,
    Refused,
    Task,
)
from squads import Severity as S
from squads.minds import forms
from squads.testing import Call, ScriptedModel

TOLD = ("brief", "predicate", "prior", "task", "cut", "argument", "path", "text", "summary", "place", "message", "note")
WORDS = ("evidence", "satisfy", "invariant")
CANARIES = tuple(f"canary-{word}" for word in (*TOLD, *WORDS))


def canary(word: str) -> str:
    assert f"canary-{word}" in CANARIES
    return f"canary-{word}"


async def everything(watched: Watched, *, content: bool) -> str:
    """Run a packet with a canary in every text that a person or a model writes, and return all that was exported."""
    cut = Plan(tasks=(Task(name=canary("task"), brief=canary("cut"), builder="builder"),))
    finding = Finding(
        invariant=canary("invariant"),
        message=canary("message"),
        location=Location(path=canary("path"), line=1),
        evidence=canary("evidence"),
        satisfy=canary("satisfy"),
    )
    note = Finding(invariant=canary("invariant"), message=canary("note"), severity=S.NOTE)
    write = Call("write_file", {"path": canary("path"), "text": canary("text")})
    reads = Call("read_file", {"path": canary("argument")})  # which is not there: an error that names it
    built = forms.BuiltForm(summary=canary("summary"))
    held = forms.AcceptForm(held=[forms.HeldForm(predicate="pairs", holds=True, path=canary("path"))])
    models = {
        COORDINATOR: ScriptedModel(cut, held),
        BUILDER: ScriptedModel(write, reads, built, "I would rather say canary-place.", write, built),
        GATE: ScriptedModel(Refused(findings=(finding,)), Approved(notes=(note,))),
    }
    squad = squad_of_minds(
        models,
        watched.telemetry(content=content),
        coordinator=Coordinator(name="coordinator", prior=canary("prior"), model=COORDINATOR),
        builder=Builder(name="builder", prior=canary("prior"), model=BUILDER, tools=("read", "write")),
        gates=[Gate(name="schema", prior=canary("prior"), model=GATE)],
    )
    packet = Packet(
        brief=f"Please: {canary('brief')}.", done_when=(Predicate(id="pairs", sentence=canary("predicate")),)
    )

    outcome = await squad.run(packet)

    assert isinstance(outcome, Composed), outcome
    return watched.text()


async def test_nothing_that_anybody_wrote_leaves_by_default() -> None:
    """No prompt, reply, brief, file name, task name, tool argument or finding, and no word that a model chose."""
    text = await everything(Watched(), content=False)

    assert "invoke_agent builder" in text
    assert [] == [word for word in CANARIES if word in text]
    assert "canary" not in text


@pytest.mark.parametrize("word", CANARIES)
async def test_with_content_it_does(word: str) -> None:
    """Whoever asks for content gets it; so the search above would have found it."""
    text = await everything(Watched(), content=True)

    assert word in text
