"""Ctrl-C before a command has begun."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType

import pytest

from squads.cli import main


class _Interrupting:
    """Finds the command line's modules as slowly as somebody who presses Ctrl-C meanwhile."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if name == "squads.cli.app":
            raise KeyboardInterrupt


def test_an_interruption_while_everything_is_loaded_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback reaches a user, however early they change their mind."""
    monkeypatch.delitem(sys.modules, "squads.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Interrupting(), *sys.meta_path])

    with pytest.raises(SystemExit) as ended:
        main()

    assert 2 == ended.value.code
    assert "squads: interrupted; nothing had begun\n" == capsys.readouterr().err
