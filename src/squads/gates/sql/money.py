"""Which names hold money: whole words of a column, weighed with its table, its neighbours and what comments say.

Some words say it alone (price, salary, invoice_total); general ones (amount, total, balance) need a table of payments,
a currency beside them, or a comment. Words that make a rate, a score, a measure or a share of it rule money out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from squads.gates.sql.stores import words_of
from squads.gates.words import word_set

_STRONG = word_set(
    "price prices cost costs fee fees salary salaries wage wages payroll revenue turnover refund refunds refunded "
    "payment payments payout payouts subtotal tax taxes vat gst tuition rent deposit cashback surcharge fare "
    "fares toll bounty donation cash money usd eur gbp chf jpy sek nok dkk pln aud cad inr cny brl cents cent "
    "pence dollars dollar euros euro proceeds earnings income expense expenses mrr gmv msrp cogs payable "
    "receivable debt invoiced overdraft amount_due postage copay tips gratuity severance pension stipend "
    "allowance premium premiums dues arrears notional remuneration honorarium honoraria royalty royalties alimony "
    "deductible instalment instalments installment installments dividend dividends levy takings payables francs yen "
    "rupees czk huf ron bgn krw mxn zar nzd sgd hkd thb rub uah ils "
    "preis preise betrag betraege kosten gebuehr gebuehren miete lohn gehalt netto brutto umsatz kaution mwst ust "
    "guthaben prix montant precio importe monto prezzo importo costo"
)
_WEAK = word_set(
    "amount amounts amt total totals value net gross paid due owed charge charged charges credit credits debit "
    "debits discount sum budget spend spent commission bonus balance balances tip premium principal interest bid "
    "offer quote limit adjustment transfer withdrawal loan funds outstanding settled billed authorized captured "
    "worth reward"
)
_NOT = word_set(
    "rate rates ratio percent percentage pct perc fraction factor score scores weight weights probability prob "
    "confidence index idx rank multiplier coefficient coef alpha beta lat latitude lon lng longitude count qty "
    "quantity num number hours hour minutes minute days day seconds secs ms distance km miles kg grams gram lb "
    "lbs oz ml liter liters litre litres temperature temp energy kwh watt watts joules volume area width height "
    "depth speed age duration bytes mb gb size elasticity sensitivity variance stddev std deviation zscore "
    "similarity relevance likelihood entropy loss accuracy importance percentile quantile growth trend bps basis "
    "share portion proportion latency time calories protein carbs fat points stars rating votes load phase white "
    "color color_balance cpu memory risk utilization attainment progress completion volatility vol function drift "
    "sentiment sigma skew momentum gradient slope curve discount_pct margin markup "
    "yield apr apy roi"
)
_DERIVED = word_set("avg average mean median predicted prediction forecast estimated estimate expected smoothed")
_MONEY_TABLE = word_set(
    "auction auctions bid bids order orders invoice invoices payment payments account accounts wallet wallets "
    "ledger ledgers entry entries transaction transactions transfer transfers product products booking bookings "
    "reservation reservations cart carts basket baskets billing bill bills donation donations payroll payslip "
    "payslips expense expenses subscription subscriptions sale sales purchase purchases contract contracts loan "
    "loans coupon coupons voucher vouchers quote quotes price prices fund funds tax taxes charge charges refund "
    "refunds payout payouts deposit deposits withdrawal withdrawals settlement settlements fee fees checkout "
    "receipt receipts premium premiums claim claims budget budgets posting postings journal treasury treasuries "
    "commission commissions earnings money monetary currency card cards line lines tariff tariffs rent rents "
    "salary salaries grant grants pledge pledges promotion promotions "
    "rechnung rechnungen beitrag beitraege zahlung kasse konto buchung"
)
_OTHER_TABLE = word_set(
    "recipe recipes ingredient ingredients nutrition nutrients sensor sensors reading readings measurement "
    "measurements metric metrics telemetry weather score scores feature features graph edge edges route routes "
    "routing path paths road roads segment segments query queries planner plan_stats experiment experiments "
    "embedding embeddings sample samples dosage dose doses blend model_runs scenario genome audio image images "
    "frames spectrum histogram"
)
_COST_OF_WORK = word_set("edge edges graph route routes routing path paths road roads query queries planner segment")
_MONEY_IN_WORDS = re.compile(
    r"\b(eur|euros?|usd|us dollars?|dollars?|gbp|pounds sterling|chf|(?<!per )cents?|currency|money|monetary|price"
    r"|amount (due|paid|charged)|charged|invoice[ds]?|payable)\b|[€$£¥]",
    re.IGNORECASE,
)
_CURRENCY_IN_WORDS = re.compile(
    r"\b(eur|euros?|usd|us dollars?|dollars?|gbp|pounds sterling|chf|(?<!per )cents?|currency)\b|[€$£¥]", re.IGNORECASE
)
_OTHER_IN_WORDS = re.compile(
    r"\b(percent|per cent|percentage|ratio|fraction|score|probability|kwh|"
    r"grams?|kg|litres?|liters?|ml|degrees|metres|meters|km|"
    r"hours|seconds|weight(ed)?|normali[sz]ed|dimensionless|relative|index)\b|%",
    re.IGNORECASE,
)
_GIVEN = word_set(
    "pledged received donated collected raised contributed deposited withdrawn repaid redeemed earned granted given "
    "taken outgoing incoming opening closing gift gifts donated"
)
"""Said of money where the table holds nothing else."""
_PURSE = word_set(
    "pledge pledges donation donations grant grants payment payments invoice invoices loan loans wallet wallets ledger "
    "fund funds payout payouts refund refunds deposit deposits till tills salary salaries bill bills tax taxes cashbook"
)
_MEASURE = word_set(
    "length pressure humidity voltage angle heading altitude elevation radius diameter thickness density velocity "
    "frequency power capacity consumption level reliability quality x y z position"
)
_UNITS = word_set(
    "g mg t l dl cl m mm cm dm m2 m3 ha w kw mw gw wh kwh mwh kva v a ma ah hz khz mhz bar psi pa hpa c f k db lux "
    "lumen deg rad bpm rpm px dpi kbps mbps iops h min ms co2 ppm ph kcal joule newton celsius fahrenheit peak max "
    "offset"
)
_AMOUNT_IN_WORDS = re.compile(
    r"\b(amounts?|money|euros?|eur|usd|dollars?|cents?|pounds?|francs?|prices?|currency|currencies|two decimals"
    r"|decimal places|exact to the cent|to the cent)\b|[€$£¥]",
    re.IGNORECASE,
)
_NAMED = re.compile(r"`([A-Za-z_]\w*)`")
_DECIMAL_NAMED = re.compile(r"\b([A-Za-z_]\w*)\s*:\s*(?:decimal\.)?Decimal\b")
_DECIMAL_DECLARED = re.compile(r"Mapped\[[^\]]*\bDecimal\b|\basdecimal\s*=\s*True|:\s*(?:decimal\.)?Decimal\b")
_RATE = word_set("rate rates")
_PAID_BY = word_set(
    "hourly daily nightly weekly monthly yearly annual labor labour room rental freight pay wage billing"
)
"""What makes a rate a price: `hourly_rate`, `room_rate`."""
_PAID_PER = word_set(
    "kwh mwh hour night day week month year km mile kilometre kilometer kg kilo ton tonne sqm m2 unit units piece seat "
    "head person guest word page gb item pallet box user credit share"
)
_UNPAID = word_set("request requests heart flow sample sampling error click failure success conversion frame bit")
_PRICES = word_set("price prices fee fees fare fares rent salary wage wages")
"""Money, whatever it is the price of: `litre_price`, `kwh_fee`."""
_SCALED = word_set("log relative normalized normalised scaled index rank ratio change delta")
_PRICED_TABLE = word_set(
    "price prices pricing tariff tariffs fee fees fare fares toll tolls cost costs rent rents charge charges preise "
    "preisliste gebuehren ratecard surcharges"
)
_PAID_FOR = word_set("per seat adult child children reduced regular standard single return guest person member student")
"""What is paid for in a table with a currency: `adult`, `per_head`."""
_MONEY_ALONE = word_set("currency waehrung devise moneda valuta")
"""A column beside one of this name is money where no other is."""
_SHARE = word_set(
    "discount discounts tax taxes vat gst commission interest fee fees tip margin deductible premium bonus cashback "
    "surcharge rabatt mwst ust allowance royalty"
)
"""Money, or a share of some: the range that is written beside says which."""


def is_money(column: str, table: str = "", neighbours: Iterable[str] = (), comment: str = "") -> bool:
    """Return whether a column holds money.

    Args:
        column: Its name.
        table: The name of its table, or of the routine or type it stands in.
        neighbours: The names of the columns beside it.
        comment: What a comment says of it.
    """
    listed = words_of(column)
    about = frozenset(words_of(table))
    neighbours = tuple(neighbours)
    if "per" in listed[1:]:  # the price of one of something
        before, after = listed[: listed.index("per")], listed[listed.index("per") + 1 :]
        if not frozenset(after) <= _PAID_PER | _STRONG | word_set("100 1000 minute second") or not after:
            return False
        paid = bool(_PAID_PER & frozenset(after)) and not _UNPAID & frozenset(listed)
        if paid and before[-1:] and before[-1] in _RATE and frozenset(before) - _RATE <= _PAID_BY:
            return True
        if before and frozenset(before).isdisjoint(_STRONG | _WEAK):
            return False
        listed = before
    words = frozenset(listed)
    if words & _RATE and words & _PAID_BY and not (words - _RATE - _PAID_BY) & (_NOT | _UNPAID):
        return True
    if listed[-1:] and listed[-1] in _PRICES and words.isdisjoint(_DERIVED | _SCALED):
        return not (comment and _OTHER_IN_WORDS.search(comment) and not _CURRENCY_IN_WORDS.search(comment))
    if not words or not _NOT.isdisjoint(words):
        return False
    if comment and _OTHER_IN_WORDS.search(comment) and not _CURRENCY_IN_WORDS.search(comment):
        return False
    strong = words & _STRONG
    if strong == {"cost"} or strong == {"costs"}:
        strong = frozenset() if about & _COST_OF_WORK else strong
    if strong and not (about & _OTHER_TABLE and not words & {"price", "fee", "usd", "eur", "salary", "fare", "toll"}):
        return words.isdisjoint(_DERIVED)
    if words & _GIVEN and about & _PURSE and words.isdisjoint(_DERIVED):
        return True
    if comment and _MONEY_IN_WORDS.search(comment):
        return True
    if _alone(words, about, neighbours):
        return True
    if not words & _WEAK or about & _OTHER_TABLE or words & _DERIVED:
        return False
    beside = {w for n in neighbours for w in words_of(n)}
    return bool(
        about & (_MONEY_TABLE | _STRONG) or beside & {"currency", "iban", "invoice"} or _is_money_beside(neighbours)
    )


def _alone(words: frozenset[str], about: frozenset[str], neighbours: tuple[str, ...]) -> bool:
    """Return whether a currency stands beside, and the table or the name says what is paid for."""
    if not words or not words.isdisjoint(_MEASURE | _DERIVED | _UNITS) or about & _OTHER_TABLE:
        return False
    if not any(_MONEY_ALONE & frozenset(words_of(n)) for n in neighbours):
        return False
    return bool(about & _PRICED_TABLE or words & (_PAID_BY | _PAID_FOR))


def is_share(column: str, limits: Iterable[Fraction | float | int], default: Fraction | float | None = None) -> bool:
    """Return whether a column is a part of one, or per cent: by what it may be at most, or by a small default."""
    words = frozenset(words_of(column))
    most = min(limits, default=None)
    if most is not None and 0 < most <= 1:
        return True
    if most is not None and most <= 100 and words & _SHARE:
        return True
    return bool(default is not None and 0 < default < 1 and words & _SHARE - word_set("fee fees tip"))


def _is_money_beside(neighbours: Iterable[str]) -> bool:
    """Return whether a neighbour says by itself that it is money: totals stand beside taxes."""
    return any(
        words & _STRONG and words.isdisjoint(_NOT) and words.isdisjoint({"cost", "costs", "cash"})
        for n in neighbours
        for words in [frozenset(words_of(n))]
    )


def is_money_type(name: str) -> bool:
    """Return whether a domain or type is money by its name: `money_amount`, `price`, `euro`."""
    words = frozenset(words_of(name))
    return bool(words & (_STRONG | {"amount", "currency"})) and words.isdisjoint(_NOT)


def says_other(name: str) -> bool:
    """Return whether a name says that it is a rate, a score or a measure."""
    return not _NOT.isdisjoint(words_of(name))


def told_in(brief: str) -> frozenset[str]:
    """Return the names that a brief calls money: "the amounts `pledged` and `received`", "`amount: Decimal`"."""
    found = set(_DECIMAL_NAMED.findall(" ".join(re.findall(r"`[^`]*`", brief))))
    for sentence in re.split(r"[.;!?](?=\s|$)", brief):
        mixed = _OTHER_IN_WORDS.search(sentence) is not None
        for said in sentence.split(",") if mixed else [sentence]:
            if _AMOUNT_IN_WORDS.search(said) and not (mixed and _OTHER_IN_WORDS.search(said)):
                found |= set(_NAMED.findall(said))
    return frozenset(n for n in found if (_NOT | _MEASURE | _DERIVED).isdisjoint(words_of(n)))


def declared_decimal(name: str, text: str) -> bool:
    """Return whether a program says that a column holds decimals, whatever it stores: `Mapped[Decimal]`."""
    return _DECIMAL_DECLARED.search(text) is not None and (_NOT | _MEASURE | _DERIVED).isdisjoint(words_of(name))
