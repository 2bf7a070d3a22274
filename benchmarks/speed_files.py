"""Makes a change of 1,000 Python and SQL files, the same for every run: an invented shop that keeps balances.

    560 modules with classes, queries and text      100 Alembic migrations      40 modules about tokens
    240 SQL migrations with seeds and triggers       30 modules about SAML       30 models of an ORM

Nothing in it breaks an invariant, so that a gate has to read everything to the end.
"""

from __future__ import annotations

from random import Random

_NOUNS = """
order customer invoice parcel voucher supplier product basket payment refund review address warehouse shelf
subscription plan campaign ticket message device session tenant report shipment carrier tariff contract
"""
_VERBS = "load store merge split count rank price pack send cancel close renew archive export"
_FIELDS = "name title status region country notes source channel label reference"
NOUNS, VERBS, FIELDS = _NOUNS.split(), _VERBS.split(), _FIELDS.split()


def files(seed: int = 1) -> dict[str, str]:
    """Return path to text of 1,000 files."""
    chance = Random(seed)
    made: dict[str, str] = {}
    for number in range(560):
        made[f"shop/{NOUNS[number % 26]}/{VERBS[number % 14]}_{number:03}.py"] = module(chance, number)
    for number in range(30):
        made[f"shop/models/model_{number:03}.py"] = model(chance, number)
    for number in range(40):
        made[f"shop/auth/token_{number:03}.py"] = token(number)
    for number in range(30):
        made[f"shop/sso/saml_{number:03}.py"] = saml(number)
    for number in range(100):
        made[f"migrations/versions/{number:04}_change.py"] = alembic(chance, number)
    for number in range(240):
        made[f"schema/V{number + 1:04}__change.sql"] = schema(chance, number)
    return made


def module(chance: Random, number: int) -> str:
    """Return a module as programs have them: a data class, a service with queries, helpers."""
    noun, other = chance.choice(NOUNS), chance.choice(NOUNS)
    fields = chance.sample(FIELDS, 4)
    lines = [
        f'"""Works on {noun}s: what the shop does with them after a {other}."""',
        "",
        "from __future__ import annotations",
        "",
        "import json",
        "import logging",
        "import re",
        "from dataclasses import dataclass, field",
        "from datetime import datetime, timedelta",
        "from pathlib import Path",
        "",
        "log = logging.getLogger(__name__)",
        f'{noun.upper()}_PATTERN = re.compile(r"^[A-Z]{{2}}-\\d{{{chance.randint(3, 9)}}}$")',
        f"PAGE_SIZE = {chance.randint(10, 500)}",
        "",
        "",
        "@dataclass(frozen=True)",
        f"class {noun.title()}:",
        f'    """One {noun}."""',
        "",
        "    id: int",
        *(f"    {name}: str" for name in fields),
        "    created: datetime",
        "    tags: tuple[str, ...] = field(default_factory=tuple)",
        "",
        "",
        f"class {noun.title()}Service:",
        f'    """Reads and writes {noun}s."""',
        "",
        "    def __init__(self, connection, clock=datetime.now):",
        "        self._connection = connection",
        "        self._clock = clock",
        "        self._cache = {}",
    ]
    for verb in chance.sample(VERBS, chance.randint(3, 7)):
        name = chance.choice(fields)
        lines += [
            "",
            f"    def {verb}(self, wanted, *, limit=PAGE_SIZE, since=None):",
            f'        """Return the {noun}s to {verb}, newest first."""',
            "        if wanted in self._cache and since is None:",
            "            return self._cache[wanted]",
            f"        since = since or self._clock() - timedelta(days={chance.randint(1, 90)})",
            "        with self._connection.cursor() as cursor:",
            "            cursor.execute(",
            f'                "SELECT id, {", ".join(fields)}, created FROM {noun}s "',
            f'                "WHERE {name} = %s AND created > %s ORDER BY created DESC LIMIT %s",',
            "                (wanted, since, limit),",
            "            )",
            "            rows = cursor.fetchall()",
            f"        found = [{noun.title()}(*row) for row in rows]",
            f"        if not found and len(wanted) > {chance.randint(3, 30)}:",
            f'            log.info("no {noun} for %s", wanted)',
            "            return []",
            "        total = 0",
            "        for item in found:",
            f"            if {noun.upper()}_PATTERN.match(item.{name}):",
            f"                total += {chance.randint(1, 9)}",
            "            elif item.tags:",
            "                total -= 1",
            "        try:",
            "            self._cache[wanted] = sorted(found, key=lambda item: (item.created, total))",
            "        except TypeError as error:",
            f'            raise ValueError(f"{{wanted}} has a {noun} without a time") from error',
            "        return self._cache[wanted]",
        ]
    lines += [
        "",
        "",
        f"def read_{noun}s_{number}(path: Path) -> list[dict]:",
        f'    """Return the {noun}s of a file of JSON lines."""',
        '    with path.open(encoding="utf-8") as file:',
        "        parts = [json.loads(line) for line in file if line.strip()]",
        f'    return [p for p in parts if p.get("{fields[0]}") and p["id"] > {number}]',
        "",
    ]
    return "\n".join(lines)


def model(chance: Random, number: int) -> str:
    """Return a model of an ORM with a balance that cannot fall below zero."""
    noun = f"{chance.choice(NOUNS)}_{number}"
    return f'''from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric, String, UniqueConstraint, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Account{number}(Base):
    """What is left of a {noun}."""

    __tablename__ = "account_{noun}"
    __table_args__ = (
        UniqueConstraint("region", "code", name="uq_{noun}"),
        CheckConstraint("balance >= 0", name="ck_{noun}_balance"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    region: Mapped[str] = mapped_column(String(2), nullable=False, default="DE")
    code: Mapped[str] = mapped_column(String({chance.randint(8, 40)}), nullable=False)
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2), nullable=False, server_default="0")
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    lines: Mapped[list["Line{number}"]] = relationship(back_populates="account")


class Line{number}(Base):
    """One booking."""

    __tablename__ = "line_{noun}"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account_{noun}.id"))
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2), nullable=False)
    account: Mapped[Account{number}] = relationship(back_populates="lines")
'''


def token(number: int) -> str:
    """Return a module that verifies tokens before it believes them."""
    return f'''import logging

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer

log = logging.getLogger(__name__)
JWKS_URL = "https://id.example.com/realms/shop{number}/certs"
AUDIENCE = "shop-{number}"
scheme = OAuth2PasswordBearer(tokenUrl="token")
keys = jwt.PyJWKClient(JWKS_URL)


def claims_of(token: str) -> dict:
    """Return what a token says, once it is known who wrote it."""
    key = keys.get_signing_key_from_jwt(token).key
    return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer="https://id.example.com")


def current_user(token: str = Depends(scheme)) -> str:
    """Return the name of whoever asks."""
    try:
        claims = claims_of(token)
    except jwt.InvalidTokenError as error:
        log.info("a token was refused: %s", error)
        raise HTTPException(401) from error
    if "shop:{number}" not in claims.get("scope", "").split():
        raise HTTPException(403)
    return claims["sub"]


def session_for(token: str, sessions) -> str:
    """Return the session of a token's subject."""
    claims = claims_of(token)
    session = sessions.get(claims["sub"]) or sessions.create(claims["sub"], claims.get("email", ""))
    return session.id
'''


def saml(number: int) -> str:
    """Return a module that verifies SAML responses before it believes them."""
    return f'''import base64

from flask import Blueprint, abort, current_app, redirect, request, session
from signxml import XMLVerifier
from signxml.exceptions import InvalidSignature

bp = Blueprint("sso_{number}", __name__)
NS = {{"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}}


def assertion_of(encoded: str, certificate: str):
    """Return the assertion that the identity provider signed."""
    signed = XMLVerifier().verify(base64.b64decode(encoded), x509_cert=certificate).signed_xml
    if signed is None:
        raise InvalidSignature("nothing is signed")
    return signed


@bp.post("/sso/{number}/acs")
def acs():
    """Sign somebody in."""
    try:
        assertion = assertion_of(request.form["SAMLResponse"], current_app.config["IDP_CERTIFICATE"])
    except InvalidSignature:
        abort(403)
    subject = assertion.find(".//saml:Subject/saml:NameID", NS)
    if subject is None:
        abort(400)
    session["user"] = subject.text
    return redirect("/")
'''


def alembic(chance: Random, number: int) -> str:
    """Return one Alembic migration."""
    table = f"{chance.choice(NOUNS)}_log_{number}"
    before = f'"r{number - 1:04}"' if number else "None"
    return f'''"""Keep {table}."""

import sqlalchemy as sa
from alembic import op

revision = "r{number:04}"
down_revision = {before}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "{table}",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String({chance.randint(8, 60)}), nullable=False, server_default="new"),
        sa.Column("credit", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.UniqueConstraint("tenant_id", "code", name="uq_{table}"),
        sa.CheckConstraint("credit >= 0", name="ck_{table}_credit"),
    )
    op.create_index("ix_{table}_created", "{table}", ["created"])
    op.execute("INSERT INTO {table} (id, tenant_id, code) VALUES (1, {chance.randint(1, 99)}, 'first')")


def downgrade() -> None:
    op.drop_index("ix_{table}_created", table_name="{table}")
    op.drop_table("{table}")
'''


def schema(chance: Random, number: int) -> str:
    """Return one SQL migration: tables with seeds, every third one with a trigger, every fourth one changes a table."""
    table = f"t_{chance.choice(NOUNS)}_{number}"
    rows = ",\n".join(
        f"    ({n}, 'item {n}', {chance.randint(0, 900)}.{chance.randint(10, 99)}, 0.{chance.randint(1000, 9999)})"
        for n in range(1, chance.randint(3, 20))
    )
    text = f"""-- {table}: what is in stock, and what it is worth.
CREATE TABLE {table} (
    id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name        varchar({chance.randint(20, 80)}) NOT NULL,
    price       numeric(8, 2) NOT NULL DEFAULT 0,
    share       numeric(5, 4) NOT NULL DEFAULT 0.5,
    quantity    integer NOT NULL DEFAULT 0 CHECK (quantity >= 0),
    region      char(2) NOT NULL DEFAULT 'DE',
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT {table}_name UNIQUE (region, name),
    CHECK (share BETWEEN 0 AND 1)
);
CREATE INDEX {table}_changed ON {table} (changed_at DESC);
INSERT INTO {table} (id, name, price, share) VALUES
{rows};
"""
    if number % 3 == 0:
        text += f"""
CREATE FUNCTION touch_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION touch_{table}();
"""
    if number % 4 == 0:
        text += f"""
ALTER TABLE {table} ADD COLUMN parent_id bigint REFERENCES {table} (id), ADD COLUMN notes text;
CREATE UNIQUE INDEX {table}_root ON {table} (name) WHERE parent_id IS NULL;
UPDATE {table} SET notes = 'seeded', quantity = {chance.randint(1, 500)} WHERE id < 5;
"""
    return text
