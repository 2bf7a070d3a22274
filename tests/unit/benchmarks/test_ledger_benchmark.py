"""`benchmarks/ledger.py`: what is measured is genuine, and figures become the page's tables and pictures."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from itertools import islice
from pathlib import Path

import pytest

from squads.kernel.receipts import receipt_of
from squads.kernel.replay import Replay

ROOT = Path(__file__).resolve().parents[3]
BENCHMARKS = str(ROOT / "benchmarks")
PAGE = ROOT / "docs/explanation/performance.md"
sys.path.insert(0, BENCHMARKS)
ledger, ledger_made, ledger_phases, ledger_plots, ledger_tables = map(
    import_module, ("ledger", "ledger_made", "ledger_phases", "ledger_plots", "ledger_tables")
)
sys.path.remove(BENCHMARKS)

RATE = {"per_s": 1234.5, "raw_per_s": 2469.0, "per_raw": 0.5, "p99_ms": 7.0}
FIGURES = {
    size: {
        "memory_mib": {phase: {"at_start": 50.0, "peak": 50.0 + size / 1000} for phase in ledger_phases.PHASES},
        "bytes_per_entry": 890,
        **{row[0]: RATE for row in ledger_tables.ROWS},
        "postgres": {"single": RATE},
    }
    for size in (1_000, 10_000)
}


async def test_the_phases_give_every_row_of_the_table(tmp_path: Path) -> None:
    """With the smallest numbers, one after the other on the ledger that the first one filled."""
    found = {}
    for phase in ledger_phases.PHASES.values():
        found |= await phase(tmp_path, 300, 2)

    for key, _, beside, _, _ in ledger_tables.ROWS:
        assert found[key]["per_s"] > 0
        assert not beside or found[key]["per_raw"] > 0


def test_each_phase_is_a_process_that_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a size, with the memory of each process; the ledger that was measured is gone."""
    ledger.main(["--quick", "--folder", str(tmp_path), "--phases", "verify"])

    line = json.loads(capsys.readouterr().out)
    assert {"fill", "verify"} == set(line["memory_mib"])
    assert all(part["peak"] >= part["at_start"] > 0 for part in line["memory_mib"].values())
    assert line["verify"]["per_s"] > 0
    assert [] == list(tmp_path.iterdir())


async def test_copies_of_a_packet_are_what_the_rules_demand() -> None:
    """A replay that is timed ends like one of packets that were really run, or it would say so."""
    template = await ledger_made.recorded()
    rules = Replay(template.manifests.get)
    for receipt in template.workspace:
        rules.feed(receipt)
    copies = list(ledger_made.copies(template, 3))
    for lines in copies:
        for line in lines:
            rules.feed(receipt_of(*line))
    rules.close()

    assert [ledger_made.PACKET_RECEIPTS] * 3 == [len(lines) for lines in copies]
    assert {} == rules.packets


def test_entries_go_on_where_they_were_left() -> None:
    """Filling in pieces gives the ledger that filling at once gives."""
    assert list(islice(ledger_made.entries_from(0), 60))[30:] == list(islice(ledger_made.entries_from(30), 30))


def test_the_tables_stand_between_the_pages_marks(tmp_path: Path) -> None:
    """Every row and every size, on the page as it is; a page without marks is refused."""
    text = ledger_tables.tables_of(FIGURES, {"sqlite": "3"}, 5)
    page = ledger_tables.page_with(PAGE.read_text("utf-8"), text)

    assert text in page
    assert page == ledger_tables.page_with(page, text)
    assert all(row[1] in text for row in ledger_tables.ROWS)
    assert "at 10,000" in text
    with pytest.raises(ValueError, match="no room"):
        ledger_tables.page_with("no marks", text)


def test_the_pictures_are_small_and_the_same_for_the_same_figures(tmp_path: Path) -> None:
    """Text stays text, no font and no date goes in, and the page shows both."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        ledger_plots.draw(FIGURES, tmp_path / folder)
    for name in (ledger_plots.COSTS, ledger_plots.MEMORY):
        drawn = (tmp_path / "one" / name).read_text("utf-8")

        assert drawn == (tmp_path / "two" / name).read_text("utf-8")
        assert len(drawn) < 100_000
        assert "receipts in the ledger" in drawn
        assert "@font-face" not in drawn
        assert f"({name})" in PAGE.read_text("utf-8")
