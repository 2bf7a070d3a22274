"""A bus's address: read completely or refused, and never said with its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.adapters.redis_bus.address import BusAddress, is_loopback
from squads.contracts.errors import InvalidInput, KeyUnavailable

SECRET = "h:unter2@{home}"
QUOTED = "h%3Aunter2%40%7Bhome%7D"


def parsed(url: str, **environ: str) -> BusAddress:
    return BusAddress.parse(url, environ=environ)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://localhost", "redis://localhost:6379"),
        ("redis://ann:pw@box:7000/3", "redis://ann@box:7000/3"),
        ("redis://box?db=3", "redis://box:6379/3"),
        ("redis://[::1]:7000", "redis://[::1]:7000"),
        ("rediss://box", "rediss://box:6379"),
        ("redis+cluster://a:1,b:2", "redis+cluster://a:1,b:2"),
        ("rediss+sentinel://a,b:9/bus/2", "rediss+sentinel://a:26379,b:9/bus/2"),
        ("unix://ann:pw@/run/redis.sock?db=1", "unix://ann@/run/redis.sock"),
    ],
)
def test_every_kind_of_address_is_read_and_said_again(url: str, said: str) -> None:
    """What is printed is the address that was given, its defaults filled in and its password left out."""
    assert said == str(parsed(url))


def test_a_password_is_never_said() -> None:
    """Neither text nor `repr` holds it, wherever it came from."""
    address = parsed(f"redis://ann:{QUOTED}@box", SQUADS_BUS_SENTINEL_PASSWORD="other-secret")

    assert (SECRET, "other-secret") == (address.password, address.sentinel_password)
    for text in (str(address), repr(address), f"{address}", f"{[address]}"):
        assert "unter2" not in text
        assert "other-secret" not in text


def test_user_and_password_also_come_from_the_environment() -> None:
    """What is not in the URL is in no list of processes."""
    address = parsed("redis://box", SQUADS_BUS_USER="ann", SQUADS_BUS_PASSWORD=SECRET)

    assert ("ann", SECRET) == (address.user, address.password)


def test_the_url_goes_before_the_environment() -> None:
    """The nearer word counts."""
    address = parsed("redis://ann:near@box", SQUADS_BUS_USER="bob", SQUADS_BUS_PASSWORD="far")

    assert ("ann", "near") == (address.user, address.password)


def test_a_password_file_is_read_when_only_its_owner_may(tmp_path: Path) -> None:
    """One line, without its line's end."""
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)

    assert SECRET == parsed("redis://box", SQUADS_BUS_PASSWORD_FILE=str(file)).password


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_password_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    """A password that others could read is none; the sentence says which file and what to do."""
    file = tmp_path / "password"
    file.write_text(SECRET)
    file.chmod(mode)

    with pytest.raises(KeyUnavailable, match="chmod 600") as refused:
        parsed("redis://box", SQUADS_BUS_PASSWORD_FILE=str(file))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"x" * 5_000])
def test_a_password_file_holds_one_line(tmp_path: Path, content: bytes) -> None:
    """Anything else is a mistake in the file's name more often than a password."""
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(KeyUnavailable, match="one line"):
        parsed("redis://box", SQUADS_BUS_PASSWORD_FILE=str(file))


def test_a_missing_password_file_says_who_names_it(tmp_path: Path) -> None:
    """Whoever reads the sentence knows which variable to correct."""
    with pytest.raises(KeyUnavailable, match="SQUADS_BUS_PASSWORD_FILE names it"):
        parsed("redis://box", SQUADS_BUS_PASSWORD_FILE=str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("redis+clustr://box", "did you mean redis\\+cluster://"),
        ("http://box", "known: redis://, redis\\+cluster://"),
        ("box:6379", "known: redis"),
        ("redis://box?databse=1", "no option 'databse'; known: db"),
        ("rediss://box?ce=x", "did you mean c"),
        ("redis://box?ca=x", "no option 'ca'"),
        ("rediss://box?key=/k", "without cert="),
        ("redis://box?db=1&db=2", "given twice"),
        ("redis://box:port", "no number from 1 to 65535"),
        ("redis://box:70000", "no number from 1 to 65535"),
        ("redis://:6379", "has no name"),
        ("redis://a,b", "one server has one host"),
        ("redis://box/mine", "no number of a database"),
        ("redis+cluster://box/1", "no numbered databases"),
        ("redis+sentinel://box", "name of the service"),
        ("unix://run/redis.sock", "whole path"),
        ("unix://", "begins with its kind"),
        ("redis://box#1", "no part after '#'"),
        ("redis://[::1", "cannot be read"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_hint(url: str, hint: str) -> None:
    """Nothing is guessed: an option that is not known could have been the one that matters."""
    with pytest.raises(InvalidInput, match=hint):
        parsed(url)


@pytest.mark.parametrize("url", [f"redis://ann:{SECRET}@[::1", f"redis://ann:{SECRET}@box:x", "ann:unter2@box"])
def test_a_refused_address_does_not_say_the_password(url: str) -> None:
    """A mistake in an address is printed, mailed and pasted."""
    with pytest.raises(InvalidInput) as refused:
        parsed(url)
    assert "unter2" not in str(refused.value)


def test_a_certificate_that_is_not_there_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """A missing authority must not turn into a connection that failed for some reason."""
    with pytest.raises(InvalidInput, match="ca= names"):
        parsed(f"rediss://box?ca={tmp_path}/none.pem")


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("127.8.8.8", True), ("10.0.0.1", False), ("box", False)],
)
def test_only_this_machine_is_loopback(host: str, here: bool) -> None:
    """A name that would have to be asked for does not count as here."""
    assert here == is_loopback(host)
