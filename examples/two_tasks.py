"""A coordinator cuts a packet into two tasks; the second builds on the approved artifact of the first."""

from __future__ import annotations

from squads import Artifact, Builder, Composed, Coordinator, Packet, Plan, Predicate, Squad, Task
from squads.contracts.work import BuildWork, PlanWork
from squads.gates.builtin import built_in


class Lead(Coordinator):
    def plan(self, work: PlanWork) -> Plan:
        return work.plan(
            Task(name="schema", brief="A table of wallets, in cents.", builder="carpenter"),
            Task(name="debit", brief="A function that debits one wallet.", builder="clerk", after=("schema",)),
        )


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        rule = " CHECK (balance >= 0)" if work.findings else ""
        columns = f"id bigint PRIMARY KEY, balance bigint NOT NULL{rule}"
        return work.artifact({"1_wallets.sql": f"CREATE TABLE wallets ({columns});\n"})


class Clerk(Builder):
    def build(self, work: BuildWork) -> Artifact:
        table = work.inputs["schema"]["1_wallets.sql"].text.split()[2]
        return work.artifact({"2_debit.sql": f"UPDATE {table} SET balance = balance - 100 WHERE id = 1;\n"})


def main() -> None:
    squad = Squad(coordinator=Lead(), builders=[Carpenter(), Clerk()], gates=built_in("sql.balance-not-negative"))
    result = squad.run_sync(
        Packet(
            brief="Wallets, and a way to debit them.",
            done_when=(Predicate(id="no-debt", sentence="No debt.", check="sql.balance-not-negative"),),
        )
    )
    for judged in result.judgements:
        print(f"{judged.task}, attempt {judged.attempt}: {judged.gate} {judged.verdict.kind}")
    print(result)
    if isinstance(result, Composed):
        print(*result.artifact.manifest.paths)


if __name__ == "__main__":
    main()
