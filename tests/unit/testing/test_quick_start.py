"""Programs that tests start quickly behave as those they stand for."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import quick_start


def test_a_quick_program_has_its_own_folder_input_environment_and_exit_code(tmp_path: Path) -> None:
    """It is a process like any other: nothing of the server or of an earlier program is left in it."""
    code = "import os, sys; print(os.getcwd(), sys.stdin.read(), os.environ.get('X'), sys.argv); sys.exit(3)"
    first = subprocess.run(
        [quick_start.python(), "-c", code, "a"],
        cwd=tmp_path,
        env={"X": "1"},
        input="given",
        capture_output=True,
        text=True,
    )
    second = subprocess.run(
        [quick_start.python(), "-c", code], cwd="/", env={}, input="", capture_output=True, text=True
    )

    assert (3, f"{tmp_path} given 1 ['-c', 'a']\n") == (first.returncode, first.stdout)
    assert (3, "/  None ['-c']\n") == (second.returncode, second.stdout)


def test_a_traceback_and_a_signal_reach_whoever_started_it() -> None:
    """What crashes says so, and what dies by a signal is seen to die by it."""
    crashed = subprocess.run([quick_start.python(), "-c", "1 / 0"], capture_output=True, text=True)
    killed = subprocess.run([quick_start.python(), "-c", "import os; os.kill(os.getpid(), 9)"], capture_output=True)

    assert 1 == crashed.returncode
    assert crashed.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert -signal.SIGKILL == killed.returncode


def test_whoever_kills_a_quick_program_ends_what_runs() -> None:
    """Nothing goes on after the program that a test killed."""
    with subprocess.Popen(
        [quick_start.python(), "-c", "import os; print('runs', flush=True); os.read(0, 1)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        assert started.stdout is not None
        assert b"runs\n" == started.stdout.readline()
        started.kill()

        assert b"" == started.stdout.read()  # it held the other end


def test_a_quick_program_that_is_told_to_end_may_finish() -> None:
    """What it does about SIGTERM is its own affair, as for any other program."""
    code = (
        "import os, signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit('finished'))\n"
        "print('runs', flush=True); signal.pause()"
    )
    with subprocess.Popen(
        [quick_start.python(), "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert "runs\n" == started.stdout.readline()
        started.terminate()
        _, said = started.communicate()

    assert (1, "finished\n") == (started.returncode, said)


def test_a_module_is_run_as_the_interpreter_runs_it() -> None:
    """`-m` gives it its arguments."""
    done = subprocess.run(
        [quick_start.python(), "-m", "json.tool", "--compact"], input="[ 1 ]", capture_output=True, text=True
    )

    assert (0, "[1]\n") == (done.returncode, done.stdout)


def test_the_quick_command_line_says_what_the_installed_one_says() -> None:
    """It is the same `main`."""
    done = subprocess.run([quick_start.squads(), "no-such-command"], capture_output=True, text=True)

    assert 2 == done.returncode
    assert "no-such-command" in done.stderr
