"""A command as a gate: it reads the artifact's files, runs on a private copy of them, and gives one verdict.

    files that match ── private copy ── command ── answer ── results ── findings ── verdict
                        no settings     bounded    read       mapped     known ones
                        of the artifact            strictly   to rules   as notes

It must never pass what the tool did not read: a tool that is not there, fails, runs late, complains, prints nothing
that can be read, or says that it could not parse a file makes the gate abstain.
"""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from squads.contracts.artifact import Artifact, File
from squads.contracts.base import canonical, digest_of
from squads.contracts.errors import InvalidSquad, NotText
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import ReviewWork, Waiver
from squads.gates.check import CannotLook
from squads.gates.gate import Gate
from squads.gates.skipping import checked_skip, skips
from squads.gates.tools.answer import answer_of
from squads.gates.tools.baseline import NOT_LISTED, Baseline
from squads.gates.tools.installed import Installed, installed, tool_name
from squads.gates.tools.mapping import RuleMapping, Unmapped, slug
from squads.gates.tools.private_copy import PrivateCopy
from squads.gates.tools.process import Ran, minimal_environment, run
from squads.gates.tools.report import Level, Report, scrubbed
from squads.gates.tools.sarif import read_sarif
from squads.gates.tools.source import Source
from squads.gates.tools.squawk import read_squawk

FINDINGS_MAX = 1_000
"""How many findings one verdict lists, the worst first; one more says how many are not listed."""
UNREADABLE = ("invalid-syntax", "syntax-error", "E999", "PRS", "LXR", "TMP")
"""Rules by which known tools say that they could not parse a file."""
FORMATS = ("sarif", "squawk")
Format = Literal["sarif", "squawk"]
"""How an answer may be written."""


def _today() -> date:
    return datetime.now(UTC).date()


class ToolGate(Gate):
    """A gate around a command. `squads.gates.tools.presets` configures it for well-known tools."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        files: Sequence[str] = ("*",),
        format: Format = "sarif",
        output: str = "stdout",
        rules: Mapping[str, str] | None = None,
        severities: Mapping[str, str] | None = None,
        levels: Mapping[str, str] | None = None,
        unmapped: Unmapped = "keep",
        unreadable: Sequence[str] = UNREADABLE,
        notify_at: Level = "error",
        heeds_suppressions: bool = False,
        refuse_at: str = Severity.MAJOR,
        reads: Sequence[str] = (AttemptKind.ARTIFACT,),
        success_codes: Sequence[int] = (0, 1),
        silent: bool = True,
        timeout_seconds: float = 60.0,
        output_bytes_max: int = 32 * 1024 * 1024,
        skip: Sequence[str] = (),
        baseline: str | Path | None = None,
        heeds_waivers: bool = True,
        environment: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        renamed: bool = False,
        masks: Sequence[str] = (),
        version_words: Sequence[str] = ("--version",),
        install: str = "",
        today: Callable[[], date] = _today,
    ) -> None:
        """Configure the gate. Raises `InvalidSquad` for what cannot be; a tool that is missing abstains later.

        Args:
            name: How the squad calls the gate; invariants of unmapped rules begin with it.
            command: The argument list; never a shell string. `{files}` stands for the files' paths, each with `./`
                before it; where it is left out, the folder `.` is added. `{settings}` and `{output}` are relative
                paths of the folder with `settings` and of the answer's file.
            files: Shell patterns of the files that it reads, as in `@check`. Each must be UTF-8.
            format: How the answer is written.
            output: `stdout`, or the name of the file that the command writes to `{output}`.
            rules: Rule id, or a pattern such as `S3*`, to the id of an invariant.
            severities: Rule id or pattern to a severity, instead of the one that follows from the tool's level.
            levels: `error`, `warning` or `note` to a severity; by default `major`, `minor` and `note`.
            unmapped: What happens to rules that are not in `rules`: `note` makes them notes, `keep` keeps the level's
                severity, both as the invariant `<name>.<rule>`; `drop` leaves them out.
            unreadable: Rules, or patterns, by which the tool says that it could not parse a file.
            notify_at: The level from which a SARIF notification says that the tool could not look.
            heeds_suppressions: Whether a comment in the judged file may silence a finding; it is a note then.
            refuse_at: The severity from which a finding refuses: `minor`, `major` or `blocker`.
            reads: `artifact`, `composition`, or both.
            success_codes: Exit codes that say that the tool did its work, with and without findings.
            silent: Whether anything on standard error says that something went wrong. Set it to False for a tool
                that talks, and know that what it only says there will not be heard.
            timeout_seconds: When the tool and all it started are killed.
            output_bytes_max: How much it may write as its answer.
            skip: Folders and files that the tool is not shown, as paths from the top.
            baseline: A file of known findings, see `baseline_of`. It is read when the gate is made.
            heeds_waivers: Whether a person's signed waiver for exactly these bytes turns a refusal into an approval.
            environment: Names of the parent's variables that the tool may see; the values are not part of the prior.
            settings: Files to put into the folder `{settings}`, name to text: the tool's configuration.
            renamed: Whether the private copy's files get names without meaning, so that none can hide from the tool.
            masks: Words that are overwritten in the private copy, because they would silence the tool.
            version_words: What follows the command when its version is asked for.
            install: What to do when the tool is not there.
            today: The day on which baseline entries are weighed.
        """
        self.name = name
        self.command = tuple(command) if not isinstance(command, str) else ()
        self.files = tuple(files)
        self.skip = checked_skip(skip, name)
        self.format, self.output = format, output
        self.unreadable, self.notify_at = tuple(unreadable), notify_at
        self.refuse_at = _severity(refuse_at)
        self.reads = tuple(AttemptKind(r) for r in reads)
        self.success_codes, self.silent = tuple(success_codes), silent
        self.timeout_seconds, self.output_bytes_max = timeout_seconds, output_bytes_max
        self.heeds_waivers = heeds_waivers
        self.environment, self.settings = tuple(environment), dict(settings or {})
        self.renamed, self.masks = renamed, tuple(masks)
        self.version_words, self.install = tuple(version_words), install
        self.today = today
        _check(self)
        self.rules = RuleMapping(
            tool=name,
            rules=dict(rules or {}),
            severities=dict(severities or {}),
            levels=dict(levels or {}),
            unmapped=unmapped,
            heeds_suppressions=heeds_suppressions,
        )
        self.prior = f"Runs {tool_name(self.command)} over the files and reads its answer."
        self.baseline, self.trouble = _baseline(baseline)
        """The known findings, and why the gate must abstain: a baseline that cannot be read is not an empty one."""

    def __repr__(self) -> str:
        return f"<tool {self.name}: {tool_name(self.command)}>"

    @cached_property
    def installed(self) -> Installed:
        """Where the tool is and which version; looked for once, when the squad is made or at the first reading."""
        return installed(self.command[0], self.version_words, self.environment)

    @property
    def version(self) -> str:
        """What the tool says that its version is."""
        return self.installed.version

    @property
    def covers(self) -> tuple[str, ...]:
        """What the prior's digest covers: the command, its version, and all that decides what its answer means."""
        rules = self.rules
        parts = {
            "command": self.command,
            "version": self.version,
            "files": self.files,
            "skip": self.skip,
            "format": [self.format, self.output],
            "rules": rules.rules,
            "severities": rules.severities,
            "levels": rules.levels,
            "weighs": [rules.unmapped, rules.heeds_suppressions, self.notify_at, *self.unreadable],
            "runs": [self.silent, self.renamed, *map(str, self.success_codes)],
            "masks": self.masks,
            "environment": self.environment,
            "settings": self.settings,
            "heeds_waivers": self.heeds_waivers,
            "baseline": digest_of(self.baseline.text.encode()) if self.baseline else self.trouble,
        }
        return (canonical(parts).decode(),)

    async def review(self, work: ReviewWork) -> Verdict:
        """Run the tool over the artifact's files of its kind; without one it says that there is nothing to look at."""
        artifact = work.artifact
        if artifact is None:
            return Abstained(reason="a tool reads artifacts and compositions, not plans")
        files = [f for f in artifact.matching(*self.files) if f.mode != "link" and not skips(self.skip, f.path)]
        if not files:
            return self.decide((), looked=0)
        try:
            if self.trouble:
                raise CannotLook(self.trouble)
            report = await self._asked(files)
            findings = await asyncio.to_thread(self._findings, report, artifact)
        except (CannotLook, NotText) as error:
            return Abstained(reason=scrubbed(str(error), 4_000) or "the tool could not look")
        waiver = next(iter(work.waivers), None) if self.heeds_waivers else None
        verdict = self.decide(findings, looked=len(files))
        return _waived(verdict, waiver) if isinstance(verdict, Refused) and waiver else verdict

    async def _asked(self, files: Sequence[File]) -> Report:
        """Run the tool on a private copy and return its answer, read."""
        found = await asyncio.to_thread(lambda: self.installed)
        if found.path is None:
            how = self.install or "install it, and make the squad again"
            raise CannotLook(f"{tool_name(self.command)} is not installed here, so nobody looked: {how}")
        copy = PrivateCopy()
        try:
            await asyncio.to_thread(copy.write, files, renamed=self.renamed, masks=self.masks, settings=self.settings)
            ran = await run(
                self._arguments(found.path, copy),
                folder=copy.files,
                environment=minimal_environment(copy.home, copy.temporary, self.environment),
                timeout_seconds=self.timeout_seconds,
                output_bytes_max=self.output_bytes_max,
            )
            return await asyncio.to_thread(self._read, ran, copy)
        except CannotLook as error:
            raise CannotLook(copy.named(str(error))) from None
        finally:
            # Shielded: a cancelled reading leaves nothing behind either.
            await asyncio.shield(asyncio.to_thread(copy.remove))

    def _arguments(self, path: str, copy: PrivateCopy) -> list[str]:
        # Relative ones: some tools make a rule's id of the path to it, and another run is another private copy.
        places = {"{settings}": f"../{copy.settings.name}", "{output}": f"../{copy.answer.name}/{self.output}"}
        arguments = [path]
        for word in self.command[1:]:
            if word == "{files}":
                arguments += copy.arguments
                continue
            for mark, place in places.items():
                word = word.replace(mark, place)
            arguments.append(word)
        return arguments if "{files}" in self.command else [*arguments, "."]

    def _read(self, ran: Ran, copy: PrivateCopy) -> Report:
        """Return what the tool said, once it is sure that it did its work."""
        tool = tool_name(self.command)
        said = scrubbed(ran.complaints.decode("utf-8", "replace"), 1_000)
        if ran.exit_code not in self.success_codes:
            how = f"exit code {ran.exit_code}" if ran.exit_code >= 0 else f"signal {-ran.exit_code}"
            raise CannotLook(f"{tool} failed with {how}: {said or 'it said nothing of why'}")
        if self.silent and said:
            raise CannotLook(f"{tool} complained, so it may not have read everything: {said}")
        blob = ran.output if self.output == "stdout" else answer_of(copy.answer / self.output, self.output_bytes_max)
        what = f"the answer of {tool}"
        match self.format:
            case "sarif":
                report = read_sarif(blob, copy.path_of, notify_at=self.notify_at, what=what)
            case "squawk":
                report = read_squawk(blob, copy.path_of, what=what)
        return report.worded(copy.named)

    def _findings(self, report: Report, artifact: Artifact) -> list[Finding]:
        """Return what the report says about the artifact, worst first. Raises `CannotLook` for what was not read."""
        unread = list(report.unread)
        for result in report.results:
            if any(fnmatch.fnmatchcase(result.rule, pattern) for pattern in self.unreadable):
                place = ":".join(str(p) for p in (result.path, result.line) if p is not None)
                unread.append(f"{place}: {result.message}" if place else result.message)
        if unread:
            more = f" (and {len(unread) - 5} more)" if len(unread) > 5 else ""
            raise CannotLook(f"{tool_name(self.command)} could not read everything: {'; '.join(unread[:5])}{more}")
        ranked = sorted(report.results, key=lambda r: (-r.rank, r.path or "", r.line or 0, r.column or 0, r.rule))
        source = Source(artifact)
        findings = [f for result in ranked if (f := self.rules.finding_of(result, source)) is not None]
        findings.sort(key=lambda f: -f.severity.weight)
        if self.baseline:
            findings = self.baseline.applied(findings, source, self.today())
            findings.sort(key=lambda f: -f.severity.weight)
        if len(findings) > FINDINGS_MAX:
            rest = findings[FINDINGS_MAX:]
            message = f"{len(rest)} more findings are not listed; the worst of them is {rest[0].severity.value}."
            more_found = Finding(
                invariant=slug(f"{self.name[:50]}{NOT_LISTED}"), severity=Severity.NOTE, message=message
            )
            findings = [*findings[:FINDINGS_MAX], more_found]
        return findings


def _waived(verdict: Refused, waiver: Waiver) -> Approved:
    """Return the approval that rests on a person's waiver; what was found rides along as notes that quote it."""
    why = f"Waived ({scrubbed(waiver.text, 500)!r}): "
    notes = tuple(
        f.but(severity=Severity.NOTE, message=scrubbed(why + f.message, 4_000)) if f.severity > Severity.NOTE else f
        for f in verdict.findings
    )
    return Approved(notes=notes, looked=verdict.looked, waivers=(waiver.id,))


def _severity(given: str) -> Severity:
    if given not in list(Severity) or given == Severity.NOTE:
        raise InvalidSquad(
            f"refuse_at is {given!r}; use 'minor', 'major' or 'blocker': a note never refuses here, "
            "because known and waived findings ride along as notes"
        )
    return Severity(given)


def _baseline(path: str | Path | None) -> tuple[Baseline | None, str]:
    if path is None:
        return None, ""
    try:
        return Baseline.read(Path(path)), ""
    except CannotLook as error:
        return None, str(error)


def _check(gate: ToolGate) -> None:
    """Raise `InvalidSquad` for a configuration that cannot mean anything."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{0,63}", gate.name):
        raise InvalidSquad(f"{gate.name!r} is no name for a gate; use lower-case letters, digits, '.', '_' and '-'")
    command = gate.command
    if not command or not all(isinstance(word, str) and word and "\0" not in word for word in command):
        raise InvalidSquad(f"the command of {gate.name!r} is no list of words; write ['ruff', 'check', '{{files}}']")
    if "/" in command[0] and not Path(command[0]).is_absolute():
        raise InvalidSquad(
            f"{command[0]!r} is a relative path, which would be looked for among the files that are judged; "
            "give an absolute path, or the name of an installed command"
        )
    if gate.format not in FORMATS:
        raise InvalidSquad(f"format is {gate.format!r}; known: {', '.join(FORMATS)}")
    to_file = gate.output != "stdout"
    if to_file != any("{output}" in word for word in command):
        raise InvalidSquad(
            "a tool that writes its answer to a file needs output='NAME' and `{output}` in its command, "
            f"and one that prints it needs neither; output is {gate.output!r}"
        )
    for name in (*gate.settings, *((gate.output,) if to_file else ())):
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name):
            raise InvalidSquad(f"{name!r} is no plain file name; use letters, digits, '.', '_' and '-'")
    if isinstance(gate.timeout_seconds, bool) or not 0 < gate.timeout_seconds <= 3_600:
        raise InvalidSquad(f"timeout_seconds is {gate.timeout_seconds!r}; give more than 0 and at most 3600")
    if not 1 <= gate.output_bytes_max <= 1024**3:
        raise InvalidSquad(f"output_bytes_max is {gate.output_bytes_max!r}; give 1 to {1024**3}")
    if not gate.success_codes or not all(type(code) is int for code in gate.success_codes):
        raise InvalidSquad(f"success_codes is {gate.success_codes!r}; give exit codes, such as (0, 1)")
    if any(not m or not m.isascii() for m in gate.masks):
        raise InvalidSquad(f"masks is {gate.masks!r}; give words of ASCII letters and signs")
