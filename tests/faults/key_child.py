"""A program that rotates a key and is killed: the other half of `test_key_kill.py`. Not a test itself.

key_child.py STORE made|appended|replaced     rotate the key of gate:style; SIGKILL itself at that point
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from squads.key_events import rotate_key
from squads.keyring import Keyring
from squads.workspace import Workspace


def _dying_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **more: Any) -> Any:
        function(*arguments, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    return wrapped


async def main(store: str, point: str) -> None:
    workspace = Workspace.open(store)
    await workspace.found(["gate:style"])
    if point == "made":
        Keyring.successor = _dying_after(Keyring.successor)  # type: ignore[method-assign]
    elif point == "replaced":
        Keyring.adopt = _dying_after(Keyring.adopt)  # type: ignore[method-assign]
    else:
        Keyring.adopt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assign]
    await rotate_key(workspace, "gate:style")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
