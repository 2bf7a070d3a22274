"""The report of a packet: every ending is told, the two forms say the same, and nothing is written by reading."""

from __future__ import annotations

import asyncio
import hashlib
import html
import re
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import page_scenes as scenes
import pytest

from squads.contracts.errors import InvalidInput, LedgerBroken, StorageUnavailable, UnknownPacket
from squads.contracts.outcome import Outcome
from squads.desk import Desk
from squads.erasing import erase
from squads.ledger.leaf import decode_leaf, leaf_hash
from squads.pages import page as pages
from squads.pages.reading import packet_in

ENDINGS: list[tuple[Callable[[Path], Outcome], list[str]]] = [
    (
        scenes.composed,
        [
            "Composed",
            "style refused attempt 1: “Line 2 begins with a tab.” at a.txt:2:1",
            "Since attempt 1: changed a.txt",
            "approved it by flag, which is not a person",
            "The composed artifact is",
            "four spaces",
            "owner (p",
            "holds",
        ],
    ),
    (
        scenes.panelled,
        ["its members: first approved, second refused and third approved", "second refuses, and was outvoted"],
    ),
    (scenes.refused, ["Not composed", "task-refused", "a gate refused every attempt"]),
    (scenes.abstained, ["Not composed", "gate-abstained", "could not look: a.txt is in a language that nobody"]),
    (scenes.waiting, ["Waiting for people", "It waits for 1 of owner (p"]),
    (scenes.halted, ["Halted", "was stopped by program: the house is on fire. A person must lift the stop."]),
    (scenes.plan_refused, ["Not composed", "plan-refused", "One task for everything."]),
    (scenes.two_tasks, ["cut it into 2 tasks: “words” for builder and “index” for builder", "attempt 1 of “index”"]),
    (scenes.waived, ["signed a waiver that style may cite once", "tabs are the house style", "citing a waiver"]),
    (scenes.unsafe, ["Nobody looked through an unsafe gate", "unsafe-no-gate approves without reading"]),
]


def words_of(page: str) -> str:
    """What a reader of the HTML sees, without marks."""
    body = re.sub(r"<(style|head|svg).*?</\1>", "", page, flags=re.DOTALL)
    body = html.unescape(re.sub(r"<[^>]*>", "", body))
    return plain(re.sub(r"[✓✗•?] ", "", body))


def words_in(page: str) -> str:
    """What a reader of the Markdown sees, without marks."""
    page = re.sub(r"\\([\W_])", r"\1", page).replace("&#8203;", "").replace("**", "").replace("`", "")
    return plain(re.sub(r"[✓✗•?] ", "", html.unescape(page)))


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("scene", "expected"), ENDINGS, ids=[scene.__name__ for scene, _ in ENDINGS])
def test_every_ending_is_told_in_both_forms(
    tmp_path: Path, scene: Callable[[Path], Outcome], expected: list[str]
) -> None:
    """Who asked, who built, what was refused and why, how it ended: the same words in HTML and in Markdown."""
    outcome = scene(tmp_path / "store")

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert [e for e in expected if e not in words_of(in_html)] == []
    assert [e for e in expected if e not in words_in(in_markdown)] == []


def test_a_page_says_which_model_judged_and_what_it_misquoted(tmp_path: Path) -> None:
    """The model beside the verdict and in the table of roles; a mark beside evidence that is not there."""
    outcome = scenes.unanchored(tmp_path / "store")

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    for words in (words_of(in_html), words_in(in_markdown)):
        assert "refused: 1 finding, 1 without an anchor" in words
        assert "evidence not found there" in words
        assert words.count("anthropic:claude-sonnet-4-5") >= 2
        assert "openai:gpt-4o" in words
        assert "third" in words


@pytest.mark.parametrize("scene", [s for s, _ in ENDINGS], ids=[s.__name__ for s, _ in ENDINGS])
def test_the_two_forms_have_the_same_sections_and_tables(tmp_path: Path, scene: Callable[[Path], Outcome]) -> None:
    """Both are written from one list of blocks."""
    outcome = scene(tmp_path / "store")

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    titles = [plain(html.unescape(re.sub("<[^>]*>", "", t))) for t in re.findall(r"<h2>(.*?)</h2>", in_html)]
    assert titles == re.findall(r"^## (.*)$", in_markdown, re.MULTILINE)
    assert in_html.count("<tr>") == len(re.findall(r"^\| (?!---)", in_markdown, re.MULTILINE))


def test_the_same_store_gives_the_same_bytes_and_is_not_changed(tmp_path: Path) -> None:
    """No clock, no order of a set, no path of a machine; and reading appends nothing."""
    outcome = scenes.composed(tmp_path / "store")
    database = tmp_path / "store" / "ledger.db"
    before = hashlib.sha256(database.read_bytes()).digest()

    first = scenes.both(tmp_path / "store", outcome.packet)

    assert first == scenes.both(tmp_path / "store", outcome.packet)
    assert before == hashlib.sha256(database.read_bytes()).digest()


def test_a_page_needs_no_private_key(tmp_path: Path) -> None:
    """Whoever has the store and the keys of its content can read it; names of people come from the packet itself."""
    outcome = scenes.composed(tmp_path / "store")
    for key in (tmp_path / "keys").rglob("*.key"):
        key.unlink()

    _, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert "owner (p" in in_markdown
    assert not list((tmp_path / "keys").rglob("*.key"))


def test_a_page_without_the_keys_of_its_content_is_none(tmp_path: Path) -> None:
    """What is closed is not said to be erased: the sentence says which file is missing."""
    outcome = scenes.composed(tmp_path / "store")
    (tmp_path / "keys").rename(tmp_path / "elsewhere")

    with pytest.raises(StorageUnavailable, match=r"content\.slots.*SQUADS_HOME"):
        scenes.both(tmp_path / "store", outcome.packet)
    assert not (tmp_path / "keys").exists()


def test_a_packet_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    """Enough to name it; too little, a stranger's, or something else is a sentence."""
    outcome = scenes.refused(tmp_path / "store")

    with packet_in(tmp_path / "store", outcome.packet[:8], keys=tmp_path / "keys") as moment:
        assert outcome.packet == moment.packet
    for wrong, error in (("abc", InvalidInput), ("workspace", InvalidInput), ("f" * 32, UnknownPacket)):
        with pytest.raises(error), packet_in(tmp_path / "store", wrong, keys=tmp_path / "keys"):
            pass
    with pytest.raises(StorageUnavailable), packet_in(tmp_path / "nowhere", outcome.packet):
        pass


def test_content_that_nobody_erased_is_said_to_be_lost(tmp_path: Path) -> None:
    """Brief, findings and files are gone: the receipts are still told, and nothing is guessed."""
    outcome = scenes.composed(tmp_path / "store")
    gone = scenes.erase(tmp_path / "store", b'"brief"', b"first\n", b'"refused"', b'"manifest"')
    assert gone >= 5

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    for words in (words_of(in_html), words_in(in_markdown)):
        assert "style had 1 finding: content lost" in words
        assert "No receipt says that it was erased" in words
        assert "content erased" not in words
        assert "without it the rules cannot be replayed" in words
        assert "Composed" in words
        assert "four spaces" not in words


def test_erased_content_is_said_to_be_erased(tmp_path: Path) -> None:
    """A receipt says so, and so does the page; nothing of it is called lost."""
    outcome = scenes.composed(tmp_path / "store")

    async def erased() -> None:
        async with Desk.open(tmp_path / "store", keys=tmp_path / "keys") as desk:
            await erase(desk.workspace, outcome.packet, person="owner")

    asyncio.run(erased())
    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    for words in (words_of(in_html), words_in(in_markdown)):
        assert "style had 1 finding: content erased" in words
        assert "its content was erased, as receipt" in words
        assert "Composed" in words
        assert "ontent lost" not in words
        assert "four spaces" not in words


def test_a_packet_with_everything_gone_still_has_a_page(tmp_path: Path) -> None:
    """The receipts alone say who did what when."""
    outcome = scenes.composed(tmp_path / "store")
    scenes.erase(tmp_path / "store", b"")

    _, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert "It ended: every required gate approved exactly these bytes" in in_markdown


def test_changed_content_is_not_shown(tmp_path: Path) -> None:
    """A blob without its digest may be anything: the page says that it was changed."""
    outcome = scenes.refused(tmp_path / "store")
    connection = sqlite3.connect(tmp_path / "store" / "ledger.db")
    connection.execute("DROP TRIGGER content_update")
    done = connection.execute(
        "UPDATE content SET sealed = ? WHERE digest = ?", (b"first\n\tforged\n", sha256(b"first\n\tsecond\n").digest())
    )
    assert done.rowcount == 1
    connection.commit()
    connection.close()

    _, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert "Content was changed after it was stored" in in_markdown
    assert "forged" not in in_markdown


def test_a_changed_receipt_gives_no_page(tmp_path: Path) -> None:
    """What is no longer what was signed is not told at all."""
    outcome = scenes.refused(tmp_path / "store")
    connection = sqlite3.connect(tmp_path / "store" / "ledger.db")
    connection.execute("DROP TRIGGER entry_update")
    for seq, leaf in connection.execute("SELECT seq, leaf FROM entry").fetchall():
        changed = leaf.replace(b"refused", b"approve")
        connection.execute("UPDATE entry SET leaf = ? WHERE seq = ?", (changed, seq))
    connection.commit()
    connection.close()

    with pytest.raises(LedgerBroken), packet_in(tmp_path / "store", outcome.packet, keys=tmp_path / "keys"):
        pass


def test_a_forged_signature_gives_no_page(tmp_path: Path) -> None:
    """Every signature is checked, also where the rows of the database agree with each other."""
    outcome = scenes.refused(tmp_path / "store")
    connection = sqlite3.connect(tmp_path / "store" / "ledger.db")
    connection.execute("DROP TRIGGER entry_update")
    seq, leaf = connection.execute("SELECT seq, leaf FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    forged = leaf.replace(decode_leaf(leaf).signatures[0][1], bytes(64))
    assert forged != leaf
    connection.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE seq = ?", (forged, leaf_hash(forged), seq))
    connection.commit()
    connection.close()

    with (
        pytest.raises(LedgerBroken, match="signature"),
        packet_in(tmp_path / "store", outcome.packet, keys=tmp_path / "keys"),
    ):
        pass


def test_the_page_says_how_to_check_it(tmp_path: Path) -> None:
    """The command, the checkpoint in full, size and root in the footer."""
    outcome = scenes.refused(tmp_path / "store")
    with packet_in(tmp_path / "store", outcome.packet, keys=tmp_path / "keys") as moment:
        note, root, size = moment.note, moment.checkpoint.root.hex(), moment.checkpoint.size

    in_html, in_markdown = scenes.both(tmp_path / "store", outcome.packet)

    assert f"squads verify {tmp_path / 'store'}" in in_markdown
    assert note in in_markdown
    for line in note.strip().split("\n"):
        assert html.escape(line) in in_html
    footer = in_html[in_html.index("<footer>") :]
    assert root in footer
    assert f"{size} receipts" in footer


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [("RECEIPTS_SHOWN_MAX", "between left out"), ("STORY_LINES_MAX", "left out; see the receipts")],
)
def test_what_is_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, sentence: str) -> None:
    """A page is bounded, and names what it does not show."""
    outcome = scenes.composed(tmp_path / "store")
    whole = scenes.both(tmp_path / "store", outcome.packet)[1]
    monkeypatch.setattr(pages, bound, 4)

    cut = scenes.both(tmp_path / "store", outcome.packet)[1]

    assert sentence not in whole
    assert sentence in cut
    assert len(cut) < len(whole)
