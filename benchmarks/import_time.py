"""What `import squads` costs, beside what the same machine takes for its neighbours; each in processes of its own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from common import report

RUNS = 11
SUBJECTS = {
    "squads": "import squads",
    "squads_in_use": "from squads import Squad, Builder, Gate, check, Finding",
    "pydantic": "import pydantic; pydantic.BaseModel",
    "pydantic_ai": "import pydantic_ai",
    "openai": "import openai",
}


def milliseconds(code: str) -> float:
    """Return the wall time of one interpreter that runs `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in ("bare", *SUBJECTS)}
    for name, code in [("bare", "pass"), *SUBJECTS.items()]:
        milliseconds(code)  # the first one compiles
        assert name in times
    for _ in range(RUNS):  # interleaved, so that a slow moment hits all of them
        times["bare"].append(milliseconds("pass"))
        for name, code in SUBJECTS.items():
            times[name].append(milliseconds(code))
    bare = statistics.median(times.pop("bare"))
    cost = {name: statistics.median(values) - bare for name, values in times.items()}
    report(
        "import_time",
        **{f"{name}_ms": value for name, value in cost.items()},
        squads_in_use_per_pydantic_ai=cost["squads_in_use"] / cost["pydantic_ai"],
        goal_squads_ms=150,
        bare_python_ms=bare,
        runs=RUNS,
    )


if __name__ == "__main__":
    main()
