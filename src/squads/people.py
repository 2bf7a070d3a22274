"""People, who stand in leaves under opaque ids and never under their names.

The id is derived with a key of the workspace that is kept beside the others, outside the ledger: whoever holds it can
tell which id a known name has, and nobody else can guess. Destroying that key leaves ids that mean nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from squads.contracts.artifact import Artifact
from squads.contracts.records import QuestionRecord
from squads.contracts.work import Answer
from squads.kernel.ports import Approver, Signer


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
