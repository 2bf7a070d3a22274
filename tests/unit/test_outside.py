"""What a workspace knows outside: the addresses of its anchors, and a restored copy that only an anchor shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from squads.adapters.file_anchor import FileAnchor
from squads.adapters.keys import keys_home
from squads.adapters.memory_anchor import MemoryAnchor
from squads.adapters.s3_anchor import S3Anchor
from squads.audit import Audit, audit, trust_in
from squads.contracts.errors import InvalidInput, LedgerBroken, NotAnchored, RollbackDetected, StorageUnavailable
from squads.contracts.records import PolicyRecord
from squads.ledger.evidence import check_evidence
from squads.ledger.report import OUTSIDE_CHECKS
from squads.outside import ANCHORS, URLS_MAX, anchor_at, anchors_in, ask_anchors, keep_evidence, urls_in, write_urls
from squads.stores import keys_of
from squads.testing.conformance_ledger import ORIGIN
from squads.testing.moto_bucket import BUCKET, buckets
from squads.workspace import Workspace

# Addresses ------------------------------------------------------------------------------------------------------------


def test_addresses_name_files_and_buckets(tmp_path: Path) -> None:
    """What stands in an address is what the anchor is made with."""
    file = anchor_at("file:///var/a%20b", ORIGIN)
    s3 = anchor_at("s3://bucket/a/b/?endpoint=http://127.0.0.1:9&region=eu-west-1&retain_days=7", ORIGIN)

    assert (FileAnchor, "/var/a b") == (type(file), file.name)
    assert isinstance(s3, S3Anchor)
    assert ("s3://bucket/a/b?endpoint=http://127.0.0.1:9", "eu-west-1", 7) == (s3.name, s3._region, s3._retain.days)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:relative",
        "file://host/a",
        "file:/a?b=c",
        "http://bucket/a",
        "s3:bucket",
        "s3://bucket/a?key=geheim",
        "s3://bucket/a?region=x&region=y",
        "s3://bucket/a?retain_days=soon",
        "s3://user:geheim@bucket/a",
        "s3://bucket/a#geheim",
        "s3://bucket/a?endpoint=http://u:geheim@host",
        "s3://[geheim",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_a_password(url: str) -> None:
    """It is written into a file and shown by every command."""
    with pytest.raises(InvalidInput) as raised:
        anchor_at(url, ORIGIN)
    assert "geheim" not in str(raised.value)


def test_a_workspaces_anchors_stand_beside_its_keys(tmp_path: Path) -> None:
    """One a line, readable by their owner only, all of them or none."""
    assert [] == urls_in(tmp_path)
    write_urls(tmp_path, ["file:/a", "s3://bucket/b"])

    assert ["/a", "s3://bucket/b"] == [anchor.name for anchor in anchors_in(tmp_path, ORIGIN)]
    assert 0o600 == (tmp_path / ANCHORS).stat().st_mode & 0o777
    with pytest.raises(InvalidInput, match="at most"):
        write_urls(tmp_path, [f"file:/{n}" for n in range(URLS_MAX + 1)])
    assert 2 == len(urls_in(tmp_path))


def test_a_list_of_anchors_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    """Going on without would be going on without anchors."""
    (tmp_path / ANCHORS).mkdir()

    with pytest.raises(StorageUnavailable, match="nothing is signed without it"):
        anchors_in(tmp_path, ORIGIN)


def test_anchors_are_asked_one_by_one_and_the_silent_ones_named(tmp_path: Path) -> None:
    """One that is given twice is asked once."""
    (tmp_path / "here").touch()
    write_urls(tmp_path, [f"file:{tmp_path}/here", f"file:{tmp_path}/gone"])

    asked = ask_anchors(tmp_path, ORIGIN, [f"file:{tmp_path}/here"])

    assert {f"{tmp_path}/here": []} == asked.notes
    assert "is gone" in asked.silent[f"{tmp_path}/gone"]


def test_evidence_is_written_once_and_where_it_cannot_be_the_reason_is_told(tmp_path: Path) -> None:
    """A second verification of the same fork finds the same file."""
    first = keep_evidence(tmp_path, b"{}", 7)

    assert (f"{tmp_path}/fork-7-44136fa3.json", first) == (first, keep_evidence(tmp_path, b"{}", 7))
    (tmp_path / "file").touch()
    assert "cannot write" in keep_evidence(tmp_path / "file", b"{}", 7)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a process waits for an anchor that is away for a moment only."""
    monkeypatch.setattr("squads.anchoring.Anchoring.rest.__kwdefaults__", {"timeout_seconds": 0.05})


# A copy that was restored ---------------------------------------------------------------------------------------------


class Scene:
    """A workspace in SQLite with one anchor, and an old copy of everything that its machine keeps."""

    def __init__(self, path: Path) -> None:
        self.store, self.copy, self.anchor = path / "s", path / "copy", path / "anchor"
        self.anchor.touch()

    async def found(self) -> None:
        workspace = Workspace.open(self.store)
        await workspace.found(["gate:style"])
        await workspace.close()
        write_urls(self.own, [f"file:{self.anchor}"])

    @property
    def own(self) -> Path:
        return keys_of(trust_in(self.store))

    async def write(self, *people: str) -> None:
        workspace = Workspace.open(self.store)
        for name in people:
            await workspace.found([f"human:{workspace.person(name)}"])
        await workspace.close()

    def back_up(self) -> None:
        shutil.copytree(self.store, self.copy / "s")
        shutil.copytree(keys_home(), self.copy / "home")

    def restore(self) -> None:
        """Put everything back that stood on this machine: the database, and the checkpoint file beside the keys."""
        shutil.rmtree(self.store)
        shutil.copytree(self.copy / "s", self.store)
        shutil.rmtree(keys_home())
        shutil.copytree(self.copy / "home", keys_home())

    def verified(self, **options: object) -> Audit:
        return audit(self.store, **options)  # type: ignore[arg-type]

    def states(self, found: Audit) -> dict[str, str]:
        return {r.check: r.state for r in found.results if r.source}


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    await scene.found()
    await scene.write("ann")
    scene.back_up()
    return scene


def shown(scene: Scene, found: Audit) -> tuple[Path, int]:
    """Where the last piece of evidence lies, and how long the history is that it holds against the other."""
    written = Path(found.evidence[-1])
    return written.parent, check_evidence(written.read_bytes(), trust_in(scene.store).log_key).newer.size


async def test_a_restored_copy_shows_only_in_the_anchor_and_signs_nothing(scene: Scene) -> None:
    """Database and checkpoint file agree with each other; what stands outside does not."""
    await scene.write("bob", "cat")
    scene.restore()

    opened = Workspace.open(scene.store)
    with pytest.raises(RollbackDetected, match="covers 7"):
        await opened.found([])
    await opened.close()

    found = scene.verified()
    assert [("rollback", str(scene.anchor))] == [(r.check, r.source) for r in found.failed]
    assert () == found.evidence


async def test_a_copy_that_went_on_by_itself_is_a_fork_and_proved(scene: Scene, tmp_path: Path) -> None:
    """It wrote while the anchor was away, and has become as long as the anchored log."""
    await scene.write("bob", "cat")
    scene.restore()
    hidden = scene.anchor.rename(tmp_path / "hidden")
    await scene.write("dan", "eve", "fay")
    hidden.rename(scene.anchor)

    opened = Workspace.open(scene.store)
    with pytest.raises(LedgerBroken, match="rewritten or forked") as raised:
        await opened.found([])
    await opened.close()
    found = scene.verified()

    assert "fork-6-" in str(raised.value)
    assert [str(scene.anchor)] == [r.source for r in found.failed]
    assert {"outside-signature": "passed", "rollback": "passed", "fork": "failed"} == scene.states(found)
    assert (scene.store, 8) == shown(scene, found)


async def test_evidence_goes_where_one_says(scene: Scene, tmp_path: Path) -> None:
    """The store may be a copy that nobody may write to."""
    await scene.write("bob")
    scene.restore()
    scene.anchor.rename(tmp_path / "hidden")
    await scene.write("dan")

    found = scene.verified(anchors=[f"file:{tmp_path}/hidden"], evidence=tmp_path / "proofs")

    assert [tmp_path / "proofs"] == [Path(file).parent for file in found.evidence]
    assert dict.fromkeys(OUTSIDE_CHECKS, "unchecked") == {
        r.check: r.state for r in found.results if r.source == str(scene.anchor)
    }


async def test_an_anchor_that_is_away_is_unchecked_and_keeps_nobody_from_working(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless the policy says otherwise."""
    scene.anchor.unlink()

    await scene.write("bob")

    assert "not compared with the anchor" in caplog.text
    assert dict.fromkeys(OUTSIDE_CHECKS, "unchecked") == scene.states(scene.verified())


async def test_where_the_policy_says_anchored_nothing_begins_while_an_anchor_is_away(scene: Scene) -> None:
    """Silence refuses."""
    workspace = Workspace.open(scene.store)
    await workspace.found([])
    policy = PolicyRecord(workspace=workspace.id, end_level="anchored")
    await workspace.append(policy, workspace.root())
    await workspace.close()
    scene.anchor.unlink()

    opened = Workspace.open(scene.store)
    with pytest.raises(NotAnchored, match="lets nothing begin"):
        await opened.found([])
    await opened.close()


async def test_given_anchors_are_used_besides_those_that_are_configured_and_stay_open(scene: Scene) -> None:
    """What a program brings is the program's."""
    given = MemoryAnchor()
    workspace = Workspace.open(scene.store, anchors=[given])
    await workspace.found([f"human:{workspace.person('zoe')}"])
    await workspace.close()

    assert [str(scene.anchor), "memory"] == [anchor.name for anchor in workspace.anchoring.anchors]
    assert 1 == len(await given.notes())
    assert "6" == json.loads(scene.anchor.read_text().splitlines()[-1]).split("\n")[1]


async def test_a_bucket_shows_a_restored_copy_whatever_was_put_on_top_of_its_notes(scene: Scene) -> None:
    """With credentials that may write there one can shadow, mark as deleted and add junk; no more."""
    with buckets() as s3:
        write_urls(scene.own, [f"s3://{BUCKET}/w"])
        await scene.write("bob")
        scene.restore()
        write_urls(scene.own, [f"s3://{BUCKET}/w"])
        for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
            s3.put_object(Bucket=BUCKET, Key=version["Key"], Body=b"shadow")
            s3.delete_object(Bucket=BUCKET, Key=version["Key"])

        opened = Workspace.open(scene.store)
        with pytest.raises(RollbackDetected, match=f"a checkpoint in s3://{BUCKET}/w covers 6"):
            await opened.found([])
        await opened.close()

        assert {"outside-signature": "warned", "rollback": "failed", "fork": "passed"} == scene.states(scene.verified())
