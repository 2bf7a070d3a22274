"""Files that no gate should fall over: empty, binary, huge, nested without end, and text that only looks like its kind.

Every entry is a file's bytes. They are for gates of any kind: which verdict is right depends on the gate, but it is a
verdict, and it comes in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_DEEP = 5_000

MALFORMED: Mapping[str, bytes] = MappingProxyType(
    {
        "empty": b"",
        "one byte": b"\x00",
        "white space": b" \t\r\n\x0b\x0c\n",
        "a byte order mark": b"\xef\xbb\xbf",
        "a byte order mark of UTF-16": "CREATE TABLE t (a int);".encode("utf-16"),
        "latin-1": "-- Stra\xdfe\nSELECT 'gr\xfcn';\n".encode("latin-1"),
        "cut in a character": "x = 'ü'".encode()[:-2],
        "binary": bytes(range(256)) * 64,
        "an executable": b"\x7fELF\x02\x01\x01" + bytes(500),
        "an archive": b"PK\x03\x04" + bytes(500),
        "null bytes in code": b"import os\n\x00\nprint(1)\n",
        "control characters": b"SELECT \x1b[31m'red'\x1b[0m; # \x07\x08\n",
        "right to left": "access = '\u202e' # \u2066 admin\n".encode(),
        "open brackets": b"(" * _DEEP,
        "nested brackets": b"x = " + b"[" * _DEEP + b"]" * _DEEP + b"\n",
        "nested calls": b"SELECT " + b"f(" * _DEEP + b"1" + b")" * _DEEP + b";\n",
        "a long chain": b"x = a" + b".b" * _DEEP + b"\n",
        "a long sum": b"x = 1" + b" + 1" * _DEEP + b"\n",
        "nested blocks": b"".join(b" " * n + b"if x:\n" for n in range(200)),
        "an open string": b"SELECT 'never closed\n" + b"x\n" * 100,
        "an open comment": b"/* never closed\n" + b"CREATE TABLE t (a int);\n" * 100,
        "an open dollar quote": b"CREATE FUNCTION f() RETURNS int AS $body$ SELECT 1;\n",
        "an open triple quote": b'x = """never closed\n' + b"y\n" * 100,
        "one long line": b"x" * 300_000,
        "many lines": b"\n" * 100_000,
        "a huge number": b"x = " + b"9" * 5_000 + b"\nSELECT " + b"9" * 5_000 + b";\n",
        "another Python": b"print 'hello'\nexec 'x'\n",
        "a newer Python": b"match x:\n    case [1, *rest] if (yield: 3):\n        pass\nlet x = 1\n",
        "another dialect": b"CREATE TABLE `t` (`a` INT(11) NOT NULL AUTO_INCREMENT, KEY `k` (`a`)) ENGINE=InnoDB;\n",
        "a template": b"{% if x %}CREATE TABLE {{ name }} (a int{% for c in d %}, {{ c }} int{% endfor %});{% endif %}",
        "a merge conflict": b"<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
        "prose": b"The table has a balance. CREATE it; then DROP what is left, and SELECT something nice.\n",
        "markup": b"<!DOCTYPE x [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><x>&b;</x>\n",
        "a diff": b"--- a/x.sql\n+++ b/x.sql\n@@ -1 +1 @@\n-CREATE TABLE t (a int);\n+CREATE TABLE t (b int);\n",
    }
)
"""Content by what it is."""
