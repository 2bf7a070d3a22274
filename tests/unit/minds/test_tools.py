"""The tools of a role: what they answer, what they refuse and in which words, and how much of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.process_sandbox import ProcessSandbox
from squads.contracts.errors import InvalidInput, InvalidPath, SandboxUnavailable, ToolProblem
from squads.contracts.packet import Limits
from squads.contracts.thinking import Tool
from squads.kernel.model_ports import Bound, Ran, Sandbox
from squads.minds.scratch import Scratch
from squads.minds.tools import KINDS, LISTED_MAX, OUTPUT_CHARS_MAX, check_tools, tools_of

READING = {"read_file", "list_files", "search"}
WRITING = {"write_file", "replace_text", "remove_file"}


class Said:
    """A sandbox that says what it was told to, or raises it."""

    def __init__(self, says: Ran | Exception, does: Callable[[Path], Any] = lambda folder: None) -> None:
        self.says, self.does = says, does
        self.asked: list[tuple[tuple[str, ...], dict[str, Any]]] = []

    @property
    def enforces(self) -> frozenset[Bound]:
        return frozenset()

    async def run(
        self,
        command: Sequence[str],
        *,
        folder: str,
        seconds_max: float,
        memory_bytes_max: int = 0,
        output_bytes_max: int = 0,
        file_bytes_max: int = 0,
        environment: Mapping[str, str] = {},
        network: bool = False,
    ) -> Ran:
        self.asked.append((tuple(command), {"seconds_max": seconds_max, "network": network, "folder": folder}))
        self.does(Path(folder))
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def tools(scratch: Scratch, *kinds: str, **more: Any) -> dict[str, Callable[..., Any]]:
    return {tool.name: tool.function for tool in tools_of(scratch, kinds or ("read", "write", "search"), **more)}


def running(scratch: Scratch, sandbox: Sandbox, *programs: str) -> Callable[..., Any]:
    return tools(scratch, "run", sandbox=sandbox, programs=programs or ("python",))["run_command"]


# --- which tools there are ------------------------------------------------------------------------------------------


def test_a_builder_gets_what_its_card_grants() -> None:
    """Each kind is a few tools; what is not granted is not there."""
    with Scratch() as scratch:
        granted = {
            kind: {t.name for t in tools_of(scratch, [kind], sandbox=ProcessSandbox(), programs=["python"])}
            for kind in KINDS
        }

    assert {
        "read": {"read_file", "list_files"},
        "write": WRITING,
        "search": {"search"},
        "run": {"run_command"},
    } == granted


def test_over_a_workspace_for_reading_every_tool_only_reads() -> None:
    """Such are the tools of gates; more is refused when it is asked for, not when it is used."""
    with Scratch({"a": b"1"}, reads_only=True) as scratch:
        given = tools_of(scratch, ["read", "search"])
        for kind in ("write", "run"):
            with pytest.raises(InvalidInput, match=kind):
                tools_of(scratch, ["read", kind], sandbox=ProcessSandbox(), programs=["python"])

    assert READING == {tool.name for tool in given}
    assert all(tool.reads_only for tool in given)


def test_what_changes_something_never_says_that_it_only_reads() -> None:
    """A gate is given by this mark."""
    with Scratch() as scratch:
        every = tools_of(scratch, KINDS, sandbox=ProcessSandbox(), programs=["python"])

    assert READING == {tool.name for tool in every if tool.reads_only}


@pytest.mark.parametrize(
    ("kinds", "more", "word"),
    [
        (("raed",), {}, "'read'"),
        (("run",), {}, "sandbox"),
        (("run",), {"sandbox": ProcessSandbox()}, "programs"),
        (("run",), {"programs": ["python"]}, "sandbox"),
        (("run",), {"sandbox": ProcessSandbox(), "programs": ["/bin/sh"]}, "/bin/sh"),
        (("run",), {"sandbox": ProcessSandbox(), "programs": [""]}, "no name"),
    ],
)
def test_tools_that_cannot_be_given_are_refused(kinds: tuple[str, ...], more: dict[str, Any], word: str) -> None:
    """With what to write on the card instead."""
    with Scratch() as scratch, pytest.raises(InvalidInput, match=word):
        tools_of(scratch, kinds, **more)


@pytest.mark.parametrize(
    ("role", "granted"), [("builder", set(KINDS)), ("gate", {"read", "search"}), ("coordinator", set())]
)
def test_each_kind_of_role_is_granted_what_it_needs(role: str, granted: set[str]) -> None:
    """A gate changes nothing of what it judges, and a coordinator makes no files."""
    for kind in KINDS:
        with nullcontext() if kind in granted else pytest.raises(InvalidInput, match=f"a {role} is not given '{kind}'"):
            check_tools([kind], role, sandboxed=True, programs=["python"])


def test_every_tool_tells_a_model_what_it_does() -> None:
    """Each argument has a type and stands in the docstring."""
    with Scratch() as scratch:
        every: tuple[Tool, ...] = tools_of(scratch, KINDS, sandbox=ProcessSandbox(), programs=["python", "pytest"])

    for tool in every:
        told = inspect.getdoc(tool.function) or ""
        for name, parameter in inspect.signature(tool.function).parameters.items():
            assert f"{name}: " in told, tool.name
            assert parameter.annotation is not inspect.Parameter.empty
    assert "python, pytest" in (every[-1].function.__doc__ or "")


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_file_is_read_by_lines() -> None:
    """With their numbers, from where it is asked, and it says that there is more."""
    with Scratch({"a.txt": b"one\ntwo\nthree\n", "empty": b""}) as scratch:
        read = tools(scratch)["read_file"]

        assert "1\tone\n2\ttwo\n3\tthree" == read("a.txt")
        assert "2\ttwo\n(a.txt goes on: 3 lines; read on from line 3)" == read("a.txt", 2, 1)
        assert "a.txt has 3 lines; there is nothing from line 9 on" == read("a.txt", 9)
        assert "empty has 0 lines; there is nothing from line 1 on" == read("empty")


@pytest.mark.parametrize("content", [b"x" * 10**6, b"x\n" * 10**5, b"y" * 9_000 + b"\n" + b"z" * 15_000 + b"\nlast\n"])
def test_a_long_file_is_read_in_parts(content: bytes) -> None:
    """However long its lines are; and whoever reads on comes to the end."""
    with Scratch({"a": content}) as scratch:
        read, line, parts = tools(scratch)["read_file"], 1, 0
        while True:
            part = read("a", line)
            parts += 1
            assert len(part) <= OUTPUT_CHARS_MAX + 200
            if "read on from line" not in part:
                break
            line = int(part.rsplit(" ", 1)[1].rstrip(")"))

    assert content.count(b"\n") < parts * 1_000 + 3


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a\0b"])
def test_what_is_no_text_is_not_shown(content: bytes) -> None:
    """Nor searched, nor edited; it is listed."""
    with Scratch({"a.bin": content}) as scratch:
        given = tools(scratch)
        for call in (lambda: given["read_file"]("a.bin"), lambda: given["replace_text"]("a.bin", "a", "b")):
            with pytest.raises(ToolProblem, match="no text"):
                call()

        assert f"{len(content)}\ta.bin" == given["list_files"]()
        assert "no line" in given["search"]("a")


def test_files_are_listed_with_size_and_kind() -> None:
    """By a pattern for the path or the name; what a terminal might obey is escaped."""
    modes = {"run.sh": "executable", "way": "link"}
    with Scratch({"src/a.py": b"12", "b.py": b"", "run.sh": b"", "way": b"b.py"}, modes=modes) as scratch:
        (Path(scratch.folder) / "od\x1bd").write_text("")
        listed = tools(scratch)["list_files"]

        assert "0\tb.py\n0\t'od\\x1bd'\n0\trun.sh\texecutable\n2\tsrc/a.py\n4\tway\tlink to b.py" == listed()
        assert "0\tb.py\n2\tsrc/a.py" == listed("*.py")
        assert "2\tsrc/a.py" == listed("src/*")
        assert "no file fits '*.sql'" == listed("*.sql")


def test_a_text_is_searched_for_as_it_is_written() -> None:
    """No pattern: a dot is a dot. A link is not followed, so nothing is found twice."""
    files = {"a.py": b"x = 1\ny = a.b\n", "b.txt": b"a.b\naXb\n", "way": b"a.py"}
    with Scratch(files, modes={"way": "link"}) as scratch:
        search = tools(scratch)["search"]

        assert "a.py:2: y = a.b\nb.txt:1: a.b" == search("a.b")
        assert "a.py:2: y = a.b" == search("a.b", "*.py")
        assert "no line of the files that fit '*' holds this text" == search("nowhere")
        for bad in ("", "a\nb"):
            with pytest.raises(ToolProblem):
                search(bad)


def test_lists_are_bounded_and_say_so() -> None:
    """In lines and in characters."""
    with Scratch({"a": b"x\n" * 2_000, "b": (b"y" * 1_000 + b"\n") * 400}) as scratch:
        few, long = tools(scratch)["search"]("x"), tools(scratch)["search"]("y")

    assert LISTED_MAX + 1 == len(few.split("\n"))
    assert "only the first" in few
    assert "only the first" in long
    assert len(long) <= OUTPUT_CHARS_MAX + 200


# --- writing --------------------------------------------------------------------------------------------------------


def test_files_are_written_edited_and_removed() -> None:
    """And the answer says what was done."""
    with Scratch() as scratch:
        given = tools(scratch)

        assert "wrote 6 bytes to src/a.py" == given["write_file"]("src/a.py", "ü = 1")
        assert "replaced one passage of src/a.py" == given["replace_text"]("src/a.py", "1", "2\n")
        assert "ü = 2\n".encode() == scratch.read("src/a.py")
        assert "removed src/a.py" == given["remove_file"]("src/a.py")
        assert [] == scratch.entries()


@pytest.mark.parametrize(("old", "times"), [("x", 2), ("z", 0), ("", 0)])
def test_only_a_passage_that_stands_once_is_replaced(old: str, times: int) -> None:
    """Otherwise nothing is changed, and the answer says how often it stands there."""
    with Scratch({"a": b"x y x"}) as scratch:
        with pytest.raises(ToolProblem, match=f"{times} times"):
            tools(scratch)["replace_text"]("a", old, "new")

        assert b"x y x" == scratch.read("a")


def test_what_a_model_can_mend_is_one_sentence_without_a_path_outside() -> None:
    """Bad paths, missing files, half characters, lines from zero."""
    with Scratch({"a": b"1"}, limits=Limits(artifact_bytes_max=100)) as scratch:
        given = tools(scratch)
        calls: list[Callable[[], Any]] = [
            lambda: given["read_file"]("../../etc/passwd"),
            lambda: given["read_file"]("nothing"),
            lambda: given["read_file"]("a", 0),
            lambda: given["write_file"]("/etc/x", "x"),
            lambda: given["write_file"]("x", "\ud800"),
            lambda: given["write_file"]("x", "x" * 101),
            lambda: given["write_file"](".git/config", "x"),
            lambda: given["remove_file"]("a"),
        ]
        for call in calls:
            with pytest.raises((ToolProblem, InvalidPath)) as problem:
                call()
            assert scratch.folder not in str(problem.value)
            assert "\n" not in str(problem.value)


# --- running --------------------------------------------------------------------------------------------------------


async def test_a_program_runs_on_the_workspace() -> None:
    """What it writes is there, what it says is read, and the workspace is called '.' wherever it stands."""
    with Scratch({"a.py": b"import os; open('b', 'w').write('made'); print(os.getcwd()); exit(3)"}) as scratch:
        said = await running(scratch, ProcessSandbox())("python", ["a.py"])

        assert "exit code 3\n.\n" == said
        assert {"b": b"made"} == scratch.collect().files


async def test_only_a_program_of_the_list_is_run() -> None:
    """By its exact name: no path, no other case, no arguments in it."""
    sandbox = Said(Ran(exit_code=0, output=b""))
    with Scratch() as scratch:
        run = running(scratch, sandbox, "python", "pytest")
        for program in ("sh", "./python", "/usr/bin/python", "Python", "python -c x", "", "python\0"):
            with pytest.raises(ToolProblem, match="python, pytest"):
                await run(program, [])
        assert [] == sandbox.asked
        await run("pytest", ["-q"])

        asked = {"seconds_max": 60.0, "network": False, "folder": scratch.folder}
        assert [(("pytest", "-q"), asked)] == sandbox.asked


@pytest.mark.parametrize("ended", ["time", "memory", "output", "files", "processes", "signal"])
async def test_a_command_that_was_ended_says_by_what(ended: Any) -> None:
    """With what it had written until then."""
    with Scratch() as scratch:
        said = await running(scratch, Said(Ran(exit_code=None, output=b"begun", ended=ended)))("python", [])

    assert said.startswith("it was ended")
    assert said.endswith("\nbegun")


async def test_long_output_loses_its_middle() -> None:
    """The beginning says what ran, the end how it failed; bytes that are no text are shown as such."""
    output = b"first" + b"\xff" + b"x" * 100_000 + b"last"
    with Scratch() as scratch:
        said = await running(scratch, Said(Ran(exit_code=1, output=output)))("python", [])

    assert said.startswith("exit code 1\nfirst\ufffdxxx")
    assert said.endswith("xxxlast")
    assert "80010 characters left out" in said
    assert len(said) <= OUTPUT_CHARS_MAX + 100


@pytest.mark.parametrize("error", [SandboxUnavailable("no room in {}"), InvalidInput("'x' cannot be started in {}")])
async def test_what_cannot_be_run_is_a_sentence(error: Exception) -> None:
    """For the model, and without the place where the workspace stands."""
    with Scratch() as scratch:
        sandbox = Said(type(error)(str(error).format(scratch.folder)))
        with pytest.raises(ToolProblem) as problem:
            await running(scratch, sandbox)("python", [])
        with pytest.raises(ToolProblem, match="201 arguments"):
            await running(scratch, sandbox)("python", ["x"] * 201)

        assert scratch.folder not in str(problem.value)


async def test_a_program_that_leaves_too_much_is_told_what_was_removed() -> None:
    """The workspace stays within what an artifact may hold, so that its changes can be kept."""

    def leave(folder: Path) -> None:
        (folder / "big").write_bytes(b"x" * 20)
        (folder / "small").write_bytes(b"x")

    with Scratch(limits=Limits(artifact_bytes_max=10)) as scratch:
        said = await running(scratch, Said(Ran(exit_code=0, output=b""), leave))("python", [])

        assert said.endswith("(removed, for an artifact cannot hold that much: big)")
        assert ["small"] == [entry.path for entry in scratch.entries()]


def test_who_reads_behind_the_end_of_a_file_has_not_opened_it() -> None:
    """A gate may not approve what it has seen no line of; an empty file has nothing more to show."""
    with Scratch({"a.py": b"one\ntwo\n", "empty.py": b""}) as scratch:
        read = tools(scratch)["read_file"]

        assert "there is nothing from line 9 on" in read("a.py", start_line=9)
        assert set() == scratch.were_read
        read("empty.py")
        read("a.py", start_line=2)
        assert {"a.py", "empty.py"} == scratch.were_read
