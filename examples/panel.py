"""A panel reads in turn, cheap first, stops when its verdict is certain, and one of its members has a veto."""

from __future__ import annotations

from squads import Artifact, Builder, BuildWork, Finding, Gate, Panel, ReviewWork, Squad, Verdict


class Words(Gate):
    """Refuses a text that holds, or lacks, certain words."""

    def __init__(self, name: str, *, needs: str = "", never: str = "") -> None:
        self.name, self.needs, self.never = name, needs, never
        self.prior = f"a letter needs {needs!r}" if needs else f"a letter never says {never!r}"

    def review(self, work: ReviewWork) -> Verdict:
        files = work.artifact.files if work.artifact else ()
        found = [
            Finding(invariant=f"words.{self.name}", message=f"{file.path}: {self.prior}")
            for file in files
            if self.needs not in file.text or (self.never and self.never in file.text)
        ]
        return self.decide(found, looked=len(files))


class Writer(Builder):
    def build(self, work: BuildWork) -> Artifact:
        sender = "From: your neighbours, 3 Mill Lane.\n" if work.findings else ""
        return work.artifact({"letter.txt": f"A really good offer.\n{sender}"})


panel = Panel(
    Words("law", needs="From:"),
    Words("style", never="really"),
    Words("spelling", never="offre"),
    Words("taste", never="cheap"),
    name="readers",
    approvals_min=2,
    veto=["law"],
    cascade=True,
)
result = Squad(builder=Writer(), gates=[panel]).run_sync("A letter to the whole street.")
for judged in result.judgements:
    said = ", ".join(f"{member.name} {member.decision}" for member in judged.verdict.members)
    print(f"attempt {judged.attempt}: {judged.verdict.kind} ({said})")
    for finding in judged.verdict.findings:
        print(f"  {finding.severity}: {finding.message}")
print(result)
