"""`squads dead`: what nobody could handle is shown as it came, and goes back only where it is genuine."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk_store import HOSTILE, fill

from squads.adapters.redis_bus.border import Border
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.seals import SharedSeals, shared_key
from squads.cli.app import main
from squads.cli.letters import BODY_CHARS_MAX, seals_of
from squads.contracts.messages import Envelope, Failed, PlanRequest
from squads.desk import Desk
from squads.testing.redis_server import RedisServer

D = "c" * 64


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A server for all tests here; every workspace has keys of its own."""
    with RedisServer() as server:
        yield server


class Scene:
    """A workspace with a bus."""

    def __init__(
        self,
        place: Path,
        server: RedisServer,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        *,
        bus_key: bool = True,
    ) -> None:
        self.place, self.server, self.monkeypatch, self.capsys = place, server, monkeypatch, capsys
        monkeypatch.chdir(place)
        fill(place)
        asyncio.run(self._open(bus_key))

    async def _open(self, bus_key: bool) -> None:
        async with Desk.open(self.place / ".squads") as desk:
            self.workspace = desk.workspace.id
            key = shared_key(desk.workspace.signer("bus")) if bus_key else bytes(32)
            await desk.workspace.found(())
            own = seals_of(desk.workspace, "own")
            self.names = Names(self.workspace)
            body = PlanRequest(
                packet="b" * 32, workspace=self.workspace, content=D, due_ms=1, request=D, attempt=1,
                builders=("a",), gates=(),
            )  # fmt: skip
            self.asked = Envelope.to_role("coord", D, body, prior=D)
            self.edge = self.names.edge_of(self.asked)
            self.border = Border(self.workspace, SharedSeals(key))
            self.written_own = Border(self.workspace, own).written(self.asked, self.edge.key)

    def bury(self, fields: dict[bytes, bytes], *, reason: str | bytes = "crashed", edge: str | None = None) -> str:
        """Lay out a dead letter as the bus does; return its id."""
        more: dict[Any, Any] = {"edge": edge or self.edge.key, "entry": "7-1", "deliveries": "3", "reason": reason}
        with self.server.client() as client:
            id: Any = client.xadd(self.names.dead, fields | more)
        return str(id.decode())

    def genuine(self) -> str:
        """Bury a genuine request."""
        return self.bury(self.border.written(self.asked, self.edge.key))

    def dead(self, *arguments: str, bus: str | None = None) -> tuple[int, str]:
        """Run `squads dead`; return its exit code and what it printed, errors last."""
        self.monkeypatch.setattr(sys, "argv", ["squads", "dead", *arguments, "--bus", bus or self.server.url])
        with pytest.raises(SystemExit) as ended:
            main()
        said = "".join(self.capsys.readouterr())
        assert self.server.password not in said
        return int(ended.value.code or 0), said

    def json(self, *arguments: str) -> Any:
        """Run `squads dead ... --json`; return what it printed."""
        code, said = self.dead(*arguments, "--json")
        assert code == 0, said
        return json.loads(said)

    def backlog(self) -> int:
        """How many messages wait on the edge."""
        with self.server.client() as client:
            return int(client.xlen(self.edge.key))


@pytest.fixture
def scene(
    tmp_path: Path, server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scene:
    """A workspace that has used the bus."""
    return Scene(tmp_path, server, monkeypatch, capsys)


def test_a_dead_letter_is_listed_shown_and_sent_again(scene: Scene) -> None:
    """Each command says what to type next."""
    assert scene.dead("list") == (0, "No dead letters.\n")
    id = scene.genuine()

    code, listed = scene.dead("list")
    assert (0, True) == (code, listed.startswith("1 dead letter, newest first.\n"))
    assert f"{id}  runner → coord@{D[:16]}, plan, packet bbbbbbbb" in listed
    assert "delivered 3 times\n  crashed\n" in listed
    assert f"send it again: squads dead replay {id}" in listed

    code, shown = scene.dead("show", id)
    assert code == 0
    assert f"entry 7-1 of {scene.edge.key}" in shown
    assert '|   "sender": "runner",' in shown

    code, said = scene.dead("replay", id)
    assert (0, True) == (code, said.startswith(f"Sent again: {id}  runner → coord@"))
    assert 1 == scene.backlog()
    assert (2, True) == ((done := scene.dead("replay", id))[0], f"there is no dead letter {id}" in done[1])


def test_what_is_forged_is_shown_as_that_and_stays(scene: Scene) -> None:
    """It says why it is never sent again; exit code 2, and nothing changed."""
    id = scene.bury({**scene.border.written(scene.asked, scene.edge.key), b"s": b"x" * 32}, reason="forged")

    _, listed = scene.dead("list")
    assert "forged: its signature is not of these bytes for this stream\n" in listed
    assert "never sent again: forged" in listed
    _, shown = scene.dead("show", id)
    assert "not a genuine message: forged: its signature" in shown
    assert "what follows may be anybody's words" in shown
    code, said = scene.dead("replay", id)
    assert (2, True) == (code, "is never sent again (forged: " in said)
    assert 0 == scene.backlog()


def test_garbage_neither_moves_the_terminal_nor_floods_it(scene: Scene) -> None:
    """Control characters are shown escaped, and one letter is a few screens at most."""
    raw = (HOSTILE + "x" * 60_000).encode() + b"\xff\xfe"
    id = scene.bury({b"b": raw, b"s": b"\x1b[2J", b"k": b"\x1b]0;k\x07"}, reason=HOSTILE, edge=HOSTILE)

    for arguments in (("list",), ("show", id), ("show", id, "--json"), ("list", "--json")):
        code, said = scene.dead(*arguments)
        assert code == 0
        assert not set("\x1b\x07\u202e") & set(said)
        assert len(said) < BODY_CHARS_MAX + 3_000
    body = scene.json("show", id)
    assert BODY_CHARS_MAX == len(body["body"])
    assert body["body_chars_left_out"] > 50_000
    assert "more characters" in scene.dead("show", id)[1]


def test_json_says_the_same_to_a_program(scene: Scene) -> None:
    """Whole ids, and null where nothing can be known."""
    id, other = scene.genuine(), scene.bury({b"b": b"?"})

    listed = scene.json("list")
    assert (2, [other, id]) == (listed["total"], [letter["id"] for letter in listed["letters"]])
    genuine = {"genuine": True, "refused": None, "sender": "runner", "kind": "plan", "packet": "b" * 32}
    assert genuine.items() <= listed["letters"][1].items()
    unknown = {"genuine": False, "refused": "unsigned", "sender": None, "kind": None, "size_bytes": 1}
    assert unknown.items() <= listed["letters"][0].items()
    assert [id] == [letter["id"] for letter in scene.json("list", "--oldest", "--limit", "1")["letters"]]
    assert [other] == [letter["id"] for letter in scene.json("list", "--oldest", "--after", id)["letters"]]
    assert {"replayed": True, "id": id, "exit_code": 0}.items() <= scene.json("replay", id).items()


def test_a_long_list_says_how_to_go_on(scene: Scene) -> None:
    """Nothing is left out silently."""
    ids = [scene.genuine() for _ in range(3)]

    assert f"more: squads dead list --after {ids[1]}\n" in scene.dead("list", "--limit", "2")[1]
    assert f"more: squads dead list --after {ids[1]} --oldest\n" in scene.dead("list", "--limit", "2", "--oldest")[1]
    assert "more:" not in scene.dead("list", "--after", ids[1])[1]
    assert "No more dead letters." in scene.dead("list", "--after", ids[0])[1]


def test_where_each_worker_has_keys_of_its_own_the_two_ways_do_not_mix(scene: Scene) -> None:
    """A letter that the runner's own key signed is genuine with `--signing own`, and only there."""
    id = scene.bury(scene.written_own)

    assert (2, True) == ((done := scene.dead("replay", id))[0], "(unknown-key: " in done[1])
    assert (0, 1) == (scene.dead("replay", id, "--signing", "own")[0], scene.backlog())
    shared = scene.genuine()
    assert "(unknown-key: " in scene.dead("replay", shared, "--signing", "own")[1]


def test_an_answer_of_a_role_with_a_revoked_or_unknown_key_stays(scene: Scene) -> None:
    """Only keys that hold their role now count."""
    answer = scene.asked.reply(Failed(about=D, reason="crashed"))
    edge = scene.names.edge_of(answer)
    id = scene.bury({**scene.written_own, b"b": answer.model_dump_json().encode()}, edge=edge.key)

    assert "(forged: " in scene.dead("replay", id, "--signing", "own")[1]


def test_what_cannot_be_opened_is_one_sentence(
    tmp_path: Path,
    server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    keys_outside_the_user: Path,
) -> None:
    """No address, no such way of signing, no bus key, no server: each says what to do."""
    scene = Scene(tmp_path, server, monkeypatch, capsys, bus_key=False)

    for arguments, bus, sentence in (
        (("list",), "http://x", "http"),
        (("list",), None, "bus.key is not on this machine"),
        (("list", "--signing", "maybe"), None, "--signing is 'shared' or 'own', not 'maybe'"),
        (("list", "--signing", "own"), "redis://:pw@127.0.0.1:1", "127.0.0.1:1"),
        (("list", "--signing", "own", "--after", "first"), None, "'first' is no id of a dead letter"),
    ):
        code, said = scene.dead(*arguments, bus=bus)
        assert (2, True) == (code, sentence in said), said
        assert 1 == said.count("\n"), said
        assert ":pw" not in said
    assert not list(keys_outside_the_user.rglob("bus.key")), "looking made a key"


def test_the_bus_may_be_named_by_the_environment(scene: Scene) -> None:
    """A password on a command line is for everybody to read; without either it says what to give."""
    scene.monkeypatch.setattr(sys, "argv", ["squads", "dead", "list"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert 2 == ended.value.code
    assert "no bus was named; give --bus redis://HOST:PORT, or set SQUADS_BUS" in scene.capsys.readouterr().err

    scene.monkeypatch.setenv("SQUADS_BUS", scene.server.url)
    with pytest.raises(SystemExit) as ended:
        main()
    assert (0, "No dead letters.\n") == (ended.value.code or 0, scene.capsys.readouterr().out)
