"""`scope.brief` on changes in many styles: for each brief what breaks it, what keeps it, what only looks like a breach."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.checks.scope_brief import scope_brief

Pair = tuple[str, str]
Files = Mapping[str, Any]


def judged(brief: str, base: Mapping[str, str], change: Files) -> list[Finding]:
    """Return what is refused of a change; a list of pairs replaces texts, None removes."""
    now: dict[str, str] = {}
    for path, told in change.items():
        if told is None:
            continue
        text = base.get(path, "")
        if isinstance(told, str):
            now[path] = told
            continue
        for old, new in told:
            assert old in text
            text = text.replace(old, new)
        now[path] = text
    before = Artifact.of(base)
    gone = [p for p, told in change.items() if told is None]
    artifact = Artifact.of(now, removals=gone, base=before.digest)
    work = ReviewWork(
        packet=Packet(brief=brief),
        reads=AttemptKind.ARTIFACT,
        attempt=1,
        brief=brief,
        artifact=artifact,
        inputs={"base": before},
    )
    return [f for f in scope_brief(work) if f.severity >= Severity.MAJOR]


SHOP = {
    "shop/cart.py": '"""The cart."""\n\nfrom shop.money import rounded\n\nFREE_FROM = 5000\nSHIPPING = 490\n\n\ndef total(lines, *, shipping=True):\n    """Return the total in cents."""\n    due = sum(line.cents for line in lines)\n    if shipping and due < FREE_FROM:\n        due += SHIPPING\n    return rounded(due)\n\n\ndef count(lines):\n    return len(lines)\n',
    "shop/money.py": "STEP = 5\n\n\ndef rounded(cents, step=STEP):\n    return cents // step * step\n",
    "shop/__init__.py": "",
    "tests/test_cart.py": "from shop.cart import total\n\n\ndef test_total():\n    assert total([]) == 490\n",
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["httpx>=0.27"]\n\n[tool.ruff]\nline-length = 100\n',
    "config/app.yaml": "database:\n  pool: 5\n  timeout: 30\nfeatures:\n  beta: false\n",
    "README.md": "# Shop\n",
    ".github/workflows/ci.yml": "on: push\njobs:\n  test:\n    steps:\n      - run: pytest\n",
}
VIEWS = {
    "api/views.py": "from api.auth import login_required, staff_only\n\nPAGE = 20\nMAX_PAGE = 100\n\n\n@login_required\ndef list_members(request, limit=PAGE):\n    return request.db.members(limit=min(limit, MAX_PAGE))\n\n\n@staff_only\ndef export_members(request):\n    return request.db.members(limit=None)\n\n\n@staff_only\ndef delete_member(request, number):\n    request.db.delete(number)\n",
    "api/auth.py": "def login_required(view):\n    return view\n\n\ndef staff_only(view):\n    return view\n",
    "api/urls.py": "ROUTES = {'/members': 'list_members', '/export': 'export_members'}\n",
    "migrations/0001_members.sql": "CREATE TABLE member (id bigint PRIMARY KEY);\n",
    "requirements.txt": "flask==3.0\n",
}
CLIENT = {
    "client/fetch.py": 'import httpx\n\nBACKOFF = 0.5\nTIMEOUT = 10\nMAX_BODY = 1_000_000\nHEADERS = {"accept": "application/json", "user-agent": "shop/1"}\n\n\nclass Fetcher:\n    follow_redirects = False\n\n    def __init__(self, base_url, verify=True):\n        self.base_url = base_url\n        self.client = httpx.Client(base_url=base_url, verify=verify, timeout=TIMEOUT)\n\n    def get(self, path):\n        reply = self.client.get(path, headers=HEADERS, follow_redirects=False)\n        reply.raise_for_status()\n        return reply.json()\n',
    "client/errors.py": "class Failed(Exception):\n    pass\n",
}
B, D, OK = "broken", "broken too", "holds"
MAILER = {
    "post/mailer.py": "import time\n\n\nclass Mailer:\n    SENDER = 'noreply@club.example'\n\n    def __init__(self, connect, starttls=True):\n        self.connect = connect\n        self.starttls = starttls\n\n    def _open(self):\n        relay = self.connect()\n        if self.starttls:\n            relay.starttls()\n        return relay\n\n    def send(self, to, text):\n        relay = self._open()\n        return relay.sendmail(self.SENDER, to, text) == 250\n",
    "post/queue.py": "LIMIT = 40\n\n\ndef encode(job):\n    return {'to': job.to, 'at': job.at.isoformat(), 'text': job.text}\n\n\ndef is_full(jobs):\n    return len(jobs) >= LIMIT\n\n\ndef put(jobs, job):\n    if is_full(jobs):\n        raise ValueError('full')\n    return [*jobs, encode(job)]\n",
}
RETRY = "When the relay answers 451, Mailer.send should try once more. Sender address, TLS and log lines are fine as they are."
URGENT = "Urgent jobs go to the front of the queue: put() takes urgent. Nothing else about the queue changes."
ENTRY = "Add the subject to what encode returns. Consumers rely on the other fields exactly as they are."
RENAME = "Rename `put` to `enqueue`, in every caller. A pure rename: no change of behaviour."
_SEND = (
    "        return relay.sendmail(self.SENDER, to, text) == 250",
    "        code = relay.sendmail(self.SENDER, to, text)\n        if code == 451:\n            code = relay.sendmail(self.SENDER, to, text)\n        return code == 250",
)
_PUT = [
    ("def put(jobs, job):", "def put(jobs, job, urgent=False):"),
    ("    return [*jobs, encode(job)]", "    return [encode(job), *jobs] if urgent else [*jobs, encode(job)]"),
]
_NAME = ("def put(", "def enqueue(")
ROWS: list[tuple[str, str, Mapping[str, str], Files, Any]] = [
    # name, brief, base, change, (path, line) of what breaks it or None
    (
        "ship default",
        "Raise the free shipping limit from 50 to 60 euros in `shop/cart.py`. The cost of shipping stays as it is.",
        SHOP,
        {"shop/cart.py": [("FREE_FROM = 5000", "FREE_FROM = 6000"), ("SHIPPING = 490", "SHIPPING = 590")]},
        ("shop/cart.py", 6),
    ),
    (
        "ship clean",
        "Raise the free shipping limit from 50 to 60 euros in `shop/cart.py`. The cost of shipping stays as it is.",
        SHOP,
        {"shop/cart.py": [("FREE_FROM = 5000", "FREE_FROM = 6_000")]},
        None,
    ),
    (
        "round",
        "Charge no shipping when `lines` is empty: `total` in shop/cart.py. `shop/money.py` is used by invoicing; hands off.",
        SHOP,
        {
            "shop/cart.py": [("if shipping and", "if lines and shipping and")],
            "shop/money.py": [("cents // step", "round(cents / step)")],
        },
        ("shop/money.py", 5),
    ),
    (
        "round clean",
        "Charge no shipping when `lines` is empty: `total` in shop/cart.py. `shop/money.py` is used by invoicing; hands off.",
        SHOP,
        {
            "shop/cart.py": [("if shipping and", "if lines and shipping and")],
            "tests/test_cart.py": [("== 490", "== 0")],
        },
        None,
    ),
    (
        "round patch",
        "Charge no shipping when `lines` is empty: `total` in shop/cart.py. `shop/money.py` is used by invoicing; hands off.",
        SHOP,
        {
            "shop/cart.py": [
                (
                    "from shop.money import rounded\n",
                    "from shop import money\nfrom shop.money import rounded\n\nmoney.STEP = 1\n",
                ),
                ("if shipping and", "if lines and shipping and"),
            ]
        },
        ("shop/cart.py", 6),
    ),
    (
        "type hints",
        "Only add type hints to `total` in `shop/cart.py`; nothing else.",
        SHOP,
        {
            "shop/cart.py": [
                ("def total(lines, *, shipping=True):", "def total(lines: list, *, shipping: bool = True) -> int:")
            ]
        },
        None,
    ),
    (
        "type hints other",
        "Only add type hints to `total` in `shop/cart.py`; nothing else.",
        SHOP,
        {
            "shop/cart.py": [
                ("def total(lines, *, shipping=True):", "def total(lines: list, *, shipping: bool = True) -> int:"),
                ("return len(lines)", "return sum(line.quantity for line in lines)"),
            ]
        },
        ("shop/cart.py", 19),
    ),
    (
        "type hints count",
        "Add type hints to `shop/cart.py`. No behaviour changes, and no other file.",
        SHOP,
        {
            "shop/cart.py": [
                ("def total(lines, *, shipping=True):", "def total(lines: list, *, shipping: bool = True) -> int:"),
                ("def count(lines):", "def count(lines: list) -> int:"),
            ]
        },
        None,
    ),
    (
        "type hints default",
        "Add type hints to `shop/cart.py`. No default changes, and no other file.",
        SHOP,
        {
            "shop/cart.py": [
                ("def total(lines, *, shipping=True):", "def total(lines: list, *, shipping: bool = False) -> int:")
            ]
        },
        ("shop/cart.py", 9),
    ),
    (
        "pool",
        "Set `database.pool` in `config/app.yaml` to 20. Change nothing else.",
        SHOP,
        {"config/app.yaml": [("pool: 5", "pool: 20")]},
        None,
    ),
    (
        "pool too",
        "Set `database.pool` in `config/app.yaml` to 20. Change nothing else.",
        SHOP,
        {"config/app.yaml": [("pool: 5", "pool: 20"), ("beta: false", "beta: true")]},
        ("config/app.yaml", 5),
    ),
    (
        "pool comment",
        "Set `database.pool` in `config/app.yaml` to 20. Change nothing else.",
        SHOP,
        {"config/app.yaml": [("  pool: 5", "  # one for each worker\n  pool: 20")]},
        None,
    ),
    (
        "dep",
        "Use a session in `shop/cart.py`. No new dependencies.",
        SHOP,
        {"pyproject.toml": [('"httpx>=0.27"', '"httpx>=0.27", "requests"')]},
        ("pyproject.toml", 4),
    ),
    (
        "lint",
        "Shorten the lines in `shop/cart.py`.",
        SHOP,
        {"pyproject.toml": [("line-length = 100", "line-length = 140")]},
        None,
    ),
    (
        "ci",
        "Give `count` in `shop/cart.py` a docstring.",
        SHOP,
        {
            ".github/workflows/ci.yml": [("run: pytest", "run: pytest || true")],
            "shop/cart.py": [("def count(lines):\n", 'def count(lines):\n    """Return how many."""\n')],
        },
        (".github/workflows/ci.yml", 5),
    ),
    (
        "docstring",
        "Give `count` in `shop/cart.py` a docstring.",
        SHOP,
        {"shop/cart.py": [("def count(lines):\n", 'def count(lines):\n    """Return how many."""\n')]},
        None,
    ),
    (
        "permission",
        "Page size of the members' list: 50 instead of 20, in `api/views.py`. Who may see what does not change.",
        VIEWS,
        {"api/views.py": [("PAGE = 20", "PAGE = 50"), ("@staff_only\ndef export", "@login_required\ndef export")]},
        ("api/views.py", 12),
    ),
    (
        "permission clean",
        "Page size of the members' list: 50 instead of 20, in `api/views.py`. Who may see what does not change.",
        VIEWS,
        {"api/views.py": [("PAGE = 20", "PAGE = 50")]},
        None,
    ),
    (
        "permission words",
        "Return the number of members with `list_members`. Leave the permissions alone.",
        VIEWS,
        {"api/views.py": [("@staff_only\ndef delete", "def delete")]},
        ("api/views.py", 17),
    ),
    (
        "limit",
        "Raise the default page from 20 to 50 in `api/views.py` only. The upper limit stays.",
        VIEWS,
        {"api/views.py": [("PAGE = 20", "PAGE = 50"), ("MAX_PAGE = 100", "MAX_PAGE = 1000")]},
        ("api/views.py", 4),
    ),
    (
        "limit clean",
        "Raise the default page from 20 to 50 in `api/views.py` only. The upper limit stays.",
        VIEWS,
        {"api/views.py": [("PAGE = 20", "PAGE = 50  # asked for by the office")]},
        None,
    ),
    (
        "url",
        "Add an endpoint that archives a member: `archive_member` in `api/views.py`, route in `api/urls.py`. Existing endpoints keep their names and decorators.",
        VIEWS,
        {
            "api/views.py": [
                (
                    "    request.db.delete(number)\n",
                    "    request.db.delete(number)\n\n\n@staff_only\ndef archive_member(request, number):\n    request.db.archive(number)\n",
                )
            ],
            "api/urls.py": [
                ("'/export': 'export_members'", "'/export': 'export_members', '/archive': 'archive_member'")
            ],
        },
        None,
    ),
    (
        "sql",
        "Archive members: `archive_member` in `api/views.py`. The schema stays as it is.",
        VIEWS,
        {
            "migrations/0002_archive.sql": "ALTER TABLE member ADD archived boolean;\n",
            "api/views.py": [("PAGE = 20", "PAGE = 20\nARCHIVE = True")],
        },
        ("migrations/0002_archive.sql", 1),
    ),
    (
        "verify",
        "Send a `user-agent` with the version in `client/fetch.py`. Nothing else about how we talk to the server changes.",
        CLIENT,
        {"client/fetch.py": [("shop/1", "shop/2"), ("verify=True", "verify=False")]},
        ("client/fetch.py", 12),
    ),
    (
        "verify clean",
        "Send a `user-agent` with the version in `client/fetch.py`. Nothing else about how we talk to the server changes.",
        CLIENT,
        {"client/fetch.py": [("shop/1", "shop/2")]},
        None,
    ),
    (
        "timeout",
        "`Fetcher.get` returns the text when the reply is no JSON. Timeouts and redirects stay as they are.",
        CLIENT,
        {
            "client/fetch.py": [
                (
                    "return reply.json()",
                    "return reply.json() if reply.headers.get('content-type') == 'application/json' else reply.text",
                ),
                ("TIMEOUT = 10", "TIMEOUT = 60"),
            ]
        },
        ("client/fetch.py", 4),
    ),
    (
        "redirect",
        "`Fetcher.get` returns the text when the reply is no JSON. Timeouts and redirects stay as they are.",
        CLIENT,
        {
            "client/fetch.py": [
                ("return reply.json()", "return reply.text"),
                ("headers=HEADERS, follow_redirects=False", "headers=HEADERS, follow_redirects=True"),
            ]
        },
        ("client/fetch.py", 17),
    ),
    (
        "text clean",
        "`Fetcher.get` returns the text when the reply is no JSON. Timeouts and redirects stay as they are.",
        CLIENT,
        {
            "client/fetch.py": [
                (
                    "return reply.json()",
                    "return reply.json() if reply.headers.get('content-type') == 'application/json' else reply.text",
                )
            ]
        },
        None,
    ),
    (
        "text decoy",
        "`Fetcher.get` returns the text when the reply is no JSON. Timeouts and redirects stay as they are.",
        CLIENT,
        {
            "client/fetch.py": [
                (
                    "return reply.json()",
                    "return self._read(reply)\n\n    def _read(self, reply, timeout=None):\n        return reply.text",
                ),
                ("TIMEOUT = 10", "TIMEOUT = 5 + 5"),
            ]
        },
        None,
    ),
    (
        "refactor",
        "Split `Fetcher.get` in `client/fetch.py` into smaller methods. Public signatures stay.",
        CLIENT,
        {
            "client/fetch.py": [
                (
                    "    def get(self, path):\n        reply =",
                    "    def get(self, path):\n        return self._sent(path).json()\n\n    def _sent(self, path):\n        reply =",
                ),
                ("        return reply.json()\n", "        return reply\n"),
            ]
        },
        None,
    ),
    (
        "refactor sig",
        "Split `Fetcher.get` in `client/fetch.py` into smaller methods. Public signatures stay.",
        CLIENT,
        {
            "client/fetch.py": [
                ("def get(self, path):", "def get(self, path, params=None):"),
                ("def __init__(self, base_url, verify=True)", "def __init__(self, base_url, *, verify=True)"),
            ]
        },
        ("client/fetch.py", 12),
    ),
    (
        "pronoun",
        "Give `Fetcher` a method `head`. `client/errors.py` belongs to the platform team. It must not be touched.",
        CLIENT,
        {"client/errors.py": [("pass", "retry = True")]},
        ("client/errors.py", 2),
    ),
    (
        "pronoun clean",
        "Give `Fetcher` a method `head`. `client/errors.py` belongs to the platform team. It must not be touched.",
        CLIENT,
        {
            "client/fetch.py": [
                ("    def get(", "    def head(self, path):\n        return self.client.head(path)\n\n    def get(")
            ]
        },
        None,
    ),
    (
        "rename",
        "Rename `count` to `size` in `shop/cart.py`. The rest of the package stays untouched.",
        SHOP,
        {"shop/cart.py": [("def count", "def size")]},
        None,
    ),
    (
        "rename more",
        "Rename `count` to `size` in `shop/cart.py`. The rest of the package stays untouched.",
        SHOP,
        {"shop/cart.py": [("def count", "def size")], "shop/money.py": [("STEP = 5", "STEP = 1")]},
        ("shop/money.py", 1),
    ),
    (
        "no tests",
        "Fix the rounding in `rounded`: amounts go to the nearest step. Tests are written by somebody else; do not touch `tests/`.",
        SHOP,
        {
            "shop/money.py": [("cents // step * step", "(cents + step // 2) // step * step")],
            "tests/test_cart.py": [("490", "500")],
        },
        ("tests/test_cart.py", 5),
    ),
    (
        "no tests clean",
        "Fix the rounding in `rounded`: amounts go to the nearest step. Tests are written by somebody else; do not touch `tests/`.",
        SHOP,
        {"shop/money.py": [("cents // step * step", "(cents + step // 2) // step * step")]},
        None,
    ),
    (
        "removed",
        "Delete the unused function `count` from `shop/cart.py`, nothing more.",
        SHOP,
        {"shop/cart.py": [("\n\ndef count(lines):\n    return len(lines)\n", "")]},
        None,
    ),
    (
        "removed more",
        "Delete the unused function `count` from `shop/cart.py`, nothing more.",
        SHOP,
        {"shop/cart.py": [("\n\ndef count(lines):\n    return len(lines)\n", ""), ("if shipping and due", "if due")]},
        ("shop/cart.py", 12),
    ),
    (
        "log",
        "Log every call of `delete_member` in `api/views.py`. Do not change what any view returns or who may call it.",
        VIEWS,
        {
            "api/views.py": [
                ("from api.auth", "import logging\n\nfrom api.auth"),
                (
                    "    request.db.delete(number)",
                    '    logging.getLogger(__name__).info("member %s goes", number)\n    request.db.delete(number)',
                ),
            ]
        },
        None,
    ),
    (
        "log open",
        "Log every call of `delete_member` in `api/views.py`. Do not change what any view returns or who may call it.",
        VIEWS,
        {"api/views.py": [("@staff_only\ndef delete", "@login_required\ndef delete")]},
        ("api/views.py", 17),
    ),
    (
        "two files",
        "The price of shipping moves to `shop/money.py`: move `SHIPPING` there and import it in `shop/cart.py`. Its value stays 490, other amounts too.",
        SHOP,
        {
            "shop/cart.py": [("SHIPPING = 490\n", ""), ("import rounded", "import SHIPPING, rounded")],
            "shop/money.py": [("STEP = 5", "SHIPPING = 490\nSTEP = 5")],
        },
        None,
    ),
    (
        "readme only",
        "Documentation only: explain in README.md how to install the shop. No code changes.",
        SHOP,
        {"README.md": "# Shop\n\nInstall it.\n", "shop/cart.py": [("SHIPPING = 490", "SHIPPING = 0")]},
        ("shop/cart.py", 6),
    ),
    (
        "readme clean",
        "Documentation only: explain in README.md how to install the shop. No code changes.",
        SHOP,
        {"README.md": "# Shop\n\nInstall it.\n"},
        None,
    ),
    (
        "readme docstring",
        "Improve the docstring of `total` in `shop/cart.py`. Docstrings only; code stays as it is.",
        SHOP,
        {"shop/cart.py": [("Return the total in cents.", "Return what is due, in cents.")]},
        None,
    ),
    (
        "readme docstring more",
        "Improve the docstring of `total` in `shop/cart.py`. Docstrings only; code stays as it is.",
        SHOP,
        {
            "shop/cart.py": [
                ("Return the total in cents.", "Return what is due, in cents."),
                ("due < FREE_FROM", "due <= FREE_FROM"),
            ]
        },
        ("shop/cart.py", 12),
    ),
    (
        "format",
        "Run the formatter over `shop/money.py`. It is formatting; nothing may behave differently.",
        SHOP,
        {
            "shop/money.py": [
                (
                    "    return cents // step * step",
                    "    return (\n        cents\n        // step\n        * step\n    )",
                )
            ]
        },
        None,
    ),
    (
        "format more",
        "Run the formatter over `shop/money.py`. It is formatting; nothing may behave differently.",
        SHOP,
        {"shop/money.py": [("step=STEP", "step=1")]},
        ("shop/money.py", 4),
    ),
]


ROWS += [
    (
        "unasked guard",
        "Add a `head` method to `Fetcher`.",
        CLIENT,
        {"client/fetch.py": [("verify=True", "verify=False")]},
        ("client/fetch.py", 12),
    ),
    (
        "unasked door",
        "Sort the members by number in `delete_member`'s log.",
        VIEWS,
        {"api/views.py": [("@staff_only\ndef delete", "def delete")]},
        ("api/views.py", 17),
    ),
    (
        "endpoint gone",
        "Remove the endpoint `delete_member` from `api/views.py`.",
        VIEWS,
        {
            "api/views.py": [
                ("\n\n@staff_only\ndef delete_member(request, number):\n    request.db.delete(number)\n", "")
            ]
        },
        None,
    ),
    (
        "stricter door",
        "Only staff may list members: `list_members` in `api/views.py`.",
        VIEWS,
        {
            "api/views.py": [
                ("@login_required\ndef list", "@staff_only\ndef list"),
                ("import login_required, staff_only", "import staff_only"),
            ]
        },
        None,
    ),
    (
        "asked door",
        "Let every member delete himself: `delete_member` no longer needs the staff role.",
        VIEWS,
        {"api/views.py": [("@staff_only\ndef delete", "@login_required\ndef delete")]},
        None,
    ),
    (
        "asked guard",
        "The test server has its own certificate; `Fetcher` must not verify it by default.",
        CLIENT,
        {"client/fetch.py": [("verify=True", "verify=False")]},
        None,
    ),
    (
        "value words",
        "Increase `TIMEOUT` from 10 to 30 seconds in `client/fetch.py`; everything else stays as it is.",
        CLIENT,
        {"client/fetch.py": [("TIMEOUT = 10", "TIMEOUT = 30")]},
        None,
    ),
    (
        "value other",
        "Increase `TIMEOUT` from 10 to 30 seconds in `client/fetch.py`; everything else stays as it is.",
        CLIENT,
        {"client/fetch.py": [("TIMEOUT = 10", "TIMEOUT = 30"), ("BACKOFF = 0.5", "BACKOFF = 0.1")]},
        ("client/fetch.py", 3),
    ),
    (
        "value header",
        "Increase the timeout from 10 to 30 seconds. That concerns `client/fetch.py` alone; what we send does not change.",
        CLIENT,
        {"client/fetch.py": [("TIMEOUT = 10", "TIMEOUT = 30"), ('"application/json"', '"*/*"')]},
        ("client/fetch.py", 6),
    ),
    (
        "value header clean",
        "Increase the timeout from 10 to 30 seconds. That concerns `client/fetch.py` alone; what we send does not change.",
        CLIENT,
        {
            "client/fetch.py": [("TIMEOUT = 10", "TIMEOUT = 30")],
            "CHANGELOG.md": "# Changes\n\n- The timeout is 30 seconds.\n",
        },
        None,
    ),
    (
        "keep order",
        "Reformat `client/fetch.py`; it behaves as before.",
        CLIENT,
        {
            "client/fetch.py": [
                (
                    'HEADERS = {"accept": "application/json", "user-agent": "shop/1"}',
                    'HEADERS = {\n    "user-agent": "shop/1",\n    "accept": "application/json",\n}',
                )
            ]
        },
        None,
    ),
    (
        "keep value",
        "Reformat `client/fetch.py`; it behaves as before.",
        CLIENT,
        {"client/fetch.py": [("MAX_BODY = 1_000_000", "MAX_BODY = 10_000_000")]},
        ("client/fetch.py", 5),
    ),
    (
        "neither",
        "Give `Fetcher` a method `head`. Neither `client/errors.py` nor the dependencies change.",
        CLIENT,
        {"client/errors.py": [("pass", "code = 0")]},
        ("client/errors.py", 2),
    ),
    (
        "env",
        "Add a `RELEASE` setting to `.env.example`, nothing else.",
        {".env.example": "DEBUG=false\nPORT=80\n"},
        {".env.example": "DEBUG=false\nPORT=80\nRELEASE=1\n"},
        None,
    ),
    (
        "env too",
        "Add a `RELEASE` setting to `.env.example`, nothing else.",
        {".env.example": "DEBUG=false\nPORT=80\n"},
        {".env.example": "DEBUG=true\nPORT=80\nRELEASE=1\n"},
        (".env.example", 1),
    ),
    (
        "lock",
        "Upgrade httpx to 0.28 in pyproject.toml. No other dependency changes.",
        SHOP,
        {"pyproject.toml": [("httpx>=0.27", "httpx>=0.28")]},
        None,
    ),
    (
        "lock too",
        "Upgrade httpx to 0.28 in pyproject.toml. No other dependency changes.",
        SHOP,
        {"pyproject.toml": [('"httpx>=0.27"', '"httpx>=0.28", "h2"')]},
        ("pyproject.toml", 4),
    ),
    (
        "ask long",
        "Customers complain that shipping is charged on gift cards. Skip shipping for lines whose `gift` is true in `total`; do not change the interface of `total`, other functions of the module, or `shop/money.py`.",
        SHOP,
        {
            "shop/cart.py": [
                ("    if shipping and due", "    if shipping and not all(line.gift for line in lines) and due")
            ]
        },
        None,
    ),
    (
        "ask long too",
        "Customers complain that shipping is charged on gift cards. Skip shipping for lines whose `gift` is true in `total`; do not change the interface of `total`, other functions of the module, or `shop/money.py`.",
        SHOP,
        {
            "shop/cart.py": [
                ("    if shipping and due", "    if shipping and not all(line.gift for line in lines) and due"),
                ("len(lines)", "len(set(lines))"),
            ]
        },
        ("shop/cart.py", 19),
    ),
    ("retry", RETRY, MAILER, {"post/mailer.py": [_SEND]}, None),
    (
        "retry, plain default",
        RETRY,
        MAILER,
        {"post/mailer.py": [_SEND, ("starttls=True", "starttls=False")]},
        ("post/mailer.py", 7),
    ),
    (
        "retry, plain helper",
        RETRY,
        MAILER,
        {"post/mailer.py": [_SEND, ("if self.starttls:", "if self.starttls and hasattr(relay, 'starttls'):")]},
        ("post/mailer.py", 13),
    ),
    ("urgent", URGENT, MAILER, {"post/queue.py": _PUT}, None),
    (
        "urgent, limit elsewhere",
        URGENT,
        MAILER,
        {"post/queue.py": [*_PUT, ("len(jobs) >= LIMIT", "len(jobs) > LIMIT")]},
        ("post/queue.py", 9),
    ),
    (
        "urgent, helper",
        URGENT,
        MAILER,
        {
            "post/queue.py": [
                _PUT[0],
                (
                    "    return [*jobs, encode(job)]",
                    "    return _placed(jobs, encode(job), urgent)\n\n\ndef _placed(jobs, job, urgent):\n    return [job, *jobs] if urgent else [*jobs, job]",
                ),
            ]
        },
        None,
    ),
    (
        "entry",
        ENTRY,
        MAILER,
        {"post/queue.py": [("'text': job.text}", "'text': job.text, 'subject': job.subject}")]},
        None,
    ),
    (
        "entry, another too",
        ENTRY,
        MAILER,
        {
            "post/queue.py": [
                ("'text': job.text}", "'text': job.text, 'subject': job.subject}"),
                ("job.at.isoformat()", "str(job.at)"),
            ]
        },
        ("post/queue.py", 5),
    ),
    ("rename", RENAME, MAILER, {"post/queue.py": [_NAME]}, None),
    (
        "rename, and more",
        RENAME,
        MAILER,
        {"post/queue.py": [_NAME, ("    return [*jobs, encode(job)]", "    return [encode(job), *jobs]")]},
        ("post/queue.py", 15),
    ),
]


@pytest.mark.parametrize(("brief", "base", "change", "place"), [pytest.param(*r[1:], id=r[0]) for r in ROWS])
def test_a_change_keeps_to_its_brief(
    brief: str, base: Mapping[str, str], change: Files, place: tuple[str, int] | None
) -> None:
    """What the brief's words exclude is found where it stands; what goes with the work is not."""
    found = judged(brief, base, change)

    if place is None:
        assert [] == found
    else:
        assert any(
            f.location is not None and f.location.path == place[0] and abs((f.location.line or 1) - place[1]) <= 2
            for f in found
        )
