"""A bucket with Object Lock in this process, for tests of anchors in S3. It needs moto.

moto is laxer than S3: it lets a retention in compliance mode be shortened and versioning be suspended. Nothing is shown
by its refusing or not refusing: what counts is what our own requests ask for, which `asked_of` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from squads.adapters.s3_anchor import S3Anchor

BUCKET: Final = "squads-anchors"
PLAIN: Final = "squads-plain"
"""A bucket that keeps no versions and locks nothing."""
SECRET: Final = "a-secret-that-nobody-may-see"  # noqa: S105


@contextmanager
def buckets() -> Iterator[Any]:
    """Yield a client of buckets in memory: `BUCKET` with Object Lock, `PLAIN` without anything."""
    import boto3  # type: ignore[import-untyped]
    import botocore.session  # type: ignore[import-untyped]
    from moto import mock_aws
    from moto.s3.models import S3Backend

    named = {
        "AWS_ACCESS_KEY_ID": SECRET,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    with ExitStack() as stack:
        stack.enter_context(patch.dict("os.environ", named))
        stack.enter_context(patch.object(S3Backend, "list_object_versions", _listing(S3Backend.list_object_versions)))
        # Every client reads the same large files anew otherwise.
        loader = botocore.session.create_loader()
        stack.enter_context(patch.object(botocore.session, "create_loader", lambda *_: loader))
        stack.enter_context(mock_aws())
        client = boto3.client("s3")
        stack.callback(client.close)
        client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        client.create_bucket(Bucket=PLAIN)
        yield client


def asked_of(anchor: S3Anchor, operation: str) -> list[dict[str, Any]]:
    """Return a list that fills with the parameters of every such request of this anchor from now on."""
    found: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        found.append(dict(params))

    anchor._client().meta.events.register_first(f"provide-client-params.s3.{operation}", note)
    return found


def _listing(original: Any) -> Any:
    def listed(self: Any, bucket_name: str, *args: Any, **options: Any) -> Any:
        # S3 lists what comes after the marker. moto takes the marker for a key that is there, and skips one more.
        marker = options.get("key_marker")
        if marker and not options.get("version_id_marker"):
            whole = {**options, "key_marker": None, "max_keys": None}
            versions, prefixes, markers, *_ = original(self, bucket_name, *args, **whole)
            after = [version for version in versions if version.name > marker]
            return after, prefixes, [m for m in markers if m.name > marker], None, None
        return original(self, bucket_name, *args, **options)

    return listed
