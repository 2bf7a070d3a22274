"""What the three models of the kill matrix say, and where their program is killed.

Decided by what they are asked alone, so that asking again gives the same. The model server imports it in a process of
its own, and whoever only reads the table does too: nothing here imports a vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from squads.testing import Call, ServerRequest

NULLABLE = "CREATE TABLE t (a int, b int, UNIQUE (a, b));\n"
MENDED = "CREATE TABLE t (a int NOT NULL, b int NOT NULL, UNIQUE (a, b));\n"
FINDING = {"invariant": "sql.unique-null", "severity": "blocker", "message": "a and b may be NULL, so the rows repeat."}

POINTS: Mapping[str, str] = {
    "sending": "before a request is sent",
    "served": "while the server works on it",
    "arrived": "after the answer arrived, before it was written",
    "written": "right after the answer was written",
    "called": "when a tool is called",
    "returned": "after a tool did its work, before its result was written",
    "noted": "right after a tool's result was written",
    "answered": "after a role answered, before its reply is sent",
    "appending": "before receipts are appended",
    "appended": "right after receipts were appended",
}
"""Every step at which the program is killed, in the words of the table."""


def reply(request: ServerRequest) -> Any:
    """Return the reply of one of the three models."""
    done = len(request.results)
    if request.offers("plan"):
        return Call("plan", {"tasks": [{"name": "table", "brief": "A table t.", "builder": "maker"}]})
    if request.offers("accept"):
        return Call("accept", {"held": [{"predicate": "pairs", "holds": True, "path": "t.sql"}]})
    if request.offers("approve"):
        mended = "a int NOT NULL" in request.text
        return Call("approve", {}) if mended else Call("refuse", {"findings": [FINDING]})
    hand_in = Call("hand_in", {"summary": "A table."})
    first = [
        [Call("write_file", {"path": "t.sql", "text": NULLABLE}), Call("read_file", {"path": "t.sql"})],
        [Call("run_command", {"program": "python", "arguments": ["-c", "open('made.txt', 'w').write('made')"]})],
        hand_in,
    ]
    second = [
        [Call("replace_text", {"path": "t.sql", "old": NULLABLE, "new": MENDED})],
        [Call("read_file", {"path": "t.sql"}), Call("list_files", {})],
        hand_in,
    ]
    turns = second if FINDING["message"] in request.messages[0].text else first
    results = [0, *(sum(len(t) for t in turns[: n + 1] if isinstance(t, list)) for n in range(len(turns) - 1))]
    return turns[results.index(done)] if done in results else hand_in
