"""The builder: makes artifacts from briefs, and may refuse a brief that cannot be built."""

from __future__ import annotations

from collections.abc import Awaitable
from inspect import isawaitable
from typing import Any, ClassVar, Literal

from squads.contracts.artifact import Artifact
from squads.contracts.plan import Objection
from squads.contracts.work import BuildWork, Reply, Work
from squads.minds.thinker import Thinker


class Builder(Thinker):
    """Give it a model, or subclass it and write `build`; give it a name when the squad has several.

    Its attributes are its prior: what it brings to its reading. Two roles with the same prior cannot judge each other's
    work.
    """

    kind: ClassVar[Literal["builder"]] = "builder"

    def build(self, work: BuildWork) -> Artifact | Objection | Awaitable[Artifact | Objection]:
        """Return `work.artifact({...})` or `work.objection(...)`; may be `async`. The default asks the model.

        On a later attempt `work.findings` holds everything that the gates found and `work.previous` the bytes they
        read. Whatever it raises uses up the attempt.
        """
        from squads.minds import think

        self._check_model("build")
        return think.build(self, work)

    async def answer(self, work: Work) -> Reply:
        """Do one piece of work: the role port."""
        if not isinstance(work, BuildWork):
            raise TypeError(f"a builder builds; it was given {type(work).__name__}")
        reply: Any = self.build(work)
        return await reply if isawaitable(reply) else reply  # type: ignore[no-any-return]
