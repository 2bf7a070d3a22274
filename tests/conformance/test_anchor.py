"""Every anchor, held to the one suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.file_anchor import FileAnchor
from squads.adapters.memory_anchor import MemoryAnchor
from squads.adapters.s3_anchor import S3Anchor
from squads.kernel.ports import Anchor
from squads.testing.conformance_anchor import AnchorConformance
from squads.testing.conformance_ledger import ORIGIN
from squads.testing.moto_bucket import BUCKET, buckets


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with buckets() as client:
        yield client


class TestMemoryAnchor(AnchorConformance):
    @pytest.fixture(autouse=True)
    def place(self) -> None:
        self.anchor = MemoryAnchor()

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Anchor]:
        yield self.anchor

    async def litter(self, where: Path) -> bool:
        await self.anchor.put("nonsense")
        return True


class TestFileAnchor(AnchorConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Anchor]:
        anchor = FileAnchor(where / "anchor")
        yield anchor
        await anchor.close()

    async def litter(self, where: Path) -> bool:
        with (where / "anchor").open("ab") as file:
            file.write(b'"torn by a full disk')
        return True


class TestS3Anchor(AnchorConformance):
    @pytest.fixture(autouse=True)
    def client(self, s3: Any) -> None:
        self.s3 = s3

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Anchor]:
        anchor = S3Anchor(BUCKET, where.name, origin=ORIGIN)
        yield anchor
        await anchor.close()

    async def litter(self, where: Path) -> bool:
        (version,) = self.s3.list_object_versions(Bucket=BUCKET, Prefix=where.name)["Versions"]
        self.s3.put_object(Bucket=BUCKET, Key=version["Key"], Body=b"\xff shadows it")
        self.s3.put_object(Bucket=BUCKET, Key=version["Key"].rpartition("/")[0] + "/zzz", Body=b"x" * 70_000)
        self.s3.delete_object(Bucket=BUCKET, Key=version["Key"])
        return True
