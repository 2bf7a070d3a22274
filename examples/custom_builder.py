"""A builder renders a page from another task's table, and mends exactly the lines that a gate's findings name."""

from __future__ import annotations

import csv
import re
from html import escape

from squads import Artifact, Builder, BuildWork, Coordinator, Finding, Location, Plan, PlanWork, Squad, Task, check
from squads.gates.builtin import built_in


@check("html.known-tags", files=["*.html"])
def known_tags(artifact: Artifact) -> list[Finding]:
    """A page of prices holds no tag but those of a table, and bold text."""
    return [
        Finding(
            invariant="html.known-tags",
            message=f"a page of prices holds <{tag}>",
            location=Location(path=file.path, line=number),
            evidence=line,
            satisfy="Escape this line's text.",
        )
        for file in artifact.matching("*.html")
        for number, line in enumerate(file.text.splitlines(), 1)
        for tag in re.findall(r"<(\w+)", line)
        if tag not in ("table", "tr", "td", "b")
    ]


class Shopkeeper(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"prices.csv": "Oak table,240\n<b>New:</b> ash chair,80\nShelf <script>,60\n"})


class Renderer(Builder):
    """Text may bring its own bold words, so a line is escaped only where a finding names it."""

    def build(self, work: BuildWork) -> Artifact:
        named = {found.location.line for found in work.findings if found.location}
        lines = ["<table>"]
        for number, (what, price) in enumerate(csv.reader(work.inputs["prices"]["prices.csv"].text.splitlines()), 2):
            lines.append(f"<tr><td>{escape(what) if number in named else what}</td><td>{price}</td></tr>")
        return work.artifact({"prices.html": "\n".join([*lines, "</table>\n"])})


class Lead(Coordinator):
    def plan(self, work: PlanWork) -> Plan:
        prices = Task(name="prices", brief="What we sell, and for how much.", builder="shopkeeper")
        return work.plan(prices, Task(name="page", brief="It as a page.", builder="renderer", after=("prices",)))


GATES = [known_tags, *built_in("text.conflict-marker")]
result = Squad(coordinator=Lead(), builders=[Shopkeeper(), Renderer()], gates=GATES).run_sync("A price list.")
for judged in result.refusals:
    print(f"{judged.task}, attempt {judged.attempt}:", *(f"{f.location}: {f.message}" for f in judged.verdict.findings))
print(result.raise_for_refusal().artifact["prices.html"].text, end="")
