"""The fields of classes, and which of them the text of an object shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.python import Class, Program


def fields_of(program: Program, made_by: Class, *, everything: bool) -> Iterator[tuple[str, bool, bool]]:
    """Yield the fields of a class that shows them: name, whether it is left out, whether its type hides its value.

    `everything`: the object is taken apart, as `asdict` does, and `repr=False` hides nothing.
    """
    family = program.names.family(made_by)
    bases = [n for c in family for b in c.node.bases for n in program.names.names(b)]
    decorators = " ".join(ast.unparse(d) for c in family for d in c.node.decorator_list)
    shows = re.search(r"dataclass|attr\.s|attrs|define|frozen|mutable", decorators) and (
        everything or "repr=False" not in decorators
    )
    models = any(re.search(r"BaseModel|BaseSettings|NamedTuple|Struct|TypedDict", n) for n in bases)
    for home in family:
        for statement in home.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                written = ast.unparse(statement.value) if statement.value is not None else ""
                hidden = "exclude=True" in written or ("repr=False" in written and not everything)
                kind = ast.unparse(statement.annotation)
                if re.search(r"ClassVar|bool|int\b", kind) or re.search(r"Field\(.*\brepr=False", kind):
                    hidden = True
                if shows or models:
                    yield statement.target.id, hidden, bool(re.search(r"\bSecret\w*", kind))
    if everything:
        for method in made_by.methods.values():
            for node in ast.walk(method.node):
                if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                    yield node.attr, False, False
