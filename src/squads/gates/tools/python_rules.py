"""Which security rules of ruff and bandit mean the same: one invariant, the rules of both, and how heavily it weighs.

Ruff's `S` rules are a port of bandit's `B` tests under the same numbers, so a number stands for both. What is weighed
as `major` is wrong almost wherever it is found; what is often right, such as `random` in a simulation, weighs less, so
that a gate which refuses good work is not switched off.
"""

from __future__ import annotations

from squads.contracts.finding import Severity

MAJOR, MINOR, NOTE = Severity.MAJOR, Severity.MINOR, Severity.NOTE
INVARIANTS: dict[str, tuple[Severity, str]] = {
    "python.hardcoded-secret": (MAJOR, "105 106 107"),
    "python.sql-injection": (MAJOR, "608 610 611"),
    "python.shell-injection": (MAJOR, "602 604 605 609"),
    "python.remote-shell": (MINOR, "601"),
    "python.code-execution": (MAJOR, "102 307"),
    "python.insecure-deserialisation": (MAJOR, "301 302 506 614"),
    "python.xml-entities": (MAJOR, "313 314 315 316 317 318 319"),
    "python.weak-hash": (MAJOR, "303 324"),
    "python.weak-cipher": (MAJOR, "304 305 413 505"),
    "python.weak-random": (MINOR, "311"),
    "python.tls-verification": (MAJOR, "323 501"),
    "python.weak-tls": (MAJOR, "502 503 504"),
    "python.ssh-host-key": (MAJOR, "507"),
    "python.plain-protocol": (MAJOR, "312 321 508 509"),
    "python.request-timeout": (MINOR, "113"),
    "python.url-scheme": (MINOR, "310"),
    "python.debug-server": (MAJOR, "201"),
    "python.archive-traversal": (MAJOR, "202"),
    "python.temporary-file": (MINOR, "108 306"),
    "python.file-permissions": (MAJOR, "103"),
    "python.bind-all-interfaces": (MINOR, "104"),
    "python.html-escaping": (MAJOR, "308 701 702 703 704"),
    "python.logging-listener": (MAJOR, "612"),
    "python.swallowed-error": (NOTE, "110 112"),
    "python.trojan-source": (MAJOR, "613"),
}
"""Invariant to its severity and the numbers of its rules: `105` is ruff's S105 and bandit's B105."""
BIDIRECTIONAL = "PLE2502"
"""Ruff's rule for what bandit's B613 finds."""


def rules_of(letter: str) -> dict[str, str]:
    """Return rule id to invariant for a tool whose rules begin with `letter`: `S` for ruff, `B` for bandit."""
    rules = {f"{letter}{number}": id for id, (_, numbers) in INVARIANTS.items() for number in numbers.split()}
    return {**rules, BIDIRECTIONAL: "python.trojan-source"} if letter == "S" else rules


def severities_of(rules: dict[str, str]) -> dict[str, str]:
    """Return rule id to severity, so that one invariant weighs the same whichever tool finds it."""
    return {rule: INVARIANTS[invariant][0].value for rule, invariant in rules.items()}
