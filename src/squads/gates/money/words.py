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
    "receivable revenue turnover deposit withdrawal overdraft money cash fare rent premium discount discounts repayment"
)
_WEAK = word_set(
    "amount amounts total totals cost costs net gross charge charges credit debit due owed tip sum paid interest "
    "commission earnings earned owing bill outstanding"
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
    r"|(?<![a-z])fares?(?![a-z])|(?<![a-z])pay(?![a-z])|(?<![a-z])bills?(?![a-z])|expense|commission"
)
_MAYBE = re.compile(
    r"(?i)balance|ledger|\border|account|charge|amount|(?<![a-z])gross|transfer|customer|\bcart\b|(?<![a-z])due(?![a-z])"
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
        words[-1].isdigit() or words[-1] in ("value", "raw", "new", "old", "before", "after", "sum", "float")
    ):
        if len(words) == 1:
            break
        words.pop()
    if not words or words[-1] in _ABOUT:
        return 0
    if {"rate", "ratio", "percent", "pct", "score", "weight", "count", "microusd", "percentage"} & set(words):
        return 0
    if words[-1] in _STRONG or (set(words[-2:]) & _STRONG and words[-1] in _WEAK):
        return 2
    if words[-1] in _WEAK:
        return 2 if set(words) & _STRONG else 1
    if words[-1] in ("in", "of", "per", "minus", "plus", "with", "by", "for", "each", "unit") and set(words) & _STRONG:
        return 2
    return 0


@lru_cache(maxsize=256)
def _evidence(text: str) -> tuple[int, int, int, bool]:
    """Return how many words are surely, may be, and are hardly about money; and whether things are weighed."""
    sure, maybe, against = ({m.lower() for m in pattern.findall(text)} for pattern in (_SURE, _MAYBE, _AGAINST))
    return len(sure), len(maybe), len(against), bool(_MEASURED.search(text))


def speaks_of_money(text: str, weight: int) -> bool:
    """Return whether a file is about money, so that a name of this weight means an amount of it there."""
    sure, maybe, against, measured = _evidence(text)
    if against:
        return sure >= 2 + (weight == 1) and sure > against
    if weight == 2:
        return sure >= 1 or maybe >= 2
    return (sure >= 1 and sure + maybe >= 2 + measured) or maybe >= 3 + measured
