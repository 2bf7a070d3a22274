"""A signer whose key is in a daemon: asks over a Unix socket, and believes no answer that it has not verified."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any, Final, Literal

from squads.adapters.signer_wire import LENGTH_BYTES, answer_in, base64_of, frame, length_of
from squads.contracts.errors import Denied, KeyUnavailable, LedgerBroken
from squads.contracts.records import VerdictRecord
from squads.kernel.receipts import receipt_of, record_in
from squads.ledger.errors import Malformed
from squads.ledger.keys import check_public_key, key_id, verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae

ANSWER_SECONDS: Final = 10.0
"""How long a signature may take; then the daemon counts as gone."""


class DaemonSigner:
    """A `Signer`, and for a gate a `Notary`, whose private key never enters this process.

    Several threads may use one. A connection that was dropped is made anew, and what was asked is asked once more: the
    daemon gives the same answer to the same question.

    Args:
        path: The daemon's socket.
        role: Whose key it is, such as `gate:schema`.

    Every method raises `KeyUnavailable` where the daemon cannot be reached or cannot keep what it must, and `Denied`
    where it does not sign.
    """

    __slots__ = ("_connection", "_lock", "_public_key", "path", "role", "seconds")

    def __init__(self, path: str | Path, role: str, *, seconds: float = ANSWER_SECONDS) -> None:
        self.path = Path(path)
        self.role = role
        self.seconds = seconds
        self._public_key = b""
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def public_key(self) -> bytes:
        """The raw 32-byte public key, as the daemon first gave it."""
        if not self._public_key:
            given = self._ask({"do": "key"}, "public_key")["public_key"]
            try:
                check_public_key(given)
            except Malformed as error:
                raise KeyUnavailable(f"the signer at {self.path} gave no public key of {self.role}: {error}") from error
            self._public_key = given
        return self._public_key

    @property
    def key_id(self) -> bytes:
        """The 32-byte key id."""
        return key_id(self.public_key)

    @property
    def custody(self) -> Literal["daemon"]:
        """Always `daemon`: the key came from one."""
        return "daemon"

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of exactly `message`."""
        answer = self._ask({"do": "sign", "message": base64_of(message)}, "signature")
        return self._verified(answer["signature"], message)

    def attest(self, record: VerdictRecord) -> tuple[bytes, bytes]:
        """Return (payload, signature) of this gate's verdict with its number and the one before.

        A ticket that was answered before gives that answer, whatever `record` says.
        """
        answer = self._ask({"do": "attest", "predicate": record.model_dump(mode="json")}, "payload", "signature")
        payload: bytes = answer["payload"]
        signature = self._verified(answer["signature"], pae(PAYLOAD_TYPE, payload))
        try:
            said = record_in(receipt_of(0, PAYLOAD_TYPE, payload, (), 0))
        except LedgerBroken as error:
            raise KeyUnavailable(f"the signer at {self.path} answered with no verdict: {error}") from error
        if not isinstance(said, VerdictRecord) or (said.ticket, said.author) != (record.ticket, record.author):
            raise KeyUnavailable(f"the signer at {self.path} answered with the verdict on another ticket")
        return payload, signature

    def close(self) -> None:
        """Let go of the connection; the next question makes another one."""
        with self._lock:
            self._drop()

    def _verified(self, signature: bytes, message: bytes) -> bytes:
        if not verify_signature(self.public_key, signature, message):
            raise KeyUnavailable(
                f"the signer at {self.path} signs with another key of {self.role} than it did; was it replaced?"
            )
        return signature

    def _ask(self, question: dict[str, Any], *fields: str) -> dict[str, Any]:
        try:
            asked = frame({**question, "role": self.role})
        except Malformed as error:
            raise Denied(f"{self.role} has nothing signed that is so large: {error}") from error
        with self._lock:
            fresh = self._connection is None
            try:
                body = self._exchange(asked)
            except OSError as error:
                self._drop()
                if fresh or isinstance(error, TimeoutError):
                    raise self._gone(error) from error
                try:  # it was closed while nobody spoke
                    body = self._exchange(asked)
                except OSError as again:
                    self._drop()
                    raise self._gone(again) from again
        try:
            answer = answer_in(body, *fields)
        except Malformed as error:
            self.close()
            raise KeyUnavailable(f"what answers at {self.path} is no signer of this version: {error}") from error
        match answer.get("refused"):
            case None:
                return answer
            case "unavailable":
                raise KeyUnavailable(f"the signer at {self.path} cannot sign as {self.role} now: {answer['why']}")
            case _:
                raise Denied(f"the signer at {self.path} signs nothing as {self.role} here: {answer['why']}")

    def _exchange(self, asked: bytes) -> bytes:
        if self._connection is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(self.seconds)
            try:
                made.connect(str(self.path))
            except OSError:
                made.close()
                raise
            self._connection = made
        self._connection.sendall(asked)
        try:
            return self._read(length_of(self._read(LENGTH_BYTES)))
        except Malformed as error:
            raise OSError(str(error)) from error

    def _read(self, size: int) -> bytes:
        assert self._connection is not None
        content = bytearray()
        while len(content) < size:
            part = self._connection.recv(size - len(content))
            if not part:
                raise ConnectionResetError("the connection was closed")
            content += part
        return bytes(content)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _gone(self, error: OSError) -> KeyUnavailable:
        why = "it did not answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        return KeyUnavailable(
            f"the signer at {self.path}, which keeps the key of {self.role}, cannot be reached ({why}); start it with "
            "`squads signer`, or let this user in"
        )

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self._drop()

    def __repr__(self) -> str:
        return f"DaemonSigner({str(self.path)!r}, {self.role!r})"
