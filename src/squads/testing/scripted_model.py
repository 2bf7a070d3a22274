"""A model that says what a test has written down for it, in order, and nothing else.

    model = ScriptedModel(
        {"notice.txt": "We move."},
        Call("write_file", {"path": "notice.txt", "text": "We move on Monday."}),
        Refused(findings=(finding,)),
    )
    squad = Squad(builder=Builder(model="scripted:b", prior="..."), gates=[...], models={"scripted:b": model})

    model.done()

Everything between the role and the provider is the real thing: prompts, forms, validation, re-asks, tools, journal and
budgets. A script is strict: a request that it has no reply for raises `UnexpectedWork`, and `done()` raises for replies
that nobody asked for. A reply is

- what a role answers: `Plan`, `Objection`, `Approved`, `Refused`, `Abstained`, or files as a mapping from path to text;
- a filled form of `squads.minds.forms`, a `Call` of a tool or several of them in a list, or plain text;
- an exception, which is raised as if the provider had;
- a function of what was asked (`Asked`), also an async one: what it returns is the reply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from pydantic_ai import messages as m
from pydantic_ai.models import Model as WireModel
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from squads.contracts.finding import Finding
from squads.contracts.plan import Objection, Plan
from squads.contracts.verdict import Abstained, Approved, Refused
from squads.minds import forms
from squads.testing.scripted import Script
from squads.testing.served import Call


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as a model saw it."""

    instructions: str
    prompt: str
    """The first message: the work."""
    answers: tuple[str, ...]
    """What came back to the model since: results of tools, and why a reply could not be used."""
    forms: tuple[str, ...]
    """Names of the forms that it may fill in."""
    tools: tuple[str, ...]
    """Names of the tools that it may call."""
    schemas: Mapping[str, Any] = field(repr=False)
    """JSON schemas of both, by name."""

    def __str__(self) -> str:
        return f"fill in one of {', '.join(self.forms)}"


class ScriptedModel(WireModel):
    """A pydantic-ai `Model` that follows a script.

    Args:
        replies: In the order in which they are given.
        tokens: Tokens that every reply is said to have used: (in, out).
        name: What receipts of the provider would call it.
    """

    def __init__(self, *replies: Any, tokens: tuple[int, int] = (100, 20), name: str = "scripted") -> None:
        super().__init__()
        self._script = Script(f"the model {name!r}", replies)
        self._tokens = tokens
        self._name = name

    @property
    def model_name(self) -> str:
        """Its name."""
        return self._name

    @property
    def system(self) -> str:
        """What stands for the provider."""
        return "scripted"

    @property
    def asked(self) -> list[Asked]:
        """Every request, unexpected ones included."""
        return self._script.asked

    def done(self) -> None:
        """Raise `UnusedReplies` or `UnexpectedWork` unless exactly the script was asked for."""
        self._script.done()

    async def request(
        self,
        messages: list[m.ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> m.ModelResponse:
        """Return the next reply."""
        reply = await self._script.reply(_asked(messages, model_request_parameters))
        incoming, outgoing = self._tokens
        return m.ModelResponse(
            parts=[_part(part, f"{len(self.asked)}-{n}") for n, part in enumerate(_several(reply))],
            usage=RequestUsage(input_tokens=incoming, output_tokens=outgoing),
            model_name=self._name,
            finish_reason="stop",
        )


def _asked(messages: Sequence[m.ModelMessage], parameters: ModelRequestParameters) -> Asked:
    prompt, answers, instructions = "", [], ""
    for message in messages:
        if isinstance(message, m.ModelResponse):
            continue
        instructions = message.instructions or instructions
        for part in message.parts:
            if isinstance(part, m.UserPromptPart) and not prompt:
                prompt = str(part.content)
            elif isinstance(part, m.ToolReturnPart):
                answers.append(part.model_response_str())
            elif content := getattr(part, "content", ""):
                answers.append(str(content))
    offered = [*parameters.output_tools, *parameters.function_tools]
    return Asked(
        instructions=instructions,
        prompt=prompt,
        answers=tuple(answers),
        forms=tuple(t.name for t in parameters.output_tools),
        tools=tuple(t.name for t in parameters.function_tools),
        schemas={t.name: t.parameters_json_schema for t in offered},
    )


def _several(reply: Any) -> list[Any]:
    return list(reply) if isinstance(reply, (list, tuple)) else [reply]


def _part(reply: Any, mark: str) -> m.ModelResponsePart:
    if isinstance(reply, str):
        return m.TextPart(reply)
    call = reply if isinstance(reply, Call) else Call(*_filled(reply))
    return m.ToolCallPart(tool_name=call.name, args=call.json(), tool_call_id=f"call-{mark}")


def _filled(reply: Any) -> tuple[str, dict[str, Any]]:
    """Return the form that says what a role answers, and what stands in it."""
    match reply:
        case Plan():
            tasks = [task.model_dump(mode="json") for task in reply.tasks]
            return "plan", {"tasks": tasks}
        case Objection():
            return "object", {"reasons": list(reply.reasons), "proposal": reply.proposal}
        case Approved() if not reply.waivers:
            return "approve", {"notes": [_finding(f) for f in reply.notes]}
        case Refused():
            return "refuse", {"findings": [_finding(f) for f in reply.findings]}
        case Abstained():
            return "abstain", {"reason": reply.reason}
        case BaseModel() if not isinstance(reply, Approved):
            return forms.name_of(type(reply)), reply.model_dump(mode="json")
        case Mapping():
            return "hand_in", {"files": [{"path": path, "text": text} for path, text in reply.items()]}
    raise TypeError(f"{reply!r:.80} is no reply that a model could give; write the form of squads.minds.forms")


def _finding(finding: Finding) -> dict[str, Any]:
    where = finding.location
    return {
        "invariant": finding.invariant,
        "severity": finding.severity.value,
        "message": finding.message,
        "path": where.path if where else "",
        "line": where.line if where else None,
        "evidence": finding.evidence,
        "satisfy": finding.satisfy,
    }
