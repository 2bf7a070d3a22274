"""The builder: makes artifacts from briefs, and may refuse a brief that cannot be built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from inspect import isawaitable
from typing import Any, ClassVar, Literal

from squads.contracts.artifact import Artifact
from squads.contracts.plan import Objection
from squads.contracts.work import BuildWork, Reply, Work


class Builder(ABC):
    """Subclass it and write `build`; give it a name when the squad has several.

    The class attributes are its prior: what it brings to its reading. Two roles with the same prior cannot judge each
    other's work.
    """

    kind: ClassVar[Literal["builder"]] = "builder"
    name: str = ""
    """How the squad calls it; the class's name in lower case with dashes when empty."""
    prior: str = ""
    """What it brings, in prose."""
    model: str | None = None
    """The model that answers; None for code."""
    family: str | None = None
    """The model's family."""
    call_tokens_max: int = 0
    """The most that one answer may use; reserved before it is asked. 0 for code."""
    call_microusd_max: int = 0
    """The same in millionths of a US dollar."""

    @abstractmethod
    def build(self, work: BuildWork) -> Artifact | Objection | Awaitable[Artifact | Objection]:
        """Return `work.artifact({...})` or `work.objection(...)`; may be `async`.

        On a later attempt `work.findings` holds everything that the gates found and `work.previous` the bytes they
        read. Whatever it raises uses up the attempt.
        """

    async def answer(self, work: Work) -> Reply:
        """Do one piece of work: the role port."""
        if not isinstance(work, BuildWork):
            raise TypeError(f"a builder builds; it was given {type(work).__name__}")
        reply: Any = self.build(work)
        return await reply if isawaitable(reply) else reply  # type: ignore[no-any-return]
