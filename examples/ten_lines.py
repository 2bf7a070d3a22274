"""A refusal becomes a composition: one builder, one gate, nothing else."""

from squads import Artifact, Builder, Finding, Squad, check


@check("money.balance-not-negative")
def balance(artifact: Artifact) -> list[Finding]:
    bad = [file.path for file in artifact.files if "CHECK (balance >= 0)" not in file.text]
    return [Finding(invariant="money.balance-not-negative", message=f"{p}: balance may fall below zero") for p in bad]


class Carpenter(Builder):
    def build(self, work):
        rule = " CHECK (balance >= 0)" if work.findings else ""
        return work.artifact({"treasury.sql": f"CREATE TABLE treasury (balance bigint NOT NULL{rule});"})


result = Squad(builder=Carpenter(), gates=[balance]).run_sync("A treasury table.")
for judged in result.judgements:
    print(f"attempt {judged.attempt}: {judged.verdict.kind}", *(f.message for f in judged.verdict.findings))
print(result)
