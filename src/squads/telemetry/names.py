"""Every name that leaves in telemetry: of spans, attributes, events and metrics.

Names beginning with `gen_ai.` and `error.` are those of the OpenTelemetry conventions for generative AI, which are
still in development and are written out here, because the constants in OpenTelemetry's own package are deprecated. The
others are ours. Dashboards are built on them: a test holds the whole list, and a change belongs into the changelog.
"""

from __future__ import annotations

from typing import Final

SCOPE: Final = "squads"

# Operations: the first word of a span's name, and its `gen_ai.operation.name`.
INVOKE_WORKFLOW: Final = "invoke_workflow"
INVOKE_AGENT: Final = "invoke_agent"
CHAT: Final = "chat"
EXECUTE_TOOL: Final = "execute_tool"
# Spans that the conventions have no operation for.
GATE: Final = "squads.gate"
ROLE: Final = "squads.role"

# Attributes of the conventions.
OPERATION_NAME: Final = "gen_ai.operation.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
AGENT_NAME: Final = "gen_ai.agent.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
KIND_OF_TOKENS: Final = "gen_ai.token.type"
TOOL_NAME: Final = "gen_ai.tool.name"
ERROR_TYPE: Final = "error.type"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"

# Attributes of the conventions that hold content.
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"

# Attributes of ours.
PACKET: Final = "squads.packet"
REQUEST: Final = "squads.request"
ROLE_NAME: Final = "squads.role.name"
ROLE_KIND: Final = "squads.role.kind"
WORK: Final = "squads.work"
READS: Final = "squads.reads"
ATTEMPT: Final = "squads.attempt"
TASK: Final = "squads.task"
INDEPENDENCE: Final = "squads.independence"
DECISION: Final = "squads.decision"
LOOKED: Final = "squads.looked"
SEVERITY: Final = "squads.severity"
UNANCHORED: Final = "squads.unanchored"
MODEL: Final = "squads.model"
COST_MICROUSD: Final = "squads.cost_microusd"
TOKENS: Final = "squads.tokens"
CALLS: Final = "squads.calls"
WAIT_MS: Final = "squads.wait_ms"
OUTCOME: Final = "squads.outcome"
REASON: Final = "squads.reason"
RESUMED: Final = "squads.resumed"

# Events.
EVALUATION: Final = "gen_ai.evaluation.result"
REPLAYED: Final = "squads.replayed"
RETRIED: Final = "squads.retried"

# Metrics: name, unit, and the bounds that the conventions advise.
USAGE: Final = "gen_ai.client.token.usage"
USAGE_UNIT: Final = "{token}"
USAGE_BOUNDS: Final = tuple(float(4**power) for power in range(14))
OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
DURATION_UNIT: Final = "s"
DURATION_BOUNDS: Final = tuple(0.01 * 2**power for power in range(14))
