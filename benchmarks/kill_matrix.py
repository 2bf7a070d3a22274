"""The kill matrix: a packet whose roles ask models, killed at every point there is, and what was paid twice.

    python benchmarks/kill_matrix.py                                           prints the table
    python benchmarks/kill_matrix.py --page docs/explanation/paying-once.md    writes it into the page

The program that is killed, the points and the server that counts are those of `tests/faults/test_model_kill.py`, which
kills at every fifth of them.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
import model_matrix

MARKS = re.compile(r"(<!-- table: [^>]*-->\n).*?(<!-- table end -->)", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill a packet at every point and count what is paid twice.")
    parser.add_argument("--page", type=Path, help="write the table into this page, between its two marks")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = list(model_matrix.points(Path(folder)))
    composed = {str(point["outcome"]) for point in found}
    wrong = [point for point in found if point["failed"] or point["outcome"]["kind"] != "composed"]
    if wrong or len(composed) != 1:
        sys.exit(f"a killed run did not end as the undisturbed one: {wrong or composed}")
    table = model_matrix.table(found)
    print(table)
    if given.page:
        page = given.page.read_text("utf-8")
        given.page.write_text(MARKS.sub(lambda marks: f"{marks[1]}\n{table}\n\n{marks[2]}", page), "utf-8")


if __name__ == "__main__":
    main()
