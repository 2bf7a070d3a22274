"""Python as checks read it: `read_program(artifact)` answers what names mean, and where values come from and go."""

from squads.gates.place import Place
from squads.gates.python.calls import Arguments
from squads.gates.python.control import Done, Either, Event, Fact, holds
from squads.gates.python.module import Class, Function, Instance, Module
from squads.gates.python.names import default_of
from squads.gates.python.program import Program, read_program
from squads.gates.python.source import FILE_BYTES_MAX, PYTHON_FILES
from squads.gates.python.steps import Step
from squads.gates.python.values import UNKNOWN, Elements, Entries, Unknown, Value

__all__ = [
    "FILE_BYTES_MAX",
    "PYTHON_FILES",
    "UNKNOWN",
    "Arguments",
    "Class",
    "Done",
    "Either",
    "Elements",
    "Entries",
    "Event",
    "Fact",
    "Function",
    "Instance",
    "Module",
    "Place",
    "Program",
    "Step",
    "Unknown",
    "Value",
    "default_of",
    "holds",
    "read_program",
]
