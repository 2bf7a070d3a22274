import pytest
from links import is_valid, link


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("LINK_KEY", "3b2071f97da09f0530f603c723465ec4664d9c9c")


def test_a_link_is_valid():
    assert is_valid(link("/a.pdf"))


def test_for_its_path_only():
    assert not is_valid(link("/a.pdf").replace("a.pdf", "b.pdf"))


def test_and_for_its_time():
    assert not is_valid(link("/a.pdf", -5))
