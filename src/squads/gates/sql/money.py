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
    "payment payments payout payouts subtotal tax taxes vat gst tuition rent deposit cashback surcharge fare fares "
    "toll bounty donation cash money usd eur gbp chf jpy sek nok dkk pln aud cad inr cny brl cents cent pence dollars "
    "dollar euros euro proceeds earnings income expense expenses mrr gmv msrp cogs payable receivable debt invoiced "
    "overdraft amount_due postage copay tips gratuity severance pension stipend allowance premium premiums dues "
    "arrears notional remuneration honorarium honoraria royalty royalties alimony deductible instalment instalments "
    "installment installments dividend dividends levy takings payables francs yen rupees czk huf ron bgn krw mxn zar "
    "nzd sgd hkd thb rub uah ils preis preise betrag betraege kosten gebuehr gebuehren miete lohn gehalt netto brutto "
    "umsatz kaution mwst ust guthaben prix montant precio importe monto prezzo importo costo prijs bedrag btw iva tva "
    "tarif precios prijzen einnahme einnahmen ausgabe ausgaben kassenstand trinkgeld fine fines"
)
_WEAK = word_set(
    "amount amounts amt total totals value net gross paid due owed charge charged charges credit credits debit "
    "debits discount sum budget spend spent commission bonus balance balances tip premium principal interest bid "
    "offer quote limit adjustment transfer withdrawal loan funds outstanding settled billed authorized captured "
    "worth reward soll haben debe haber"
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
    "rechnung rechnungen beitrag beitraege zahlung zahlungen kasse konto konten buchung buchungen posten "
    "factuur facturen facture factures factura facturas rate_card"
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
    r"(?:kilo|milli)?grams?|kg|litres?|liters?|ml|degrees|(?:kilo|milli|centi)?met(?:re|er)s|km|0 to 1|from 0 to|rank|"
    r"points|hours|seconds|weight(ed)?|normali[sz]ed|dimensionless|relative|index)\b|%|(?<![\w.])0(?:\.0)?\s*(?:\.\.|-|–)\s*1(?:\.0)?(?![\d.])",
    re.IGNORECASE,
)
_GIVEN = word_set(
    "pledged claimed approved awarded assessed received donated collected raised contributed deposited withdrawn "
    "repaid redeemed earned granted given taken outgoing incoming opening closing gift gifts"
)
"""Said of money where the table holds nothing else."""
_PURSE = word_set(
    "pledge pledges donation donations grant grants payment payments invoice invoices loan loans wallet wallets "
    "ledger fund funds payout payouts refund refunds deposit deposits till tills salary salaries bill bills tax taxes "
    "cashbook expense expenses claim claims payroll payslip payslips buchung buchungen rechnung rechnungen scholarship "
    "scholarships stipend stipends"
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
    "head person guest word page gb item pallet box user credit share minute min second"
)
_UNPAID = word_set("request requests heart flow sample sampling error click failure success conversion frame bit")
_PRICES = word_set(
    "price prices fee fees fare fares rent salary wage wages tax taxes payment payments payout payouts refund refunds "
    "revenue costs cost eur usd gbp chf cents euros dollars surcharge salaries subtotal"
)
"""Money, whatever it is the price of: `litre_price`, `kwh_fee`, `energy_cost`."""
_KINDS = word_set(
    "class classes band bands tier tiers level group groups grade zone zones stage stages bracket brackets category "
    "type kind bucket segment cluster signal flag code id status mode source method position order sequence model "
    "version estimate bin label key hash seed region area sector year quarter scheme policy schedule limit_factor "
    "pages page items item lines rows calls users clicks views visits months weeks years attempts retries priority "
    "quality reliability consistency stability pressure intensity density precision tolerance strength potential "
    "appeal sensitivity coverage popularity offset angle heat curve shape spread step jump gap noise bias error "
    "outlier anomaly embedding vector feature impact benefit fit match influence affinity preference propensity"
)
"""Said last, they make it a kind, a count or a quality of money: `price_class`, `fare_zone`, `deposit_months`."""
_QUALIFIES = word_set(
    "total gross net sum value credit due offer limit quote bonus discount interest principal reward tip transfer "
    "charge"
)
"""Money as the last word; before another noun, whatever that noun is: `total_pages`, `due_in`."""
_WHEN = word_set(
    "before after old new opening closing now out min max minimum maximum today planned actual original final initial "
    "applied given taken current previous first last incl excl including excluding date so far q1 q2 q3 q4 ytd mtd a "
    "b c 1 2 3"
)
_MODEL_TABLE = word_set(
    "forecast forecasts prediction predictions simulation simulations regression backtest backtests training features"
)
_STUDIES = word_set(
    "course courses module modules study studies transcript transcripts degree exam exams student students"
)
_MANY_THINGS = word_set(
    "balance credit charge value limit quote offer bid reward worth interest transfer principal load"
)
"""A price beside them does not make them money."""
_UNIT_BESIDE = word_set("unit units uom tare ects")
_PLANNED = word_set("plan rows node nodes edge edges vertex heuristic hops distance")
"""Beside a cost they say that it is the cost of a way or of a plan of work."""
_COMPOUND = re.compile(
    r".(?:preis|preise|betrag|betraege|gebuehr|gebuehren|kosten|miete|lohn|gehalt|steuer|saldo|entgelt|umsatz|honorar"
    r"|bedrag|prijs|prijzen)$"
)
"""German puts the noun that decides last, in one word: `einzelpreis`."""
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
    listed = [*listed[:-1], _plain(listed[-1])] if listed else listed
    if {"credit", "credits"} & frozenset(listed[-1:]) and about & _STUDIES:
        return False
    if listed[:1] in (["w"], ["wt"], ["weight"]) and len(listed) > 1:
        return False
    if about & _MODEL_TABLE or (len(listed) > 1 and listed[-1] in _KINDS):
        return False
    if listed[:1] == ["per"] and frozenset(listed[1:]) & _PAID_PER and not frozenset(listed[1:]) - _PAID_PER:
        return bool(about & (_MONEY_TABLE | _STRONG)) or _is_money_beside(neighbours)
    if "per" in listed[1:]:  # the price of one of something
        before, after = listed[: listed.index("per")], listed[listed.index("per") + 1 :]
        if before and before[-1] in _PRICES and len(after) == 1 and frozenset(after).isdisjoint(_PRICES | {"cent"}):
            return True
        if not frozenset(after) <= _PAID_PER | _STRONG | word_set("100 1000") or not after:
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
    of_work = listed[-1:] in (["cost"], ["costs"]) and _is_of_work(about, words, neighbours)
    if listed[-1:] and listed[-1] in _PRICES and words.isdisjoint(_DERIVED | _SCALED) and not of_work:
        return not says_measures(comment)
    if not words or not _NOT.isdisjoint(words):
        return False
    if says_measures(comment):
        return False
    strong = words & _STRONG
    if strong == {"cost"} or strong == {"costs"}:
        strong = frozenset() if _is_of_work(about, words, neighbours) else strong
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
    last = listed[-1]
    ends = last.isdigit() or last in _WEAK | _STRONG | _WHEN | _GIVEN
    if listed[-2:-1] and listed[-2] in _QUALIFIES and not ends:
        return False
    if last in _UNITS - _WHEN:
        return False
    if _UNIT_BESIDE & (beside | about) and "currency" not in beside:
        return False
    named = about & (_MONEY_TABLE | _STRONG) or beside & (_MONEY_ALONE | {"iban", "invoice"})
    return bool(named) or (words.isdisjoint(_MANY_THINGS) and _is_money_beside(neighbours))


def _plain(word: str) -> str:
    """Return a word, and for a German compound the noun that decides."""
    return "preis" if len(word) > 6 and _COMPOUND.search(word) else word


def _is_of_work(about: frozenset[str], words: frozenset[str], neighbours: tuple[str, ...]) -> bool:
    """Return whether a cost is what a way or a plan takes, and nobody's money."""
    beside = {w for n in neighbours for w in words_of(n)}
    # A plan may be what is subscribed to: rows or nodes beside it say that it is one of a planner.
    return bool((about | words) & _COST_OF_WORK or _PLANNED & beside - {"plan"} or "path" in words)


def _alone(words: frozenset[str], about: frozenset[str], neighbours: tuple[str, ...]) -> bool:
    """Return whether a currency stands beside, and the table or the name says what is paid for."""
    if not words or not words.isdisjoint(_MEASURE | _DERIVED | _UNITS) or about & _OTHER_TABLE:
        return False
    if not any(_MONEY_ALONE & frozenset(words_of(n)) for n in neighbours):
        return False
    return bool(about & (_PRICED_TABLE | _PURSE | {"budget", "budgets"}) or words & (_PAID_BY | _PAID_FOR))


def is_amount_in(column: str, table: str) -> bool:
    """Return whether a column with two decimals is an amount in its table, or the price of one of something."""
    words = words_of(column)
    if not _NOT.isdisjoint(words) or not _UNITS.isdisjoint(words[-1:]) or not _MEASURE.isdisjoint(words):
        return bool(words[:1] == ["per"] and _PAID_PER.intersection(words[1:]))
    about = frozenset(words_of(table))
    if not about & (_MONEY_TABLE | _STRONG | _PURSE) or about & _OTHER_TABLE:
        return False
    return words[-1:] != [] and words[-1] not in _KINDS


_SPOKEN = word_set(
    "amount balance principal net gross paid due owed charge credit debit interest premium tip commission loan"
)


def may_be_money(name: str) -> bool:
    """Return whether an exact parameter of a routine is money: `balance numeric`."""
    words = words_of(name)
    return words[-1:] != [] and words[-1] in _SPOKEN | _STRONG and _NOT.isdisjoint(words)


def says_money_last(name: str) -> bool:
    """Return whether the noun that decides, the last word, is money: `late_fee`; of `price_fit` it is not."""
    words = words_of(name)
    known = _STRONG | _WEAK | _WHEN | _GIVEN | _PAID_FOR | _PAID_BY | _PAID_PER | _UNITS | _MONEY_ALONE
    return bool(words) and (_plain(words[-1]) in known or words[-1].isdigit() or "per" in words)


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


def is_derived(name: str) -> bool:
    """Return whether a name says that it is statistics of money: an average, a median, a forecast."""
    return not _DERIVED.isdisjoint(words_of(name))


def says_measures(comment: str) -> bool:
    """Return whether a comment speaks of measures, and of no currency."""
    return _OTHER_IN_WORDS.search(comment) is not None and _CURRENCY_IN_WORDS.search(comment) is None


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
