"""A run's folder: the manifest, the cases, the ledger, and what was derived from them.

    run.json       the manifest, written before the first verdict
    cases.jsonl    the cases with their labels, one a line: what the manifest's digests are of
    store/         the ledger, as every store of squads, with its trust.json
    content/       the keys of the ledger's content, so that a stranger can read what the receipts speak of
    judged.jsonl   one row for every verdict, derived from the receipts
    taken.jsonl    rows that were taken over from other runs, and which run each one is from
    end.json       how the run ended, how far the ledger was then, and the digest of judged.jsonl

The keys that sign stay where this machine keeps its keys, and nothing here can sign anything. That content keys lie
beside the content is meant: cases are made to be published, and nobody's data to be erased is in them.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from squads.adapters.file_lock import FileLock
from squads.adapters.private_files import make_private_directory
from squads.adapters.sqlite_schema import is_empty
from squads.bench.case import Case
from squads.bench.judged import Judged, Results
from squads.bench.manifest import RunManifest, whole
from squads.contracts.base import Content, Digest, digest_of
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.stores import CONTENT_KEYS, TRUST, keys_of, trust_in

C = TypeVar("C", bound=Content)
Why = Literal["finished", "money", "tokens", "seconds", "stopped"]
"""How a run ended: with every verdict, at one of its bounds, or because somebody stopped the workspace."""


class Taken(Content):
    """A row that another run's receipts say."""

    row: Judged
    run: str
    """The other run's folder, as it was named."""
    origin: str
    """The other run's ledger."""


class RunEnd(Content):
    """The page `end.json`."""

    why: Why
    judged: Digest
    """SHA-256 over `judged.jsonl`."""
    manifest: Digest
    origin: str
    """The ledger's name."""
    size: int = Field(ge=0)
    """How many receipts it had."""
    root: Digest
    """The Merkle root over them."""
    packets: int = Field(ge=0)
    packets_planned: int = Field(ge=0)
    tokens: int = Field(default=0, ge=0)
    cost_microusd: int = Field(default=0, ge=0)
    taken: int = Field(default=0, ge=0)
    """How many rows were taken over from other runs."""


class RunFolder:
    """The paths of one run, and reading and writing what lies there."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @property
    def store(self) -> Path:
        """The ledger's directory."""
        return self.path / "store"

    @property
    def content(self) -> Path:
        """Where the content keys lie, as in a directory of keys."""
        return self.path / "content"

    @property
    def begun(self) -> bool:
        """True once a manifest was written."""
        return (self.path / "run.json").exists()

    @property
    def has_ledger(self) -> bool:
        """True once something was judged."""
        return (self.store / TRUST).exists()

    def has_receipts(self) -> bool:
        """True once the ledger was made: what a process that was killed while it made it leaves behind is none.

        Only for who may write here: SQLite takes such a half-made file back, and nobody who only reads can open it.
        """
        ledger = self.store / "ledger.db"
        if not self.has_ledger or not ledger.is_file():
            return False
        if ledger.stat().st_size and not ledger.with_name("ledger.db-journal").exists():
            return True  # a ledger that was made keeps no such journal, and is left as it is
        try:
            with closing(sqlite3.connect(ledger)) as connection:
                return not is_empty(connection)
        except sqlite3.Error:
            return True  # who reads it says what is wrong with it

    def keys(self, keys: Path | None) -> Path | None:
        """Return the directory of keys to read with: this machine's where it has the ledger's, else the run's own."""
        own = keys_of(trust_in(self.store), keys)
        return keys if (own / CONTENT_KEYS).exists() else self.content

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only process that runs here inside the block. Raises `InvalidInput` where another one is."""
        with _written_to(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".running", wait_ms=0)
        try:
            with ExitStack() as held:
                try:
                    held.enter_context(lock.held())
                except StorageUnavailable:
                    raise InvalidInput(
                        f"another process runs in {self.path}; wait until it has ended, or name another folder"
                    ) from None
                yield
        finally:
            lock.close()

    # Reading ----------------------------------------------------------------------------------------------------------

    def manifest(self) -> RunManifest:
        """Return the manifest. Raises `InvalidInput` where there is no run."""
        return self._page("run.json", RunManifest)

    def end(self) -> RunEnd:
        """Return how the run ended. Raises `InvalidInput` where it has not."""
        return self._page("end.json", RunEnd)

    def cases(self) -> tuple[Case, ...]:
        """Return the cases. Raises `InvalidInput`."""
        return tuple(self._lines("cases.jsonl", Case))

    def judged(self) -> tuple[Judged, ...]:
        """Return the rows as they were derived when the run ended. Raises `InvalidInput`."""
        return tuple(self._lines("judged.jsonl", Judged))

    def taken(self) -> tuple[Taken, ...]:
        """Return what was taken over from other runs; nothing where no file says so."""
        return tuple(self._lines("taken.jsonl", Taken)) if (self.path / "taken.jsonl").exists() else ()

    def results(self) -> Results:
        """Return what reports and figures read. Raises `InvalidInput` where the run has not ended."""
        manifest, end = self.manifest(), self.end()
        return Results(
            title=manifest.title, cases=self.cases(), judged=self.judged(), about=about(manifest, end, self.taken())
        )

    # Writing ----------------------------------------------------------------------------------------------------------

    def begin(self, manifest: RunManifest, cases: Iterable[Case]) -> None:
        """Write cases and manifest, where they are not there yet; `check_room` has looked."""
        if self.begun:
            return
        self._write("cases.jsonl", b"".join(whole(case) + b"\n" for case in cases))
        self._write("run.json", _pretty(manifest))  # last: where it stands, everything before it does

    def check_room(self, manifest: RunManifest) -> None:
        """Raise `InvalidInput` unless the folder is new, or that of this very run."""
        if self.begun:
            self._check_same(manifest)
            return
        # What a run that was killed before its first line left behind is no reason to refuse.
        left = [p.name for p in self.path.iterdir()] if self.path.is_dir() else []
        if self.path.is_file() or any(n != "cases.jsonl" and not n.startswith(".") for n in left):
            raise InvalidInput(f"{self.path} holds something else than a run; name a new folder with --out")

    def write_taken(self, taken: Sequence[Taken]) -> None:
        """Write which rows are those of other runs."""
        if taken:
            self._write("taken.jsonl", _lines_of(taken))

    def write_end(self, judged: Sequence[Judged], end: RunEnd) -> RunEnd:
        """Write the rows and how the run ended; return the end as it was written."""
        rows = _lines_of(judged)
        end = end.but(judged=digest_of(rows))
        self._write("judged.jsonl", rows)
        self._write("end.json", _pretty(end))
        return end

    def publish_content(self, keys: Path | None) -> None:
        """Put the keys of the ledger's content into the folder, so that whoever has it can read what was judged."""
        trust = trust_in(self.store)
        source, target = keys_of(trust, keys) / CONTENT_KEYS, keys_of(trust, self.content) / CONTENT_KEYS
        if not source.exists():
            return
        with _written_to(target):
            make_private_directory(target.parent)
            aside = target.with_name(f".{target.name}.{token_hex(8)}")
            shutil.copyfile(source, aside)
            aside.chmod(0o600)
            aside.replace(target)

    def _check_same(self, manifest: RunManifest) -> None:
        before = self.manifest()
        for name in RunManifest.model_fields:
            if getattr(before, name) != getattr(manifest, name):
                raise InvalidInput(
                    f"{self.path} holds a run with other {_SAID.get(name, name)}; repeat the command that began it, "
                    "or name a new folder with --out and take over its verdicts with --reuse"
                )

    def _page(self, name: str, kind: type[C]) -> C:
        try:
            return kind.model_validate_json((self.path / name).read_bytes())
        except FileNotFoundError:
            missing = "is no run" if name == "run.json" else "is a run that has not ended; repeat its command"
            raise InvalidInput(f"{self.path} {missing}: there is no {name}") from None
        except (OSError, ValidationError, ValueError) as error:
            raise InvalidInput(f"{self.path / name} cannot be read: {_first(error)}") from None

    def _lines(self, name: str, kind: type[C]) -> list[C]:
        try:
            lines = (self.path / name).read_bytes().splitlines()
        except FileNotFoundError:
            raise InvalidInput(f"{self.path} has no {name}; repeat the run's command") from None
        except OSError as error:
            raise InvalidInput(f"{self.path / name} cannot be read: {error.strerror}") from None
        found = []
        for number, line in enumerate(lines, 1):
            try:
                found.append(kind.model_validate_json(line))
            except (ValidationError, ValueError) as error:
                raise InvalidInput(f"{self.path / name}:{number}: {_first(error)}") from None
        return found

    def _write(self, name: str, content: bytes) -> None:
        aside = self.path / f".{name}.{token_hex(8)}"
        with _written_to(self.path / name):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                with aside.open("wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                aside.replace(self.path / name)
            finally:
                aside.unlink(missing_ok=True)


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    """Turn what the system says of a full or read-only disk into our words."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"cannot write {path}: {error.strerror}; make room, or name another folder with --out"
        ) from error


_SAID = {"case_set": "cases", "cases": "cases", "gates": "gates, or gates of another version", "title": "a title"}


def about(manifest: RunManifest, end: RunEnd, taken: Sequence[Taken] = ()) -> dict[str, str]:
    """Return what a reader of a run's figures has to know."""
    said = {
        "manifest": manifest.digest,
        "case set": manifest.case_set,
        "seed": str(manifest.seed),
        "repeats": str(manifest.repeats),
        "ended": end.why,
        "packets": f"{end.packets} of {end.packets_planned}",
        "ledger": f"{end.origin}, {end.size} receipts, root {end.root}",
    }
    said |= {f"gate {g.name}": f"prior {g.prior}, version {g.version}" for g in manifest.gates}
    said |= {f"contrast {c.name}": c.question for c in manifest.contrasts}
    for run in sorted({t.run for t in taken}):
        rows = [t for t in taken if t.run == run]
        said[f"taken over from {run}"] = f"{len(rows)} verdicts of the ledger {rows[0].origin}"
    return said


def rows_digest(judged: Iterable[Judged]) -> str:
    """Return SHA-256 over rows as `judged.jsonl` holds them."""
    return digest_of(_lines_of(judged))


def _pretty(page: Content) -> bytes:
    return (json.dumps(page.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _lines_of(rows: Iterable[Content]) -> bytes:
    return b"".join(row.canonical() + b"\n" for row in rows)


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
    with suppress(AttributeError):
        return str(error.strerror)  # type: ignore[attr-defined]
    return str(error)
