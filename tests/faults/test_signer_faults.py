"""A signer daemon under hard treatment: other users, SIGKILL in the middle of a request, a full disk, SIGTERM."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_disk
from signer_child import SignerProcess, signing, verdict

from squads.adapters.signer_client import DaemonSigner
from squads.contracts.base import digest_of
from squads.contracts.errors import KeyUnavailable, SquadsError
from squads.ledger.keys import verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae, parse_statement

NOBODY = 65_534


@pytest.fixture
def place() -> Iterator[Path]:
    """Make a directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sq") as name:
        yield Path(name)


def said(payload: bytes) -> tuple[int, str | None]:
    """Return a verdict's number, and the one before it."""
    predicate = parse_statement(payload).predicate
    return predicate["actor_seq"], predicate["prev_by_actor"]


def as_user(uid: int, socket_path: Path, *roles: str) -> list[str]:
    """Return what becomes of these roles' keys for a process of another user, or of this one."""
    DaemonSigner(socket_path, "gate:warm")  # what a client needs is imported before the user changes
    verify_signature(b"\1" * 32, b"\0" * 64, b"")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # no other program: that one could not be read by such a user
        words = []
        try:
            if uid != os.getuid():
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            for role in roles:
                try:
                    words.append(DaemonSigner(socket_path, role, seconds=5).public_key.hex())
                except SquadsError as error:
                    words.append(type(error).__name__)
        finally:
            os.write(write, "\n".join(words).encode())
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as heard:
        lines = heard.read().splitlines()
    os.waitpid(child, 0)
    return lines


def test_the_kernel_says_which_user_asks_and_the_list_what_it_may(place: Path) -> None:
    """Two users where this one may change; each has its own keys, and nobody else's."""
    other = NOBODY if os.getuid() == 0 else os.getuid()
    place.chmod(0o755)
    rules = [f"uid={other}:gate:schema", f"uid={NOBODY - 1}:gate:style"]
    group = (
        (
            "--group",
            subprocess.run(["id", "-gn", str(other)], capture_output=True, text=True, check=True).stdout.strip(),
        )
        if other != os.getuid()
        else ()
    )
    signer = SignerProcess(place / "keys", place / "run" / "s", *rules, more=group)
    try:
        schema = next(line.split()[1] for line in signer.said if line.startswith("gate:schema"))

        assert as_user(other, signer.socket, "gate:schema", "gate:style", "log") == [schema, "Denied", "Denied"]
        if other != os.getuid():
            assert as_user(os.getuid(), signer.socket, "gate:schema") == ["KeyUnavailable"]
            assert as_user(NOBODY - 7, signer.socket, "gate:schema") == ["KeyUnavailable"], "the socket's mode"
    finally:
        code, error = signer.end()

    assert code == 0
    assert f"nothing was signed for uid {other}" in error


def ask_until(client: DaemonSigner, answers: dict[int, bytes], more: int, enough: threading.Event) -> None:
    """Ask for one verdict after another until the signer is gone; say when there are so many more."""
    begun = len(answers)
    for ticket in range(begun, begun + 10_000):
        try:
            # Another verdict than the one that may have been numbered before the kill.
            answers[ticket] = client.attest(verdict(ticket, looked=begun))[0]
        except KeyUnavailable:
            return
        if len(answers) >= begun + more:
            enough.set()


def test_a_kill_in_the_middle_neither_repeats_a_number_nor_leaves_one_out(place: Path) -> None:
    """Whatever was asked without an answer is asked again, and the counter is one chain in the end."""
    answers: dict[int, bytes] = {}
    for more in (3, 40):
        signer = SignerProcess(place / "keys", place / "run" / "s", f"uid={os.getuid()}:gate:schema")
        enough = threading.Event()
        asking = threading.Thread(target=ask_until, args=(signer.client(), answers, more, enough))
        asking.start()
        assert enough.wait(30)
        signer.kill()
        asking.join(30)

    with signing(place / "keys", place / "run" / "s") as again:
        client = again.client()
        replayed = [client.attest(verdict(ticket))[0] for ticket in range(len(answers))]
        final = client.attest(verdict(len(answers)))[0]

    chain = [*replayed, final]
    assert [answers[ticket] for ticket in range(len(answers))] == replayed, "what was answered is answered so for ever"
    assert [number for number, _ in map(said, chain)] == list(range(len(chain)))
    assert [before for _, before in map(said, chain)] == [None, *map(digest_of, chain[:-1])]


def test_a_full_disk_signs_nothing_and_goes_on_when_there_is_room(place: Path) -> None:
    """What cannot be remembered is not signed; what was signed is still known."""
    keys = place / "keys"
    keys.mkdir(mode=0o700)
    disk = (sys.executable, small_disk.__file__, str(keys), "1")
    with signing(keys, place / "run" / "s", before=disk) as signer:
        client = signer.client()
        first, _ = client.attest(verdict(0))
        small_disk.fill(signer.process.pid, keys)
        done = 1
        with pytest.raises(KeyUnavailable, match="nothing was signed, make room"):  # noqa: PT012  (some may fit yet)
            for ticket in range(1, 2_000):
                client.attest(verdict(ticket))
                done += 1
        assert client.attest(verdict(0))[0] == first
        small_disk.make_room(signer.process.pid, keys)
        payload, signature = client.attest(verdict("after"))

    assert said(payload)[0] == done
    assert verify_signature(client.public_key, signature, pae(PAYLOAD_TYPE, payload))


def network_of(pid: int) -> set[str]:
    """Return the sockets of a process that are on a network; it has some socket."""
    links = {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()}
    numbers = {link[8:-1] for link in links if link.startswith("socket:")}
    assert numbers
    tables = "".join(Path(f"/proc/{pid}/net/{table}").read_text() for table in ("tcp", "tcp6", "udp", "udp6"))
    return {number for number in numbers if f" {number} " in tables}


def test_a_signer_ends_cleanly_and_its_client_finds_the_next_one(place: Path) -> None:
    """SIGTERM gives exit code 0 and takes the socket away, also while clients are connected; none is on a network."""
    with signing(place / "keys", place / "run" / "s") as signer:
        client = signer.client()
        assert network_of(signer.process.pid) == set()
        assert said(client.attest(verdict(0))[0])[0] == 0
        code, error = signer.end()
        assert (code, error, signer.socket.exists()) == (0, "", False)
    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        client.attest(verdict(1))
    with signing(place / "keys", place / "run" / "s"):
        assert said(client.attest(verdict(1))[0])[0] == 1
