"""A gate with a check of its own beside a `Gate` class: what is major refuses, what is minor rides along as a note."""

from __future__ import annotations

from squads import Artifact, Builder, BuildWork, Finding, Gate, Location, ReviewWork, Severity, Squad, Verdict, check

LINE_CHARS_MAX = 60


@check("page.has-title", files=["*.md"])
def has_title(artifact: Artifact) -> list[Finding]:
    """A page begins with its title."""
    return [
        Finding(
            invariant="page.has-title",
            message=f"{file.path} has no title",
            location=Location(path=file.path, line=1),
            satisfy="Begin with a line such as `# Opening hours`.",
        )
        for file in artifact.matching("*.md")
        if not file.text.startswith("# ")
    ]


class Reader(Gate):
    """Reads as somebody with a small screen does."""

    prior = "Long lines are a pity, shouting is not let through."

    def review(self, work: ReviewWork) -> Verdict:
        if work.artifact is None:
            return work.abstain("there are no files to read")
        found = []
        for file in work.artifact.files:
            for number, line in enumerate(file.text.splitlines(), 1):
                place = Location(path=file.path, line=number)
                if line.isupper():
                    found.append(Finding(invariant="page.no-shouting", message="a line shouts", location=place))
                if len(line) > LINE_CHARS_MAX:
                    text = f"a line has {len(line)} characters"
                    found.append(Finding(invariant="page.line", message=text, severity=Severity.MINOR, location=place))
        return self.decide(found, looked=len(work.artifact.files))


class Writer(Builder):
    def build(self, work: BuildWork) -> Artifact:
        title = "# Opening hours" if work.findings else "OPENING HOURS"
        return work.artifact(
            {"hours.md": f"{title}\n\nFrom nine to five, and on the first Saturday of a month from ten.\n"}
        )


result = Squad(builder=Writer(), gates=[has_title, Reader()]).run_sync("A page of our opening hours.")
for judged in result.judgements:
    print(f"attempt {judged.attempt}, {judged.gate}: {judged.verdict.kind}")
    for finding in judged.verdict.findings:
        print(f"  {finding.severity} {finding.location}: {finding.message}")
print(result)
