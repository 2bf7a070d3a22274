"""The parts of SARIF 2.1.0 that `squads` writes, as a table of shapes: a reader in a test, in our own words.

The standard's whole schema is not ours to copy; `test_sarif_is_valid_against_the_schema_of_oasis` reads it from a file
that whoever runs the test names in `SQUADS_SARIF_SCHEMA`.
"""

from __future__ import annotations

from typing import Any

TEXT = {"text": str}
RULE = {
    "id": str,
    "defaultConfiguration": {"level": {"none", "note", "warning", "error"}},
    "shortDescription": TEXT,
    "fullDescription": TEXT,
    "help": TEXT,
    "properties": dict,
}
REGION = {"startLine": int, "startColumn": int, "endLine": int, "snippet": TEXT}
LOCATION = {"physicalLocation": {"artifactLocation": {"uri": str, "uriBaseId": str}, "region": REGION}}
RESULT = {
    "ruleId": str,
    "ruleIndex": int,
    "level": {"none", "note", "warning", "error"},
    "message": TEXT,
    "locations": [LOCATION],
    "partialFingerprints": dict,
    "suppressions": [{"kind": {"inSource", "external"}, "status": {"accepted"}, "justification": str}],
}
RUN = {
    "tool": {"driver": {"name": str, "version": str, "rules": [RULE]}},
    "automationDetails": {"id": str, "description": TEXT},
    "columnKind": {"utf16CodeUnits", "unicodeCodePoints"},
    "originalUriBaseIds": dict,
    "invocations": [
        {
            "executionSuccessful": bool,
            "exitCode": int,
            "toolExecutionNotifications": [{"level": {"note", "warning", "error"}, "message": TEXT}],
        }
    ],
    "results": [RESULT],
    "properties": dict,
}
LOG = {"$schema": str, "version": {"2.1.0"}, "runs": [RUN]}
REQUIRED = {"version", "runs", "tool", "driver", "name", "message", "text", "id", "executionSuccessful", "kind"}


def check(value: Any, shape: Any = None, where: str = "log") -> None:
    """Raise `AssertionError` with the place where a value has another shape."""
    shape = LOG if shape is None else shape
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(value) <= set(shape), f"{where}: unknown {set(value) - set(shape)}"
        assert (set(shape) & REQUIRED) <= set(value), f"{where}: missing {set(shape) & REQUIRED - set(value)}"
        for key, inner in value.items():
            check(inner, shape[key], f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, inner in enumerate(value):
            check(inner, shape[0], f"{where}[{number}]")
    elif isinstance(shape, set):
        assert value in shape, f"{where}: {value!r}"
    else:
        assert type(value) is shape, f"{where}: {value!r}"
        if shape is int:
            assert value >= 0, where
