"""Who may have what signed: deny by default, and each key says only what its role says."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from signer_scene import ME, ORIGIN, WORKSPACE, ask, daemon, digest, rules, signed_over, verdict

from squads.adapters.keys import InProcessSigner
from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.redis_bus.seals import OwnSeals
from squads.adapters.sealed_journal import SealedJournal, SignatureSeal
from squads.adapters.signer_rules import RULES_MAX, USES, AllowList, Judge, Peer, Unsigned, kind_of
from squads.contracts.errors import InvalidInput
from squads.contracts.records import (
    DeadlineRecord,
    EquivocationRecord,
    GrantRecord,
    ObjectionRecord,
    PolicyRecord,
    StopRecord,
)
from squads.contracts.thinking import Step
from squads.kernel.receipts import payload_of
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.keys import verify_signature
from squads.ledger.statement import statement_bytes
from squads.roster import signed

ABOUT: dict[str, Any] = {"workspace": WORKSPACE, "packet": "b" * 32}
KEY = InProcessSigner(b"\1" * 32)
EVERY_USE = frozenset({"bus", "journal", "roster"})


def test_a_user_may_use_what_a_rule_says_and_nothing_else() -> None:
    """Several rules of one user add up."""
    allow = AllowList.parse(
        ["# who may what", "", "uid=7: gate:schema+bus, runner", "  uid=7:gate:schema+journal", "uid=8:log+roster"]
    )

    assert allow.uses(Peer(7, 7, 1), "gate:schema") == {"bus", "journal"}
    assert allow.uses(Peer(7, 7, 1), "runner") == frozenset()
    assert allow.uses(Peer(7, 7, 1), "log") is None
    assert allow.uses(Peer(9, 7, 1), "gate:schema") is None
    assert allow.roles == ("gate:schema", "log", "runner")


def test_a_rule_can_name_the_executable_besides() -> None:
    """Then it holds for no other, nor where nobody can tell."""
    allow = AllowList.parse(["uid=7 exe=/usr/bin/squads: gate:schema"])

    assert allow.uses(Peer(7, 7, 1, "/usr/bin/squads"), "gate:schema") == frozenset()
    assert allow.uses(Peer(7, 7, 1, "/usr/bin/other"), "gate:schema") is None
    assert allow.uses(Peer(7, 7, 1), "gate:schema") is None
    assert allow.asks_exe


@pytest.mark.parametrize(
    "line",
    [
        "gate:schema",
        "uid=: gate:schema",
        "uid=01: gate:schema",
        "uid=-1: gate:schema",
        "uid=4294967295: gate:schema",
        "uid=root: gate:schema",
        "gid=7: gate:schema",
        "uid=7 exe=squads: gate:schema",
        "uid=7: ",
        "uid=7: gate:",
        "uid=7: gate:Schema",
        "uid=7: *",
        "uid=7: root",
        "uid=7: human:mara",
        "uid=7: program",
        "uid=7: journal",
        "uid=7: gate:a,,gate:b",
        "uid=7: gate:a, gate:a+bus",
        "uid=7: gate:a+everything",
        "uid=7: gate:a+roster",
        "uid=7: log+bus",
        "uid=7: runner+journal",
    ],
)
def test_a_line_that_is_no_rule_is_refused(line: str) -> None:
    """A rule that was read in another way than it was meant lets in the wrong one."""
    with pytest.raises(InvalidInput):
        AllowList.parse([line])


@pytest.mark.parametrize("lines", [[], ["# nobody"], ["uid=7: log"] * (RULES_MAX + 1)], ids=["none", "words", "many"])
def test_an_allow_list_has_some_rules_and_not_too_many(lines: list[str]) -> None:
    """The empty list lets in nobody, which nobody starts a signer for."""
    with pytest.raises(InvalidInput, match="1 to 1,000 rules"):
        AllowList.parse(lines)


def objection(author: str = "carpenter", **change: Any) -> bytes:
    """Return a builder's receipt."""
    fields = {**ABOUT, "request": digest(1), "author": author, "content": digest(2), **change}
    return payload_of(ObjectionRecord(**fields))


DEADLINE = payload_of(DeadlineRecord(**ABOUT, about=digest(3)))
EQUIVOCATION = payload_of(
    EquivocationRecord(**ABOUT, about=digest(1), author="schema", first=digest(2), second=digest(3))
)
STOP = StopRecord(workspace=WORKSPACE, author="runner", content=digest("why"))
ROOT = b64encode(b"\1" * 32).decode()
CHECKPOINT = f"{ORIGIN}\n5\n{ROOT}\n".encode()
BUS = b"squads.bus/v1\n%b\nedge\n{}" % KEY.key_id
JOURNAL = b'["squads.step-signature/v1", "x", "model", "y", 1]' + bytes(32)


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("gate:schema", signed_over(payload_of(verdict()))),
        ("builder:carpenter", signed_over(objection())),
        ("coordinator:carpenter", signed_over(objection())),
        ("runner", signed_over(DEADLINE)),
        ("runner", signed_over(EQUIVOCATION)),
        ("runner", signed_over(payload_of(STOP))),
        ("gate:schema", BUS),
        ("runner", BUS),
        ("gate:schema", JOURNAL),
        ("log", b"squads.roster/v1\n{}"),
        ("log", CHECKPOINT),
    ],
)
def test_a_key_signs_what_its_role_says(role: str, message: bytes) -> None:
    """Receipts by the table of kinds, and marks where the allow-list says so."""
    assert Judge(role, KEY.key_id, ORIGIN).judge(message, EVERY_USE)


class Heard(InProcessSigner):
    """Keeps what it was last asked to sign."""

    __slots__ = ("message",)

    def sign(self, message: bytes) -> bytes:
        self.message = message
        return super().sign(message)


async def said_by(use: str) -> bytes:
    """Return what the library itself has signed for a use."""
    heard = Heard(b"\1" * 32)
    match use:
        case "bus":
            OwnSeals(lambda _: heard, lambda _: None).seal("schema", "squads:a:to:runner", b"{}")
        case "journal":
            step = Step(kind="model", input=digest(1), turn=1, payload=b"reply")
            await SealedJournal(MemoryJournal(), SignatureSeal("gate:schema", heard, lambda _: None)).put(
                digest(2), step
            )
        case "checkpoint":
            sign_checkpoint(Checkpoint(ORIGIN, 5, b"\1" * 32), heard)
    return heard.message


@pytest.mark.parametrize(
    ("role", "use"), [("gate:schema", "bus"), ("runner", "bus"), ("gate:schema", "journal"), ("log", "checkpoint")]
)
async def test_what_the_library_has_signed_is_what_is_let_through(role: str, use: str) -> None:
    """The forms are written down in two places; they are the same."""
    said = Judge(role, KEY.key_id, ORIGIN).judge(await said_by(use), EVERY_USE)

    assert said == (Checkpoint(ORIGIN, 5, b"\1" * 32) if use == "checkpoint" else use)


def test_a_roster_begins_as_it_is_written() -> None:
    """As above, without a workspace."""
    assert USES["roster"][1] == signed._DOMAIN


REFUSED: dict[str, tuple[str, bytes]] = {
    "a gate's ticket": ("gate:schema", signed_over(DEADLINE)),
    "a gate's plan": ("gate:schema", signed_over(objection("schema"))),
    "a gate's stop": ("gate:schema", signed_over(payload_of(STOP.but(author="schema")))),
    "another gate's verdict": ("gate:schema", signed_over(payload_of(verdict(author="style")))),
    "a builder's verdict": ("builder:schema", signed_over(payload_of(verdict()))),
    "another builder's receipt": ("builder:mason", signed_over(objection())),
    "a runner's verdict": ("runner", signed_over(payload_of(verdict()))),
    "a runner's stop in another's name": ("runner", signed_over(payload_of(STOP.but(author="mara")))),
    "a runner's grant": (
        "runner",
        signed_over(payload_of(GrantRecord(workspace=WORKSPACE, subject="builder:b", scope="waiver"))),
    ),
    "a runner's policy": ("runner", signed_over(payload_of(PolicyRecord(workspace=WORKSPACE)))),
    "another workspace's verdict": ("gate:schema", signed_over(payload_of(verdict(workspace="f" * 32)))),
    "no statement": ("gate:schema", signed_over(b"{}")),
    "no record": ("gate:schema", signed_over(statement_bytes("verdict", (("subject", "a" * 64),), {"author": "x"}))),
    "another subject than the record's": (
        "gate:schema",
        signed_over(statement_bytes("verdict", (("subject", "a" * 64),), verdict().model_dump(mode="json"))),
    ),
    "raw bytes": ("gate:schema", b"sign this"),
    "nothing": ("gate:schema", b""),
    "another payload type": ("gate:schema", signed_over(payload_of(verdict())).replace(b"in-toto", b"in-t0t0")),
    "bytes after the payload": ("gate:schema", signed_over(payload_of(verdict())) + b" "),
    "a checkpoint by a gate": ("gate:schema", CHECKPOINT),
    "a verdict by the log": ("log", signed_over(payload_of(verdict()))),
    "another log's checkpoint": ("log", CHECKPOINT.replace(b"test.invalid", b"best.invalid")),
    "a checkpoint with a line more": ("log", CHECKPOINT + b"more\n"),
    "a checkpoint without its last line feed": ("log", CHECKPOINT[:-1]),
    "a checkpoint with more behind": ("log", CHECKPOINT + b"more"),
    "no text": ("log", b"\xff"),
    "a mark with another key": ("gate:schema", b"squads.bus/v1\n%b\nedge\n{}" % bytes(32)),
    "the key of the shared domain": ("runner", b"squads.bus/v1"),
    "a roster by a gate": ("gate:schema", b"squads.roster/v1\n{}"),
    "a journal's mark by the runner": ("runner", JOURNAL),
    "a worker's enrolment": ("gate:schema", b"squads.enrolment/v1\n{}"),
    "a person's opaque id": ("runner", b"squads.person/v1\nmara"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_everything_else_is_refused_with_a_reason(name: str) -> None:
    """Also where the allow-list lets the peer do everything that there is."""
    role, message = REFUSED[name]

    with pytest.raises(Unsigned) as refused:
        Judge(role, KEY.key_id, ORIGIN).judge(message, EVERY_USE)
    assert len(str(refused.value)) > 10
    assert digest("subject") not in str(refused.value), "and says nothing of the content"


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("gate:schema", BUS),
        ("gate:schema", JOURNAL),
        ("log", b"squads.roster/v1\n"),
    ],
)
def test_marks_are_signed_only_where_the_allow_list_says_so(role: str, message: bytes) -> None:
    """A rule without `+bus` gives receipts only."""
    with pytest.raises(Unsigned, match=r"it would say \+"):
        Judge(role, KEY.key_id, ORIGIN).judge(message, frozenset())


def test_without_an_origin_no_checkpoint_is_signed(tmp_path: Path) -> None:
    """Which log it would be is for trust.json to say."""
    with pytest.raises(Unsigned, match="its own log only"):
        Judge("log", KEY.key_id).judge(CHECKPOINT, EVERY_USE)
    with pytest.raises(InvalidInput, match="--trust"), daemon(tmp_path / "keys", "log", origin=None):
        pass


@pytest.mark.parametrize("role", ["root", "human:mara", "program", "people", "gate:", ""])
def test_a_daemon_keeps_no_key_of_people_nor_the_root(role: str) -> None:
    """A person's key is used by the person."""
    with pytest.raises(InvalidInput):
        kind_of(role)


# Asked of a daemon -------------------------------------------------------------------------------------------------


def test_a_stranger_is_denied_and_told_nothing(tmp_path: Path) -> None:
    """The same words whether there is such a key or not."""
    with daemon(tmp_path / "keys", "gate:schema") as held:
        stranger = Peer(ME.uid + 1, 0, 4)
        there = ask(held, "key", peer=stranger)
        not_there = ask(held, "key", role="gate:style", peer=stranger)

    assert there["refused"] == not_there["refused"] == "denied"
    assert there["why"].replace("schema", "style") == not_there["why"]


def test_a_role_is_used_by_whom_the_list_names_only(tmp_path: Path) -> None:
    """One user's gate is not another's, though both keys are here."""
    allow = AllowList.parse([f"uid={ME.uid}: gate:schema", f"uid={ME.uid + 1}: builder:carpenter"])
    with daemon(tmp_path / "keys", allow=allow) as held:
        answers = [ask(held, "key", role)["refused" if role != "gate:schema" else "public_key"] for role in allow.roles]

    assert answers[0] == "denied"
    assert len(answers[1]) == 64


def test_a_gates_verdict_is_attested_and_never_merely_signed(tmp_path: Path) -> None:
    """Else whoever asks would choose its number, or leave it out."""
    with daemon(tmp_path / "keys", "gate:schema", "builder:carpenter") as held:
        answers = [
            ask(held, "sign", message=signed_over(payload_of(verdict()))),
            ask(held, "attest", predicate=verdict(actor_seq=7).model_dump(mode="json")),
            ask(held, "attest", predicate=verdict(prev_by_actor="a" * 64).model_dump(mode="json")),
            ask(held, "attest", predicate=verdict(author="style").model_dump(mode="json")),
            ask(held, "attest", predicate={**verdict().model_dump(mode="json"), "more": 1}),
            ask(held, "attest", role="builder:carpenter", predicate=verdict().model_dump(mode="json")),
        ]
        assert {"refused"} == {answer["refused"] for answer in answers}
        attested = ask(held, "attest", predicate=verdict().model_dump(mode="json"))

        assert "signature" in attested, "and none of those had used a number"
        assert held._held["gate:schema"].state.next == 1  # type: ignore[union-attr]


def test_a_builders_receipt_is_signed_as_it_is(tmp_path: Path) -> None:
    """By the key whose public half the daemon gives."""
    with daemon(tmp_path / "keys", "builder:carpenter") as held:
        message = signed_over(objection())
        public = bytes.fromhex(ask(held, "key", "builder:carpenter")["public_key"])
        signature = bytes.fromhex(ask(held, "sign", "builder:carpenter", message=message)["signature"])

    assert verify_signature(public, signature, message)


def test_a_checkpoint_is_signed_and_never_taken_back(tmp_path: Path) -> None:
    """Not a smaller size, nor another root at the same one; the same one again is no harm."""

    def sign(size: int, root: bytes) -> str:
        text = Checkpoint(ORIGIN, size, root * 32).text.encode()
        return next(iter(ask(held, "sign", "log", message=text)))

    with daemon(tmp_path / "keys", "log") as held:
        assert [sign(5, b"a"), sign(5, b"a"), sign(9, b"b")] == ["signature"] * 3
        assert [sign(9, b"c"), sign(8, b"a"), sign(5, b"a")] == ["refused"] * 3
        assert sign(10, b"d") == "signature"


def test_every_rule_has_a_key_of_its_own(tmp_path: Path) -> None:
    """Made when the daemon first starts, and the same ever after."""
    allow = rules("gate:schema", "gate:style", "runner")
    with daemon(tmp_path / "keys", allow=allow) as held:
        first = held.public_keys
    with daemon(tmp_path / "keys", allow=allow) as held:
        again = held.public_keys

    assert first == again
    assert len(set(first.values())) == 3
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
