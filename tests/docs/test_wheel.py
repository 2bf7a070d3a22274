"""What is tested is what is shipped: the built wheel, installed into an empty environment, runs the demonstration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"SQUADS_HOME": str(home), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network."""
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=ROOT, home=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel, and sees the libraries that it needs."""
    place = tmp_path_factory.mktemp("environment")
    venv = place / "venv"
    uv = shutil.which("uv")
    run(sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), venv, cwd=place, home=place)
    python = venv / "bin" / "python"
    if uv:
        run(uv, "pip", "install", "--offline", "--no-deps", "--python", python, wheel, cwd=place, home=place)
    else:
        run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=place, home=place)
    (site,) = venv.glob("lib/python*/site-packages")
    # Behind the environment's own packages, and without the .pth files there: `squads` is the wheel's.
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return python


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Types, recordings and the license are in; tests and docs are not."""
    names = zipfile.ZipFile(wheel).namelist()

    assert {"squads", wheel.name.rsplit("-", 3)[0] + ".dist-info"} == {n.split("/")[0] for n in names}
    assert "squads/py.typed" in names
    assert any(n.startswith("squads/cli/recorded/single-sign-on/1/") for n in names)
    assert any(n.endswith("/licenses/LICENSE") for n in names)


def test_the_installed_wheel_runs_the_demonstration(python: Path, tmp_path: Path) -> None:
    """In an empty folder, from the wheel and not from the source."""
    empty = tmp_path / "empty"
    empty.mkdir()
    where = run(python, "-c", "import squads; print(squads.__file__)", cwd=empty, home=tmp_path).stdout.strip()
    demo = run(python.with_name("squads"), "demo", "--yes", cwd=empty, home=tmp_path).stdout
    version = run(python.with_name("squads"), "--version", cwd=empty, home=tmp_path).stdout

    assert Path(where).is_relative_to(python.parents[1])
    assert "auth.saml-signature" in demo
    assert "✗ schema refused: 2 findings" in demo
    assert "Composed: every required gate approved exactly these bytes" in demo
    assert "Verified: " in demo
    assert version.startswith("squads 0.")
    assert not list(empty.iterdir())
