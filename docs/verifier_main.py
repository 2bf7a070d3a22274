"""The last part of the verifier that is one file: it reads two files and prints what was found.

`build_verifier.py` puts the ledger's own files before it; nothing here checks anything.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from importlib.util import find_spec
from pathlib import Path

from squads.ledger.bundle import BUNDLE_BYTES_MAX
from squads.ledger.errors import Malformed
from squads.ledger.offline import BundleReport, verify_bundle
from squads.ledger.trust import Trust

MARKS = {"passed": "✓", "failed": "✗", "warned": "!", "unchecked": "–"}


def main(arguments: list[str] | None = None) -> int:
    """Verify a bundle and return 0 when every check passed, 1 when one failed, 2 when it could not be found out."""
    parser = ArgumentParser(description="Verify a bundle of one packet offline, with nothing but trust.json.")
    parser.add_argument("bundle", type=Path, help="the file that `squads bundle` wrote")
    parser.add_argument("--trust", type=Path, required=True, help="trust.json, from somebody you believe")
    parser.add_argument(
        "--seen", type=Path, action="append", default=[], help="a signed checkpoint that you hold; may be repeated"
    )
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the report as JSON")
    asked = parser.parse_args(arguments)
    if find_spec("cryptography") is None:
        return _give_up("the Python package cryptography is missing; install it")
    try:
        with asked.trust.open("rb") as file:
            trust = Trust.from_json(file.read(65_536))
        with asked.bundle.open("rb") as file:
            data = file.read(BUNDLE_BYTES_MAX + 1)
        seen = [path.read_text("utf-8") for path in asked.seen]
    except OSError as error:
        return _give_up(f"cannot read {error.filename}: {error.strerror}")
    except UnicodeDecodeError:
        return _give_up("a file given with --seen is no text, so no signed checkpoint")
    except Malformed as error:
        return _give_up(f"{asked.trust} is no trust.json: {error}")
    report = verify_bundle(data, trust, seen=seen)
    for line in [json.dumps(report.as_json())] if asked.as_json else _lines(report):
        print(line)
    return report.exit_code


def _lines(report: BundleReport) -> list[str]:
    lines = [f"Packet {report.packet or '?'} of {report.origin}", report.outcome_said]
    for found in report.results:
        left_open = "not checked: " if found.state == "unchecked" else ""
        lines.append(f"  {MARKS[found.state]} {found.check:<14}{left_open}{found.message}")
    return [_visible(line) for line in [*lines, report.conclusion]]


def _visible(text: str) -> str:
    """Return text in which nothing is a command to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _give_up(sentence: str) -> int:
    sys.stderr.write(f"squads_verify: {_visible(sentence)}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
