"""A squad out of a folder: cards say who builds and who refuses, the charter what binds them, facts what is known."""

from __future__ import annotations

import tempfile
from pathlib import Path

from squads.project import Project

FILES = {
    "roles/carpenter.md": """---
kind: roles/carpenter.py:Carpenter
table: wallets
topics: [money]
---
You write small schemas, and you follow what is known about money.
""",
    "roles/carpenter.py": """from squads import Builder


class Carpenter(Builder):
    def __init__(self, table):
        self.table = table

    def build(self, work):
        told = " ".join(fact.text for fact in work.facts)
        unit = "cents" if "cents" in told else "euros"
        rule = f" CHECK (balance_{unit} >= 0)" if work.findings else ""
        return work.artifact({f"{self.table}.sql": f"CREATE TABLE {self.table} (balance_{unit} bigint{rule});"})
""",
    "gates/schema.md": """---
extends: squads:checks
checks: [sql.balance-not-negative]
---
Never let money below zero through.
""",
    "memory/charter.md": "---\nlimits: {attempts_max: 2}\n---\nNothing that handles money composes unread.\n",
    "memory/facts.md": """| fact | source | scope |
| --- | --- | --- |
| We keep money in cents. | the books | money |
""",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for path, text in FILES.items():
            Path(name, path).parent.mkdir(exist_ok=True)
            Path(name, path).write_text(text, encoding="utf-8")
        project = Project.on_disk(Path(name))
        assert project is not None  # there are cards
        result = project.squad(store=None).run_sync("A table of wallets.")
    for judged in result.judgements:
        print(f"attempt {judged.attempt}: {judged.gate} {judged.verdict.kind}")
    print(result.raise_for_refusal().artifact["wallets.sql"].text)


if __name__ == "__main__":
    main()
