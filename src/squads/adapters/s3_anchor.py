"""An anchor in an S3 bucket with Object Lock: what is there stays until its date, whoever holds the credentials.

    <prefix>/<SHA-256 of the log's origin>/<size, 20 digits>-<root in hex>

Every note is put under a retention in compliance mode, and read back with all versions of its key: a later version or a
delete marker hides nothing. It must never speak of an anchor where the bucket would let the object go, and never let a
credential into a name, an error or a log: they come from where boto3 looks for them, and stay there.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from importlib.util import find_spec
from threading import Lock
from typing import Any, Final, TypeVar

from squads.adapters.anchor_notes import by_size
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.ledger.checkpoint import check_origin, parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.note import NOTE_BYTES_MAX

_T = TypeVar("_T")

RETAIN_DAYS: Final = 365
"""How long a note is kept when nothing else is said: the newest one covers all before it, and it is young while the
ledger lives. Nobody can shorten it afterwards, so that the default is no longer than that needs."""
RETAIN_DAYS_MAX: Final = 36_500
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 10
ATTEMPTS_MAX: Final = 3
READERS: Final = 16
"""How many notes are read at once."""
AT_ONCE: Final = 1_024
"""How many are waiting to be read."""

_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()/-]{0,512}", re.ASCII)
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?/?")

_WHY: Final = {
    "AccessDenied": "these credentials may not do that",
    "AllAccessDisabled": "access to the bucket is off",
    "ExpiredToken": "the credentials have expired",
    "InvalidAccessKeyId": "the access key is not known there",
    "InvalidBucketState": "the bucket has no Object Lock",
    "InvalidRequest": "the bucket has no Object Lock, or does not take this request",
    "NoSuchBucket": "there is no such bucket",
    "NoCredentialsError": "no credentials were found where boto3 looks for them",
    "ObjectLockConfigurationNotFoundError": "the bucket has no Object Lock",
    "PartialCredentialsError": "only half of the credentials were found",
    "PermanentRedirect": "the bucket is in another region; set AWS_REGION, or add ?region=",
    "SignatureDoesNotMatch": "the secret key is not the right one",
    "NoRegionError": "no region is set; set AWS_REGION, or add ?region=",
}
"""What a code of the server, or the name of one of boto3's errors, means. Their own words may hold what is secret."""


class S3Anchor:
    """An `Anchor` in a bucket with Object Lock and versioning. It asks with boto3's own credentials."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        origin: str,
        retain_days: int = RETAIN_DAYS,
        endpoint: str | None = None,
        region: str | None = None,
    ) -> None:
        """Say where; nothing is asked before the first use.

        Args:
            bucket: Its name. Object Lock has to be on, which a bucket is made with.
            prefix: What keys begin with; several logs can share one.
            origin: The log's; notes of another are refused.
            retain_days: For how long nobody at all can remove a note.
            endpoint: The server's address where it is not Amazon's; AWS_ENDPOINT_URL counts as well.
            region: The bucket's, where boto3 does not find it.
        """
        if find_spec("boto3") is None:
            raise InvalidInput("an anchor in S3 needs boto3; install it with `pip install 'squads[s3]'`")
        if not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix):
            raise InvalidInput(f"s3://{bucket:.80}/{prefix:.80} names no bucket and prefix; write s3://BUCKET/PREFIX")
        if not 1 <= retain_days <= RETAIN_DAYS_MAX:
            raise InvalidInput(f"a note is kept for 1 to {RETAIN_DAYS_MAX} days, not {retain_days}")
        if endpoint is not None and not _ENDPOINT.fullmatch(endpoint):
            # Said without it: an address may hold a password.
            raise InvalidInput(
                "an endpoint is http(s)://HOST:PORT and no more; credentials come from boto3's own places"
            )
        check_origin(origin)
        prefix = prefix.strip("/")
        self._bucket = bucket
        self._origin = origin
        self._under = f"{prefix}/{_hashed(origin)}/" if prefix else f"{_hashed(origin)}/"
        self._name = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        if endpoint is not None:
            self._name += f"?endpoint={endpoint}"
        self._retain = timedelta(days=retain_days)
        self._endpoint = endpoint
        self._region = region
        self._threads = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="squads-anchor-s3")
        self._making = Lock()
        self._made: Any = None
        self._locked = False
        self._closed = False

    @property
    def name(self) -> str:
        """Bucket and prefix, and the endpoint where one was given."""
        return self._name

    def __repr__(self) -> str:
        return f"S3Anchor({self._name!r})"

    async def put(self, note: str) -> None:
        """Keep the note under a retention in compliance mode. Raises `StorageUnavailable`, `InvalidInput`."""
        try:
            claim = parse_checkpoint(note)
        except Malformed as error:
            raise InvalidInput(f"this is no checkpoint: {error}") from None
        if claim.origin != self._origin:
            raise InvalidInput(f"the checkpoint is of {claim.origin[:80]}, and this anchor is of {self._origin}")
        key = f"{self._under}{claim.size:020d}-{claim.root.hex()}"
        await self._in_thread(lambda: self._put(key, note.encode()))

    async def notes(self, *, since: int = 0) -> list[str]:
        """Return the notes of this log in all versions, fewest receipts first. Raises `StorageUnavailable`."""
        versions = await self._in_thread(lambda: list(self._versions(self._under, since=since)))
        found: list[str] = []
        for start in range(0, len(versions), AT_ONCE):
            batch = versions[start : start + AT_ONCE]
            read = await asyncio.gather(*(self._in_thread(partial(self._get, *version)) for version in batch))
            found += [data.decode(errors="replace") for data in read if data is not None]
        return by_size(found, since=since)

    async def check(self) -> None:
        """Raise `StorageUnavailable` unless the bucket keeps versions and lets nobody remove what is locked."""
        await self._in_thread(self._check_bucket)

    async def close(self) -> None:
        """Let go of the connections. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        self._threads.shutdown(wait=False)
        if self._made is not None:
            self._made.close()

    # The rest runs in threads. ----------------------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise StorageUnavailable(f"the anchor {self._name} was closed; open it again")
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: self._translated(work))

    def _translated(self, work: Callable[[], _T]) -> _T:
        from boto3.exceptions import Boto3Error  # type: ignore[import-untyped]
        from botocore.exceptions import BotoCoreError, ClientError, UndefinedModelAttributeError  # type: ignore[import-untyped]

        try:
            return work()
        except (BotoCoreError, ClientError, UndefinedModelAttributeError, Boto3Error, OSError, ValueError) as error:
            if isinstance(error, StorageUnavailable | InvalidInput):
                raise
            why = _why(error)
        raise StorageUnavailable(f"the anchor {self._name} cannot be used: {why}; nothing was anchored there")

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                import boto3  # type: ignore[import-untyped]
                from botocore.config import Config  # type: ignore[import-untyped]

                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"mode": "standard", "total_max_attempts": ATTEMPTS_MAX},
                    max_pool_connections=READERS,
                    s3={"addressing_style": "path" if self._endpoint else "auto"},
                )
                # A session of our own: the one that boto3 shares is not safe between threads.
                session = boto3.session.Session(region_name=self._region)
                self._made = session.client("s3", endpoint_url=self._endpoint, config=config)
            return self._made

    def _check_bucket(self) -> None:
        client = self._client()
        found = client.get_object_lock_configuration(Bucket=self._bucket)
        locked = found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled"
        versioned = client.get_bucket_versioning(Bucket=self._bucket).get("Status") == "Enabled"
        if not (locked and versioned):
            missing = "Object Lock" if not locked else "versioning"
            raise StorageUnavailable(
                f"the anchor {self._name} is none: its bucket has no {missing}, so that notes could be replaced; use a "
                "bucket that was made with Object Lock"
            )
        self._locked = True

    def _put(self, key: str, body: bytes) -> None:
        if not self._locked:
            self._check_bucket()
        asked: dict[str, Any] = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "ContentType": "text/plain; charset=utf-8",
            "ChecksumAlgorithm": "SHA256",
            "ChecksumSHA256": b64encode(sha256(body).digest()).decode(),
            "ObjectLockMode": "COMPLIANCE",
            "ObjectLockRetainUntilDate": datetime.now(UTC) + self._retain,
        }
        from botocore.exceptions import ClientError

        client = self._client()
        try:
            kept = client.put_object(**asked, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) not in ("PreconditionFailed", "412", "ConditionalRequestConflict", "409"):
                raise
            # Somebody has put something under this key. Where it is this note, locked, there is nothing to do; where
            # it is anything else, ours goes on top of it: both versions are read.
            if any(self._is_locked(body, *version) for version in self._versions(key)):
                return
            kept = client.put_object(**asked)
        if not kept.get("VersionId"):
            self._locked = False
            raise StorageUnavailable(
                f"the anchor {self._name} keeps no versions any more: what was put there could be replaced; nothing "
                "was anchored"
            )

    def _is_locked(self, body: bytes, key: str, version: str, size: int) -> bool:
        if size != len(body):
            return False
        found = self._opened(key, version)
        if found is None:
            return False
        with found["Body"] as stream:
            same = stream.read(NOTE_BYTES_MAX + 1) == body
        until = found.get("ObjectLockRetainUntilDate")
        return (
            same
            and found.get("ObjectLockMode") == "COMPLIANCE"
            and until is not None
            # What another process put a while ago is kept a while less.
            and until >= datetime.now(UTC) + self._retain / 2
        )

    def _versions(self, prefix: str, *, since: int = 0) -> Iterator[tuple[str, str, int]]:
        """Yield key, version and size of all versions of all keys, delete markers or not."""
        start = {"KeyMarker": f"{prefix}{since:020d}"} if since else {}
        pages = self._client().get_paginator("list_object_versions")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, **start):
            for version in page.get("Versions", ()):
                # Nothing of that size is a note, and whoever puts it there must not fill our memory.
                if version["Size"] <= NOTE_BYTES_MAX:
                    yield version["Key"], version["VersionId"], version["Size"]

    def _get(self, key: str, version: str, size: int) -> bytes | None:
        """Return what a version holds; None where its time was over and it went meanwhile."""
        found = self._opened(key, version)
        if found is None:
            return None
        with found["Body"] as stream:
            data: bytes = stream.read(NOTE_BYTES_MAX)
        return data

    def _opened(self, key: str, version: str) -> Any:
        from botocore.exceptions import ClientError

        try:
            return self._client().get_object(Bucket=self._bucket, Key=key, VersionId=version)
        except ClientError as error:
            if _code(error) in ("NoSuchKey", "NoSuchVersion"):
                return None
            if _code(error) in ("InvalidRequest", "InvalidObjectState"):
                # Put there so that nobody can read it, encrypted with a key of somebody's own for instance: junk.
                from io import BytesIO

                return {"Body": BytesIO(f"unreadable: {key} {version}".encode())}
            raise


def _hashed(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _why(error: Exception) -> str:
    code = _code(error) if hasattr(error, "response") else type(error).__name__
    known = _WHY.get(code)
    return f"{known} ({code})" if known else code[:80] or "unknown error"
