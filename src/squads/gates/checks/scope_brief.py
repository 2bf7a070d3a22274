"""`scope.brief`: a change touches what its brief asks for, and nothing that the brief excludes.

Why it matters: whoever asked for a small change reviews a small change. What rides along (another default in shared
code, a new dependency, a weaker baseline) is judged by nobody who knows that it is there.

Refused, where the brief says "Add a page size to `orders/api.py`; leave `shared/` as it is":

    shared/paging.py:  -PAGE_SIZE = 50
                       +PAGE_SIZE = 10

Approved:

    orders/api.py:     +ORDERS_PAGE_SIZE = 10

What is weighed, and how heavily:

- What the brief excludes by name (a path, a folder, a module, a function), by kind (tests, signatures, defaults,
  permissions, dependencies, the schema, settings, documents), or by closing the rest ("nothing else"), and the change
  writes, removes or edits: major. Code in a permitted file that sets what an excluded module holds counts as an edit
  of it.
- Dependencies that are added or changed, and what judges the work (workflows, gates, cards, baselines, settings of
  linters), that the brief does not speak of: major, whatever else it says.
- Compiled, vendored and cached files: major, unless the brief names them.
- Values that the brief lets stay in plain words ("timeouts stay as they are"), other values than the one that it
  replaces ("from 3 to 5"), code where only text was asked for, constants where behaviour is kept: major. So are guards
  that are switched off and decorators that asked who somebody is, where the brief does not speak of them.
- Where the brief closes the rest or keeps what the code does, a function that stood before, that the brief does not
  speak of and in which nothing that differs has to do with what was asked, is refused; private helpers of what was
  asked for, and callers that follow a new name or argument, are in scope. What an excluded function
  stands on is excluded with it. Where other names are all that is asked, anything else that differs is refused; where
  the other entries of an answer are to stay, so are other values in them: major.
- Types, docstrings, comments and another way of writing the same value inside a permitted file change nothing.
- Tests, changelog and documents that go with the work are in scope, unless the brief excludes them. So are new
  functions that a permitted one needs, and imports.
- Where nothing was asked (`squads gate` judges a change that was made elsewhere), dependencies and what judges are
  notes.
- Whatever the brief says: where parts of a change answer its words, other parts of code and settings that stood before
  are held against these words, one by one. Another value, default, text, order, comparison, call, entry of an answer,
  decorator or name that has nothing to do with them is refused. In scope is what uses something new, what follows an
  argument or an answer that is another one, and what says the same in another way. Where the brief asks to repair, to
  speed up or to tidy, and limits nothing, only other values and texts are refused: what was wrong, it cannot say.
- What the brief lets stay in plain words (an order, a format, the retries) is refused where a part is about it, also
  within a new function that is used in its place, and so are functions that others stand on which are to go on as
  before.
- Where the brief lets stay what comes out, an order, the rows, what is raised or checked, or wants no retries, these
  are compared wherever they are written, in new helpers too: also within what was asked for, another sort key, what is
  passed over, a guard, check or act that is gone or depends on something, and a handler that came are refused.
- Public functions and classes that are gone or have another name are refused where the brief speaks neither of them,
  nor of taking away or renaming.
- New files and new definitions are in scope where the brief limits nothing. Files that stand alone change nothing, and
  are not looked at. Where the base is not shown, paths are judged, and lines are not.

Where it comes from: CWE-710; "Small CLs", Google's engineering practices.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.contracts.finding import Finding, Invariant, Location, Severity
from squads.contracts.work import ReviewWork
from squads.gates.changes.beyond import beyond
from squads.gates.changes.brief import Brief, limiting, meets, read
from squads.gates.changes.dependencies import FILES, LOCKS, dependencies, line_of
from squads.gates.changes.facts import SETTINGS
from squads.gates.changes.gate import check_of_change
from squads.gates.changes.inside import Touched, brings, inside, names_of
from squads.gates.changes.kinds import BESIDE, JUDGED, JUDGES, KINDS, WASTE
from squads.gates.changes.lines import changed
from squads.gates.changes.names import Node
from squads.gates.changes.outcome import outcome
from squads.gates.changes.parts import change_of
from squads.gates.changes.pieces import pieces, tree_of
from squads.gates.changes.riding import riding
from squads.gates.changes.suite import TEST_FILE
from squads.gates.check import CannotLook, base_of

INVARIANT = Invariant(
    id="scope.brief",
    statement="A change touches what its brief asks for, and nothing that the brief excludes.",
    why="What rides along is judged by nobody who knows that it is there.",
    severity=Severity.MAJOR,
    cwe=710,
    refused=(
        "brief: Add a page size to orders/api.py; leave shared/ as it is.\n"
        "shared/paging.py\n-PAGE_SIZE = 50\n+PAGE_SIZE = 10\n"
    ),
    approved=(
        "brief: Add a page size to orders/api.py; leave shared/ as it is.\norders/api.py\n PAGE = 1\n+PAGE_SIZE = 10\n"
    ),
    origin='CWE-710; "Small CLs", Google\'s engineering practices.',
)
# What `squads gate` asks of gates: it is about judging, and says nothing of what was wanted.
_UNASKED = re.compile(r"Judge [^\n]{1,4000}\.|-|", re.DOTALL)
_KEPT = re.compile(
    r"(?i)\b(?:leave|keep|touch|change)\b[^.;:]{0,60}|\([a-z_]\w+\)|[^.;:]{0,60}\b(?:must|should|stays?|remains?)\b"
)
_WASTED = "is compiled, vendored or cached."
# Words that say nothing of code, whatever functions are called.
_SMALL_WORDS = (
    "may can must should will shall do does is are was be has have what who when where which how all any other others "
    "it they them as so to the and or not no nothing else rest same for from in of on at by with this that only just "
    "name value test tests run use used file new old one two time date"
)
_SMALL = frozenset(_SMALL_WORDS.split())
# What tests and documents are made with is no setting.
_GIVEN = re.compile(
    r"(?i)(?:^|/)(?:tests?|testdata|fixtures?|snapshots?|docs?|examples?|samples?|mocks?)/|openapi|lock"
)
_DATA = re.compile(r"(?i)^[^/]*\.(?:json|txt|csv|html|lock|log|db|pdf|xml)$")
_TEXT_MAX = 4_000
_HUNKS_MAX = 4


@check_of_change(INVARIANT, files=("*",))
def scope_brief(work: ReviewWork) -> list[Finding]:
    """Return what a change touches against, or beside, its brief."""
    assert work.artifact is not None
    base = base_of(work)
    touched = list(_touched(work.artifact, base))
    brief = read(work.brief, _spoken_of(work.brief, touched))
    asked = not _UNASKED.fullmatch(work.brief.strip())
    found: dict[tuple[str, int | None], Finding] = {}
    for finding in _found(brief, touched, base):
        if not asked and not finding.message.endswith(_WASTED):
            finding = finding.but(severity=Severity.NOTE)
        location = finding.location
        found.setdefault((location.path if location else "", location.line if location else None), finding)
    return list(found.values())


def _spoken_of(brief: str, touched: list[Touched]) -> set[str]:
    """Return the names of functions that a brief uses like plain words, of those that stood before.

    A word of the language is one only where something is said to stay: "leave cue and take as they are".
    """
    found: set[str] = set()
    for one in touched:
        if one.old and one.path.endswith(".py") and not TEST_FILE.search(one.path):
            for name, piece in pieces(one.old).items():
                found |= {name, name.rsplit(".", 1)[-1]} if piece.signature else set()
    words = set(re.findall(r"[A-Za-z_]\w*", brief))
    stays = {w for m in _KEPT.finditer(brief) for w in re.findall(r"[A-Za-z_]\w*", m[0])}
    stays |= {w for said in limiting(brief) for w in re.findall(r"[A-Za-z_]\w*", said)}
    stays -= _SMALL
    dotted = {n for n in found if "." in n and n in brief}
    return {n for n in found & words if "_" in n.strip("_") or n in stays} | dotted


def _text(file: File | None) -> str:
    try:
        return file.text if file is not None else ""
    except NotText:
        return ""


def _touched(artifact: Artifact, base: Artifact | None) -> Iterator[Touched]:
    before: Mapping[str, File] = {f.path: f for f in base.files} if base else {}
    for path in artifact.removals:
        yield Touched(path, "removed", _text(before.get(path)), "", ())
    for file in artifact.files:
        was = before.get(file.path)
        if was is not None and was.content == file.content and was.mode == file.mode:
            continue
        old, new = _text(was), _text(file)
        if was is None:
            yield Touched(file.path, "written", "", new, ((1, max(1, new.count("\n"))),) if base else ())
            continue
        lines = changed(old.split("\n"), new.split("\n"))
        last = max(1, new.count("\n") + 1)
        hunks = tuple((min(max(1, first), last), min(max(first, end, 1), last)) for _, _, first, end in lines)
        yield Touched(file.path, "edited", old, new, hunks)


def _found(brief: Brief, touched: list[Touched], base: Artifact | None) -> Iterator[Finding]:
    shown = base is not None
    fresh = brings(brief, touched) if shown else set()
    read_ = [t for t in touched if t.path.endswith(".py") or (SETTINGS.search(t.path) and not _GIVEN.search(t.path))]
    code = [
        (t.path, t.old, t.new)
        for t in read_
        if t.kind != "removed" and not any(p.search(t.path) for p in (TEST_FILE, JUDGES, FILES, LOCKS, WASTE))
    ]
    try:
        along = riding(brief, change_of(code), names_of(brief)) if shown and brief.asked else {}
    except RecursionError as error:
        raise CannotLook("the code is nested too deeply to be read; flatten its expressions") from error
    came = {
        name.rsplit(".", 1)[-1]: piece.node
        for _, old, new in (code if shown else ())
        for name, piece in pieces(new).items()
        if isinstance(piece.node, Node) and name not in pieces(old)
    }
    for one in touched:
        excluded = next(
            ((t, s) for t, s in brief.excluded.items() if meets(t, one.path) and not _nearer(brief, t, one.path)), None
        )
        if excluded is not None:
            yield from _whole(one, f"{one.path} is {one.kind}, and the brief excludes {excluded[0]}", excluded[1])
            continue
        kind = next((k for k, pattern in KINDS.items() if k in brief.categories and pattern.search(one.path)), None)
        if (
            kind is not None
            and not _named(brief, one)
            and not (kind == "dependencies" and shown)
            and not (kind == "tests" and one.kind == "written")
        ):
            yield from _whole(
                one, f"{one.path} is {one.kind}, and the brief excludes the {kind}", brief.categories[kind]
            )
            continue
        if WASTE.search(one.path) and one.kind != "removed" and not _named(brief, one):
            yield from _whole(one, f"{one.path} is compiled, vendored or cached", "")
            continue
        if JUDGES.search(one.path) and not _named(brief, one) and not JUDGED.search(brief.text):
            yield from _whole(one, f"{one.path} judges the work, and the brief does not speak of it", "")
            continue
        if FILES.search(one.path) or LOCKS.search(one.path):
            yield from _dependencies(brief, one, shown)
            continue
        if brief.no_files and shown and one.kind == "written" and not _named(brief, one):
            yield from _whole(one, f"{one.path} is a new file, and the brief wants none", brief.no_files)
            continue
        if brief.closed and not _allowed(brief, one, touched):
            yield from _whole(
                one, f"{one.path} is {one.kind}, and the brief closes what it does not name", brief.closed
            )
            continue
        if one.path.endswith((".py", ".pyi")) and shown:
            for (line, end), message, sentence in inside(brief, one, touched, fresh):
                yield _finding(one.path, line, end, message, sentence, _lines(one, line, end))
            if one.kind == "edited" and not TEST_FILE.search(one.path):
                for (line, end), message, sentence in outcome(brief, one.old, one.new, came):
                    yield _finding(one.path, line, end, message, sentence, _lines(one, line, end))
        for (line, end), message, sentence in along.get(one.path, ()):
            yield _finding(one.path, line, end, message, sentence, _lines(one, line, end))
        if shown and one.kind == "edited" and not TEST_FILE.search(one.path):
            for fact, message, sentence in beyond(brief, one.path, one.old, one.new):
                line, end = fact
                yield _finding(one.path, line, end, message, sentence, _lines(one, line, end))


def _named(brief: Brief, one: Touched) -> bool:
    return any(meets(t, one.path) for t in brief.named) or brief.names(one.path.rsplit("/", 1)[-1])


def _nearer(brief: Brief, excluded: str, path: str) -> bool:
    """Return whether the brief names a path more closely than it excludes what is around it."""
    return any(meets(t, path) and len(t.strip("/")) > len(excluded.strip("/")) for t in brief.named)


def _allowed(brief: Brief, one: Touched, touched: list[Touched]) -> bool:
    """Return whether a closed brief leaves a path open: it is named, defines what is named, or goes with the work."""
    if not brief.named or _named(brief, one):
        return True
    if TEST_FILE.search(one.path) and "tests" not in brief.categories:
        return True
    if BESIDE.search(one.path) and "docs" not in brief.categories:
        return True
    if one.kind == "edited" and one.path.endswith(".py") and _only_imports(one, touched):
        return True
    defined = {n for text in (one.old, one.new) for n in pieces(text)}
    words = {n.rsplit(".", 1)[-1] for n in defined} | defined
    if one.path.endswith((".py", ".pyi")) and words & brief.named:
        return True
    # Names that nothing here defines cannot say which file is meant.
    return not any(_resolves(t, touched) for t in brief.named)


def _only_imports(one: Touched, touched: list[Touched]) -> bool:
    """Return whether a file follows what moved: nothing but where it takes things from differs, and they went there."""
    lines = set(one.old.split("\n")) ^ set(one.new.split("\n"))
    if not all(re.match(r"\s*(?:(?:from|import)\b.*|[\w, ()]*)$", line) for line in lines):
        return False
    before, now = tree_of(one.old), tree_of(one.new)
    if before is None or now is None:
        return False
    rest = [
        [ast.dump(n) for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)] for tree in (before, now)
    ]
    homes = [t.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for t in touched if t is not one]
    known = {ast.dump(n) for n in before.body}
    came = [n for n in now.body if isinstance(n, ast.ImportFrom) and ast.dump(n) not in known]
    return rest[0] == rest[1] and all(any(h.endswith(n.module or "-") for h in homes) for n in came)


def _resolves(target: str, touched: list[Touched]) -> bool:
    if any(meets(target, one.path) for one in touched):
        return True
    if "/" in target or re.search(r"\.\w+$", target):
        return not _DATA.search(target)  # "a power cut left half a wash.json" is no place to work in
    last = target.rsplit(".", 1)[-1]
    return any(last in {n.rsplit(".", 1)[-1] for n in pieces(t)} for one in touched for t in (one.old, one.new))


def _dependencies(brief: Brief, one: Touched, shown: bool) -> Iterator[Finding]:
    if LOCKS.search(one.path):
        return
    told = "dependencies" in brief.categories
    before, now = dependencies(one.path, one.old), dependencies(one.path, one.new)
    if not shown or (one.kind == "written" and len(now) > 3 and not told and not brief.closed):
        return
    for name, requirement in now.items():
        if before.get(name) == requirement or brief.names(name) or brief.names(name.replace("-", "_")):
            continue
        if not told and re.search(
            r"(?i)\b(?:upgrade|bump|update|pin)\w*\b.{0,40}\bdependenc|\badd\w*\b.{0,30}\bdependenc", brief.text
        ):
            continue
        line = line_of(one.new, name)
        what = "is a new dependency" if name not in before else f"was {before[name]!r}"
        yield _finding(
            one.path, line, line, f"{requirement} {what}, and the brief does not name it", "", _lines(one, line, line)
        )
    if brief.closed and before == now and not _named(brief, one):
        yield from _whole(one, f"{one.path} is {one.kind}, and the brief closes what it does not name", brief.closed)


def _whole(one: Touched, message: str, sentence: str) -> Iterator[Finding]:
    if not one.hunks:
        yield _finding(one.path, None, None, message, sentence, "")
        return
    for first, last in one.hunks[:_HUNKS_MAX]:
        yield _finding(one.path, first, last, message, sentence, _lines(one, first, last))


def _lines(one: Touched, first: int, last: int) -> str:
    return "\n".join(one.new.split("\n")[first - 1 : last])


def _finding(path: str, line: int | None, end: int | None, message: str, sentence: str, evidence: str) -> Finding:
    said = f" It says: {sentence[:300]}" if sentence else ""
    return Finding(
        invariant=INVARIANT.id,
        severity=Severity.MAJOR,
        message=f"{message[:1].upper()}{message[1:]}.{said}"[:_TEXT_MAX],
        location=Location(path=path, line=line, end_line=end),
        evidence=evidence[:_TEXT_MAX],
        satisfy="Take it out of this change, or ask for a brief that names it.",
    )


scope_brief.idle = _UNASKED
