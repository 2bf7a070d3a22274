"""The tools that a role may use while it thinks: reading, writing and searching a scratch workspace, running programs.

A tool answers with text that is bounded, and names paths of the workspace only. What a model can mend (a path that is
not there, a text that stands twice) raises `ToolProblem` or another `InvalidInput`: its sentence is what the model is
told, and the engine lets it try again. Nothing else is for a model's eyes. What a tool returns was written by others:
whoever shows it to a model fences it.

Tools of one workspace are to be called one after the other: each one's changes are taken before the next begins.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from squads.contracts.errors import InvalidInput, SandboxUnavailable, ToolProblem
from squads.contracts.thinking import Tool
from squads.kernel.model_ports import Ran, Sandbox
from squads.minds.folder import Entry
from squads.minds.scratch import Scratch

OUTPUT_CHARS_MAX = 20_000
"""Characters of one tool's answer."""
LISTED_MAX = 500
"""Files of one listing, and lines of one search."""
LINE_CHARS_MAX = 300
"""Characters of a line that a search found."""
LINES_MAX = 1_000
"""Lines that one reading returns."""
COMMAND_SECONDS_MAX = 60.0
ARGUMENTS_MAX = 200
_Function = Callable[..., str | Awaitable[str]]
_ENDED = {
    "time": "it was ended at its time limit of {seconds:g} seconds",
    "memory": "it was ended, for it used too much memory",
    "output": "it was ended, for it wrote too much",
    "files": "it was ended, for it wrote too large a file",
    "processes": "it was ended, for it started too many processes",
    "signal": "it was ended by a signal, as after a crash",
}
KINDS = ("read", "write", "search", "run")
"""What a card may grant, and what is granted by it; see `docs/how-to/give-a-builder-tools.md`."""
GRANTED: Mapping[str, tuple[str, ...]] = {"builder": KINDS, "gate": ("read", "search"), "coordinator": ()}
"""What each kind of role may be granted: a gate changes nothing of what it judges, a coordinator makes no files."""


def check_tools(kinds: Iterable[str], role: str, *, sandboxed: bool, programs: Sequence[str] = ()) -> None:
    """Raise `InvalidInput` for tools that a kind of role cannot be granted here.

    Args:
        kinds: Of `read`, `write`, `search`, `run`.
        role: The kind of the role: `builder`, `gate` or `coordinator`.
        sandboxed: Whether there is a sandbox in which programs can run.
        programs: The names of the programs that `run` may start.
    """
    wanted = tuple(kinds)
    for kind in wanted:
        if kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1, cutoff=0.0)[0]
            raise InvalidInput(f"there are no tools called {kind!r}; did you mean {near!r}? known: {', '.join(KINDS)}")
        if kind not in GRANTED[role]:
            may = f"may have {' and '.join(GRANTED[role])}" if GRANTED[role] else "has no workspace, and so no tools"
            raise InvalidInput(f"a {role} is not given {kind!r}: it {may}; leave the others out")
    if "run" in wanted and not (sandboxed and programs):
        raise InvalidInput(
            "`run` tools need a sandbox and the names of the programs; give the squad a `sandbox`, and say "
            "`run: [python]` on the card"
        )
    bare = [name for name in programs if not name or "/" in name or not name.isprintable()]
    if bare:
        raise InvalidInput(f"{bare[0]!r} is no name of a program; name it as it is found on PATH, such as 'python'")


def tools_of(
    scratch: Scratch,
    kinds: Iterable[str],
    *,
    sandbox: Sandbox | None = None,
    programs: Sequence[str] = (),
    seconds_max: float = COMMAND_SECONDS_MAX,
) -> tuple[Tool, ...]:
    """Return the tools that a card grants, over one workspace.

    Args:
        scratch: What they read and write. One that is for reading gives only tools that read.
        kinds: Of `read`, `write`, `search`, `run`, in any order.
        sandbox: Where programs run; needed for `run`.
        programs: The names of the programs that may be run, exactly; needed for `run`.
        seconds_max: How long one command may take.

    Raises `InvalidInput` for a kind that is not known, or that cannot be given here.
    """
    wanted = tuple(kinds)
    role = "gate" if scratch.reads_only else "builder"
    check_tools(wanted, role, sandboxed=sandbox is not None, programs=programs)
    files = _Files(scratch)
    made = {
        "read": (_tool(files.read_file, True), _tool(files.list_files, True)),
        "search": (_tool(files.search, True),),
        "write": (_tool(files.write_file), _tool(files.replace_text), _tool(files.remove_file)),
        "run": (),
    }
    if "run" in wanted and sandbox is not None:
        made["run"] = (_tool(_running(scratch, sandbox, tuple(programs), seconds_max)),)
    return tuple(tool for kind in KINDS if kind in wanted for tool in made[kind])


def _tool(function: _Function, reads_only: bool = False) -> Tool:
    return Tool(function=function, name=function.__name__, reads_only=reads_only)


class _Files:
    """Reading and writing. The docstrings are what a model is told of each tool."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def read_file(self, path: str, start_line: int = 1, lines: int = LINES_MAX) -> str:
        """Read a text file of the workspace, each line with its number.

        Args:
            path: A relative path, such as 'src/app.py'.
            start_line: The first line to read, from 1.
            lines: How many lines to read, at most 1000.
        """
        if start_line < 1 or lines < 1:
            raise ToolProblem("lines are counted from 1; give a `start_line` and `lines` of at least 1")
        every = _lines(_text(path, self._scratch.read(path)))
        chosen = every[start_line - 1 : start_line - 1 + min(lines, LINES_MAX)]
        if chosen or not every:  # who reads behind the end has seen nothing of it
            self._scratch.saw(path)
        if not chosen:
            return f"{path} has {len(every)} lines; there is nothing from line {start_line} on"
        shown: list[str] = []
        room = OUTPUT_CHARS_MAX
        for number, line in enumerate(chosen, start_line):
            shown.append(f"{number}\t{_cut(line, OUTPUT_CHARS_MAX // 2)}")
            room -= len(shown[-1]) + 1
            if room < 0 and len(shown) > 1:
                shown.pop()
                break
        last = start_line + len(shown) - 1
        more = f"\n({path} goes on: {len(every)} lines; read on from line {last + 1})" if last < len(every) else ""
        return "\n".join(shown) + more

    def list_files(self, pattern: str = "*") -> str:
        """List the files of the workspace with their sizes in bytes.

        Args:
            pattern: A shell pattern for the whole path or the name, such as '*.py' or 'src/*'.
        """
        found = self._scratch.entries(pattern)
        shown = [f"{e.size_bytes}\t{_safe(e.path)}{self._kind(e)}" for e in found]
        return _listed(shown, f"no file fits {pattern!r}")

    def _kind(self, entry: Entry) -> str:
        if entry.mode == "link" and entry.path.isprintable():
            return f"\tlink to {_safe(self._scratch.target(entry.path))}"
        return "" if entry.mode == "file" else f"\t{entry.mode}"

    def search(self, text: str, pattern: str = "*") -> str:
        """Find every line that holds a text, exactly as written; answers with path, line number and line.

        Args:
            text: What to look for, within one line; upper and lower case differ.
            pattern: A shell pattern for the files to look through, such as '*.py'.
        """
        if not text or "\n" in text:
            raise ToolProblem("give a text within one line to look for")
        found: list[str] = []
        for entry in self._scratch.entries(pattern):
            try:
                content = _text(entry.path, self._scratch.read(entry.path))
            except InvalidInput:  # binary, a link, or no file at all: no line of text to find
                continue
            found += [
                f"{entry.path}:{number}: {_cut(line.strip(), LINE_CHARS_MAX)}"
                for number, line in enumerate(_lines(content), 1)
                if text in line
            ]
            if len(found) > LISTED_MAX:
                break
        return _listed(found, f"no line of the files that fit {pattern!r} holds this text")

    def write_file(self, path: str, text: str) -> str:
        """Write a text file of the workspace whole; what stood there before is gone.

        Args:
            path: A relative path, such as 'src/app.py'; folders are made as needed.
            text: The file's whole content.
        """
        content = _bytes(text)
        self._scratch.write(path, content)
        return f"wrote {len(content)} bytes to {path}"

    def replace_text(self, path: str, old: str, new: str) -> str:
        """Replace one passage of a text file of the workspace.

        Args:
            path: A relative path, such as 'src/app.py'.
            old: The passage as it stands there, spaces and line ends included; it must stand there exactly once.
            new: What stands there instead.
        """
        content = _text(path, self._scratch.read(path))
        times = content.count(old) if old else 0
        if times != 1:
            raise ToolProblem(
                f"the passage stands in {path} {times} times; give one that stands there exactly once, "
                + ("with more of the lines around it" if times else "as `read_file` shows it, without the line numbers")
            )
        self._scratch.write(path, _bytes(content.replace(old, new)))
        return f"replaced one passage of {path}"

    def remove_file(self, path: str) -> str:
        """Remove a file of the workspace.

        Args:
            path: A relative path, such as 'src/app.py'.
        """
        self._scratch.remove(path)
        return f"removed {path}"


def _running(scratch: Scratch, sandbox: Sandbox, programs: tuple[str, ...], seconds_max: float) -> _Function:
    async def run_command(program: str, arguments: list[str]) -> str:
        if program not in programs:
            raise ToolProblem(f"{_cut(program, 80)!r} may not be run here; what may: {', '.join(programs)}")
        if len(arguments) > ARGUMENTS_MAX:
            raise ToolProblem(f"{len(arguments)} arguments are more than {ARGUMENTS_MAX}; write them to a file instead")
        try:
            ran = await sandbox.run(
                (program, *arguments),
                folder=scratch.folder,
                seconds_max=seconds_max,
                # No file larger than what an artifact may hold, yet room for what a program keeps for itself.
                file_bytes_max=max(scratch.limits.artifact_bytes_max, 1024**2),
                environment={"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except SandboxUnavailable as error:
            raise ToolProblem(f"nothing can be run now: {_inside(str(error), scratch)}; do without") from None
        except InvalidInput as error:
            raise ToolProblem(_inside(str(error), scratch)) from None
        return _told(ran, seconds_max, scratch)

    run_command.__doc__ = f"""Run a program in the workspace, without a shell, and read what it writes.

        It has no input and no network, and at most {seconds_max:g} seconds.

        Args:
            program: One of: {", ".join(programs)}.
            arguments: Its arguments, each as one item; no shell reads them, so there are no quotes, pipes or patterns.
        """
    return run_command


def _told(ran: Ran, seconds_max: float, scratch: Scratch) -> str:
    how = f"exit code {ran.exit_code}" if ran.exit_code is not None else _ENDED[ran.ended].format(seconds=seconds_max)
    output = _inside(ran.output.decode("utf-8", "replace"), scratch)
    if len(output) > OUTPUT_CHARS_MAX:
        half = OUTPUT_CHARS_MAX // 2
        output = f"{output[:half]}\n(… {len(output) - 2 * half} characters left out …)\n{output[-half:]}"
    gone = scratch.trim()
    left = (
        f"\n(removed, for an artifact cannot hold that much: {_cut(', '.join(map(_safe, gone)), 1_000)})"
        if gone
        else ""
    )
    return f"{how}\n{output}{left}"


def _inside(text: str, scratch: Scratch) -> str:
    """Return text in which the workspace is '.', wherever it really stands."""
    return text.replace(scratch.folder, ".")


def _text(path: str, content: bytes) -> str:
    try:
        if b"\0" not in content:
            return content.decode()
    except UnicodeDecodeError:
        pass
    raise ToolProblem(f"{path} is no text in UTF-8; it cannot be shown or edited")


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ToolProblem(
            f"the text has half a character at {error.start}, which no file can hold; leave it out"
        ) from None


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else f"{text[:chars]}…"


def _safe(path: str) -> str:
    return path if path.isprintable() else ascii(path)


def _listed(lines: list[str], none: str) -> str:
    """Return what was found, within the bounds, and say how much of it there is."""
    shown: list[str] = []
    room = OUTPUT_CHARS_MAX
    for line in lines[:LISTED_MAX]:
        room -= len(line) + 1
        if room < 0:
            break
        shown.append(line)
    more = (
        "" if len(shown) == len(lines) else f"\n(and more; only the first {len(shown)} are shown: narrow the pattern)"
    )
    return "\n".join(shown) + more if shown else none
