"""Which columns hold a store that must not run below zero: a balance, credits, stock on hand.

Read from whole words of the column's name, and of its table's name where the column alone is too general
(`wallets.amount`, `inventory.quantity`, `players.coins`), or from what is left of something that is given away
(`seats_remaining`, `vacation_days_left`). What follows the noun must be a unit or a state (`balance_cents`,
`stock_available`), else the column is about the store and is not one (`balance_sheet_id`, `balance_limit`). Words that
announce a negative number (net, delta, overdraft) or another sense (white balance, balance factor) rule it out.
"""

from __future__ import annotations

import re
from enum import Enum

from squads.gates.sql.model import Column, Schema, Table
from squads.gates.words import word_set

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Role(Enum):
    """What a column is to the invariant."""

    STORE = "store"
    RECORD = "record"
    """A store's value at some moment, kept in a history; it cannot go wrong on its own."""


_UNITS = word_set(
    "cents cent minor unit units micro micros microusd millis milli msat sat sats satoshi satoshis wei gwei "
    "lamports pence usd eur gbp jpy chf cad aud irr inr btc eth usdc usdt amount value total points coins gold gems "
    "tokens credits base raw"
)
_TIMES = word_set("minutes hours days weeks months")
_COUNTS = word_set("qty quantity count number num level levels units amount total")
_PIECES = word_set("l kg g t m litres liters litre liter tons tonnes pieces pcs boxes pallets items stk")
_STATES = word_set(
    "available current pending held hold reserved locked frozen free remaining spendable withdrawable settled "
    "cleared escrow escrowed due outstanding unpaid owed now cash main bonus real physical sellable unused left "
    "actual"
)
_OTHER_SENSE = word_set(
    "net delta deltas diff difference change changes changed adjustment adjustments adjusted adj overdraft "
    "overdrawn overdrafts variance signed negative movement variation drift correction min minimum max maximum "
    "limit threshold target expected projected forecast estimated planned required reorder safety par low high avg "
    "average mean median percent percentage pct ratio rate rank score rating factor weight sheet trial white color "
    "colour audio stereo channel life energy calorie calories caloric heat mass nitrogen load phase power tree "
    "alert notify warning"
)
_HISTORICAL = word_set(
    "after before previous prev prior old new starting start opening closing ending end running cumulative "
    "historical snapshot last initial first daily monthly yearly reported statement recorded"
)
_NOUNS = word_set(
    "balance balances funds escrow escrowed wallet treasury saldo guthaben kontostand restguthaben solde bestand "
    "restbestand lagerbestand vorrat existencias"
)
_CREDIT_BEFORE = word_set(
    "store available remaining account user gift prepaid unused promo spendable ad ai api sms message wallet bonus "
    "current"
)
_STOCK = word_set("stock inventory")
_STOCK_BEFORE = word_set("in total product item warehouse store shop") | _COUNTS | _STATES
_HISTORY_TABLE = word_set(
    "transaction transactions txn txns tx entry entries movement movements event events log logs history histories "
    "journal journals adjustment adjustments transfer transfers posting postings snapshot snapshots statement "
    "statements audit audits archive archives archived report reports backup backups delta deltas change changes "
    "reconciliation reconciliations import imports export staging estimate estimates forecast forecasts"
)
_STORE_TABLE = word_set("wallet wallets treasury treasuries purse purses balance balances escrow escrows vault vaults")
_STOCK_TABLE = word_set("inventory inventories stock stocks")
_COUNTED_IN_STORE = word_set(
    "hours days amount value available funds held reserved locked gold coins gems credits points cents sats tokens "
    "total"
)
_COUNTED_IN_STOCK = word_set("quantity qty available units count")
_HOLDERS = word_set(
    "account accounts balance balances holding holdings position positions fund funds asset assets currency "
    "currencies item items level levels record records lot lots slot slots quantity quantities unit units product "
    "products location locations"
)
"""What may follow the noun in a table's name, so that `wallet_limits` and `stock_orders` are something else."""
_STUDIES = word_set(
    "course courses class classes subject subjects module modules curriculum curricula degree degrees enrollment "
    "enrollments enrolment enrolments transcript transcripts program programs programme programmes movie movies "
    "film films episode episodes lecture lectures grade grades semester semesters"
)
_LEFT = word_set("remaining left available unused free")
_RATIONED = word_set(
    "seat seats ticket tickets place places spot spots slot slots bed beds room rooms copy copies license licenses "
    "licence licences quota quotas allowance allowances capacity budget credits points use uses redemptions"
)
"""What is given away until none is left: `seats_left`, `available_tickets`, `remaining_quota`."""
_NOT_RATIONED = word_set(
    "attempt attempts retry retries try tries step steps second seconds sec secs ms time times page pages margin "
    "padding top right bottom x y pos position node child parent hand arm foot eye ear side turn swipe is has was on "
    "by distance length width height offset percent pct ratio share border amount debt principal owed due work tasks "
    "jobs eta"
)
"""What may be left of something that is not given away: time, attempts, a debt; or where it stands."""
_AMOUNTS = word_set("amount value total balance sum")
_LEAVE = word_set("vacation leave pto holiday holidays sick annual prepaid")
"""What makes days and hours a store: `vacation_days_left`."""
_CARD_TABLE = word_set("gift giftcard giftcards voucher vouchers prepaid credits")
"""Whose remaining amount is money: `gift_cards.remaining_amount`. Elsewhere it may be a debt."""
_POINTS_BEFORE = word_set("loyalty reward rewards bonus membership")
_TREASURE = word_set("coin coins gem gems gold silver diamonds cash")
_PERSONS = word_set(
    "player players user users character characters hero heroes guild guilds clan clans profile profiles member "
    "members membership memberships account accounts customer customers card cards"
)
_INTEGERS = word_set("smallint integer int bigint int2 int4 int8 smallserial serial bigserial serial2 serial4 serial8")
_FRACTIONS = word_set("real float float4 float8 money double")
_KNOWN_TYPES = word_set(
    "text varchar character char bpchar citext name uuid bool boolean date time timetz timestamp timestamptz "
    "interval json jsonb bytea bit varbit inet cidr macaddr macaddr8 xml tsvector tsquery point line lseg box path "
    "polygon circle int4range int8range numrange tsrange tstzrange daterange int4multirange int8multirange "
    "nummultirange hstore ltree geometry geography vector oid regclass pg_lsn national uint1 uint2 uint4 uint8 "
    "uint16 uint256"
)


def role_of(table: Table, column: Column) -> Role | None:
    """Return what `column` is by its name and its table's; None when it is no store. Its type is another question."""
    words, table_words = words_of(column.name), words_of(table.name)
    history = not _HISTORY_TABLE.isdisjoint(table_words)
    if not words or not _OTHER_SENSE.isdisjoint(words):
        return None
    past = not _HISTORICAL.isdisjoint(words)
    kept = [w for w in words if w not in _HISTORICAL]
    general = not history and not past and _OTHER_SENSE.isdisjoint(table_words)
    rationed = _rationed(kept, frozenset(table_words))
    if rationed and table_words in (["event"], ["events"]):  # a concert, not a log
        history = False
    general = general and (_counted(words, table_words) or _owned(words, table_words))
    if rationed or general or _named_store(kept, frozenset(table_words)):
        return Role.RECORD if history or past else Role.STORE
    return None


def scale_of(schema: Schema, column: Column) -> tuple[bool | None, int | None]:
    """Return (is it a number, digits behind the point); None where the artifact does not say."""
    base = schema.base_type(column.type)
    name = re.sub(r"\([^)]*\)", "", base).split(" ")[0].rsplit(".", 1)[-1]
    if base.endswith(("]", " array")) or name in schema.types or name in _KNOWN_TYPES:
        return False, None
    if name in _INTEGERS:
        return True, 0
    if name in ("numeric", "decimal", "dec"):
        digits = [int(d) for d in re.findall(r"-?\d+", base)]
        return True, ([*digits, 0][1] if digits else None)
    return (True, None) if name in _FRACTIONS else (None, None)


def words_of(name: str) -> list[str]:
    """Return the lower-case words of a snake_case or camelCase name."""
    return [w.lower() for w in _WORD.findall(name)]


def _named_store(words: list[str], table_words: frozenset[str]) -> bool:
    """Return whether the name alone says it: a noun of the list, then nothing but units and states."""
    for at, word in enumerate(words):
        before, after = words[:at], frozenset(words[at + 1 :])
        last = before[-1] if before else ""
        if word in _STOCK:
            found = (frozenset(before) <= _STOCK_BEFORE or last == "in") and after <= _COUNTS | _STATES | _PIECES
        elif word in _NOUNS:
            found = after <= _UNITS | _STATES | _NOUNS | (_TIMES if word == "balance" else frozenset())
            found = found and (not before or word not in ("wallet", "treasury"))
        elif word == "credits":
            alone = not before and not table_words & _STUDIES
            found = after <= _STATES and (alone or last in _CREDIT_BEFORE)
        elif word == "credit":
            found = after <= (_UNITS | _STATES) - {"amount"} and last in _CREDIT_BEFORE
        else:
            found = word == "hand" and last == "on" and after <= _COUNTS and not _TIMES & frozenset(before)
        if found:
            return True
    return False


def _counted(words: list[str], table_words: list[str]) -> bool:
    """Return whether a general word counts what the table stores: `wallets.amount`, `inventory.quantity`."""
    for at, word in enumerate(table_words):
        if not frozenset(table_words[at + 1 :]) <= _HOLDERS | _STORE_TABLE | _STOCK_TABLE:
            continue
        for nouns, counted in ((_STORE_TABLE, _COUNTED_IN_STORE), (_STOCK_TABLE, _COUNTED_IN_STOCK)):
            if word in nouns and counted & frozenset(words):
                return frozenset(words) <= counted | _UNITS | _STATES
    return False


def _rationed(words: list[str], about: frozenset[str]) -> bool:
    """Return whether the name says how much is left of what is given away: `available_seats`, `loyalty_points`."""
    told = frozenset(words)
    if told & _POINTS_BEFORE and "points" in told:
        return told <= _POINTS_BEFORE | _STATES | _UNITS
    if not told & _LEFT:
        return False
    if words[-1] in ("left", "remaining") and len(words) > 1 and told.isdisjoint(_NOT_RATIONED):
        return bool(told.isdisjoint(_TIMES) or (about | told) & (_LEAVE | _CARD_TABLE))
    if told & _LEAVE and told & _TIMES:
        return told <= _LEAVE | _TIMES | _STATES
    things = _RATIONED | _COUNTS - {"number", "num", "level", "levels", "amount", "total", "count"}
    return bool(told & things) and told <= things | _COUNTS | _STATES | _UNITS


def _owned(words: list[str], table_words: list[str]) -> bool:
    """Return whether the table says whose or of what it is: `gift_cards.remaining_amount`, `players.coins`."""
    told, about, last = frozenset(words), frozenset(table_words), table_words[-1] if table_words else ""
    if told & _LEFT and told <= _LEFT | _AMOUNTS | _UNITS | _COUNTS:
        return bool(about & _CARD_TABLE or (about & _RATIONED and not told & _AMOUNTS))
    if told == {"points"}:
        return bool(about & _POINTS_BEFORE) and last in _PERSONS
    return last in _PERSONS and bool(told & _TREASURE) and told <= _TREASURE | _UNITS
