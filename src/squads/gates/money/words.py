"""Which names mean an amount of money: `unit_price` does, `price_id`, `tax_rate` and `fee_percent` do not."""

from __future__ import annotations

import re
from functools import lru_cache

from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

_STRONG = word_set(
    "price prices balance balances fee fees tax taxes vat cents refund refunds payout payouts salary salaries "
    "subtotal surcharge tips donation donations tariff tariffs pledge pledges loan bill bills eur usd gbp chf dollars "
    "euros euro dollar pounds invoice_total payment payments wage wages payable preis preise betrag betraege gebuehr "
    "gebuehren kosten steuer mwst lohn gehalt miete guthaben saldo entgelt zins zinsen rabatt honorar pfand spende "
    "anzahlung kaution erstattung auszahlung einzahlung provision porto mortgage instalment instalments installment "
    "installments income pension stipend annuity pence penny pennies rappen centimes satoshi toll tolls postage "
    "gratuity royalty royalties dividend dividends levy proceeds allowance receivable revenue turnover deposit "
    "withdrawal overdraft money cash fare rent premium discount discounts repayment"
)
_PAID_BY = word_set("hourly daily nightly weekly monthly yearly annual billing labour labor rental freight")
"""What makes a rate a price: `hourly_rate`."""
_PAID = word_set("rate rates charge charges amount cost costs")
_GERMAN = re.compile(
    r"(?:preis|betrag|gebuehr|gebühr|kosten|steuer|lohn|gehalt|miete|guthaben|saldo|entgelt|zinsen|rabatt|kaution|summe)e?$"
)
_WEAK = word_set(
    "summe netto brutto amount amounts total totals cost costs net gross charge charges credit debit due owed tip sum "
    "paid interest commission earnings earned owing bill outstanding budget spent escrow debits amt overdue principal "
    "fine fines reimbursement reimbursements"
)
_ABOUT = word_set(
    "rate rates ratio percent percentage pct count counts id ids name names type kind currency code at date status "
    "state "
    "text label str string formatted display weight ms seconds minutes hours bytes tokens items quantity qty score "
    "index "
    "factor multiplier share_of number no key field column path file url class model table service provider method "
    "list_id "
    "history version step steps calls rows pages users requests tests files errors duration time size length bp "
    "bps basis "
    "points fraction proportion probability flag enabled allowed exempt region category group reference ref note "
    "description "
    "due_date days months years interval level tier plan format symbol precision places digits scale series chart axis"
)
# Words that nothing but money is spoken of in, words that may be about something else, and what else they may be about.
_SURE = re.compile(
    r"(?i)pric(?:e|ing)|invoice|payment|currenc|(?<![a-z])cents|refund|(?<![a-z])vat(?![a-z])|(?<![a-z])tax|euros?(?![a-z])"
    r"|\beur\b|\busd\b|\bgbp\b|dollar|wallet|checkout|(?<![a-z])fees?(?![a-z])|payout|salar(?:y|ies)|(?<![a-z])wages?(?![a-z])"
    r"|payroll|discount|money|billing|(?<![a-z])bank(?!n)|(?<![a-z])rent(?:s|al)?(?![a-z])|tariff|donat|(?<![a-z])owe[ds]"
    r"|(?<![a-z])earn(?:ed|ings|s)|savings|(?<![a-z])loans?(?![a-z])|subtotal|(?<![a-z])tips?(?![a-z])|pledge|overdraft"
    r"|\biban\b|preis|betrag|gebühr|gebuehr|rechnung|(?<![a-z])mwst|(?<![a-z])lohn|rabatt|guthaben|kaution|€|(?<![a-z])chf(?![a-z])"
    r"|(?<![a-z])fares?(?![a-z])|(?<![a-z])pay(?![a-z])|(?<![a-z])bills?(?![a-z])|expense|commission|revenue|turnover|mortgage|instal?lment|(?<![a-z])tolls?(?![a-z])|postage|gratuit|dividend|reimburse|(?<![a-z])income|(?<![a-z])pension|payslip|(?<![a-z])coins?(?![a-z])|(?<![a-z])profits?(?![a-z])|cashback|royalt|stripe|paypal|(?<![a-z])amts?(?![a-z])|(?<![a-z])(?:pence|rappen|centimes|satoshi)(?![a-z])|(?:hour|dai|night|week|month|year)ly_?(?:rate|charge|cost)|(?<![a-z])sepa(?![a-z])"
)
_MAYBE = re.compile(
    r"(?i)settle|reconcil|creditor|debtor|payee|(?<![a-z])debit|balance|ledger|\border|account|charge|amount|(?<![a-z])gross|transfer|customer|\bcart\b|(?<![a-z])due(?![a-z])"
    r"|(?<![a-z])paid|(?<![a-z])cost|total|deposit|interest|(?<![a-z])till(?![a-z])|budget|overdue|booking|(?<![a-z])credit|(?<![a-z])decimal(?![a-z])|quantize"
)
_AGAINST = re.compile(
    r"(?i)quota|storage|(?<![a-z])disk|battery|(?<![a-z])volt|particle|physic|simulat|neural|epoch|gradient|sensor|kwh|temperature|rainfall|(?<![a-z])dos(?:e|age)"
    r"|(?<![a-z])cpu|latency|(?<![a-z])mass(?![a-z])|(?<![a-z])forces?(?![a-z])|molecul|predict|forecast|regress|sklearn|torch"
    r"|tensorflow|(?<![a-z])cells?(?![a-z])|(?<![a-z])batch(?:es)?(?![a-z])|episode|coefficient|regulari[sz]|throttl|(?<![a-z])burst|capacity|heuristic|(?<![a-z])nodes?(?![a-z])|(?<![a-z])edges?(?![a-z])"
)
_MEASURED = re.compile(
    r"(?i)(?<![a-z])(?:grams?|kg|kilos?|litres?|liters?|km|monotonic|deadline|seconds|metres?|millilit\w+|ml|weights?)(?![a-z])"
)


@lru_cache(maxsize=4096)
def weight_of(name: str) -> int:
    """Return 2 for a name that means money wherever it stands, 1 for one that may, 0 for others."""
    words = list(words_of(name))
    while words and (
        words[-1].isdigit() or words[-1] in ("value", "raw", "new", "old", "before", "after", "sum", "float", "minor")
    ):
        if len(words) == 1:
            break
        words.pop()
    if "per" in words[1:-1] and words[-1] not in ("cent", "mille"):
        return weight_of("_".join(words[: words.index("per")])) and 2
    if words and words[-1] in _PAID and _PAID_BY & set(words):
        return 2
    if not words or words[-1] in _ABOUT:
        return 0
    if {"rate", "ratio", "percent", "pct", "score", "weight", "count", "microusd", "percentage"} & set(words):
        return 0
    if (
        words[-1] in _STRONG
        or (len(words[-1]) > 6 and _GERMAN.search(words[-1]))
        or (set(words[-2:]) & _STRONG and words[-1] in _WEAK)
    ):
        return 2
    if words[-1] in _WEAK:
        return 2 if set(words) & _STRONG else 1
    if words[-1] in ("in", "of", "per", "minus", "plus", "with", "by", "for", "each", "unit") and set(words) & _STRONG:
        return 2
    return 0


_Evidence = tuple[frozenset[str], frozenset[str], frozenset[str], bool]
_WORDS = re.compile(r"[\w€]+")


@lru_cache(maxsize=65_536)
def _evidence_of(word: str) -> _Evidence | None:
    """Return what one word says of money: surely, maybe, against, whether it measures; None for most words."""
    sure, maybe, against = (
        frozenset(m.lower() for m in pattern.findall(word)) for pattern in (_SURE, _MAYBE, _AGAINST)
    )
    measured = bool(_MEASURED.search(word))
    return (sure, maybe, against, measured) if sure or maybe or against or measured else None


@lru_cache(maxsize=256)
def _evidence(text: str) -> tuple[int, int, int, bool]:
    """Return how many words are surely, may be, and are hardly about money; and whether things are weighed."""
    # No pattern looks past a word, and a file has few words: each is judged once, whatever file it stands in.
    found = [e for e in map(_evidence_of, set(_WORDS.findall(text))) if e is not None]
    sure, maybe, against = (len(frozenset[str]().union(*(e[n] for e in found))) for n in range(3))  # type: ignore[arg-type]
    return sure, maybe, against, any(e[3] for e in found)


def speaks_of_money(text: str, weight: int) -> bool:
    """Return whether a file is about money, so that a name of this weight means an amount of it there."""
    sure, maybe, against, measured = _evidence(text)
    if against:
        return sure >= 2 + (weight == 1) and sure > against
    if weight == 2:
        return sure >= 1 or maybe >= 2
    return (sure >= 1 and sure + maybe >= 2 + measured) or maybe >= 3 + measured


_OTHER = re.compile(
    r"(?i)rate|ratio|percent|pct|share|score|weight|margin|growth|text|label|line|message|fraction|change|index|progress|usage"
    r"|relative|normal|factor|probability|utili[sz]ation|coverage|formatted|shown|display|string|body"
)
# A branch begins with its letter, and looks back only then: what begins with a look back is tried everywhere.
_MONEY_BYTES = re.compile(
    rb"pric|amount|total|balance|tax|cents|refund|payout|salar|invoice|discount|money|wage|cash|curren|dollar|tariff|donat"
    rb"|pledge|mortgage|payslip|postage|allowance|dividend|reimburse|earn(?:ed|ing)|income|instal?lment|preis|betrag|summe"
    rb"|netto|kosten|geb(?:ue|\xc3\xbc)hr|lohn|rabatt|rechnung|\xe2\x82\xac|charge|deposit|premium|commission|saldo|miete"
    rb"|zins|f(?<![a-z]f)(?:ee|ines?(?![a-z]))|c(?<![a-z]c)(?:ost|oins?(?![a-z]))|v(?<![a-z]v)at|e(?<![a-z]e)(?:ur|xpense)|u(?<![a-z]u)sd|i(?<![a-z]i)ban|l(?<![a-z]l)oan"
    rb"|r(?<![a-z]r)ent(?!e)|o(?<![a-z]o)wed|p(?<![a-z]p)(?:ension|(?:ay|aid|ayments?)(?![a-z]))|t(?<![a-z]t)(?:ips?|olls?)(?![a-z])|b(?<![a-z]b)(?:ills?|udget)(?![a-z])|a(?<![a-z]a)mts?(?![a-z])|d(?<![a-z]d)(?:ebits?|ue)(?![a-z])"
)


def may_be_money(content: bytes) -> bool:
    """Return whether a file may be about money."""
    return bool(_MONEY_BYTES.search(content.lower()))


def other_than_money(name: str) -> bool:
    """Return whether a name says that it is something else than money: a rate, a share, a text."""
    return bool(_OTHER.search(name))


_PARTS = word_set(
    "discount discounts tax vat mwst rabatt commission provision interest zins tip tips margin premium bonus"
)
_UNITS = word_set(
    "gram grams kg kilo kilos litre litres liter liters km monotonic deadline seconds minutes hours days metre metres "
    "ml weight weights amps ampere volts watts joules kwh wh kw distance length duration elapsed interval height "
    "width depth volume mass speed degrees pixels bytes mb gb mm cm steps laps score scores points calories distances "
    "grammage age latency timeout tare now started until"
)


@lru_cache(maxsize=4096)
def measured(name: str) -> bool:
    """Return whether a name is a measure: its last word is a unit, or what has one."""
    words = words_of(name)
    return bool(words) and words[-1] in _UNITS


def may_be_part(name: str) -> bool:
    """Return whether a name may mean an amount or a part of one: `discount`, `vat`, `tip`."""
    return not _PARTS.isdisjoint(words_of(name)[-1:])


def measured_in_words(said: str) -> bool:
    """Return whether a sentence speaks of grams, litres or seconds, and of no money."""
    return _MEASURED.search(said) is not None and _SURE.search(said) is None


def about_something_else(name: str) -> bool:
    """Return whether a name says that it is something about money, or something else, whatever is done with it."""
    words = words_of(name)
    return not words or words[-1] in _ABOUT or other_than_money(name) or bool(_MEASURED.search(name))
