"""Names that a model's file imports lead into the other files of the artifact, and nowhere else."""

# ruff: noqa: E501 (an example stays on one line)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_balance_not_negative import balance_not_negative
from squads.gates.checks.sql_unique_null import unique_null
from squads.gates.sql import holds_schema
from squads.gates.sql.python.imports import IMPORTED_BYTES_MAX

MIXIN = "import datetime\nfrom sqlalchemy.orm import Mapped, mapped_column\nclass SoftDelete:\n    deleted_at: Mapped[datetime.datetime | None] = mapped_column()\n"
HEAD = "from sqlalchemy import UniqueConstraint\nfrom sqlalchemy.orm import Mapped, mapped_column\nfrom app.base import Base\n"
USER = "class User({base}, Base):\n    __tablename__ = 'users'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    email: Mapped[str]\n    __table_args__ = (UniqueConstraint('email', 'deleted_at'),)\n"
WALLET = "from app.base import Base\nfrom sqlalchemy.orm import Mapped, mapped_column\n{head}class Wallet(Base):\n    __tablename__ = 'wallets'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    {column}\n"

KEYS: dict[str, dict[str, str]] = {
    "a mixin beside it": {
        "app/mixins.py": MIXIN,
        "app/user.py": HEAD + "from .mixins import SoftDelete\n" + USER.format(base="SoftDelete"),
    },
    "a mixin by its full name": {
        "src/app/mixins.py": MIXIN,
        "src/app/user.py": HEAD + "from app.mixins import SoftDelete as Soft\n" + USER.format(base="Soft"),
    },
    "a mixin of an imported module": {
        "app/mixins.py": MIXIN,
        "app/user.py": HEAD + "from app import mixins\n" + USER.format(base="mixins.SoftDelete"),
    },
    "a mixin that a package hands on": {
        "app/db/mixins.py": MIXIN,
        "app/db/__init__.py": "from .mixins import *\n",
        "app/user.py": HEAD + "from app.db import SoftDelete\n" + USER.format(base="SoftDelete"),
    },
    "a name and a key kept as constants": {
        "app/names.py": "TABLE = 'users'\nKEY = ('email', 'deleted_at')\n",
        "app/user.py": "from app.names import KEY, TABLE\nfrom sqlalchemy import Column, DateTime, Integer, Text, UniqueConstraint\nfrom app.base import Base\nclass User(Base):\n    __tablename__ = TABLE\n    id = Column(Integer, primary_key=True)\n    email = Column(Text, nullable=False)\n    deleted_at = Column(DateTime)\n    __table_args__ = (UniqueConstraint(*KEY),)\n",
    },
    "a migration's helper": {
        "migrations/helpers.py": "import sqlalchemy as sa\ndef soft_delete():\n    return sa.Column('deleted_at', sa.DateTime(), nullable=True)\n",
        "migrations/a.py": "from alembic import op\nimport sqlalchemy as sa\nfrom migrations.helpers import soft_delete\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_table('u', sa.Column('id', sa.Integer, primary_key=True), sa.Column('email', sa.Text, nullable=False), soft_delete(), sa.UniqueConstraint('email', 'deleted_at'))\n",
    },
    "a Django model whose base is not shown": {
        "shop/models.py": "from django.db import models\nfrom core.models import Stamped\nclass Price(Stamped):\n    sku = models.CharField(max_length=20)\n    region = models.CharField(max_length=2, null=True)\n    class Meta:\n        unique_together = [('sku', 'region')]\n",
    },
}

STORES: dict[str, dict[str, str]] = {
    "an inherited column": {
        "app/base.py": "from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass HasBalance:\n    balance: Mapped[int] = mapped_column(default=0)\n",
        "app/wallet.py": "from app.base import Base, HasBalance\nfrom sqlalchemy.orm import Mapped, mapped_column\nclass Wallet(HasBalance, Base):\n    __tablename__ = 'wallets'\n    id: Mapped[int] = mapped_column(primary_key=True)\n",
    },
    "an alias of a type": {
        "app/kinds.py": "from decimal import Decimal\nfrom typing import Annotated\nfrom sqlalchemy import Numeric\nfrom sqlalchemy.orm import mapped_column\nMoney = Annotated[Decimal, mapped_column(Numeric(14, 2))]\n",
        "app/wallet.py": WALLET.format(head="from app.kinds import Money\n", column="balance: Mapped[Money]"),
    },
    "a type of one's own": {
        "app/kinds.py": "from sqlalchemy import types\nclass Cents(types.TypeDecorator):\n    impl = types.BigInteger\n",
        "app/wallet.py": WALLET.format(
            head="from app.kinds import Cents\n", column="balance: Mapped[int] = mapped_column(Cents)"
        ),
    },
    "a type that only the annotation tells": {
        "app/wallet.py": WALLET.format(
            head="from decimal import Decimal\nfrom elsewhere import Sum\n",
            column="balance: Mapped[Decimal] = mapped_column(Sum())",
        ),
    },
    "an SQLModel base": {
        "a/base.py": "from sqlmodel import SQLModel, Field\nclass WalletBase(SQLModel):\n    balance: float = Field(default=0.0, ge=0)\n",
        "a/tables.py": "from sqlmodel import Field\nfrom .base import WalletBase\nclass Wallet(WalletBase, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n",
    },
    "an abstract Django model": {
        "core/models.py": "from django.db import models\nclass Money(models.Model):\n    balance = models.DecimalField(max_digits=10, decimal_places=2)\n    class Meta:\n        abstract = True\n",
        "shop/models.py": "from django.db import models\nfrom core.models import Money\nclass Wallet(Money):\n    owner = models.CharField(max_length=3)\n",
    },
    "a table whose name is known in part": {
        "app/store.py": "async def up(c, prefix):\n    await c.execute(f'CREATE TABLE {prefix}_wallets (id bigint PRIMARY KEY, balance numeric NOT NULL)')\n",
    },
    "a schema whose name is quoted and not known": {
        "app/store.py": "def up(cur, tenant):\n    cur.execute(f'CREATE TABLE \"{tenant}\".wallets (id bigint PRIMARY KEY, balance numeric NOT NULL)')\n",
    },
}

CHECK = "from sqlalchemy import CheckConstraint\ndef not_negative(name: str) -> CheckConstraint:\n    return CheckConstraint(f'{name} >= 0')\n"
SOUND: dict[str, dict[str, str]] = {
    "a helper makes the CHECK": {
        "app/checks.py": CHECK,
        "app/wallet.py": WALLET.format(
            head="from app.checks import not_negative\n",
            column="balance: Mapped[int]\n    __table_args__ = (not_negative('balance'),)",
        ),
    },
    "a CHECK for each of several names": {
        "app/names.py": "STORES = ('balance', 'escrow_balance')\n",
        "app/wallet.py": WALLET.format(
            head="from sqlalchemy import CheckConstraint\nfrom app.names import STORES\n",
            column="balance: Mapped[int]\n    escrow_balance: Mapped[int]\n    __table_args__ = tuple(CheckConstraint(f'{n} >= 0') for n in STORES)",
        ),
    },
    "Django's constraints for each of several names": {
        "shop/models.py": "from django.db import models\nclass Wallet(models.Model):\n    balance = models.IntegerField()\n    held_balance = models.IntegerField()\n    class Meta:\n        constraints = [models.CheckConstraint(name=f'{f}_floor', check=models.Q(**{f'{f}__gte': 0})) for f in ('balance', 'held_balance')]\n",
    },
    "SQLAlchemy's literal": {
        "a.py": "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'a'\ndown_revision = None\ndef upgrade():\n    op.create_table('w', sa.Column('balance', sa.Integer), sa.CheckConstraint(sa.column('balance') >= sa.literal(0)))\n",
    },
    "a form only looks like a model": {
        "shop/forms.py": "from django import forms\nfrom django.db import models\nfrom core.forms import Base\nclass WalletForm(Base):\n    balance = forms.IntegerField()\n",
    },
    "files that import each other": {
        "app/a.py": "from app.b import Base\n" + WALLET.format(head="", column="name: Mapped[str]"),
        "app/b.py": "from app.a import Base\n",
    },
}


def refusing(check, files: dict[str, str]) -> list[Finding]:
    return [f for f in check(Artifact.of(files)) if f.severity >= Severity.MAJOR]


@pytest.mark.parametrize("files", KEYS.values(), ids=KEYS)
def test_a_key_over_what_another_file_says_is_refused(files):
    """The nullable member, its table's name or the key itself may stand in another file."""
    (finding,) = refusing(unique_null, files)

    assert finding.location.path in files


@pytest.mark.parametrize("files", STORES.values(), ids=STORES)
def test_a_store_that_another_file_says_is_refused(files):
    assert ["may be stored below zero"] == [
        f.message[f.message.index("may") :][:24] for f in refusing(balance_not_negative, files)
    ]


@pytest.mark.parametrize("files", SOUND.values(), ids=SOUND)
def test_a_guard_that_another_file_or_a_loop_makes_counts(files):
    assert [] == refusing(balance_not_negative, files)


def test_a_finding_stands_in_the_file_of_the_model():
    """What an imported file adds has no place of its own there."""
    (finding,) = refusing(balance_not_negative, STORES["an inherited column"])

    assert "app/wallet.py:3:1" == str(finding.location)


def test_a_model_with_an_imported_base_counts_as_looked_at():
    """Its columns may all stand in another file, so the file is not passed over."""
    files = STORES["an abstract Django model"]

    assert holds_schema(File(path="shop/models.py", content=files["shop/models.py"].encode()))


def test_a_base_that_is_not_in_the_artifact_stays_unknown():
    files = dict(KEYS["a mixin beside it"])
    del files["app/mixins.py"]

    with pytest.raises(CannotLook, match="deleted_at of users"):
        refusing(unique_null, files)


@pytest.mark.parametrize(
    "content", ["class SoftDelete(:\n", "x = 1\n" + "#" * IMPORTED_BYTES_MAX + MIXIN], ids=["broken", "too large"]
)
def test_an_imported_file_that_cannot_be_read_stays_unknown(content):
    """Nothing is guessed from it, and the reading ends."""
    files = {**KEYS["a mixin beside it"], "app/mixins.py": content}

    with pytest.raises(CannotLook):
        refusing(unique_null, files)


def test_the_standard_library_is_not_looked_for_in_the_artifact():
    """`from types import ...` is Python's own module, whatever the project calls its files."""
    files = {
        "app/types.py": MIXIN,
        "app/user.py": HEAD + "from types import SoftDelete\n" + USER.format(base="SoftDelete"),
    }

    with pytest.raises(CannotLook, match="deleted_at of users"):
        refusing(unique_null, files)
