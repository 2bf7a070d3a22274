"""The page of a bench run: what a researcher reads first, what follows from it, and how a stranger checks it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from squads.bench.figure import Difference, Rate
from squads.bench.scoring import Score
from squads.bench.summary import Summary
from squads.pages.blocks import Badge, Block, Code, Figure, Items, Line, Notice, Page, Paragraph, Section, Table, Tone
from squads.pages.plots import Bar, Curve, curves_svg, grid_svg, rates_svg
from squads.pages.text import counted

LISTED_MAX = 200
"""So many cases are named in one list; the rest is counted."""
FAMILIES_SHOWN_MAX = 120
GATES_SHOWN_MAX = 16


def bench_page(summary: Summary) -> Page:
    """Return the page of one run's figures."""
    panel = summary.panels[0] if summary.panels else None
    sections = [
        Section("Every gate alone", tuple(_gates(summary)), "gates"),
        Section("Panels", tuple(_panels(summary)), "panels"),
        Section("Catch within a refusal budget", tuple(_budgets(summary)), "budgets"),
        Section("By split, origin and invariant", tuple(_groups(summary)), "groups"),
        Section("Who caught what", tuple(_families(summary)), "who"),
        Section("Do they see with other eyes?", tuple(_eyes(summary)), "eyes"),
        Section("What each gate adds", tuple(_adds(summary)), "adds"),
        Section("Never caught", tuple(_never(summary)), "never"),
        Section("Refused, and right", tuple(_wrong(summary)), "wrong"),
        Section("What this was, and what it does not show", tuple(_about(summary)), "about"),
    ]
    return Page(
        title=summary.title,
        verdict=Badge(counted(len(summary.gates), "gate"), "plain"),
        lead=_lead(summary, panel),
        sections=tuple(s for s in sections if s.blocks),
    )


def _lead(summary: Summary, panel: Score | None) -> Line:
    what = (
        f"{counted(summary.cases, 'case')} of {summary.families} families: {summary.defects} that must be refused, "
        f"{summary.rights} that must pass."
    )
    if panel is None:
        return (what,)
    return (
        what,
        " Where any gate may refuse, the right place for the right reason: ",
        told(panel.right_reason),
        "; right cases refused: ",
        told(panel.false_refusals),
        ".",
    )


def told(rate: Rate) -> str:
    """Return a rate in words: its value and its interval, by families where there are enough to tell."""
    if rate.value is None:
        return "nothing to count"
    interval = rate.clustered or rate.wilson
    bounds = f" [{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    return f"{rate.value:.3f}{bounds}"


def moved(difference: Difference | None) -> str:
    """Return a difference in words, in points of a hundred."""
    if difference is None:
        return "too few families"
    low, high = difference.interval.low * 100, difference.interval.high * 100
    return f"{difference.value * 100:+.1f} [{low:+.1f}, {high:+.1f}]"


def _gates(summary: Summary) -> Iterable[Block]:
    some = [s for s in summary.gates if s.defects.refused or s.rights.refused]
    quiet = [s.gate for s in summary.gates if s not in some]
    if some:
        yield Figure(
            rates_svg("caught", "Defects caught", [_bar(s.gate, s.right_reason, "good") for s in some]),
            "Defects caught in the right place for the right reason; bars are 95 percent intervals by family.",
        )
        yield Figure(
            rates_svg("refused", "Right cases refused", [_bar(s.gate, s.false_refusals, "bad") for s in some]),
            "Right cases refused, clean twins and decoys.",
        )
    if quiet:
        yield Paragraph((f"No refusal at all: {', '.join(quiet)}.",))
    yield from _scores("Each gate alone; a gate that could not look has caught nothing.", summary.gates)


def _bar(name: str, rate: Rate, tone: Tone) -> Bar:
    interval = rate.clustered or rate.wilson
    low, high = (interval.low, interval.high) if interval else (0.0, 1.0)
    return Bar(name, rate.value, low, high, tone)


def _scores(caption: str, scores: Sequence[Score]) -> Iterable[Table]:
    yield Table(
        caption,
        ("gate", "right reason", "right place", "any refusal", "false refusals", "of decoys"),
        tuple(
            (
                (s.gate,),
                *((told(r),) for r in (s.right_reason, s.right_place, s.any_refusal, s.false_refusals, s.on_decoy)),
            )
            for s in scores
        ),
    )
    yield Table(
        "Pairs told apart, verdicts that are none, and what a catch cost",
        ("gate", "told apart", "abstained", "errors", "J", "US$ per catch"),
        tuple(_counts(s) for s in scores),
    )


def _counts(score: Score) -> tuple[Line, ...]:
    rows = score.defects.rows + score.rights.rows
    per_catch = score.cost_per_catch_microusd
    return (
        (score.gate,),
        (f"{score.pairs.told_apart} of {score.pairs.pairs}",),
        (f"{score.defects.abstained + score.rights.abstained} of {rows}",),
        (f"{score.defects.errors + score.rights.errors} of {rows}",),
        ("–" if score.youden is None else f"{score.youden:+.3f}",),
        ("–" if per_catch is None else f"{per_catch / 1e6:.4f}",),
    )


def _panels(summary: Summary) -> Iterable[Block]:
    if summary.panels:
        yield from _scores("All gates together, one call of each.", summary.panels)
    if len(summary.catch_at_k) > 1:
        points = tuple((float(k), value) for k, value in enumerate(summary.catch_at_k, 1))
        yield Figure(
            curves_svg(
                "at-k",
                "Catch of panels of k gates",
                [Curve("mean over all choices", points, "good")],
                across="gates in the panel",
                up="catch at level three",
                across_max=float(len(summary.catch_at_k)),
            ),
            "What a panel of so many gates catches, the mean over every choice of them.",
        )
        rows = tuple(((str(k),), (f"{value:.3f}",)) for k, value in enumerate(summary.catch_at_k, 1))
        yield Table("Catch of a panel of k gates", ("k", "catch"), rows)


def _budgets(summary: Summary) -> Iterable[Block]:
    if not summary.budgets:
        return
    bought = [b for b in summary.budgets if b.catch is not None and b.catch.value is not None]
    points = tuple((b.budget, b.catch.value) for b in bought if b.catch and b.catch.value is not None)
    yield Figure(
        curves_svg(
            "budget",
            "Catch within a refusal budget",
            [Curve("chosen on calibration", points, "good")],
            across="share of right cases that may be refused",
            up="catch at level three, held-out split",
            across_max=max(b.budget for b in summary.budgets),
        ),
        "Chosen on the split `calibration`, reported on `test`.",
    )
    yield Table(
        "The panel that each budget buys",
        ("budget", "panel", "catch", "false refusals"),
        tuple(
            (
                (f"{b.budget:.0%}",),
                (", ".join(b.gates) or "none",),
                (told(b.catch) if b.catch else "–",),
                (told(b.false_refusals) if b.false_refusals else "–",),
            )
            for b in summary.budgets
        ),
    )


def _groups(summary: Summary) -> Iterable[Block]:
    if summary.groups:
        yield Table(
            "The panel in which any may refuse",
            ("cases", "right reason", "any refusal", "false refusals", "defects", "right cases"),
            tuple(
                (
                    (" ".join(f"{k}: {v}" for k, v in g.of.items()),),
                    (told(g.score.right_reason),),
                    (told(g.score.any_refusal),),
                    (told(g.score.false_refusals),),
                    (str(g.score.defects.rows),),
                    (str(g.score.rights.rows),),
                )
                for g in summary.groups
            ),
        )


def _families(summary: Summary) -> Iterable[Block]:
    gates = [s.gate for s in summary.gates if s.right_reason.hits][:GATES_SHOWN_MAX]
    families = sorted(summary.by_family)[:FAMILIES_SHOWN_MAX]
    if not gates:
        return
    values = [[summary.by_family[family].get(gate) for gate in gates] for family in families]
    yield Figure(
        grid_svg("who", "Share of each family's defects that each gate caught", families, gates, values),
        "Share of a family's defects that a gate caught at level three; a dash where it judged none.",
    )
    yield Table(
        "Who caught what",
        ("family", *gates),
        tuple(
            ((family,), *(("–" if v is None else f"{v:.2f}",) for v in row))
            for family, row in zip(families, values, strict=True)
        ),
    )
    if len(summary.by_family) > len(families):
        yield Paragraph((f"{len(summary.by_family) - len(families)} more families are in the tables of figures.",))


def _eyes(summary: Summary) -> Iterable[Block]:
    if not summary.pairs:
        return
    gates = sorted({p.first for p in summary.pairs} | {p.second for p in summary.pairs})
    known = {frozenset((p.first, p.second)): p.kappa for p in summary.pairs}
    values = [[1.0 if a == b else known.get(frozenset((a, b))) for b in gates] for a in gates]
    if summary.together:
        t = summary.together
        worth = "" if t.effective is None else f" It is worth {t.effective:.2f} independent gates of that mean."
        yield Paragraph(
            (
                f"One of these gates catches {t.single:.3f} in the mean, all together {t.union:.3f}; were their misses "
                f"independent it would be {t.independent:.3f}.{worth}",
            )
        )
    if summary.all_alike:
        yield Paragraph((f"Cochran's Q, whether all catch the same share: p = {summary.all_alike.p:.4g}.",))
    yield Figure(
        grid_svg("kappa", "Agreement on defects", gates, gates, values),
        "Cohen's kappa on which defects are caught: 1 sees with the same eyes, 0 or below with other ones.",
    )
    yield Table(
        "Pairs of gates, on the defects that both judged",
        ("first", "second", "kappa", "McNemar p", "after Holm"),
        tuple(
            (
                (p.first,),
                (p.second,),
                ("–" if p.kappa is None else f"{p.kappa:+.3f}",),
                (f"{p.test.p:.4g}",),
                ("–" if p.test.corrected is None else f"{p.test.corrected:.4g}",),
            )
            for p in summary.pairs
        ),
    )


def _adds(summary: Summary) -> Iterable[Block]:
    if summary.marginals:
        yield Table(
            "Added to all the others, in points of a hundred, and its Shapley share of the catch",
            ("gate", "more caught", "more right cases refused", "share", "US$ per further catch"),
            tuple(
                (
                    (m.gate,),
                    (moved(m.catch),),
                    (moved(m.refusals),),
                    (f"{summary.credit.get(m.gate, 0.0):.3f}",),
                    ("–" if m.cost_per_catch_microusd is None else f"{m.cost_per_catch_microusd / 1e6:.4f}",),
                )
                for m in summary.marginals
            ),
        )


def _never(summary: Summary) -> Iterable[Block]:
    if not summary.never_caught:
        yield Paragraph(("Every defect was caught by some gate, in the right place for the right reason.",))
        return
    yield Paragraph((f"{len(summary.never_caught)} of {summary.defects} defects, at level three:",))
    yield Items(tuple((Code(case),) for case in summary.never_caught[:LISTED_MAX]))
    if len(summary.never_caught) > LISTED_MAX:
        yield Paragraph((f"and {len(summary.never_caught) - LISTED_MAX} more.",))


def _wrong(summary: Summary) -> Iterable[Block]:
    if not summary.wrongly_refused:
        yield Paragraph(("No right case was refused by any gate.",))
        return
    shown = summary.wrongly_refused[:LISTED_MAX]
    rows = tuple(((Code(r.case),), (", ".join(r.gates),)) for r in shown)
    yield Table("Right cases that a gate refused", ("case", "by"), rows)
    if len(summary.wrongly_refused) > LISTED_MAX:
        yield Paragraph((f"and {len(summary.wrongly_refused) - LISTED_MAX} more.",))


def _about(summary: Summary) -> Iterable[Block]:
    warnings = {s.right_reason.warning for s in summary.gates} | {s.false_refusals.warning for s in summary.gates}
    for warning in sorted(warnings - {""}):
        yield Notice("unsure", "Few families.", (warning,))
    yield Items(
        (
            ("A twin is clean of the labelled defect, and of nothing else.",),
            ("Level three asks for a refusing finding within the labelled lines that names the invariant.",),
            ("Abstentions and errors are misses on defects, and no refusals on right cases; both are counted apart.",),
            ("Intervals resample families, because variants of one family succeed and fail together.",),
        )
    )
    if summary.left_out:
        yield Paragraph(("What was not counted:",))
        yield Items(tuple((text,) for text in summary.left_out))
    if summary.about:
        rows = tuple(((key,), (Code(value),)) for key, value in sorted(summary.about.items()))
        yield Table("What was run", ("", ""), rows)
