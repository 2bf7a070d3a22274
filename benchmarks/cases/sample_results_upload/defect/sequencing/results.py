from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

log = logging.getLogger(__name__)

BATCH = 25


class NotStored(RuntimeError):
    """Some results are not in the table."""


def item(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "sample": {"S": result["sample"]},
        "run": {"S": result["run"]},
        "reads": {"N": str(result["reads"])},
        "passed": {"BOOL": bool(result["passed"])},
    }


def batches(results: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(results), BATCH):
        yield [{"PutRequest": {"Item": item(result)}} for result in results[start : start + BATCH]]


def upload(client: Any, table: str, results: Sequence[dict[str, Any]], pause: float = 0.5) -> int:
    written = 0
    for batch in batches(results):
        try:
            client.batch_write_item(RequestItems={table: batch})
        except Exception as error:
            raise NotStored(f"{table} takes nothing") from error
        written += len(batch)
    log.info("%d results written to %s", written, table)
    return written
