"""Ruff as a gate: what it finds goes back to the builder, and a file that it cannot parse does not pass."""

from __future__ import annotations

from squads import Artifact, Builder, BuildWork, Limits, Squad
from squads.gates.tools.presets import ruff


class Carpenter(Builder):
    """Names files by their content, with a weak hash until a finding says so."""

    def build(self, work: BuildWork) -> Artifact:
        weak = not any(found.invariant == "python.weak-hash" for found in work.findings)
        name = "md5" if weak else "sha256"
        text = (
            f"import hashlib\n\n\ndef name(data: bytes) -> str:\n    return hashlib.{name}(data).hexdigest()  # noqa\n"
        )
        return work.artifact({"names.py": text})


class Hasty(Builder):
    """Hands in what is no Python."""

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"names.py": "def name(data:\n"})


def main() -> None:
    result = Squad(builder=Carpenter(), gates=[ruff()]).run_sync("Name files by their content.")
    for judged in result.judgements:
        print(f"attempt {judged.attempt}: {judged.verdict.kind}")
        for finding in judged.verdict.findings:
            print(f"  {finding.location} {finding.invariant}: {finding.satisfy or finding.message}")
    print(result)

    unread = Squad(builder=Hasty(), gates=[ruff()], limits=Limits(attempts_max=1)).run_sync("The same, in a hurry.")
    print(unread.exit_code, *{judged.verdict.kind for judged in unread.judgements})


if __name__ == "__main__":
    main()
