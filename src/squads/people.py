"""People, who stand in leaves under opaque ids and never under their names.

The id is derived with a key of the workspace that is kept beside the others, outside the ledger: whoever holds it can
tell which id a known name has, and nobody else can guess. Destroying that key leaves ids that mean nobody.

Names are remembered in a file beside the keys, one a line, so that a screen can say whom an id means. The file is
believed in nothing: an id is always derived from the name, and a line that leads to no registered id is passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from squads.adapters.private_files import open_private
from squads.contracts.artifact import Artifact
from squads.contracts.base import SALT_BYTES
from squads.contracts.plan import Statement
from squads.contracts.records import QuestionRecord
from squads.contracts.work import Answer
from squads.kernel.ports import Approver, Entropy, Signer
from squads.resolve import NAME

NAMES = "people.txt"
"""The file of names, beside the keys. Deleting a line there forgets a name, and nothing that was signed changes."""
NAMES_BYTES_MAX = 1024 * 1024
"""How much of that file is read, and how large it may grow."""


def opaque(name: str, secret: Signer) -> str:
    """Return the id of a person: `p` and 24 hex digits, the same for the same name and key.

    An Ed25519 signature is deterministic and cannot be made without the key, so its hash is an id that only the key's
    holder can derive.
    """
    return "p" + sha256(secret.sign(f"squads.person/v1\n{name}".encode())).hexdigest()[:24]


class Introduced:
    """An approver that is spoken to by name, while the ledger speaks of opaque ids."""

    def __init__(self, approver: Approver, names: Mapping[str, str]) -> None:
        """`names` gives each person's name by id."""
        self._approver = approver
        self._names = names

    async def ask(self, question: QuestionRecord, composition: Artifact) -> Sequence[Answer]:
        """Ask about people by name and return their answers by id; nobody answers for a stranger."""
        ids = {name: person for person, name in self._names.items()}
        asked = question.but(approvers=tuple(by_name(question.approvers, self._names)))
        answers = await self._approver.ask(asked, composition)
        return [replace(answer, name=ids[answer.name]) for answer in answers if answer.name in ids]


def by_name(people: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Return people's names, and the ids of those whose names are not known here."""
    return [names.get(person, person) for person in people]


def remembered(path: Path) -> tuple[str, ...]:
    """Return the names in a file of names, each once; none where it is missing or cannot be read."""
    return _names_in(_content(path))


def remember(path: Path, names: Iterable[str]) -> None:
    """Add names to the file of names, in an existing directory; what cannot be written is not remembered."""
    content = _content(path)
    known = _names_in(content)
    fresh = "".join(f"{name}\n" for name in names if name not in known)
    # Past the bound nothing is read, so what is written there would be written again and again.
    if not fresh or len(content) + len(fresh) > NAMES_BYTES_MAX:
        return
    if content and not content.endswith(b"\n"):  # as an editor may leave it
        fresh = f"\n{fresh}"
    # One short append: two processes that add names at once both get theirs in, and a name that stands twice is one.
    with suppress(OSError):
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK)
        try:
            os.write(descriptor, fresh.encode())
        finally:
            os.close(descriptor)


def _content(path: Path) -> bytes:
    try:
        # Not blocking, or a named pipe in its place would hang us.
        with os.fdopen(open_private(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(NAMES_BYTES_MAX)
    except OSError:  # ids are shown then, and who gives a name is still recognised by it
        return b""


def _names_in(content: bytes) -> tuple[str, ...]:
    lines = content.decode(errors="replace").splitlines()
    return tuple(dict.fromkeys(line for line in lines if NAME.fullmatch(line)))


def statement_of(text: str, entropy: Entropy) -> tuple[tuple[bytes, ...], str | None]:
    """Return (blobs, digest) of what a person wrote; nothing for an empty text."""
    if not text:
        return (), None
    digest, blob = Statement(text=text).seal(entropy(SALT_BYTES))
    return (blob,), digest
