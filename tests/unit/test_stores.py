"""Where a workspace is kept: directories and databases, told apart, trusted alike, and never shown with a password."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from squads.audit import audit
from squads.contracts.errors import InvalidInput, KeyUnavailable, LedgerBroken, StorageUnavailable
from squads.desk import Desk
from squads.pages.reading import packet_in
from squads.stores import StoreUrl, learn_trust, placed, trust_in
from squads.testing.postgres_server import PostgresServer
from squads.workspace import Workspace


@pytest.fixture
def url(postgres_server: PostgresServer) -> str:
    return postgres_server.fresh_url()


async def founded(url: str, keys: Path) -> Workspace:
    workspace = Workspace.open(url, keys=keys)
    await workspace.found(["human:owner"])
    await workspace.close()
    return workspace


def states(found: object) -> dict[str, str]:
    return {r.check: r.state for r in found.results}  # type: ignore[attr-defined]


def test_a_store_is_a_directory_or_a_database() -> None:
    """A URL is never taken for a path: nobody finds a folder called `mysql:`."""
    assert placed(".squads") == Path(".squads")
    assert isinstance(placed("postgresql://host/db"), StoreUrl)
    assert placed(placed("postgresql://host/db")) == StoreUrl("postgresql://host/db")
    with pytest.raises(InvalidInput, match="this URL is neither"):
        placed("mysql://host/db")


def test_a_store_in_a_database_is_shown_without_its_password() -> None:
    """In every way that something becomes text; and what is shown leads there again."""
    place = placed("postgresql://me:hush@host:5433/db?sslmode=verify-full#mine")

    assert str(place) == f"{place}" == "postgresql://me@host:5433/db?sslmode=verify-full#mine"
    assert "hush" not in repr(place)


async def test_founding_an_empty_schema_makes_keys_and_pins_its_trust(url: str, tmp_path: Path) -> None:
    """As for a directory; only `trust.json` stands beside the keys, for the database is not trusted."""
    workspace = await founded(url, tmp_path)

    own = tmp_path / workspace.id
    assert {"root.key", "log.key", "content.key", "trust.json", "checkpoints"} <= {path.name for path in own.iterdir()}
    assert trust_in(url, tmp_path) == workspace.trust
    again = Workspace.open(url, keys=tmp_path)
    await again.refresh()
    assert again.id == workspace.id
    await again.close()


async def test_a_machine_that_does_not_know_a_workspace_trusts_nothing_the_database_says(
    url: str, tmp_path: Path
) -> None:
    """No trust on first use: neither to audit, nor to look, nor to work, and nothing is made."""
    await founded(url, tmp_path / "here")

    for act in (
        lambda: audit(url, keys=tmp_path / "there"),
        lambda: Workspace.open(url, keys=tmp_path / "there"),
        lambda: packet_in(url, "0" * 32, keys=tmp_path / "there").__enter__(),
    ):
        with pytest.raises(KeyUnavailable, match=r"does not know the workspace in .* `squads store trust postgresql:"):
            act()
    with pytest.raises(KeyUnavailable, match="does not know"):
        async with Desk.open(url, keys=tmp_path / "there"):
            pass
    assert not (tmp_path / "there").exists()


async def test_an_auditor_brings_trust_json_and_needs_no_key(url: str, tmp_path: Path) -> None:
    """Every check but those that need content or checkpoints of this machine; and nobody else's trust.json does."""
    workspace = await founded(url, tmp_path / "here")
    brought = tmp_path / "here" / workspace.id / "trust.json"

    assert learn_trust(url, brought, tmp_path / "there") == workspace.trust
    assert learn_trust(url, brought, tmp_path / "there") == workspace.trust
    found = states(audit(url, keys=tmp_path / "there"))
    assert {"unchecked"} == {found.pop(check) for check in ("content", "rollback", "fork", "outside-signature")}
    assert {"passed"} == set(found.values())


async def test_another_workspaces_trust_is_not_learnt(
    postgres_server: PostgresServer, url: str, tmp_path: Path
) -> None:
    """What the file says and what the database claims must agree; and what was pinned is never replaced."""
    await founded(url, tmp_path)
    other = await founded(postgres_server.fresh_url(), tmp_path)
    theirs = tmp_path / other.id / "trust.json"

    with pytest.raises(InvalidInput, match=r"is the trust\.json of local\.invalid/squads"):
        learn_trust(url, theirs, tmp_path / "there")
    with pytest.raises(InvalidInput, match=r"is no trust\.json"):
        learn_trust(url, tmp_path / other.id / "log.key", tmp_path / "there")
    with pytest.raises(InvalidInput, match="cannot be read"):
        learn_trust(url, tmp_path / "nothing", tmp_path / "there")


async def test_a_database_that_changes_its_story_is_refused(
    postgres_server: PostgresServer, url: str, tmp_path: Path
) -> None:
    """Another log key under the same origin: the file beside the keys counts, not the table."""
    await founded(url, tmp_path)
    postgres_server.run(
        "SET session_replication_role = replica;"
        "UPDATE ledger SET value = overlay(value placing 'AAAA' from length(value) - 8 for 4) WHERE name = 'log_vkey'",
        url=url,
    )

    with pytest.raises(LedgerBroken, match="with another key than"):
        audit(url, keys=tmp_path)


async def test_a_machine_with_all_keys_works_in_the_same_workspace(url: str, tmp_path: Path) -> None:
    """The directory of keys is what a second machine needs: then it goes on where the first one stopped."""
    workspace = await founded(url, tmp_path / "here")
    shutil.copytree(tmp_path / "here" / workspace.id, tmp_path / "there" / workspace.id)

    async with Desk.open(url, keys=tmp_path / "there") as desk:
        assert await desk.stop("enough")
    assert audit(url, keys=tmp_path / "there").failed == ()


async def test_without_the_content_key_nothing_is_opened(url: str, tmp_path: Path) -> None:
    """It is never made anew: what others sealed would be lost for this machine, and what it sealed for them."""
    workspace = await founded(url, tmp_path)
    (tmp_path / workspace.id / "content.key").unlink()

    with pytest.raises(KeyUnavailable, match=r"content\.key"):
        Workspace.open(url, keys=tmp_path)


def test_there_is_no_ledger_where_nobody_founded_one(url: str, tmp_path: Path) -> None:
    """Looking makes nothing, in the database neither."""
    with pytest.raises(StorageUnavailable, match=f"there is no ledger in postgresql:.*#{urlsplit(url).fragment}"):
        audit(url, keys=tmp_path)
