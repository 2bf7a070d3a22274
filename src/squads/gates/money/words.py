"""Which names mean an amount of money: `unit_price` does, `price_id`, `tax_rate` and `fee_percent` do not."""

from __future__ import annotations

import re
from functools import lru_cache

from squads.gates.secrets.words import words_of
from squads.gates.words import word_set

_STRONG = word_set(
    "price prices balance balances fee fees tax taxes vat cents refund refunds payout payouts salary salaries subtotal "
    "surcharge tips donation donations tariff tariffs pledge pledges loan bill bills "
    "eur usd gbp chf dollars euros euro dollar pounds invoice_total payment payments wage wages payable "
    "preis preise betrag betraege gebuehr gebuehren kosten steuer mwst lohn gehalt miete guthaben saldo entgelt zins "
    "zinsen rabatt honorar pfand spende anzahlung kaution erstattung auszahlung einzahlung provision porto "
    "receivable revenue turnover deposit withdrawal overdraft money cash fare rent premium discount discounts repayment"
)
_GERMAN = re.compile(
    r"(?:preis|betrag|gebuehr|gebühr|kosten|steuer|lohn|gehalt|miete|guthaben|saldo|entgelt|zinsen|rabatt|kaution|summe)e?$"
)
_WEAK = word_set(
    "summe netto brutto amount amounts total totals cost costs net gross charge charges credit debit due owed tip sum "
    "paid interest commission earnings earned owing bill outstanding"
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
    r"|(?<![a-z])fares?(?![a-z])|(?<![a-z])pay(?![a-z])|(?<![a-z])bills?(?![a-z])|expense|commission"
)
_MAYBE = re.compile(
    r"(?i)settle|reconcil|creditor|debtor|payee|(?<![a-z])debit|balance|ledger|\border|account|charge|amount|(?<![a-z])gross|transfer|customer|\bcart\b|(?<![a-z])due(?![a-z])"
    r"|(?<![a-z])paid|(?<![a-z])cost|total|deposit|interest|(?<![a-z])till(?![a-z])"
)
_AGAINST = re.compile(
    r"(?i)quota|storage|(?<![a-z])disk|battery|(?<![a-z])volt|particle|physic|simulat|neural|epoch|gradient|sensor|kwh|temperature|rainfall|(?<![a-z])dos(?:e|age)"
    r"|(?<![a-z])cpu|latency|(?<![a-z])mass(?![a-z])|(?<![a-z])forces?(?![a-z])|molecul|predict|forecast|regress|sklearn|torch"
    r"|tensorflow|(?<![a-z])cells?(?![a-z])|(?<![a-z])batch(?:es)?(?![a-z])|heuristic|(?<![a-z])nodes?(?![a-z])|(?<![a-z])edges?(?![a-z])"
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
_MONEY_BYTES = re.compile(
    rb"pric|amount|total|balance|\bfee|_fee|tax|\bvat|cents|refund|payout|salar|invoice|payment|discount|money|subtotal"
    rb"|\bcost|wage|cash|currency|\beur|dollar|\busd|tariff|donat|pledge|\btips?\b|\bbills?\b|\bloan|\brent|\bowed"
    rb"|earn(?:ed|ing)|\bdue\b|_due\b|preis|betrag|summe|netto|kosten|geb(?:ue|\xc3\xbc)hr|lohn|rabatt|rechnung"
    rb"|\xe2\x82\xac|\bpay\b|\bpaid\b|charge|deposit|premium|commission|\biban|saldo|miete|zins"
)


def may_be_money(content: bytes) -> bool:
    """Return whether a file may be about money."""
    return bool(_MONEY_BYTES.search(content.lower()))


def other_than_money(name: str) -> bool:
    """Return whether a name says that it is something else than money: a rate, a share, a text."""
    return bool(_OTHER.search(name))


def about_something_else(name: str) -> bool:
    """Return whether a name says that it is something about money, or something else, whatever is done with it."""
    words = words_of(name)
    return not words or words[-1] in _ABOUT or other_than_money(name) or bool(_MEASURED.search(name))
