"""The verifier that is one file: as it would be built now, and alone it finds what the library finds."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "tests" / "unit" / "ledger")]

import bundle_scene  # noqa: E402
import test_bundle_forged as forged  # noqa: E402
from build_verifier import TARGET, built  # noqa: E402

from squads.ledger.offline import BUNDLE_CHECKS, verify_bundle  # noqa: E402

LINES_MAX = 3_100
"""What a person can read in an afternoon."""
ALONE = """
import json, runpy, sys
sys.path.append(sys.argv.pop(1))
try:
    import squads
except ModuleNotFoundError:
    pass
else:
    sys.exit("squads can be imported here, so this shows nothing")
main = runpy.run_path(sys.argv[1])["main"]
for line in sys.stdin:
    print(json.dumps(main(json.loads(line))), flush=True)
"""


@pytest.fixture(scope="module")
def cryptography(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder from which `cryptography` and what it needs can be imported, and nothing else."""
    folder = tmp_path_factory.mktemp("only-cryptography")
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        found = importlib.util.find_spec(name)
        if found is not None and found.origin is not None:
            source = Path(found.origin)
            source = source.parent if found.submodule_search_locations else source
            os.symlink(source, folder / source.name)
    return folder


def alone(folder: Path, calls: list[list[str]]) -> list[str]:
    """Return the lines that the file prints when it is called alone, one process for all calls."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "utf8", "-c", ALONE, str(folder), str(TARGET)],
        input="".join(json.dumps(call) + "\n" for call in calls),
        capture_output=True,
        check=False,
        timeout=60,
        encoding="utf-8",
    )
    assert ("", 0) == (done.stderr, done.returncode)
    return done.stdout.splitlines()


def test_every_check_of_a_bundle_says_what_to_do_when_it_fails() -> None:
    """The page's table is the list of checks, in its order, with its words."""
    page = (ROOT / "docs" / "how-to" / "verify-a-bundle.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)

    assert list(BUNDLE_CHECKS.items()) == [(name, shows) for name, shows, _ in rows]
    assert all(len(what) > 6 for _, _, what in rows)


def test_building_it_again_gives_the_same_bytes() -> None:
    """What is in the repository is what the sources say; `python docs/build_verifier.py` writes it."""
    assert TARGET.read_text("utf-8") == built() == built()


def test_it_is_short_enough_to_be_read() -> None:
    """And needs only what it says that it needs."""
    text = TARGET.read_text("utf-8")

    assert len(text.splitlines()) <= LINES_MAX
    assert "squads.ledger import" not in text
    assert "import squads" not in text


def test_alone_it_finds_what_the_library_finds(tmp_path: Path, cryptography: Path) -> None:
    """In an interpreter that cannot import squads: good bundles, and every forgery that the library knows."""
    scenes = [bundle_scene.composed() for _ in range(2 + len(forged.STOLEN_LOG_KEY) + len(forged.STOLEN_RUNNER_KEY))]
    for scene, forgery in zip(scenes[2:], [*forged.STOLEN_LOG_KEY, *forged.STOLEN_RUNNER_KEY], strict=True):
        forgery.change(scene)
    files = [scene.bundle().to_json() for scene in scenes]
    files += [scenes[0].bundle(log="a stranger").to_json(), scenes[0].bundle(anchored=(7,)).to_json(), b"{}"]
    trust = tmp_path / "trust.json"
    trust.write_bytes(scenes[0].trust.to_json())
    calls = []
    for number, data in enumerate(files):
        (tmp_path / f"{number}.json").write_bytes(data)
        calls.append([str(tmp_path / f"{number}.json"), "--trust", str(trust), "--json"])
    lines = alone(cryptography, calls)
    reports = [verify_bundle(data, scenes[0].trust) for data in files]

    assert [report.as_json() for report in reports] == [json.loads(line) for line in lines[::2]]
    assert [str(report.exit_code) for report in reports] == lines[1::2]
    assert {0, 1} == {report.exit_code for report in reports}


def test_alone_it_speaks_to_a_person(tmp_path: Path, cryptography: Path) -> None:
    """Each check on a line of its own, and a mistake in one sentence."""
    scene = bundle_scene.composed()
    (tmp_path / "b.json").write_bytes(scene.bundle().to_json())
    (tmp_path / "trust.json").write_bytes(scene.trust.to_json())
    lines = alone(cryptography, [[str(tmp_path / "b.json"), "--trust", str(tmp_path / "trust.json")]])

    assert lines[0] == f"Packet {scene.packet} of {scene.trust.origin}"
    assert lines[1].startswith("It composed ")
    assert "  ✓ gates         every required gate approved every attempt that it reads" in lines
    assert lines[-2].startswith("Verified: ")
    assert "0" == lines[-1]


@pytest.mark.parametrize(("missing", "words"), [("b.json", "No such file"), ("trust.json", "No such file")])
def test_what_is_missing_is_one_sentence(missing: str, words: str, tmp_path: Path) -> None:
    """Exit code 2: it could not be found out."""
    scene = bundle_scene.composed()
    (tmp_path / "b.json").write_bytes(scene.bundle().to_json())
    (tmp_path / "trust.json").write_bytes(scene.trust.to_json())
    (tmp_path / missing).unlink()
    done = subprocess.run(
        [sys.executable, TARGET, tmp_path / "b.json", "--trust", tmp_path / "trust.json"],
        capture_output=True,
        check=False,
        timeout=60,
        encoding="utf-8",
    )

    assert 2 == done.returncode
    assert words in done.stderr
    assert 1 == done.stderr.count("\n")
