"""Plugins are used when they are named; a broken one is named and refused, and the rest go on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from squads import plugins
from squads.contracts.errors import InvalidInput, InvalidPlugin
from squads.gates.builtin import HOMES
from squads.instances import checks_named

MODULE = """
from squads import Gate, check

@check("words.no-foo")
def no_foo(artifact):
    return []

class Strict(Gate):
    def review(self, work):
        return work.approve()

number = 7
"""
POINTS = """
[squads.checks]
words.no-foo = acme_words:no_foo
words.number = acme_words:number
sql.unique-null = acme_words:no_foo
words.gone = acme_words:gone
words.twice = acme_words:no_foo
words.falls = acme_falls:anything

[squads.gates]
acme-strict = acme_words:Strict
"""


def install(folder: Path, name: str, points: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "acme_words.py").write_text(MODULE)
    (tmp_path / "acme_falls.py").write_text("raise RuntimeError('no licence key')\n")
    install(tmp_path, "acme", POINTS)
    install(tmp_path, "other", "[squads.checks]\nwords.twice = acme_words:no_foo\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("acme_words", "acme_falls"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_a_check_is_used_when_it_is_named(installed: Path) -> None:
    """Beside those of the library."""
    assert ["sql.unique-null", "words.no-foo"] == [c.name for c in checks_named(["sql.unique-null", "words.no-foo"])]


def test_every_plugin_is_listed_with_what_is_wrong_with_it(installed: Path) -> None:
    """One that falls when it is imported does not take the others with it."""
    found = {p.name: p for p in plugins.look("squads.checks", taken=HOMES)}

    assert "" == found["words.no-foo"].fault
    assert "acme 1.0" == found["words.no-foo"].package
    assert "belongs to the library" in found["sql.unique-null"].fault
    assert "claimed 2 times, by acme 1.0, other 1.0" in found["words.twice"].fault
    assert "cannot be loaded" in found["words.gone"].fault
    assert "no licence key" in found["words.falls"].fault


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("words.gone", "the plugin 'words.gone' of acme 1.0 cannot be loaded"),
        ("words.falls", "RuntimeError: no licence key"),
        ("words.twice", "is refused"),
        ("words.number", "not a function under @check"),
        ("words.no-fo", "did you mean 'words.no-foo'?"),
    ],
)
def test_a_broken_plugin_refuses_whoever_names_it(installed: Path, name: str, sentence: str) -> None:
    """With its name, its package and what is wrong."""
    with pytest.raises(InvalidInput) as caught:
        checks_named([name])

    assert sentence in str(caught.value)


def test_nobody_takes_over_a_check_of_the_library(installed: Path) -> None:
    """Being installed is not being trusted."""
    (check,) = checks_named(["sql.unique-null"])

    assert "squads.gates.checks.sql_unique_null" == check.function.__module__


def test_a_name_that_nobody_brings_is_said(installed: Path) -> None:
    """With the names that there are."""
    assert plugins.load("squads.gates", "acme-strict").__name__ == "Strict"
    with pytest.raises(InvalidPlugin, match="known: acme-strict"):
        plugins.load("squads.gates", "acme-lax")


def test_models_of_packages_are_known_by_their_prefix_and_loaded_when_they_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prefix that the library knows stays the library's, and what is broken is named when it is used."""
    (tmp_path / "acme_models.py").write_text("def made(name):\n    return f'model {name}'\n\nnumber = 7\n")
    points = "acme = acme_models:made\nnumber = acme_models:number\nfalls = acme_gone:x\nanthropic = acme_models:made\n"
    install(tmp_path, "acme_models", f"[squads.models]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_models", raising=False)

    found = plugins.models(taken=["anthropic", "openai"])

    assert {"acme", "number", "falls"} == found.names
    assert "acme_models" not in sys.modules
    assert found.load is not None
    assert "model large" == found.load("acme")("large")
    for name, sentence in (("number", "is 7, not a function"), ("falls", "No module named 'acme_gone'")):
        with pytest.raises(InvalidPlugin, match=sentence):
            found.load(name)
