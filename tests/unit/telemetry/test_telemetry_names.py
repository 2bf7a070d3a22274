"""The names in telemetry: dashboards are built on them."""

from __future__ import annotations

from squads.telemetry import names

GOLDEN = """
chat
error.type
execute_tool
gen_ai.agent.name
gen_ai.client.operation.duration
gen_ai.client.token.usage
gen_ai.evaluation.explanation
gen_ai.evaluation.name
gen_ai.evaluation.result
gen_ai.evaluation.score.label
gen_ai.input.messages
gen_ai.operation.name
gen_ai.output.messages
gen_ai.provider.name
gen_ai.request.max_tokens
gen_ai.request.model
gen_ai.response.finish_reasons
gen_ai.response.id
gen_ai.response.model
gen_ai.system_instructions
gen_ai.token.type
gen_ai.tool.call.arguments
gen_ai.tool.call.result
gen_ai.tool.name
gen_ai.usage.input_tokens
gen_ai.usage.output_tokens
gen_ai.workflow.name
invoke_agent
invoke_workflow
s
squads
squads.attempt
squads.calls
squads.cost_microusd
squads.decision
squads.gate
squads.independence
squads.looked
squads.model
squads.outcome
squads.packet
squads.reads
squads.reason
squads.replayed
squads.request
squads.resumed
squads.retried
squads.role
squads.role.kind
squads.role.name
squads.severity
squads.task
squads.tokens
squads.unanchored
squads.wait_ms
squads.work
{token}
"""


def test_every_name_is_one_that_was_promised() -> None:
    """A changed name breaks somebody's dashboard: it is changed here as well, and told in the changelog."""
    found = [value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)]

    assert GOLDEN.split() == sorted(found)


def test_the_bounds_are_those_that_the_conventions_advise() -> None:
    """Tokens by powers of four from 1, seconds by doubling from a hundredth."""
    assert (1.0, 4.0, 67_108_864.0) == (*names.USAGE_BOUNDS[:2], names.USAGE_BOUNDS[-1])
    assert (0.01, 0.02, 81.92) == (*names.DURATION_BOUNDS[:2], names.DURATION_BOUNDS[-1])
    assert {14} == {len(names.USAGE_BOUNDS), len(names.DURATION_BOUNDS)}
