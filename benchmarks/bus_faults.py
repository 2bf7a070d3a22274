"""The faults of the bus, long: random kills, cuts, freezes, losses and forgeries by a seed, judged from a history.

    python benchmarks/bus_faults.py                          two minutes
    python benchmarks/bus_faults.py --seconds 3600 --seed 7  an hour of other ones
    python benchmarks/bus_faults.py --seed 7.3 --rounds 1    the fourth round of seed 7 once more

It prints one JSON line per round and a verdict at the end, and fails unless that is 0 lost, 0 doubled, 0 forged.
The scenes, faults and the judge are those of `tests/faults`, whose short versions run with every change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))
from bus_nemesis import play_round
from bus_scene import Nursery

from squads.testing.redis_server import RedisServer


def main() -> int:
    parser = argparse.ArgumentParser(description="Play random faults on the Redis bus and judge what happened.")
    parser.add_argument("--seconds", type=float, default=120, help="how long, all rounds together")
    parser.add_argument("--round-seconds", type=float, default=12, help="how long faults are played in one round")
    parser.add_argument("--rounds", type=int, default=1_000_000, help="at most so many")
    parser.add_argument("--seed", default="1", help="what the faults are chosen by; SEED.ROUND begins at that round")
    parser.add_argument("--lossless", action="store_true", help="no fault after which the server has lost what it had")
    parser.add_argument("--flavour", choices=RedisServer.available(own=True), help="both in turn by default")
    given = parser.parse_args()
    logging.getLogger("squads").setLevel(logging.CRITICAL)  # a broken bus says so; here that is no news
    seed, _, first = given.seed.partition(".")
    flavours = [given.flavour] if given.flavour else RedisServer.available(own=True)
    wrong, unsettled, rounds, begun = [0, 0, 0], 0, 0, time.monotonic()
    nursery = Nursery()
    try:
        while rounds < given.rounds and time.monotonic() - begun < given.seconds:
            number = int(first or 0) + rounds
            rounds += 1
            # In every second round the server keeps what it accepted: there, more has to hold.
            lossy = number % 2 == 1 and not given.lossless
            flavour = flavours[(number // 2) % len(flavours)]
            line: dict[str, object] = {"seed": f"{seed}.{number}", "flavour": flavour, "lossy": lossy}
            with tempfile.TemporaryDirectory() as folder:
                playing = play_round(
                    f"{seed}.{number}", given.round_seconds, Path(folder), nursery, flavour=flavour, lossy=lossy
                )
                try:
                    found, figures = asyncio.run(playing)
                except AssertionError as error:
                    unsettled += 1
                    print(json.dumps(line | {"verdict": "did not come to rest"}), flush=True)
                    print(error, file=sys.stderr, flush=True)
                    continue
            told = figures.pop("told", "")
            wrong = [a + len(b) for a, b in zip(wrong, (found.lost, found.doubled, found.forged), strict=True)]
            print(json.dumps(line | {"verdict": str(found)} | figures), flush=True)
            if told:
                print(found, told, sep="\n", file=sys.stderr, flush=True)
    finally:
        nursery.close()
    rest = f", {unsettled} of them did not come to rest" if unsettled else ""
    print(f"{rounds} rounds of seed {seed}{rest}: {wrong[0]} lost, {wrong[1]} doubled, {wrong[2]} forged")
    return 1 if any(wrong) or unsettled or not rounds else 0


if __name__ == "__main__":
    sys.exit(main())
