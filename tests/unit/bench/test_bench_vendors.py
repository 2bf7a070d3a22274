"""What computes is loaded when a figure is asked for, and its absence is one sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from squads.bench.vendors import need
from squads.contracts.errors import InvalidInput

MODULES = "budgets catching eyes grid intervals loaders panels replay scoring statistics"


def test_a_missing_package_is_told_with_what_to_install() -> None:
    """No traceback of somebody else's reaches a person."""
    with pytest.raises(InvalidInput, match=r"needs the package nosuchvendor; .*squads\[bench\]"):
        need("nosuchvendor.stats")


def test_importing_the_figures_loads_no_heavy_vendor() -> None:
    """Whoever only replays or runs does not wait for scipy."""
    code = (
        f"import sys; {'; '.join(f'import squads.bench.{name}' for name in MODULES.split())}; "
        "print(sorted({'numpy', 'scipy', 'sklearn', 'statsmodels', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
