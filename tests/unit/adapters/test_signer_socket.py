"""The signer's socket: who may come in, and that nobody who does holds up another."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from signer_scene import apart, client, daemon, listening, rules, short_directory, signed_over, verdict

from squads.adapters import signer_daemon
from squads.adapters.keys import InProcessSigner
from squads.adapters.signer_client import DaemonSigner
from squads.adapters.signer_daemon import SignerDaemon, check_directory, listen, peer_of
from squads.adapters.signer_wire import MESSAGE_BYTES_MAX, base64_of, frame
from squads.contracts.errors import Denied, InvalidInput, KeyUnavailable
from squads.kernel.ports import Notary, Signer
from squads.ledger.keys import key_id, verify_signature


def connected(path: Path) -> socket.socket:
    """Return a bare connection."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(5)
    made.connect(str(path))
    return made


async def ended(connection: socket.socket) -> bool:
    """Say whether the daemon has closed a connection, once it has said all it says."""

    def read() -> bool:
        try:
            while connection.recv(4_096):
                pass
        except ConnectionResetError:
            pass
        connection.close()
        return True

    return await apart(read)


async def test_a_client_is_a_signer_whose_key_is_elsewhere(tmp_path: Path) -> None:
    """It has the key's public half and its custody, and for a gate the daemon is its notary."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            signer = client(path)
            payload, signature = await apart(lambda: signer.attest(verdict()))
            again = await apart(lambda: signer.attest(verdict(decision="refused")))
            public = held.public_keys["gate:schema"]

    as_signer: Signer = signer
    assert (as_signer.public_key, as_signer.key_id, as_signer.custody) == (public, key_id(public), "daemon")
    assert isinstance(signer, Notary)
    assert not isinstance(InProcessSigner(b"\1" * 32), Notary)
    assert verify_signature(public, signature, signed_over(payload))
    assert (payload, signature) == again


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    """And is gone when the daemon has ended."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            found = path.stat()
            folder = path.parent.stat()

        assert stat.S_ISSOCK(found.st_mode)
        assert (found.st_mode & 0o777, folder.st_mode & 0o777) == (0o600, 0o700)
        assert not path.exists()


def test_a_group_may_be_let_in_and_nobody_else() -> None:
    """The directory that is made for it can be entered by the group, and written by nobody else."""
    with short_directory() as directory:
        path = directory / "run" / "s"
        listen(path, os.getgid()).close()

        assert path.stat().st_mode & 0o777 == 0o660
        assert path.parent.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_no_socket_stands_where_others_can_write(mode: int) -> None:
    """They could put one of their own in its place."""
    with short_directory() as directory:
        place = directory / "run"
        place.mkdir()
        place.chmod(mode)

        with pytest.raises(InvalidInput, match="others can write to"):
            listen(place / "s")
        assert not (place / "s").exists()


def test_nor_below_a_directory_that_others_can_replace() -> None:
    """Whoever can rename the directory above chooses what its name stands for."""
    with short_directory() as directory:
        (directory / "open" / "run").mkdir(parents=True)
        (directory / "open").chmod(0o777)
        with pytest.raises(InvalidInput, match="others can write to"):
            check_directory(directory / "open" / "run")

        (directory / "open").chmod(0o1777)  # as in /tmp: nobody renames what is another's
        check_directory(directory / "open" / "run")


@pytest.mark.parametrize("what", ["file", "link", "folder"])
def test_nothing_but_a_dead_signers_socket_is_replaced(what: str) -> None:
    """What is there stays there."""
    with short_directory() as directory:
        path = directory / "run" / "s"
        path.parent.mkdir(mode=0o700)
        {"file": path.touch, "folder": path.mkdir, "link": lambda: path.symlink_to("nowhere")}[what]()

        with pytest.raises(InvalidInput, match="is no socket"):
            listen(path)
        assert path.exists() or path.is_symlink()


async def test_the_socket_of_a_living_signer_is_never_taken(tmp_path: Path) -> None:
    """That of one that died is."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            with pytest.raises(InvalidInput, match="another signer answers"):
                await apart(lambda: listen(path))
    with short_directory() as directory:
        listen(directory / "s").close()
        listen(directory / "s").close()


def test_a_path_that_no_socket_can_have_is_named(tmp_path: Path) -> None:
    """The system's own error says nothing of why."""
    with pytest.raises(InvalidInput, match="at most 100 bytes"):
        listen(tmp_path / ("x" * 100))


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    """Not the peer itself."""
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        peer = peer_of(here, exe=True)

    assert (peer.uid, peer.gid, peer.pid) == (os.getuid(), os.getgid(), os.getpid())
    assert peer.exe == str(Path("/proc/self/exe").readlink())


def test_a_system_that_cannot_say_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let in on their word."""
    monkeypatch.delattr(signer_daemon.socket, "SO_PEERCRED")

    with pytest.raises(InvalidInput, match="run the signer on Linux"):
        listen(Path("/nowhere/s"))
    with pytest.raises(OSError, match="run the signer on Linux"):
        peer_of(None)


async def test_whom_no_rule_names_is_shut_out_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is read from them, and the log says who it was."""
    with daemon(tmp_path / "keys", allow=rules("gate:schema", uid=os.getuid() + 1)) as held:
        async with listening(held) as path:
            with pytest.raises(KeyUnavailable, match="cannot be reached"):
                await apart(lambda: client(path).public_key)

    assert f"uid {os.getuid()} (pid {os.getpid()})" in caplog.text


async def test_a_denial_is_logged_without_what_was_to_be_signed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And a flood of them does not fill the disk."""
    caplog.set_level(logging.DEBUG, "squads.signer")
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:

            def flood() -> None:
                signer = client(path)
                for _ in range(50):
                    with pytest.raises(Denied, match="signs nothing as gate:schema here"):
                        signer.sign(b"a secret of somebody")

            await apart(flood)
            with pytest.raises(Denied, match="does not let uid"):
                await apart(lambda: client(path, "gate:style").public_key)

    assert len(caplog.records) == 2
    assert "secret" not in caplog.text


async def test_the_longest_message_goes_over_the_socket_and_a_longer_one_does_not(tmp_path: Path) -> None:
    """A message of the bus is signed whole; what is over the bound never leaves the client."""
    with daemon(tmp_path / "keys", allow=rules("builder:b+bus")) as held:
        async with listening(held) as path:
            signer = client(path, "builder:b")
            key = await apart(lambda: signer.key_id)
            longest = (b"squads.bus/v1\n%b\n" % key).ljust(MESSAGE_BYTES_MAX, b"x")

            assert verify_signature(signer.public_key, await apart(lambda: signer.sign(longest)), longest)
            with pytest.raises(Denied, match="over the bound"):
                await apart(lambda: signer.sign(longest + b"x"))
            with pytest.raises(Denied, match="so large"):
                await apart(lambda: signer.sign(longest * 2))


async def test_silent_and_slow_clients_stop_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own bounded time, and the one that waits longest makes room."""
    monkeypatch.setattr(signer_daemon, "CONNECTIONS_MAX", 8)
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            silent = [await apart(lambda: connected(path)) for _ in range(20)]
            slow = await apart(lambda: connected(path))
            slow.sendall(b"\0\0")

            assert len(await apart(lambda: client(path).public_key)) == 32
            await asyncio.gather(*(ended(connection) for connection in silent[:10]))
            for connection in (*silent[10:], slow):
                connection.close()


async def test_who_does_not_end_a_question_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection's slot comes free again."""
    monkeypatch.setattr(signer_daemon, "FRAME_SECONDS", 0.05)
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            slow = await apart(lambda: connected(path))
            slow.sendall(struct.pack(">I", 100) + b"{")

            assert await ended(slow)


async def test_who_says_nothing_is_hung_up_on_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a client that was hung up on comes again by itself."""
    monkeypatch.setattr(signer_daemon, "IDLE_SECONDS", 0.05)
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            signer = client(path)
            await apart(lambda: signer.attest(verdict(0)))
            assert await ended(await apart(lambda: connected(path)))
            assert await ended(signer._connection.dup())  # type: ignore[union-attr]

            payload, _ = await apart(lambda: signer.attest(verdict(1)))

    assert b'"actor_seq":1' in payload


async def test_a_frame_over_the_bound_ends_the_connection(tmp_path: Path) -> None:
    """Before any of it is read."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            greedy = await apart(lambda: connected(path))
            greedy.sendall(struct.pack(">I", 2**31))

            assert await ended(greedy)
            assert len(await apart(lambda: client(path).public_key)) == 32


async def test_a_client_that_disappears_costs_nothing(tmp_path: Path) -> None:
    """Its number is kept for its ticket: whoever asks for that again gets it."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:

            def ask_and_go(ticket: int) -> None:
                gone = connected(path)
                predicate = verdict(ticket).model_dump(mode="json")
                gone.sendall(frame({"do": "attest", "role": "gate:schema", "predicate": predicate}))
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                gone.close()

            for ticket in range(5):
                await apart(lambda ticket=ticket: ask_and_go(ticket))
            numbers = [(await apart(lambda t=t: client(path).attest(verdict(t))))[0] for t in range(6)]

    assert sorted(payload.split(b'"actor_seq":')[1][:1] for payload in numbers) == [b"%d" % n for n in range(6)]


async def test_questions_that_cannot_be_read_are_answered_and_cost_the_next_one_nothing(tmp_path: Path) -> None:
    """The frame was whole, so the connection goes on."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:

            def talk() -> list[bytes]:
                line = connected(path)
                heard = []
                for body in (b"[]", b"not json", frame({"do": "key", "role": "gate:schema"})[4:]):
                    line.sendall(struct.pack(">I", len(body)) + body)
                    (length,) = struct.unpack(">I", line.recv(4))
                    heard.append(line.recv(length))
                line.close()
                return heard

            heard = await apart(talk)

    assert [b"malformed" in answer for answer in heard] == [True, True, False]


# What a client believes ------------------------------------------------------------------------------------------


@asynccontextmanager
async def false_daemon(*answers: dict[str, object]) -> AsyncIterator[DaemonSigner]:
    """Answer whatever is asked with these, in turn; yields a client."""
    left, tasks = list(answers), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        while left and (head := await reader.read(4)):
            await reader.readexactly(struct.unpack(">I", head)[0])
            writer.write(frame(left.pop(0)))
        writer.close()
        await writer.wait_closed()

    with short_directory() as directory:
        server = await asyncio.start_unix_server(serve, directory / "s")
        signer = client(directory / "s")
        yield signer
        signer.close()
        server.close()
        await asyncio.gather(*tasks)


OWN, OTHER = InProcessSigner(b"\1" * 32), InProcessSigner(b"\2" * 32)


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([{"public_key": "00" * 32}], "gave no public key"),
        ([{"signature": OWN.sign(b"x").hex()}], "no signer of this version"),
        ([{"public_key": OWN.public_key.hex()}, {"signature": OTHER.sign(b"x").hex()}], "another key"),
        ([{"public_key": OWN.public_key.hex()}, {"signature": OWN.sign(b"y").hex()}], "another key"),
        ([{"public_key": OWN.public_key.hex()}, {"refused": "unavailable", "why": "full"}], "cannot sign as"),
        ([{"public_key": OWN.public_key.hex()}], "cannot be reached"),
    ],
    ids=["low order", "another answer", "another key", "other bytes", "unavailable", "gone"],
)
async def test_a_client_believes_no_answer_that_it_has_not_verified(answers: list[dict], words: str) -> None:
    """What comes back is the key's signature over what was asked, or an error."""
    async with false_daemon(*answers) as signer:

        def use() -> None:
            assert signer.public_key
            signer.sign(b"x")

        with pytest.raises(KeyUnavailable, match=words):
            await apart(use)


async def test_an_attested_verdict_on_another_ticket_is_not_believed(tmp_path: Path) -> None:
    """However genuine it is."""
    with daemon(tmp_path / "keys") as held:
        async with listening(held) as path:
            payload, signature = await apart(lambda: client(path).attest(verdict(0)))
            public = held.public_keys["gate:schema"].hex()
    answer = {"payload": base64_of(payload), "signature": signature.hex()}
    async with false_daemon(answer, {"public_key": public}) as signer:
        with pytest.raises(KeyUnavailable, match="another ticket"):
            await apart(lambda: signer.attest(verdict(1)))


def test_where_nobody_listens_the_error_says_what_to_start() -> None:
    """Nothing is signed, and nothing is signed with another key instead."""
    with short_directory() as directory, pytest.raises(KeyUnavailable, match="start it with `squads signer`"):
        client(directory / "s").sign(b"x")


def test_a_client_shows_no_secret() -> None:
    """It has none."""
    assert repr(DaemonSigner("/run/squads/s", "gate:schema")) == "DaemonSigner('/run/squads/s', 'gate:schema')"


def test_a_key_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    """Nor does the daemon start with the keys that are well kept."""
    with daemon(tmp_path / "keys"):
        pass
    (tmp_path / "keys" / "gate-schema.key").chmod(0o644)

    with pytest.raises(KeyUnavailable, match="others may read"):
        SignerDaemon(tmp_path / "keys", rules())
