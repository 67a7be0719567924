"""What grew inside a place, and how were those contacts handled?

The same contacts are asked again at every level, and a level only where the one above stood.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fcrlib.judge.intervals import Z95
from fcrlib.search.answers import EXPOSURE, RATE, Answers, answers
from fcrlib.search.mechanisms import THERE, Shifts, shifts, stands_out
from fcrlib.search.scan import conditional
from fcrlib.search.steps import KEPT, LEVELS, Asked, Step, dated, in_points, joined, step_of
from fcrlib.search.where import AND, conditions, holds

LEAST = 0.1
"""An answer that explains less of the step above is none."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the chain stands.

    Parameters
    ----------
    sides
        The contacts that are held against each other: `_arm` is the side, `_hit` what happened.
    within
        Those of the step above.
    open, narrow
        Attributes, and narrower places, that can still be asked.
    """

    sides: pl.DataFrame
    within: pl.Expr
    open: tuple[str, ...]
    narrow: dict[str, list[str]]


def descend(desk: Asked, first: Step, *, there: pl.Expr, place: Step) -> tuple[list[Step], str]:
    """The steps below a place, and why the last one is the last."""
    sides, steps, hit = desk.sides(there), [first], pl.col(desk.failed)
    if _difference(sides, hit) * place["effect"] <= 0:
        return [], "taken by itself the failure rate there did not move this way: it stands out only beside what moved elsewhere"
    if desk.mode:
        step, end = _mechanism(desk, first, mode=desk.mode, there=there)
        if step is None:
            return [], end
        steps, hit = [first, step], desk.failed_by(step["what"][0])
    narrow = [words for text in place.get("refinements") or [] if (words := conditions(text, columns=desk.frame.columns))]
    level = _Level(sides.with_columns(_hit=hit), there, desk.attributes, {AND.join(words): words for words in narrow})
    while len(steps) + 1 < LEVELS:
        step, end, level = _handled(desk, steps[-1], level, there=there)
        steps += [step] if step else []
        if end:
            return steps[1:], end
    return steps[1:], f"{LEVELS} levels are the most that is asked"


def _mechanism(desk: Asked, above: Step, *, mode: str, there: pl.Expr) -> tuple[Step | None, str]:
    """The way of failing that moved in a place, or why none is named."""
    found = _shifts(desk, mode=mode, there=there, everywhere=not above["where"])
    pins = {slug: desk.pins.about(above["where"], mode=slug) for slug in found.modes["mode"]}
    rows = found.modes.to_dicts()
    kept = [row for row in rows if any(pin.pin for pin in pins[row["mode"]])]
    clear = [row for row in rows if row["named"] and row["change"] / found.total >= LEAST and not any(pin.prune for pin in pins[row["mode"]])]
    if not kept and not clear:
        return None, _diffuse(found, two=desk.later is not None)
    row = (kept or clear)[0]
    slug, hit = row["mode"], desk.failed_by(row["mode"])
    numbers = {"n": row["n_after"] + (row["n_before"] if desk.later else 0), "effect": row["change"], **_chosen_interval(row, found)}
    step = step_of(
        desk,
        kind="mechanism",
        what=[slug],
        above=above,
        total=found.total,
        numbers=numbers | {"contribution": row["change"]},
        there=there & hit,
        mode=slug,
    )
    others = [other["mode"] for other in clear if other["mode"] != slug]
    step["note"], step["besides"] = joined(step["note"], "" if row["named"] else joined(KEPT, found.warning)), others
    return step | dated(desk, desk.frame.filter(there).with_columns(_hit=hit), there, step), ""


def _shifts(desk: Asked, *, mode: str, there: pl.Expr, everywhere: bool) -> Shifts:
    if desk.later:
        return shifts(desk.frame, mode=mode, failed=desk.failed, later=desk.later, clusters=desk.clusters, there=None if everywhere else there)
    return stands_out(desk.frame, mode=mode, failed=desk.failed, there=there, clusters=desk.clusters)


def _chosen_interval(row: Step, found: Shifts) -> Step:
    """The plain interval of a way's change, and the one that knows that it was chosen."""
    from scipy.special import stdtrit

    # The choice is reckoned in normal errors, so these are widened to what t would have them.
    wide, unit = float(stdtrit(found.freedom, 0.975)), (row["high"] - row["low"]) / 2 / Z95
    plain = {"plain_low": row["low"], "plain_high": row["high"], "low": None, "high": None}
    if not row["named"]:
        return plain
    low, high = conditional(row["change"] / unit, bar=found.bar * Z95 / wide)
    return plain | {"low": low * unit, "high": high * unit}


def _diffuse(found: Shifts, *, two: bool) -> str:
    """Why no way of failing is named."""
    if found.warning:
        return found.warning
    if found.named.height:
        return "what stands out among the ways of failing was passed over by the analyst, or explains too little"
    if found.visible is None:
        return "too few of the failures there show a known sign to say by which way they failed"
    seen = f"a shift of {in_points(found.visible)} or more in the share of one of them would have been seen"
    sign = found.coverage.filter(pl.col("where") == THERE).row(0, named=True)
    if sign["drifted"] and (sign["after"] - sign["before"]) * found.total < 0:
        return f"what {'moved' if two else 'differs'} are failures without a known sign: read a sample of them ({seen})"
    alike = "are more frequent there" if found.total > 0 else "are rarer there"
    if two:
        alike = "rose" if found.total > 0 else "fell"
    return f"no single way of failing stands out: all of them {alike} alike; {seen}"


def _handled(desk: Asked, above: Step, level: _Level, *, there: pl.Expr) -> tuple[Step | None, str, _Level]:
    """How the contacts of the step above were handled, or in which narrower place they lie; and why it goes no further, where it does not."""
    # A narrower place is only asked for when an attribute stood, or where there is none to ask for.
    narrow = level.narrow if above["kind"] == "attribute" or not level.open else {}
    names = [*level.open, *narrow]
    if not names:
        return None, "nothing is known of how these contacts were handled, so no further why can be asked", level
    if level.sides["_arm"].n_unique() < 2:
        return None, "too few contacts are left to ask further", level
    marks = [pl.when(holds(desk.frame, words)).then(pl.lit("yes")).otherwise(pl.lit("no")).alias(name) for name, words in narrow.items()]
    found = answers(level.sides.with_columns(marks), attributes=names, failed="_hit", later="_arm", clusters=desk.clusters)
    row, others = _pick(desk, found, above=above, narrow=narrow)
    if row is None:
        return None, _indistinct(found), level
    words = narrow.get(row["attribute"], [f"{row['attribute']}={row['value']}"])
    has = holds(desk.frame, words)
    step = step_of(
        desk, kind="place" if row["attribute"] in narrow else "attribute", what=words, above=above, total=found.total, change=row["answer"],
        numbers={**row, "n": row["n"] if desk.later else row["n_after"]}, there=level.within & has, mode=above["mode"],
    )  # fmt: skip
    step["note"], step["besides"] = joined(step["note"], "" if row["named"] else KEPT), others
    base = level.sides.filter(level.within)
    step |= dated(desk, base.filter(has) if row["answer"] == RATE else base.with_columns(_hit=has), there, step)
    if row["answer"] == EXPOSURE:
        return step, "why there are more or fewer such contacts cannot be read off these data", level
    rest = {name: words for name, words in level.narrow.items() if name != row["attribute"]}
    left = tuple(name for name in level.open if name != row["attribute"])
    return step, "", _Level(level.sides.filter(has), level.within & has, left, rest)


def _pick(desk: Asked, found: Answers, *, above: Step, narrow: dict[str, list[str]]) -> tuple[Step | None, list[str]]:
    """The answer to follow, first one that the analyst keeps, and the names of the others that stand."""
    kept: list[Step] = []
    clear: list[Step] = []
    for row in found.rows.to_dicts():
        is_place = row["attribute"] in narrow
        row["word"] = row["attribute"] if is_place else f"{row['attribute']}={row['value']}"
        pins = [] if is_place else desk.pins.about(above["where"], mode=above["mode"], attribute=row["word"])
        stands = row["named"] and row["contribution"] / found.total >= LEAST and (not is_place or row["value"] == "yes")
        kept += [row] if any(pin.pin for pin in pins) else []
        clear += [row] if stands and not any(pin.prune for pin in pins) else []
    if not kept and not clear:
        return None, []
    row = (kept or [_risen(clear, clear[0]["attribute"])])[0]
    unchosen = {} if row["named"] else {"low": None, "high": None}
    others = [_risen(clear, name) for name in dict.fromkeys(other["attribute"] for other in clear) if name != row["attribute"]]
    return row | unchosen, [other["word"] for other in others if other["answer"] == RATE or other["effect"] > 0]


def _risen(clear: list[Step], attribute: str) -> Step:
    """The first answer of an attribute; where it is that there were fewer of some contacts, the one that says of which there were more instead."""
    rows = [row for row in clear if row["attribute"] == attribute]
    if rows[0]["answer"] != EXPOSURE or rows[0]["effect"] > 0:
        return rows[0]
    more = [row for row in rows if row["answer"] == EXPOSURE and row["effect"] > 0]
    return max(more or rows[:1], key=lambda row: abs(row["contribution"]))


def _indistinct(found: Answers) -> str:
    if found.visible is None:
        return "nothing further can be told: there are too few contacts with and without each attribute"
    return f"nothing further is distinguishable: a difference of {in_points(found.visible)} or more would have been seen"


def _difference(sides: pl.DataFrame, what: pl.Expr) -> float:
    later, before = sides.select(later=what.filter("_arm").mean(), before=what.filter(~pl.col("_arm")).mean()).row(0)
    return float((later or 0.0) - (before or 0.0))
