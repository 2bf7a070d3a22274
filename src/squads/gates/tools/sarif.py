"""A strict reader of SARIF 2.1.0, the format that most tools can write.

It returns every result that says something is wrong, and a sentence for everything that the tool says it could not look
at. It must never read silence as approval: a log without a run, a run without results, a failed invocation and a place
outside of the artifact are answers that cannot be used.

How a result counts:

    kind fail                           by its level, else by its rule's default level, else `warning`; `none`: left out
    kind review                         as a warning: a person has to look
    kind open                           could not look: the tool had too little to decide
    pass, notApplicable, informational  left out
    baselineState absent                left out: the tool says that it is no longer there

Source: OASIS SARIF 2.1.0, sections 3.14 (run), 3.20 (invocation), 3.27 (result), 3.35 (suppression) and 3.58
(notification).
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urljoin

from pydantic import ValidationError

from squads.gates.check import CannotLook
from squads.gates.tools.report import Level, PathOf, Report, Result, scrubbed, strict_json
from squads.gates.tools.sarif_model import (
    ArtifactLocation,
    Descriptor,
    Invocation,
    Notification,
    PhysicalLocation,
    Run,
    SarifLevel,
    SarifLocation,
    SarifLog,
    SarifResult,
)

BASES_MAX = 8
"""How many bases a relative URI may be resolved through."""
MESSAGE_CHARS_MAX = 1_000
_WEIGHTS = {"none": 0, "note": 1, "warning": 2, "error": 3}


def read_sarif(blob: bytes, path_of: PathOf, *, notify_at: Level = "error", what: str = "the tool's SARIF") -> Report:
    """Return what a SARIF log says. Raises `CannotLook` where it cannot be read.

    Args:
        blob: The log's bytes; the caller bounds them.
        path_of: From a URI to the artifact's path.
        notify_at: The level from which a notification says that the tool could not look at something.
        what: What to call the log in a reason.
    """
    try:
        log = SarifLog.model_validate(strict_json(blob, what))
    except ValidationError as error:
        raise CannotLook(f"{what} is not SARIF 2.1.0 as it must be: {_first(error)}") from None
    if not log.runs:
        raise CannotLook(f"{what} holds no run, so nothing was looked at")
    results: list[Result] = []
    unread: list[str] = []
    for number, run in enumerate(log.runs):
        reader = _Reader(run, path_of, f"{what}, runs.{number}")
        unread += reader.complaints(notify_at)
        results += reader.results(unread)
    return Report(results=tuple(results), unread=tuple(unread))


def _first(error: ValidationError) -> str:
    item = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in item["loc"]) or "the whole"
    more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    return scrubbed(f"{where}: {item['msg']} (got {item['input']!r:.60}){more}", 300)


class _Reader:
    """One run, with what its results refer to."""

    def __init__(self, run: Run, path_of: PathOf, where: str) -> None:
        self.run = run
        self.path_of = path_of
        self.where = where
        self.components = [run.tool.driver, *run.tool.extensions]
        self.by_id = {rule.id: rule for component in reversed(self.components) for rule in component.rules}

    def complaints(self, notify_at: Level) -> list[str]:
        """Return what the run says about its own failures."""
        if self.run.external_property_file_references:
            raise CannotLook(f"{self.where} keeps parts in other files; let the tool write one file")
        if self.run.results is None:
            raise CannotLook(f"{self.where} has no results, which says that nothing was looked at")
        said = []
        for invocation in self.run.invocations:
            notes = [n for n in _notifications(invocation) if _WEIGHTS[n.level] >= _WEIGHTS[notify_at]]
            said += [self._complaint(n) for n in notes]
            if not invocation.execution_successful and not notes:
                said.append(f"{scrubbed(self.run.tool.driver.name, 60)} says that its run did not succeed")
        return said

    def results(self, unread: list[str]) -> list[Result]:
        """Return the results that count; what the tool could not decide is added to `unread`."""
        found = []
        for number, result in enumerate(self.run.results or ()):
            where = f"{self.where}.results.{number}"
            rule, id = self._rule(result, where)
            path, place = self._place(result.locations, where)
            if result.kind in ("pass", "notApplicable", "informational") or result.baseline_state == "absent":
                continue
            if result.kind == "open":
                unread.append(f"{scrubbed(id, 80)} could not be decided{f' in {path}' if path else ''}")
                continue
            level = _level(result, rule)
            if level == "none":
                continue
            region = place.region if place else None
            found.append(
                Result(
                    rule=id,
                    level=level,
                    message=_message(result, rule) or id,
                    path=path,
                    line=region.start_line if region else None,
                    column=region.start_column if region else None,
                    end_line=region.end_line if region else None,
                    rank=result.rank,
                    suppressed=_suppressed(result),
                    satisfy=f"See {scrubbed(rule.help_uri, 300)}" if rule and rule.help_uri else "",
                )
            )
        return found

    def _rule(self, result: SarifResult, where: str) -> tuple[Descriptor | None, str]:
        """Return the rule's description, where the run has one, and its id."""
        reference = result.rule
        id = result.rule_id or (reference.id if reference else None)
        index = reference.index if reference and reference.index >= 0 else result.rule_index
        if index >= 0:
            component = reference.tool_component.index if reference and reference.tool_component else -1
            if component + 1 >= len(self.components) or index >= len(self.components[component + 1].rules):
                raise CannotLook(f"{where} names rule number {index}, which the run does not hold")
            rule = self.components[component + 1].rules[index]
            return rule, id or rule.id
        if not id:
            raise CannotLook(f"{where} names no rule, as tools do when they could not read a file")
        return self.by_id.get(id), id

    def _place(self, locations: list[SarifLocation], where: str) -> tuple[str | None, PhysicalLocation | None]:
        """Return the first place that a result names. All of them must be in the artifact."""
        found = []
        for location in locations:
            place = location.physical_location
            if place is not None and place.artifact_location is not None:
                found.append((self.path_of(self._uri(place.artifact_location, where)), place))
        return found[0] if found else (None, None)

    def _uri(self, location: ArtifactLocation, where: str) -> str:
        """Return a location's URI, resolved through its bases."""
        if location.uri is None and location.index >= 0:
            if location.index >= len(self.run.artifacts) or self.run.artifacts[location.index].location is None:
                raise CannotLook(f"{where} names file number {location.index}, which the run does not hold")
            location = self.run.artifacts[location.index].location or location
        if location.uri is None:
            raise CannotLook(f"{where} has a place without a URI")
        uri = location.uri
        for _ in range(BASES_MAX):
            base = self.run.original_uri_base_ids.get(location.uri_base_id or "")
            if base is None or base.uri is None:
                return uri  # a base that the run does not explain is the folder that the tool was run in
            uri, location = urljoin(base.uri, uri), base
        raise CannotLook(f"{where} has a place whose bases lead through more than {BASES_MAX} others")

    def _complaint(self, note: Notification) -> str:
        paths = []
        for location in note.locations:
            place = location.physical_location
            if place is not None and place.artifact_location is not None:
                paths.append(self.path_of(self._uri(place.artifact_location, self.where)))
        text = scrubbed(note.message.text or note.message.markdown or note.message.id or "", MESSAGE_CHARS_MAX)
        return (
            ": ".join(part for part in (", ".join(paths), text) if part) or "the tool could not look, and says not why"
        )


def _notifications(invocation: Invocation) -> list[Notification]:
    return [*invocation.tool_execution_notifications, *invocation.tool_configuration_notifications]


def _level(result: SarifResult, rule: Descriptor | None) -> SarifLevel:
    if result.kind == "review":
        return "warning"
    if result.level is not None:
        return result.level
    if rule is not None and rule.default_configuration is not None:
        return rule.default_configuration.level
    return "warning"


def _message(result: SarifResult, rule: Descriptor | None) -> str:
    message = result.message
    text = message.text or message.markdown
    if text is None and message.id is not None and rule is not None:
        held = rule.message_strings.get(message.id)
        text = (held.text or held.markdown) if held else None

    def argument(match: re.Match[str]) -> str:
        number = int(match[1])
        return message.arguments[number] if number < len(message.arguments) else match[0]

    return scrubbed(re.sub(r"\{(\d{1,3})\}", argument, text or ""), MESSAGE_CHARS_MAX)


def _suppressed(result: SarifResult) -> Literal["", "in-source", "external"]:
    """Say whether a result is silenced: as SARIF has it, only where nobody rejected or still weighs that."""
    given = result.suppressions or []
    if not given or any(s.status != "accepted" for s in given):
        return ""
    return "external" if any(s.kind == "external" for s in given) else "in-source"
