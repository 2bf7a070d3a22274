"""Joins the ledger's own files into one verifier that needs only Python and `cryptography`.

Whoever verifies a bundle should be able to read all that does it, and run it without installing what made the bundle.
The file holds the definitions that `verifier_main.py` reaches, as they are written in `src/squads/ledger`, in the order
in which they need each other; imports between them are left out. The same sources give the same bytes.

    python docs/build_verifier.py           writes docs/reference/squads_verify.py
    python docs/build_verifier.py --check   says whether it is stale, and exits with 1 if it is
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent
LEDGER = DOCS.parent / "src" / "squads" / "ledger"
TARGET = DOCS / "reference" / "squads_verify.py"
# fmt: off
ORDER = (
    "errors", "types", "leaf", "merkle", "statement", "keys", "note", "checkpoint", "trust", "report", "proof",
    "shapes", "bundle", "packet", "content", "independence", "calibration", "lineup", "consent", "decisions",
    "approvals", "reader", "offline",
)
# fmt: on
HEAD = '''\
"""Verify a bundle of one packet offline: one file that needs only Python 3.11 and the package `cryptography`.

    python squads_verify.py BUNDLE --trust trust.json [--seen NOTE ...] [--json]

Exit code 0: no check failed. 1: one did. 2: it could not be found out.
`trust.json` must come from somebody you believe, by another way than the bundle; a bundle never brings its own.
The checks are named in `BUNDLE_CHECKS` below, and each is reported for itself.

This file is joined from src/squads/ledger by docs/build_verifier.py: change those and build it again.
"""

from __future__ import annotations
'''


@dataclass(frozen=True)
class Piece:
    """One statement of a file's top level, with the comments above it and the docstring below it."""

    module: str
    text: str
    defines: frozenset[str]
    uses: frozenset[str]
    is_block: bool
    """True for a class or a function, which stands apart."""
    follows: bool
    """True where it stands directly under the statement before it."""


def built() -> str:
    """Return the text of the verifier."""
    sources = {name: (LEDGER / f"{name}.py").read_text("utf-8") for name in ORDER}
    sources["main"] = (DOCS / "verifier_main.py").read_text("utf-8")
    pieces = [piece for name, source in sources.items() for piece in pieces_of(name, source)]
    kept = reached(pieces)
    used = frozenset().union(*(piece.uses for piece in kept))
    head = imports(sources.values(), used)
    parts = [HEAD, "\n", head]
    for name, source in sources.items():
        mine = [piece for piece in kept if piece.module == name]
        if mine:
            parts += ["\n" if parts[-1] == head else "\n\n", banner(name, source)]
        before: Piece | None = None
        for piece in mine:
            parts += [gap(before, piece), piece.text, "\n"]
            before = piece
    return "".join(parts)


def pieces_of(module: str, source: str) -> Iterator[Piece]:
    """Yield the statements of a file that can be kept: all but its docstring and its imports."""
    lines = source.splitlines()
    body = ast.parse(source).body
    docstrings = {i for i, node in enumerate(body) if is_docstring(node)}
    end_before = 0
    for index, node in enumerate(body):
        last = body[index + 1] if index + 1 in docstrings and index not in docstrings else node
        start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        while lines[start - 2].startswith("#") and start > 1:
            start -= 1
        follows, end_before = start == end_before + 1, last.end_lineno or 0
        if isinstance(node, (ast.Import, ast.ImportFrom)) or index in docstrings:
            continue
        yield Piece(
            module=module,
            text="\n".join(lines[start - 1 : last.end_lineno]),
            defines=frozenset(names_of(node)),
            uses=frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name)),
            is_block=isinstance(node, (ast.ClassDef, ast.FunctionDef)),
            follows=follows,
        )


def reached(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces that the last file needs, directly or not, in their order."""
    home = {name: piece for piece in pieces for name in piece.defines}
    waiting = [piece for piece in pieces if piece.module == "main"]
    found: set[int] = set()
    while waiting:
        piece = waiting.pop()
        if id(piece) not in found:
            found.add(id(piece))
            waiting += [home[name] for name in piece.uses if name in home]
    return [piece for piece in pieces if id(piece) in found]


def imports(sources: Iterable[str], used: frozenset[str]) -> str:
    """Return the imports of the standard library that the kept pieces use."""
    whole: set[str] = set()
    wanted: dict[str, set[str]] = {}
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import):
                whole |= {alias.name for alias in node.names if alias.name in used}
            elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(("squads", "__future__")):
                for alias in node.names:
                    if (alias.asname or alias.name) in used:
                        said = alias.name if alias.asname is None else f"{alias.name} as {alias.asname}"
                        wanted.setdefault(node.module or "", set()).add(said)
    lines = [f"import {name}\n" for name in sorted(whole)]
    order = str.casefold
    lines += [f"from {name} import {', '.join(sorted(wanted[name], key=order))}\n" for name in sorted(wanted)]
    return "".join(lines)


def banner(name: str, source: str) -> str:
    """Return a file's name and what its docstring says at first, as comments."""
    said = (ast.get_docstring(ast.parse(source)) or "").split("\n\n")
    wrapped = textwrap.wrap(" ".join(" ".join(said[:2]).split()), 118)
    return "\n".join([f"# --- {name} ".ljust(120, "-"), *(f"# {line}" for line in wrapped)]) + "\n"


def gap(before: Piece | None, piece: Piece) -> str:
    """Return the empty lines before a piece: as a formatter would set them."""
    if before is None:
        return "\n\n" if piece.is_block else "\n"
    if before.is_block or piece.is_block:
        return "\n\n"
    return "" if piece.follows else "\n"


def is_docstring(node: ast.stmt) -> bool:
    """Say whether a statement is nothing but text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def names_of(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def main() -> int:
    """Write the verifier, or with `--check` say whether it is as it would be written."""
    text = built()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text("utf-8") == text:
            return 0
        print(f"{TARGET.relative_to(DOCS.parent)} is stale; run python docs/build_verifier.py")
        return 1
    TARGET.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
