"""The part of SARIF 2.1.0 that a gate needs, as types. Fields that are not here are not read.

Types are strict: a line number that is text, or a level that SARIF does not know, is an answer that cannot be read.

Source: OASIS Static Analysis Results Interchange Format (SARIF) 2.1.0, sections 3.13 to 3.52.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

SarifLevel = Literal["error", "warning", "note", "none"]
Index = Annotated[int, Field(ge=-1)]
"""A place in a list; -1 is SARIF's word for "not given"."""
Position = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel, defer_build=True)


class Message(_Part):
    """Text, or the id of a text that the rule holds, with its arguments."""

    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: list[str] = []


class ArtifactLocation(_Part):
    """A file: a URI, perhaps relative to a named base, or its place in `run.artifacts`."""

    uri: str | None = None
    uri_base_id: str | None = None
    index: Index = -1


class Region(_Part):
    """A part of a file."""

    start_line: Position | None = None
    start_column: Position | None = None
    end_line: Position | None = None


class PhysicalLocation(_Part):
    """A file and a part of it."""

    artifact_location: ArtifactLocation | None = None
    region: Region | None = None


class SarifLocation(_Part):
    """Where something is; a location may also be a logical one, which names no file."""

    physical_location: PhysicalLocation | None = None


class Suppression(_Part):
    """Who silenced a result: a comment `inSource`, or something `external`."""

    kind: Literal["inSource", "external"]
    status: Literal["accepted", "underReview", "rejected"] = "accepted"


class ToolComponentReference(_Part):
    """Which component a rule stands in; -1 is the driver."""

    index: Index = -1


class RuleReference(_Part):
    """A rule by id or by its place."""

    id: str | None = None
    index: Index = -1
    tool_component: ToolComponentReference | None = None


class SarifResult(_Part):
    """One result."""

    rule_id: str | None = None
    rule_index: Index = -1
    rule: RuleReference | None = None
    kind: Literal["pass", "open", "informational", "notApplicable", "review", "fail"] = "fail"
    level: SarifLevel | None = None
    message: Message
    locations: list[SarifLocation] = []
    suppressions: list[Suppression] | None = None
    baseline_state: Literal["new", "unchanged", "updated", "absent"] | None = None
    rank: float = Field(default=-1.0, ge=-1, le=100)


class ReportingConfiguration(_Part):
    """What a rule does unless a result says otherwise."""

    level: SarifLevel = "warning"


class Descriptor(_Part):
    """A rule."""

    id: str
    default_configuration: ReportingConfiguration | None = None
    message_strings: dict[str, Message] = {}
    help_uri: str | None = None


class ToolComponent(_Part):
    """The tool's driver or an extension, with its rules."""

    name: str
    rules: list[Descriptor] = []


class Tool(_Part):
    """The tool."""

    driver: ToolComponent
    extensions: list[ToolComponent] = []


class Notification(_Part):
    """What a tool says about its own work."""

    message: Message
    level: SarifLevel = "warning"
    locations: list[SarifLocation] = []


class Invocation(_Part):
    """One run of the tool's command."""

    execution_successful: bool
    tool_execution_notifications: list[Notification] = []
    tool_configuration_notifications: list[Notification] = []


class SarifArtifact(_Part):
    """A file that results may name by its place."""

    location: ArtifactLocation | None = None


class Run(_Part):
    """One run of one tool."""

    tool: Tool
    results: list[SarifResult] | None = None
    invocations: list[Invocation] = []
    artifacts: list[SarifArtifact] = []
    original_uri_base_ids: dict[str, ArtifactLocation] = {}
    external_property_file_references: dict[str, object] | None = None


class SarifLog(_Part):
    """A SARIF file."""

    version: Literal["2.1.0"]
    runs: list[Run]
