"""A real ledger in each database, made once and copied for each attack."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from scene import Scene, lived, sqlite_scene
from surgeon_postgres import PostgresSurgeon

from squads.testing.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in SQLite with two packets."""
    where = tmp_path_factory.mktemp("attacked")
    asyncio.run(lived(where / "store", where / "keys"))
    return where


@pytest.fixture
def sqlite_ledger(sqlite_template: Path, tmp_path: Path) -> Scene:
    """A copy that an attack may spoil."""
    return sqlite_scene(sqlite_template, tmp_path / "copy")


@pytest.fixture(scope="session")
def postgres_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PostgresSurgeon, dict[str, Any], Path]:
    """The same in PostgreSQL: its superuser, everything in it, and the folder of its keys."""
    keys = tmp_path_factory.mktemp("attacked-postgres")
    url = postgres_server.fresh_url("attacked")
    asyncio.run(lived(url, keys))
    surgeon = PostgresSurgeon(postgres_server, url)
    return surgeon, surgeon.backup(), keys


@pytest.fixture
def postgres_ledger(postgres_template: tuple[PostgresSurgeon, dict[str, Any], Path], tmp_path: Path) -> Scene:
    """The schema as it was before any attack, with a copy of its keys."""
    surgeon, whole, keys = postgres_template
    surgeon.restore(whole)
    shutil.copytree(keys, tmp_path / "keys", copy_function=shutil.copy)
    return Scene(tmp_path / "store", tmp_path / "keys", surgeon)


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """The same workspace in each database."""
    made: Scene = request.getfixturevalue(f"{request.param}_ledger")
    return made
