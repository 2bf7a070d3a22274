"""What a workspace knows outside its ledger: which anchors it has, what they hold, and what shows that it was forked.

The addresses stand in the file `anchors` beside the workspace's keys, one a line, so that whoever writes the ledger's
directory alone cannot take one away. They hold no secret. Nothing here believes a note: `squads.ledger` does that.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from squads.adapters.file_anchor import FileAnchor
from squads.adapters.private_files import make_private_directory, open_private, sync_directory
from squads.adapters.s3_anchor import RETAIN_DAYS, S3Anchor
from squads.contracts.errors import InvalidInput, SquadsError, StorageUnavailable
from squads.kernel.ports import Anchor
from squads.ledger.errors import Malformed
from squads.ledger.evidence import Forked
from squads.ledger.note import VerifierKey
from squads.ledger.report import Report, Stray
from squads.ledger.verify import ROWS_PER_STEP

ANCHORS: Final = "anchors"
"""The file's name, beside the keys."""
URLS_MAX: Final = 16
EVIDENCE_MAX: Final = 4
"""How many files one verification writes: one is enough to prove a fork."""
SECONDS: Final = 900.0
"""How long an anchor is asked what it holds: all of it, and a bucket gives its notes one by one."""

OpenedAnchor = FileAnchor | S3Anchor


def anchor_at(url: str, origin: str, *, create: bool = False) -> OpenedAnchor:
    """Return the anchor at `file:/path` or `s3://bucket/prefix`, for the log of this origin. Raises `InvalidInput`.

    A bucket's address may end in `?endpoint=URL`, `&region=NAME` and `&retain_days=N`. With `create` a file that is not
    there is made when it is first needed.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise InvalidInput("this is no address of an anchor; write file:/absolute/path or s3://bucket/prefix") from None
    if "@" in parts.netloc or parts.fragment:
        # Said without the address: what stands before an @ is a password, mostly.
        raise InvalidInput("an anchor's address holds no user, password or fragment; boto3 finds credentials by itself")
    if parts.scheme == "file" and not parts.netloc and not parts.query:
        return FileAnchor(unquote(parts.path), create=create)
    if parts.scheme == "s3" and parts.netloc:
        asked = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(asked)
        if len(options) != len(asked) or options.keys() - {"endpoint", "region", "retain_days"}:
            raise InvalidInput("an anchor in S3 takes ?endpoint=, &region= and &retain_days=, each once")
        days = options.get("retain_days", str(RETAIN_DAYS))
        if not (days.isascii() and days.isdigit() and len(days) < 10):
            raise InvalidInput(f"retain_days={days[:20]!r} is no number of days")
        return S3Anchor(
            parts.netloc,
            unquote(parts.path).strip("/"),
            origin=origin,
            retain_days=int(days),
            endpoint=options.get("endpoint"),
            region=options.get("region"),
        )
    raise InvalidInput(f"{url:.80} is no anchor; write file:/absolute/path or s3://bucket/prefix")


def urls_in(own: Path) -> list[str]:
    """Return the addresses that a workspace's keys directory names. Raises `StorageUnavailable`."""
    try:
        text = (own / ANCHORS).read_text()
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise StorageUnavailable(f"{own / ANCHORS} cannot be read: {error}; nothing is signed without it") from error
    return [line for line in map(str.strip, text.splitlines()) if line]


def anchors_in(own: Path, origin: str) -> list[OpenedAnchor]:
    """Return the anchors that a workspace's keys directory names."""
    return [anchor_at(url, origin) for url in urls_in(own)]


def write_urls(own: Path, urls: Sequence[str]) -> None:
    """Make these the workspace's anchors, all of them or none. Raises `InvalidInput`, `StorageUnavailable`."""
    if len(urls) > URLS_MAX:
        raise InvalidInput(f"a workspace has at most {URLS_MAX} anchors, and all of them have to hold a checkpoint")
    _write(own / ANCHORS, "".join(f"{url}\n" for url in urls).encode())


# What anchors hold ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What anchors said."""

    notes: dict[str, list[str]]
    """What lies in each by its name, unverified."""
    silent: dict[str, str]
    """Why, by name, of those that could not be asked."""


def ask_anchors(own: Path, origin: str, urls: Sequence[str] = ()) -> Asked:
    """Return what lies in every anchor that the keys directory names, and in those at `urls`.

    It may be called where a loop runs, and holds that up meanwhile. Raises `InvalidInput` for what is no address.
    """
    anchors: dict[str, OpenedAnchor] = {}
    for url in dict.fromkeys((*urls_in(own), *urls)):
        anchor = anchor_at(url, origin)
        anchors.setdefault(anchor.name, anchor)
    if not anchors:
        return Asked(notes={}, silent={})
    with ThreadPoolExecutor(max_workers=1) as thread:
        said = thread.submit(lambda: asyncio.run(_all_of(anchors))).result()
    return Asked(
        notes={name: notes for name, notes in said.items() if not isinstance(notes, str)},
        silent={name: why for name, why in said.items() if isinstance(why, str)},
    )


async def _all_of(anchors: Mapping[str, Anchor]) -> dict[str, list[str] | str]:
    return dict(zip(anchors, await asyncio.gather(*map(_notes_of, anchors.values())), strict=True))


async def _notes_of(anchor: Anchor) -> list[str] | str:
    try:
        async with asyncio.timeout(SECONDS):
            return await anchor.notes()
    except TimeoutError:
        return f"the anchor {anchor.name} did not answer within {SECONDS:g} s"
    except SquadsError as error:
        return str(error)
    finally:
        await anchor.close()


# Fork evidence --------------------------------------------------------------------------------------------------------


def forks_in(report: Report, log_key: VerifierKey, leaf_hashes: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """Return what proves that the log's key signed two histories, as sizes and evidence; empty where nothing does.

    `leaf_hashes` are those of the ledger that was reported on, in order; they are read when they are needed.
    """
    found: list[tuple[int, bytes]] = []
    making: list[tuple[Stray, Forked]] = []
    first: dict[int, Stray] = {}
    for stray in report.strays:
        other = first.setdefault(stray.size, stray)
        # 1. Two notes over equally many receipts need nothing else.
        if other.root != stray.root:
            with suppress(Malformed):
                found.append((stray.size, Forked(other.note, stray.note, log_key).evidence()))
        # 2. One that is not on this tree contradicts the newest that is.
        if report.covering and len(making) < EVIDENCE_MAX:
            with suppress(Malformed):
                making.append((stray, Forked(stray.note, report.covering, log_key)))
    if making:
        hashes = iter(leaf_hashes)
        while chunk := list(islice(hashes, ROWS_PER_STEP)):
            for _, forked in making:
                forked.feed(chunk)
        for stray, forked in making:
            with suppress(Malformed):
                found.append((stray.size, forked.evidence()))
    return list(dict.fromkeys(found))[:EVIDENCE_MAX]


def keep_evidence(directory: Path, data: bytes, size: int) -> str:
    """Write evidence into a directory and return where it is, or why it could not be written; twice is once."""
    path = directory / f"fork-{size}-{sha256(data).hexdigest()[:8]}.json"
    try:
        _write(path, data)
    except StorageUnavailable as error:
        return f"no file: {error}"
    return str(path)


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole and stays."""
    aside = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        make_private_directory(path.parent)
        descriptor = open_private(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {path}: {error.strerror or error}") from error
