"""What the benchmarks share: one JSON line, medians, and the machine they ran on."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable

from squads import Finding
from squads.contracts.artifact import Artifact
from squads.contracts.verdict import Verdict
from squads.contracts.work import BuildWork, ReviewWork
from squads.gates.gate import Gate
from squads.roles.builder import Builder


class Scripted(Builder):
    """Hands in one small file; a second time with other bytes."""

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"treasury.sql": f"-- attempt {work.attempt}\nCREATE TABLE treasury (balance bigint);\n"})


class Strict(Gate):
    """Refuses the first attempt."""

    prior = "Refuses the first attempt."

    def review(self, work: ReviewWork) -> Verdict:
        if work.attempt == 1:
            return work.refuse(Finding(invariant="bench.first", message="The first attempt is refused."))
        return work.approve()


class Kind(Gate):
    """Approves everything."""

    prior = "Approves everything."

    def review(self, work: ReviewWork) -> Verdict:
        return work.approve()


def median_of(runs: int, measure: Callable[[], float]) -> float:
    """Return the median of `runs` measurements."""
    return statistics.median(measure() for _ in range(runs))


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process, all threads, that `work` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def sign_microseconds() -> float:
    """Return what one Ed25519 signature costs here: the unit that ratios are given in."""
    from squads.adapters.keys import InProcessSigner

    signer = InProcessSigner.generate()
    message = b"x" * 700
    signer.sign(message)
    return median_of(5, lambda: cpu_seconds(lambda: [signer.sign(message) for _ in range(500)]) / 500 * 1e6)


def report(name: str, **figures: object) -> None:
    """Print one JSON line."""
    rounded = {k: round(v, 3) if isinstance(v, float) else v for k, v in figures.items()}
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": name, **rounded, **machine}))
