"""What roles with models are at, as lines at the foot of a terminal that are gone when their answer is there.

Numbers and names only: what a model writes is shown to nobody before the verdict on it. Where nobody sits at a
terminal nothing is printed, and nothing is asked of the squad.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from squads.cli import readable
from squads.contracts.outcome import Outcome
from squads.contracts.records import PacketRecord, QuestionRecord
from squads.contracts.thinking import Progress

LINES_MAX = 8
"""How many roles are shown at once; the rest are counted."""
_STAGES = {
    "again": "asked again, its reply did not validate",
    "fallback": "the model before it could not be asked",
}


@dataclass(slots=True)
class _Turn:
    """One request that a role works on."""

    role: str
    model: str = ""
    replies: int = 0
    tokens: int = 0
    note: str = ""


class Thinking:
    """Shows who asks which model while a packet runs.

    Args:
        out: Where the story is told; the lines stand below it.
    """

    def __init__(self, out: Console) -> None:
        self._out = out
        self._turns: dict[str, _Turn] = {}
        self._live: Live | None = None

    @property
    def watch(self) -> Callable[[Progress], None] | None:
        """What a squad tells its progress; None where nobody would see it."""
        seen = self._out.is_terminal and not self._out.is_dumb_terminal and not self._out.quiet
        return self._take if seen else None

    async def beside(self, events: AsyncIterator[PacketRecord | Outcome]) -> AsyncIterator[PacketRecord | Outcome]:
        """Yield what happens, and take the lines away of whatever it answers."""
        async for event in events:
            # Every receipt that ends a turn names the request or the ticket that it answers.
            for about in (getattr(event, name, None) for name in ("request", "ticket", "about")):
                self._turns.pop(str(about), None)
            if not isinstance(event, PacketRecord) or isinstance(event, QuestionRecord):
                self._turns.clear()  # a person is asked, or it is over
            self._show()
            yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.clear()
        self._show()

    def _take(self, happened: Progress) -> None:
        turn = self._turns.setdefault(happened.about, _Turn(happened.role))
        turn.model = happened.model or turn.model
        turn.tokens = max(turn.tokens, happened.tokens)
        turn.note = _STAGES.get(happened.stage, "")
        match happened.stage:
            case "answered":
                turn.replies += 1
            case "retry":
                turn.note = f"tried again in {readable.span(happened.wait_ms)}"
            case "tool":
                turn.note = f"used {readable.shown(happened.tool)}"
            case _:
                pass
        self._show()

    def _show(self) -> None:
        if not self._turns:
            if self._live is not None:
                self._live.stop()
                self._live = None
            return
        lines = [_line(turn) for turn in list(self._turns.values())[:LINES_MAX]]
        if (more := len(self._turns) - LINES_MAX) > 0:
            lines.append(f"  … and {readable.count(more, 'more request')}")
        text = Text("\n".join(lines), style="dim", no_wrap=True, overflow="ellipsis")
        if self._live is None:
            # No thread of its own: it is drawn when something happens, and never between a question and its answer.
            self._live = Live(text, console=self._out, transient=True, auto_refresh=False)
            self._live.start(refresh=True)
        else:
            self._live.update(text, refresh=True)


def _line(turn: _Turn) -> str:
    replies = f"{turn.replies} {'reply' if turn.replies == 1 else 'replies'}"
    said = [replies, readable.count(turn.tokens, "token")]
    if turn.note:
        said.append(turn.note)
    model = readable.shown(turn.model) or "its model"
    return f"  {readable.shown(turn.role)} asks {model} ({', '.join(said)})"
