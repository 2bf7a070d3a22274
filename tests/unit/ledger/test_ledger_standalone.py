"""The ledger's files alone are an offline verifier: they can be joined into one file that needs nothing of squads."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path

import squads.ledger
from squads.testing.conformance_ledger import TRUST

ROOM = Path(squads.ledger.__file__).parent
# fmt: off
ORDER = (
    "errors", "types", "leaf", "merkle", "statement", "keys", "note", "checkpoint", "proof", "proof_file", "evidence",
    "trust", "report", "trail", "walk", "actors", "heads", "witness", "verify", "sequence", "shapes", "packet",
    "independence", "calibration", "lineup", "consent", "decisions", "approvals", "bundle", "content", "reader",
    "offline",
)
# fmt: on
FORBIDDEN = {"asyncio", "sqlite3", "time", "datetime", "os", "io", "pathlib", "socket", "random", "secrets", "tempfile"}


def joined() -> ast.Module:
    body: list[ast.stmt] = []
    for name in ORDER:
        for statement in ast.parse((ROOM / f"{name}.py").read_text()).body:
            if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith(
                ("squads.ledger", "__fut")
            ):
                continue
            body.append(statement)
    future = ast.parse("from __future__ import annotations").body
    return ast.Module(body=future + body, type_ignores=[])


def test_every_file_is_in_the_order_of_joining():
    """A new file must be placed after those it needs."""
    assert set(ORDER) == {path.stem for path in ROOM.glob("*.py")} - {"__init__"}


def test_the_files_import_only_each_other_the_standard_library_and_cryptography():
    """And cryptography only inside functions, so that the kernel can import keys cheaply."""
    for name in ORDER:
        tree = ast.parse((ROOM / f"{name}.py").read_text())
        for node in ast.walk(tree):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            for module in modules:
                top = module.split(".")[0]
                assert module.startswith("squads.ledger.") or top == "cryptography" or top in sys.stdlib_module_names
                assert top not in FORBIDDEN, f"{name} imports {module}"
                assert top != "cryptography" or node not in tree.body, f"{name} imports cryptography when imported"


def test_no_name_is_defined_in_two_files():
    """Joined, the later one would silently replace the earlier."""
    seen: dict[str, str] = {}
    for name in ORDER:
        for node in ast.parse((ROOM / f"{name}.py").read_text()).body:
            names = []
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names = [node.name]
            elif isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            for found in names:
                assert found not in seen, f"{found} is in {seen.get(found)} and {name}"
                seen[found] = name


def test_the_joined_file_verifies_a_log(log):
    """Executed under another name, with the same outcome."""
    module = types.ModuleType("squads_verifier")
    sys.modules["squads_verifier"] = module
    try:
        exec(compile(ast.fix_missing_locations(joined()), "squads_verifier", "exec"), module.__dict__)
        made = log(10)
        trust = module.Trust.from_json(TRUST.to_json())
        report = module.verify_log(made.rows, trust=trust, checkpoints=made.notes, outside=made.notes)
        del made.rows[4]
        damaged = module.verify_log(made.rows, trust=trust, checkpoints=made.notes, outside=made.notes)
    finally:
        del sys.modules["squads_verifier"]

    assert [result for result in report.results if not result.ok] == []
    assert [result.check for result in damaged.failed] == ["sequence"]
