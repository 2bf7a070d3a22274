"""An anchor in S3: what it asks for, what it takes for an anchor, and what it never says."""

from __future__ import annotations

import inspect
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from botocore.stub import Stubber

from squads.adapters.s3_anchor import RETAIN_DAYS, S3Anchor
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.ledger.note import NOTE_BYTES_MAX
from squads.testing.conformance_anchor import note_over
from squads.testing.conformance_ledger import ORIGIN
from squads.testing.moto_bucket import BUCKET, PLAIN, SECRET, asked_of, buckets


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with buckets() as client:
        yield client


@pytest.fixture
async def anchor(s3: Any, request: pytest.FixtureRequest) -> AsyncIterator[S3Anchor]:
    anchor = S3Anchor(BUCKET, re.sub(r"\W", "-", request.node.name), origin=ORIGIN)
    yield anchor
    await anchor.close()


def key_of(anchor: S3Anchor, note: str) -> str:
    size, root = note.split("\n")[1], sha256(note.split("\n")[1].encode()).hexdigest()
    return f"{anchor._under}{int(size):020d}-{root}"


async def test_a_note_is_put_once_locked_in_compliance_mode_with_its_checksum(anchor: S3Anchor) -> None:
    """All that Object Lock does hangs on these parameters: moto would take the request without them."""
    asked = asked_of(anchor, "PutObject")
    before = datetime.now(UTC)

    await anchor.put(note_over(12))

    (put,) = asked
    assert f"{anchor._under}{12:020d}-{sha256(b'12').hexdigest()}" == put["Key"]
    assert sha256(ORIGIN.encode()).hexdigest() in anchor._under
    assert ("*", "COMPLIANCE", "SHA256") == (put["IfNoneMatch"], put["ObjectLockMode"], put["ChecksumAlgorithm"])
    assert (
        timedelta(0) <= put["ObjectLockRetainUntilDate"] - before - timedelta(days=RETAIN_DAYS) < timedelta(minutes=5)
    )


async def test_a_note_that_is_there_and_locked_is_not_put_again(anchor: S3Anchor, s3: Any) -> None:
    """The condition fails, the bytes are the same: that is success."""
    await anchor.put(note_over(1))
    await anchor.put(note_over(1))

    assert 1 == len(s3.list_object_versions(Bucket=BUCKET, Prefix=anchor._under)["Versions"])


@pytest.mark.parametrize("there", ["other bytes", "the note, not locked"])
async def test_what_squats_on_a_notes_key_does_not_keep_the_note_out(anchor: S3Anchor, s3: Any, there: str) -> None:
    """Whoever can write there puts junk, or the very note without a lock, so that ours would not be kept."""
    note = note_over(2)
    key = key_of(anchor, note)
    s3.put_object(Bucket=BUCKET, Key=key, Body=note if "note" in there else there)

    await anchor.put(note)

    newest = s3.get_object(Bucket=BUCKET, Key=key)
    assert (note.encode(), "COMPLIANCE") == (newest["Body"].read(), newest["ObjectLockMode"])


async def test_a_version_on_top_and_a_delete_marker_hide_nothing(anchor: S3Anchor, s3: Any) -> None:
    """Every version of every key is read, past what a listing of objects would show."""
    await anchor.put(note_over(3))
    key = key_of(anchor, note_over(3))
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"shadow")
    s3.delete_object(Bucket=BUCKET, Key=key)

    assert ["shadow", note_over(3)] == await anchor.notes()


async def test_what_is_too_large_for_a_note_is_not_even_read(anchor: S3Anchor, s3: Any) -> None:
    """Whoever may write there could otherwise fill the memory of whoever verifies."""
    await anchor.put(note_over(1))
    s3.put_object(Bucket=BUCKET, Key=anchor._under + "zzz", Body=b"x" * (NOTE_BYTES_MAX + 1))
    asked = asked_of(anchor, "GetObject")

    assert [note_over(1)] == await anchor.notes()
    assert 1 == len(asked)


async def test_all_pages_of_a_listing_are_read(anchor: S3Anchor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket answers with a thousand versions at a time; here with two."""
    for size in range(1, 6):
        await anchor.put(note_over(size))
    client = anchor._client()
    paged = client.get_paginator("list_object_versions").paginate
    asked = asked_of(anchor, "ListObjectVersions")

    class Small:
        def paginate(self, **options: Any) -> Any:
            return paged(**options, PaginationConfig={"PageSize": 2})

    monkeypatch.setattr(client, "get_paginator", lambda _: Small())

    assert [note_over(size) for size in range(1, 6)] == await anchor.notes()
    assert len(asked) >= 3


@pytest.mark.parametrize("bucket", [PLAIN, "no-such-bucket"])
async def test_a_bucket_without_object_lock_is_no_anchor(s3: Any, bucket: str) -> None:
    """Neither when it is looked at nor when something is put there, and nothing is put."""
    anchor = S3Anchor(bucket, origin=ORIGIN)
    asked = asked_of(anchor, "PutObject")

    with pytest.raises(StorageUnavailable, match=r"Object Lock|no such bucket"):
        await anchor.check()
    with pytest.raises(StorageUnavailable, match=r"Object Lock|no such bucket"):
        await anchor.put(note_over(1))
    assert [] == asked
    await anchor.close()


async def test_a_bucket_that_stopped_keeping_versions_is_no_anchor(anchor: S3Anchor) -> None:
    """Real buckets with Object Lock cannot; a server that can must not be believed."""
    with Stubber(anchor._client()) as stub:
        stub.add_response(
            "get_object_lock_configuration", {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
        )
        stub.add_response("get_bucket_versioning", {"Status": "Suspended"})

        with pytest.raises(StorageUnavailable, match="no versioning"):
            await anchor.check()


async def test_a_put_that_made_no_version_anchored_nothing(anchor: S3Anchor) -> None:
    """The next one looks at the bucket again."""
    anchor._locked = True
    with Stubber(anchor._client()) as stub:
        stub.add_response("put_object", {})

        with pytest.raises(StorageUnavailable, match="keeps no versions any more"):
            await anchor.put(note_over(1))
    assert not anchor._locked


async def test_a_version_that_nobody_can_read_is_junk_and_one_that_we_may_not_read_is_an_error(
    anchor: S3Anchor, s3: Any
) -> None:
    """Junk must not keep anybody from reading the rest; a missing right must not look like an empty anchor."""
    await anchor.put(note_over(1))
    anchor._client()
    listed = {"Versions": [{"Key": "k", "VersionId": "v", "Size": 9}]}
    with Stubber(anchor._client()) as stub:
        stub.add_response("list_object_versions", listed)
        stub.add_client_error("get_object", "InvalidRequest")
        stub.add_response("list_object_versions", listed)
        stub.add_client_error("get_object", "NoSuchVersion")
        stub.add_response("list_object_versions", listed)
        stub.add_client_error("get_object", "AccessDenied")

        assert ["unreadable: k v"] == await anchor.notes()
        assert [] == await anchor.notes()
        with pytest.raises(StorageUnavailable, match="may not do that"):
            await anchor.notes()


async def test_a_note_of_another_log_or_none_at_all_is_not_put(anchor: S3Anchor) -> None:
    """An anchor is of one log; where notes lie says whose they are."""
    for text in ("hello", note_over(1).replace(ORIGIN, "a.example/squads/other/0")):
        with pytest.raises(InvalidInput):
            await anchor.put(text)


def every_vendor_error() -> list[type[Exception]]:
    found = [c for c in vars(botocore.exceptions).values() if inspect.isclass(c) and issubclass(c, Exception)]
    return sorted((c for c in found if not issubclass(c, Warning)), key=lambda c: c.__name__)


@pytest.mark.parametrize("kind", every_vendor_error(), ids=lambda c: c.__name__)
def test_every_error_of_the_vendor_is_translated_without_its_words(kind: type[Exception]) -> None:
    """Its words may hold an address with a password in it; ours hold the error's name at most."""
    anchor = S3Anchor(BUCKET, origin=ORIGIN)
    error = kind.__new__(kind)
    Exception.__init__(error, SECRET)
    if issubclass(kind, botocore.exceptions.ClientError):
        error.response = {"Error": {"Code": "SlowDown", "Message": SECRET}}  # type: ignore[attr-defined]

    def broken() -> None:
        raise error

    with pytest.raises(StorageUnavailable) as raised:
        anchor._translated(broken)
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None


async def test_nothing_that_is_secret_is_ever_said(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the name, the representation, an error or a log."""
    caplog.set_level(logging.INFO, "squads")
    anchor = S3Anchor("no-such-bucket", "p", origin=ORIGIN)

    with pytest.raises(StorageUnavailable) as raised:
        await anchor.notes()
    said = f"{anchor.name} {anchor!r} {raised.value} {caplog.text}"
    assert SECRET not in said
    assert "s3://no-such-bucket/p" == anchor.name
    await anchor.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucket": "UPPER"},
        {"bucket": "a"},
        {"prefix": "a b"},
        {"retain_days": 0},
        {"retain_days": 36_501},
        {"endpoint": f"http://user:{SECRET}@host"},
        {"endpoint": "ftp://host"},
        {"endpoint": f"http://host/?key={SECRET}"},
    ],
    ids=["capitals", "short", "space", "no days", "a century", "password", "scheme", "query"],
)
def test_what_names_no_bucket_is_refused_and_no_password_repeated(wrong: dict[str, Any]) -> None:
    """Addresses stand in files, lists and logs."""
    with pytest.raises(InvalidInput) as raised:
        S3Anchor(**{"bucket": BUCKET, "origin": ORIGIN, **wrong})
    assert SECRET not in str(raised.value)


def test_an_endpoint_is_asked_by_path_with_bounds_on_time_and_tries(s3: Any) -> None:
    """A server that does not answer holds nobody up for long."""
    anchor = S3Anchor(BUCKET, origin=ORIGIN, endpoint="http://127.0.0.1:9")
    client = anchor._client()

    assert "http://127.0.0.1:9" == client.meta.endpoint_url
    assert (5, 10) == (client.meta.config.connect_timeout, client.meta.config.read_timeout)
    assert 3 == client.meta.config.retries["total_max_attempts"]
    assert f"s3://{BUCKET}?endpoint=http://127.0.0.1:9" == anchor.name


def test_without_boto3_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody who has no such anchor needs it."""
    monkeypatch.setattr("squads.adapters.s3_anchor.find_spec", lambda _: None)

    with pytest.raises(InvalidInput, match=r"pip install 'squads\[s3\]'"):
        S3Anchor(BUCKET, origin=ORIGIN)


async def test_a_closed_anchor_says_so(anchor: S3Anchor) -> None:
    """It is no error of the bucket's."""
    await anchor.close()

    with pytest.raises(StorageUnavailable, match="was closed"):
        await anchor.notes()


def test_the_documented_rights_are_those_that_are_needed_and_let_nothing_be_removed() -> None:
    """People copy them as they stand."""
    page = (Path(__file__).parents[3] / "docs/how-to/anchor-a-ledger.md").read_text("utf-8")
    (policy,) = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    granted = {action for statement in policy["Statement"] for action in statement["Action"]}

    assert granted == {
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketVersioning",
        "s3:GetObjectRetention",
        "s3:GetObjectVersion",
        "s3:ListBucketVersions",
        "s3:PutObject",
        "s3:PutObjectRetention",
    }
    assert {"Allow"} == {statement["Effect"] for statement in policy["Statement"]}


async def test_every_request_is_one_of_the_documented_ones(anchor: S3Anchor) -> None:
    """A right that is missing shows in a bucket that is needed, and late."""
    asked: list[str] = []
    anchor._client().meta.events.register_first(
        "provide-client-params.s3.*", lambda model, **_: asked.append(model.name)
    )

    await anchor.put(note_over(1))
    await anchor.put(note_over(1))
    await anchor.notes()

    assert {
        "GetObjectLockConfiguration",
        "GetBucketVersioning",
        "PutObject",
        "ListObjectVersions",
        "GetObject",
    } == set(asked)
