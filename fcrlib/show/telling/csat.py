"""How is it told how satisfaction goes with being resolved on first contact, what could explain it, and what it might be worth?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, number, percent, points, signed

if TYPE_CHECKING:
    from fcrlib.explain.csat import Answer
    from fcrlib.fits.effect import Effect

ALL, LIMIT = "all of it", "until its interval reaches none"
ACTION = "Where something is changed that fails often, change it for some contacts first, and keep their ratings apart from the others."
CHECK = "Next period: the same two shares with their intervals, and those of the contacts with the change beside those without."
UNTOLD = "How satisfied customers of resolved and of failed first contacts are cannot be compared here"


def found(answer: Answer, *, window: timedelta | None, figures: tuple[str, ...] = ()) -> list[Finding]:
    """How much more often customers are satisfied where they were resolved at first, as a finding; a caution where that cannot be told."""
    effect = answer.effect
    if effect is None:
        return [Finding("care-csat", "care", UNTOLD, f"{UNTOLD}: {answer.why}.")]
    days = f"{window.days} days" if window else ""
    told = effect.finding(exposed="resolved on first contact", good="satisfied customers", window=days)
    more = [f"{satisfied_means(answer)}.", *([f"{answer.why[:1].upper()}{answer.why[1:]}."] if answer.why else [])]
    more += [] if answer.frame["customer"].count() else ["Customers are not known here, so each answer counts as one of its own."]
    title, clear = _title(effect), _clear(effect.low, effect.high)
    told = replace(told, title=title, statement=" ".join([told.statement, *more]), figures=figures, check=CHECK)
    return [replace(told, action=ACTION if clear else "")]


def _title(effect: Effect) -> str:
    if effect.low is None:
        return "Too few customers rated to compare resolved and failed first contacts"
    if not _clear(effect.low, effect.high):
        return "No clear difference in satisfaction between resolved and failed first contacts"
    return f"{percent(effect.with_exposure)} are satisfied where the first contact resolved it, {percent(effect.without)} where not"


def _clear(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and not low <= 0 <= high


def satisfied_means(answer: Answer) -> str:
    """One sentence on which ratings count as satisfied."""
    if answer.frame.is_empty():
        return "So the parts on satisfaction have nothing to show"
    if answer.good_from is None:
        return "Satisfied means the best answers of the scale"
    return f"Satisfied means a rating of {answer.good_from} or better on the scale {answer.scale}"


def key_figure(answer: Answer) -> list[Finding]:
    """The share of satisfied customers where the first contact resolved it, as a key figure; nothing where too few rated."""
    rows = {row["fcr"]: row for row in answer.shares.drop_nulls("share").to_dicts()}
    if True not in rows:
        return []
    row, other = rows[True], rows.get(False)
    beside = f"; where the first contact failed, it is {percent(other['share'])} ({interval(other['low'], other['high'])})" if other else ""
    statement = f"{count(row['n'])} ratings, weighted to stand for all that were resolved{beside}. {satisfied_means(answer)}."
    measure = Measure(row["share"], row["low"], row["high"], row["n"], "share", "up")
    return [Finding("csat", "kpi", "Satisfied when resolved on first contact", statement, measure=measure)]


def key_numbers(answer: Answer) -> dict[str, object]:
    """The few numbers that a later run on the same desk must give again."""
    effect = answer.effect
    if effect is None:
        return {"answers": answer.shares["n"].sum(), "difference": None, "grade": None}
    return {"answers": effect.n, "difference": round(effect.estimate, 3), "grade": effect.grade}


def by_segment(answer: Answer) -> str:
    """One sentence on whether the difference is the same in every segment."""
    effect = answer.effect
    if effect is None:
        return UNTOLD
    if effect.segments is None or effect.segments.drop_nulls("low").height < 2:
        return "There are too few segments with enough answers to compare"
    by = effect.spec["by"]
    known = effect.segments.drop_nulls("low").sort("estimate", by)
    least, most = known.row(0, named=True), known.row(-1, named=True)
    span = f"from {points(least['estimate'])} (“{least[by]}”) to {points(most['estimate'])} (“{most[by]}”)"
    if effect.segments_differ is None or effect.segments_differ >= 0.05:
        return f"By {_plain(by)} the difference runs {span}, no further apart than chance alone often sets them"
    return f"The difference is not the same for every {_plain(by)}: it runs {span}"


def notes(answer: Answer) -> str:
    """What was put together or left out to compare at all, a sentence each."""
    told = answer.effect.notes if answer.effect else ()
    return " ".join(f"{note[:1].upper()}{_plain(note[1:])}." for note in told)


def by_timing(frame: pl.DataFrame) -> str:
    """One sentence on whether failed contacts were rated lower before anything had shown that they failed."""
    rows = {when: frame.filter(pl.col("name").str.contains(f"rated {when} ")).drop_nulls("low").to_dicts() for when in ("before", "after")}
    told = {when: row[0] for when, row in rows.items() if row}
    if not told:
        return "Too few failed contacts were rated at a known time to tell ratings before the failure from those after it"
    said = [f"rated {when} they had failed, {_below(row)}" for when, row in told.items()]
    lead = f"Beside resolved contacts, failed ones: {'; '.join(said)}"
    early = told.get("before")
    if early is None or not _clear(early["low"], early["high"]):
        return lead
    return f"{lead}. A rating that came first cannot follow from the failure; it can only foretell it"


def _below(row: dict[str, Any]) -> str:
    span = f"95 % interval {number(100 * row['low'])} to {number(100 * row['high'])}"
    if not _clear(row["low"], row["high"]):
        return f"no clear difference ({span} points)"
    return f"{magnitude(row['estimate'])} {'lower' if row['estimate'] > 0 else 'higher'} ({span})"


def by_model(frame: pl.DataFrame) -> str:
    """One sentence on whether other models and outcomes tell the same."""
    known = frame.drop_nulls("low")
    if known.height < 2:
        return "Fewer than two models could be fitted, so nothing can be compared"
    # Fewer who would not recommend is as welcome as more who would.
    welcome = pl.when(pl.col("name").str.starts_with("would not")).then(-1).otherwise(1)
    for_resolved = known.filter(pl.min_horizontal(pl.col("low") * welcome, pl.col("high") * welcome) > 0).height
    against = known.filter(pl.max_horizontal(pl.col("low") * welcome, pl.col("high") * welcome) < 0).height
    told = f"In {count(for_resolved)} of {count(known.height)} ways to ask, resolved contacts are clearly rated better"
    return f"{told}, in {count(against)} clearly worse" if against else told


def models_in_words(frame: pl.DataFrame) -> pl.DataFrame:
    """`name`, `without`, `with_exposure`, `difference`, `interval`, `n`, `note`: each model in the unit of its outcome."""
    rows = [
        (row["name"], *(_level(row[side], row["unit"]) for side in ("without", "with_exposure")), *_difference(row), row["n"], row["note"])
        for row in frame.to_dicts()
    ]
    words = dict.fromkeys(("name", "without", "with_exposure", "difference", "interval"), pl.String)
    return pl.DataFrame(rows, schema={**words, "n": pl.Int64, "note": pl.String}, orient="row")


def _level(value: float | None, unit: str) -> str:
    return percent(value) if unit == "points" else number(value, digits=2)


def _difference(row: dict[str, Any]) -> tuple[str, str]:
    if row["estimate"] is None:
        return "", ""
    ends = "" if row["low"] is None else f"{_of(row['low'], row['unit']).removesuffix(' points')} to {_of(row['high'], row['unit'])}"
    return _of(row["estimate"], row["unit"]), ends


def effort(frame: pl.DataFrame) -> str:
    """One sentence on what is left when effort is held equal too, as bookkeeping."""
    known = frame.drop_nulls("estimate").to_dicts()
    if len(known) < 2:
        return "Nobody told their effort, or too few, so nothing can be said with it held equal"
    told = f"Among those who told their effort, the difference is {points(known[0]['estimate'])}; with effort held equal too, {points(known[1]['estimate'])}"
    span = _span(known[1]["low"], known[1]["high"])
    return f"{told}{span}. Effort and rating are answered together, so this is bookkeeping: it does not show by which way the difference comes about"


def path(frame: pl.DataFrame) -> str:
    """One sentence on how far the difference moves as more is held equal."""
    known = frame.drop_nulls("estimate")
    if known.height < 2:
        return "Fewer than two models could be fitted, so nothing can be said of what moves the difference"
    first, rest = known.row(0, named=True), known[1:]
    low, high = rest.sort("estimate")["estimate"].gather([0, -1])
    span = points(low) if points(low) == points(high) else f"{signed(100 * low)} to {points(high)}"
    lost = frame.height - known.height
    more = f"; {count(lost)} of {count(frame.height)} models could not be fitted" if lost else ""
    return f"As found the difference is {points(first['estimate'])}; with more and more held equal it is {span}{more}"


def dose(frame: pl.DataFrame) -> str:
    """One sentence on what each further contact goes with, beside what a vendor says of it."""
    rows = {row["contacts"]: row for row in frame.to_dicts()}
    step, second = rows.get("each further contact"), next((row for row in frame.to_dicts() if row["contacts"] in ("2", "2+")), None)
    if step is None or step["difference"] is None:
        return "Too few issues with several contacts were rated to say what each further contact goes with"
    span = _span(step["difference_low"], step["difference_high"])
    vendor = "a vendor claim, whose definition differs, says “drops 15 %” for each call"
    if not _clear(step["difference_low"], step["difference_high"]):
        return f"No clear difference by the number of contacts: {points(step['difference'])} for each further one{span}; {vendor}"
    first = "" if second is None else f"A second contact goes with {points(second['difference'])} of satisfied customers; on a straight line, "
    each = f"each further contact goes with {points(step['difference'])}{span}"
    told = f"{first}{each}" if first else f"{each[:1].upper()}{each[1:]}"
    return f"{told}; {vendor}"


def cuts(frame: pl.DataFrame) -> str:
    """One sentence on whether the difference hangs on where "good" begins on the scale."""
    known = frame.drop_nulls("low")
    if known.height < 2:
        return "Too few places on the scale have enough answers to begin “good” elsewhere"
    low, high = (known.sort("estimate").row(place, named=True) for place in (0, -1))
    span = f"{points(low['estimate'])} (“good” from {low['at_least']}) to {points(high['estimate'])} (from {high['at_least']})"
    clear = known.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height
    sides = known.select((pl.col("estimate") > 0).n_unique()).item()
    same = "of the same sign wherever “good” begins" if sides == 1 else "not of the same sign everywhere"
    return f"The difference runs from {span}, {same}; its interval leaves out none in {count(clear)} of {count(known.height)} places"


def checked(table: pl.DataFrame) -> str:
    """One sentence on the checks of the model."""
    made = table.drop_nulls("passed")
    failed = made.filter(~pl.col("passed"))
    merged = table.filter(pl.col("check") == "rare levels").height
    more = f"; {count(merged)} levels with few answers were put together" if merged else ""
    if made.is_empty():
        return "No check of the model could be made"
    if failed.is_empty():
        return f"The model passes all {count(made.height)} checks of calibration, overlap and inflation{more}"
    kinds = ", ".join(failed["check"].unique(maintain_order=True))
    return f"The model does not pass {count(failed.height)} of {count(made.height)} checks ({kinds}); first: {failed['reading'][0]}{more}"


def cautions(table: pl.DataFrame) -> list[Finding]:
    """What the checks of the model say against its number, one caution for each kind of check that is not passed."""
    failed = table.filter(~pl.col("passed").fill_null(True))
    kinds = failed.group_by("check", maintain_order=True).agg(n=pl.len(), first=pl.col("reading").first())
    titles = {
        "calibration": "The model misses how many are satisfied in {} of its tenths",
        "overlap": "Many rated contacts have no alike ones to be compared with",
        "inflation": "What is held equal says nearly as much as the verdict itself",
    }
    return [
        Finding(f"care-csat-{check}", "care", titles[check].format(count(n)), f"{first}. Read the difference between contacts with care.")
        for check, n, first in kinds.iter_rows()
    ]


def robust(table: pl.DataFrame) -> str:
    """One sentence on how strong something unseen would have to be."""
    share = _value(table, "robustness value", ALL)
    edge = _value(table, "robustness value", LIMIT)
    if share is None:
        return "It cannot be said how strong something unseen would have to be"
    if edge == 0:
        return "The interval of the difference holds none already, so nothing unseen is needed to explain it"
    half = "" if edge is None else f" ({percent(edge)} for its interval to reach none)"
    told = (
        f"Something not recorded would have to explain {percent(share)} of what is left open of both verdicts and ratings to take it all away{half}"
    )
    known = table.filter(pl.col("check") == "as strong as", pl.col("what").str.starts_with("1 x ")).drop_nulls("value")
    if known.is_empty():
        return told
    worst = known.sort(pl.col("value").abs(), "what").row(0, named=True)
    left = _of(worst["value"], worst["unit"])
    return f"{told}; something as strong as {_plain(worst['what'].removeprefix('1 x '))}, the strongest of what is known, would leave {left}"


def silent(table: pl.DataFrame) -> str:
    """One sentence on what customers who did not answer would have to think."""
    rows = table.filter(pl.col("check") == "silent customers")
    odds = rows.filter(pl.col("what") == ALL).row(0, named=True) if rows.filter(pl.col("what") == ALL).height else None
    if odds is None:
        return str(rows["reading"][0]).rstrip(".") if rows.height else "Nothing can be said of customers who did not answer"
    if odds["value"] is None:
        return "However discontent silent customers of resolved contacts were, within reason, a difference would be left"
    return (
        "For nothing to be left, silent customers of the side that rates better would have to be "
        f"{number(odds['value'])} times less likely (odds) to be satisfied than those alike who answered"
    )


def triad(frame: pl.DataFrame) -> str:
    """One sentence on the difference with the verdict read from elsewhere."""
    rows = frame.drop_nulls("estimate").to_dicts()
    if len(rows) < 2:
        return "There is no other reading of who was resolved to compare with"
    told = ", ".join(f"{points(row['estimate'])} read from {row['name']}" for row in rows[1:])
    return f"With the verdict of the system the difference is {points(rows[0]['estimate'])}; {told}"


def quarrel(frame: pl.DataFrame) -> str:
    """A sentence where the survey's reading is the smaller one, which mistakes of the system alone would not bring about; nothing elsewhere."""
    rows = frame.drop_nulls("estimate")["estimate"].to_list()
    if len(rows) < 2 or abs(rows[1]) >= abs(rows[0]):
        return ""
    return "If only the system misread contacts, the survey's reading would be the larger one; it is not, so answers on being resolved err as well, or the mistakes of the system go with satisfaction."


def influence(answer: Answer) -> str:
    """One sentence on whether the difference hangs on a few customers, without naming any."""
    rows = answer.yardsticks.filter(pl.col("check") == "influence").drop_nulls("value")
    if rows.is_empty() or answer.effect is None:
        return "Nothing can be said of single customers"
    ours = answer.effect.estimate
    together, single = rows.row(-1, named=True), rows.head(rows.height - 1)
    far = single.sort((pl.col("value") - ours).abs(), "what", descending=[True, False]).row(0, named=True)
    unit = together["unit"]
    lead = f"Without the {count(single.height)} customers that move it most, the difference is {_of(together['value'], unit)}"
    return f"{lead}; without the one that moves it most, {_of(far['value'], unit)}, beside {_of(ours, unit)} with all"


def in_words(table: pl.DataFrame) -> pl.DataFrame:
    """`check`, `what`, `value` and `interval` as words in their units, `reading`: the yardsticks as a table, without the names of customers."""
    shown = table.filter((pl.col("check") != "influence") | (pl.col("what") == "all of these together"))
    rows = [
        (row["check"], row["what"].replace("_", " "), _spelled(row["value"], row["unit"]), _ends(row), row["reading"]) for row in shown.to_dicts()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("check", "what", "value", "interval", "reading"), pl.String), orient="row")


def per_point(algebra: pl.DataFrame) -> str:
    """One sentence on what a point of FCR goes with here, beside the ceiling."""
    if algebra.is_empty():
        return "There is no difference to set beside what others publish"
    ours = algebra.filter(pl.col("kind") == "ours").row(0, named=True)
    return (
        f"A point of FCR goes with {number(ours['points'], digits=2)} points of satisfied customers"
        f"{_plain_span(ours['low'], ours['high'])}; one to one is the most there can be between contacts, not what to expect"
    )


def _value(table: pl.DataFrame, check: str, what: str) -> float | None:
    rows = table.filter(pl.col("check") == check, pl.col("what") == what)
    return None if rows.is_empty() else rows["value"][0]


def _of(value: float, unit: str) -> str:
    return points(value) if unit == "points" else signed(value, digits=2)


def _spelled(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "share":
        return percent(value)
    return number(value, digits=2) if unit in ("ratio", "odds") else _of(value, unit)


def _ends(row: dict[str, float | str | None]) -> str:
    low, high, unit = row["low"], row["high"], str(row["unit"])
    return "" if low is None or high is None else f"{_spelled(float(low), unit).removesuffix(' points')} to {_spelled(float(high), unit)}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {signed(100 * low)} to {signed(100 * high)})"


def _plain_span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {number(low, digits=2)} to {number(high, digits=2)})"


def _plain(name: str) -> str:
    return name.replace("_", " ")
