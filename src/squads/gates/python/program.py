"""The Python of one artifact with everything that can be asked of it, and the few that are kept for the next check."""

from __future__ import annotations

import ast
import threading
from collections import OrderedDict

from squads.contracts.artifact import Artifact
from squads.gates.place import Place
from squads.gates.python.calls import Calls
from squads.gates.python.control import Control
from squads.gates.python.files import Files
from squads.gates.python.flow import Flow
from squads.gates.python.module import Function
from squads.gates.python.names import Names
from squads.gates.python.values import Values

PROGRAMS_MAX = 2
"""How many artifacts' programs are kept for the next check."""

_kept: OrderedDict[str, Program] = OrderedDict()
_keeping = threading.Lock()


class Program:
    """What checks ask. Threads share it, so a check holds `lock` while it asks."""

    def __init__(self, artifact: Artifact) -> None:
        self.files = Files(artifact)
        self.names = Names(self.files)
        self.calls = Calls(self.files, self.names)
        self.values = Values(self.files, self.names, self.calls)
        self.flow = Flow(self.files, self.names, self.calls, self.values)
        self.control = Control(self.files, self.names)
        self.lock = self.files.lock

    def __repr__(self) -> str:
        return f"<program of {self.files!r}>"

    def place(self, node: ast.AST) -> Place:
        """Return where a node was written."""
        return self.files.place(node)

    def function_of(self, node: ast.AST) -> Function | None:
        """Return the innermost function around a node."""
        return self.files.function_of(node)


def read_program(artifact: Artifact) -> Program:
    """Return the program of `artifact`: the same one for every check that asks, as long as it is kept."""
    digest = artifact.digest
    with _keeping:
        program = _kept.pop(digest, None) or Program(artifact)
        _kept[digest] = program
        while len(_kept) > PROGRAMS_MAX:
            _kept.popitem(last=False)
    return program
