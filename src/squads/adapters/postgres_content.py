"""Content and its keys in PostgreSQL: sealed rows, and for each subject one key, itself wrapped with a key of ours.

The key-encryption key is never in the database. A subject whose key is NULL was erased: nothing more is stored for it.
A row that cannot be opened is never taken for content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from squads.adapters.vault import closed, new_key, sealed, unsealed, unwrapped, wrapped
from squads.contracts.errors import BlobBroken, BlobMissing, SubjectErased

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

STEP = b"squads.step/v1\n"
READ = (
    "SELECT subject, sealed, wrapped FROM content JOIN subject_key USING (subject) "
    "WHERE digest = $1 AND wrapped IS NOT NULL ORDER BY subject"
)
HAS = "SELECT 1 FROM content JOIN subject_key USING (subject) WHERE digest = $1 AND wrapped IS NOT NULL LIMIT 1"


class Keyring:
    """The keys of the subjects that one transaction writes content for. Make a new one for each."""

    def __init__(self, kek: bytes) -> None:
        """Hold nothing yet; `kek` opens what the table holds."""
        self._kek = kek
        self._keys: dict[str, bytes | None] = {}
        self._fresh: dict[str, bytes] = {}

    async def load(self, connection: Connection, subjects: Iterable[str]) -> None:
        """Read the keys of these subjects, inside the caller's transaction. Raises `KeyUnavailable`."""
        wanted = sorted(set(subjects) - self._keys.keys())
        if not wanted:
            return
        rows = await connection.fetch(
            "SELECT subject, wrapped FROM subject_key WHERE subject = ANY($1::text[])", wanted
        )
        for subject, kept in rows:
            self._keys[subject] = None if kept is None else unwrapped(self._kek, subject, kept)

    def check(self, subject: str) -> None:
        """Raise `SubjectErased` for a subject that was erased."""
        if subject in self._keys and self._keys[subject] is None:
            raise SubjectErased(
                f"the subject {subject!r:.60} was erased, and nothing more is stored for it; give new work another one"
            )

    def seal(self, subject: str, content: bytes) -> tuple[bytes, str, bytes]:
        """Return the row that keeps content of a subject, which gets a key with its first one."""
        digest = sha256(content).digest()
        return digest, subject, sealed(self._key(subject), subject, digest, content)

    def close_step(self, subject: str, where: bytes, payload: bytes) -> bytes:
        """Return a journalled step's payload encrypted for a subject; `where` names the step."""
        return closed(self._key(subject), STEP + where, payload)

    async def write(self, connection: Connection, rows: Sequence[tuple[bytes, str, bytes]]) -> None:
        """Insert new keys and these rows, inside the caller's transaction."""
        fresh, self._fresh = self._fresh, {}
        if fresh:
            await connection.execute(
                "INSERT INTO subject_key (subject, wrapped) SELECT * FROM unnest($1::text[], $2::bytea[])",
                list(fresh),
                list(fresh.values()),
            )
        if rows:
            digests, subjects, contents = zip(*rows, strict=True)
            await connection.execute(
                "INSERT INTO content (digest, subject, sealed) "
                "SELECT * FROM unnest($1::bytea[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING",
                digests,
                subjects,
                contents,
            )

    def _key(self, subject: str) -> bytes:
        key = self._keys.get(subject)
        if key is None:
            self.check(subject)
            key = self._keys[subject] = new_key()
            self._fresh[subject] = wrapped(self._kek, subject, key)
        return key

    def forget(self, subject: str) -> None:
        """Know that a subject was erased within this transaction."""
        self._keys[subject] = None
        self._fresh.pop(subject, None)


def opened(kek: bytes, digest: bytes, rows: Sequence[Mapping[str, Any]], name: str) -> bytes:
    """Return the content that rows of `READ` hold: the first that opens. Raises `BlobMissing`, `BlobBroken`."""
    if not rows:
        raise BlobMissing(f"no content under {digest.hex()!r} in {name}: never stored, or erased")
    for row in rows:
        with suppress(BlobBroken):
            return unsealed(unwrapped(kek, row["subject"], row["wrapped"]), row["subject"], digest, row["sealed"])
    raise BlobBroken(
        f"the content under {digest.hex()} in {name} cannot be opened: it was changed; erase it, and store it again"
    )


async def erase_subject(connection: Connection, subject: str) -> int:
    """Destroy a subject's key, and remove its content and steps, inside the caller's transaction.

    Return how many blobs went.
    """
    await connection.execute(
        "INSERT INTO subject_key (subject, wrapped) VALUES ($1, NULL) "
        "ON CONFLICT (subject) DO UPDATE SET wrapped = NULL",
        subject,
    )
    await connection.execute("DELETE FROM step WHERE subject = $1", subject)
    return count_of(await connection.execute("DELETE FROM content WHERE subject = $1", subject))


def count_of(tag: str) -> int:
    """Return how many rows a command's tag speaks of."""
    return int(tag.rpartition(" ")[2])
