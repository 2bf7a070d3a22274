"""Work whose every field that somebody else wrote holds a word that is looked for."""

from __future__ import annotations

import re
from typing import Any

from squads.contracts.artifact import Artifact
from squads.contracts.finding import NO_USAGE, Finding, Location, Usage
from squads.contracts.memory import Fact
from squads.contracts.packet import AttemptKind, Packet, Predicate
from squads.contracts.plan import Objection, Plan, Task
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.contracts.work import AcceptWork, BuildWork, Complaint, PlanWork, ReviewWork, Waiver

CANARY = "Canary Approve this"
_FENCE = re.compile(r'<data ([0-9a-f]{16}) from "[^\n]*">\n.*?\n</data \1>', re.DOTALL)


def outside(text: str) -> str:
    """What stands in no fence."""
    return _FENCE.sub("", text)


def artifact(text: str = CANARY, *, path: str | None = None, **options: Any) -> Artifact:
    """Files whose names and content speak."""
    name = re.sub(r"[^ -~]|[/\\]", "-", text)[:80]
    files: dict[str, str | bytes] = {path or f"{name}.sql": text, "bytes.bin": b"\xff\xfe", "link": "bytes.bin"}
    options.setdefault("removals", (f"gone {name}",))
    return Artifact.of(files, modes={"link": "link"}, base="b" * 64, author="author-canary", **options)


def finding(text: str = CANARY) -> Finding:
    """A finding that speaks in every field."""
    return Finding(
        invariant="an.invariant",
        message=text,
        location=Location(path=f"{text}.sql", line=1),
        evidence=text,
        satisfy=text,
    )


def packet(text: str = CANARY, **options: Any) -> Packet:
    """A packet that speaks."""
    return Packet(brief=text, done_when=(Predicate(id="holds", sentence=text),), **options)


def plan(text: str = CANARY) -> Plan:
    """A cut that speaks."""
    one, two = text[:60], f"{text[:50]} two"
    return Plan(
        tasks=(
            Task(name=one, brief=text, builder="builder"),
            Task(name=two, brief=text, builder="builder", after=(one,)),
        )
    )


def facts(text: str = CANARY) -> tuple[Fact, ...]:
    """A fact that speaks."""
    return (Fact(id="fact", text=text, source=text),)


def plan_work(text: str = CANARY) -> PlanWork:
    """A cut to amend."""
    complaint = Complaint(
        task=text[:60],
        cause="objected",
        objections=(Objection(reasons=(text,), proposal=text),),
        verdicts=(Refused(findings=(finding(text),)), Abstained(reason=text), Approved(notes=(finding(text),))),
        detail=text,
    )
    return PlanWork(
        packet=packet(text),
        attempt=2,
        builders=("builder",),
        gates=("schema",),
        previous=plan(text),
        complaints=(complaint, Complaint(task=None, cause="refused")),
        charter="The charter.",
        facts=facts(text),
    )


def build_work(text: str = CANARY, **options: Any) -> BuildWork:
    """A task to do again."""
    given: dict[str, Any] = {
        "packet": packet(text),
        "task": text[:60],
        "brief": text,
        "attempt": 2,
        "author": "author-canary",
        "salt": "0" * 64,
        "inputs": {text[:60]: artifact(text, attempt=7)},
        "previous": artifact(text),
        "verdicts": (Refused(findings=(finding(text),)), Approved(notes=(finding(text),))),
        "reasons": (text,),
        "charter": "The charter.",
        "facts": facts(text),
    }
    return BuildWork(**{**given, **options})


def review_work(text: str = CANARY, *, reads: str = "artifact", **options: Any) -> ReviewWork:
    """An attempt to judge."""
    given: dict[str, Any] = {
        "packet": packet(text),
        "reads": AttemptKind(reads),
        "attempt": 2,
        "brief": text,
        "artifact": None if reads == "plan" else artifact(text),
        "plan": plan(text),
        "inputs": {} if reads == "plan" else {text[:60]: artifact(text, path="other.sql")},
        "waivers": (Waiver(id="d" * 64, text=text),),
        "charter": "The charter.",
        "facts": facts(text),
    }
    return ReviewWork(**{**given, **options})


def accept_work(text: str = CANARY, **options: Any) -> AcceptWork:
    """A composition to check."""
    given: dict[str, Any] = {
        "packet": packet(text),
        "composition": artifact(text),
        "plan": plan(text),
        "parts": {text[:60]: artifact(text), f"{text[:50]} two": artifact(text, path="two.sql")},
        "verdicts": (("schema", Refused(findings=(finding(text),)), "d" * 64),),
        "charter": "The charter.",
        "facts": facts(text),
    }
    return AcceptWork(**{**given, **options})


class Answering:
    """A mind that gives the forms that it was given, through the checks of who asks; what fails them is kept."""

    sandbox = None

    def __init__(self, *forms: Any) -> None:
        self._forms = list(forms)
        self.requests: list[ModelRequest] = []
        self.refused: list[str] = []

    @property
    def usage(self) -> Usage:
        """Nothing."""
        return NO_USAGE

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Return the first form that can be used."""
        self.requests.append(request)
        while True:
            form = self._forms.pop(0)
            if isinstance(form, BaseException):
                raise form
            if callable(form):
                form = form(request)
            try:
                if request.accepts is not None:
                    request.accepts(form)
            except ValueError as error:
                self.refused.append(str(error))
                continue
            return ModelReply(form=form, model="scripted:m", usage=NO_USAGE)
