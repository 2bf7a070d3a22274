"""A builder objects to a brief that leaves something open, the coordinator amends it, and then it composes."""

from __future__ import annotations

from squads import Artifact, Builder, BuildWork, Coordinator, Objection, Plan, PlanWork, Squad, Task
from squads.gates.builtin import built_in


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact | Objection:
        if "cents" not in work.brief:
            return work.objection(
                "the brief does not say in which unit a balance is kept, and a wrong guess loses money",
                proposal="Keep it in whole cents.",
            )
        column = "balance_cents bigint NOT NULL CHECK (balance_cents >= 0)"
        return work.artifact({"wallets.sql": f"CREATE TABLE wallets (owner bigint PRIMARY KEY, {column});\n"})


class Lead(Coordinator):
    """Takes a builder's proposal into the brief, and keeps the task."""

    def plan(self, work: PlanWork) -> Plan | Objection:
        brief = work.packet.brief
        for complaint in work.complaints:
            for objection in complaint.objections:
                print(f"{complaint.task}: {'; '.join(objection.reasons)}")
                brief = f"{brief} {objection.proposal}"
        print("brief:", brief)
        return work.plan(Task(name="table", brief=brief, builder="carpenter"))


def main() -> None:
    squad = Squad(coordinator=Lead(), builder=Carpenter(), gates=built_in("sql.balance-not-negative"))
    print(squad.run_sync("A table of wallets with their balances."))


if __name__ == "__main__":
    main()
