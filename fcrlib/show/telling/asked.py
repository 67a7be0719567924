"""How is what customers say put into words that claim no more than the answers do?

Every sentence is computed from a frame of `explain.asked`. A gap is one only where the interval of both together leaves out the
system's number; what nobody was asked is said, not guessed.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, number, percent, points

FEW_ANSWERS = 100
FRAGILE = 0.4  # log odds: silent customers 1.5 times as likely to be resolved, or not to be
UNASKED = "Nobody has answered whether the issue was resolved"
ESTIMATORS = {
    "system": "the system, all contacts",
    "survey": "customers who answered",
    "survey, post-stratified": "answers weighed by cells",
    "survey, raked": "answers weighed by margins",
    "survey, by chance to answer": "answers weighed by chance to answer",
    "together": "system and customers together",
    "cross-check": "cross-check, if all answered alike",
}
MEASURES = {
    "kappa": "agreement beyond chance (1 = always)",
    "sensitivity": "customer says yes: the system says resolved",
    "specificity": "customer says no or partly: the system says failed",
    "ppv": "the system says resolved: the customer says yes",
    "npv": "the system says failed: the customer says no or partly",
    "difference": "system less customers, same contacts",
}


def in_words(frame: pl.DataFrame, *, column: str) -> pl.DataFrame:
    """Spell the column `estimator` of the estimates, or `measure` of the agreement, for people."""
    return frame.with_columns(pl.col(column).replace(ESTIMATORS | MEASURES))


def _row(frame: pl.DataFrame, **where: str) -> dict[str, Any] | None:
    """The row of a frame with these values; None where there is none."""
    found = frame.filter(**where)
    return found.row(0, named=True) if found.height else None


def said(estimates: pl.DataFrame, *, answers: pl.DataFrame) -> str:
    """One sentence: what customers say, what the system says, and what both say together."""
    raw, flag, both = (_row(estimates, estimator=name) for name in ("survey", "system", "together"))
    whole = _row(answers, channel="all")
    if raw is None or flag is None or both is None or whole is None:
        return UNASKED
    back = f"; {percent(whole['response'])} of {count(whole['asked'])} asked have answered" if whole["asked"] is not None else ""
    together = (
        f"together {percent(both['est'])} ({interval(both['low'], both['high'])})" if both["est"] is not None else "too few answers to join both"
    )
    return (
        f"Customers say yes after {percent(raw['est'])} of first contacts ({interval(raw['low'], raw['high'])}; {count(raw['respondents'])} answers{back}); "
        f"the system says {percent(flag['est'])}; {together}"
    )


def funnel(answers: pl.DataFrame) -> str:
    """One sentence on who was asked and who answered."""
    whole = _row(answers, channel="all")
    if whole is None:
        return "This desk has no survey"
    if whole["asked"] is None:
        return f"{count(whole['n'])} of {count(whole['contacts'])} first contacts have an answer; whom else the desk asked is not recorded"
    if not whole["asked"]:
        return f"None of {count(whole['contacts'])} first contacts was asked"
    back = f"{percent(whole['response'])} ({interval(whole['response_low'], whole['response_high'])})"
    return f"{count(whole['asked'])} of {count(whole['contacts'])} first contacts were asked, {back} of them answered"


def gap(estimates: pl.DataFrame) -> str:
    """One sentence on whether the system's number differs from what all customers would say."""
    flag, both = (_row(estimates, estimator=name) for name in ("system", "together"))
    if flag is None or both is None or both["est"] is None:
        return "There are too few answers to say what all customers would say"
    if both["low"] <= flag["est"] <= both["high"]:
        return f"The system's {percent(flag['est'])} lies within what all customers would say ({interval(both['low'], both['high'])})"
    side = "above" if flag["est"] > both["est"] else "below"
    return f"The system's {percent(flag['est'])} lies {side} what all customers would say ({interval(both['low'], both['high'])})"


def agreed(crossing: pl.DataFrame) -> str:
    """One sentence on how often both verdicts are the same."""
    if crossing.is_empty():
        return UNASKED
    same, n = crossing.filter(pl.col("system") == pl.col("customer")).select(pl.col("share").sum()).item(), int(crossing["n"].sum())
    false = _row(crossing, system="resolved", customer="not resolved") or {"n": 0}
    return (
        f"System and customer agree on {percent(same)} of {count(n)} contacts; "
        f"{count(false['n'])} are resolved for the system and not for the customer"
    )


def contradicted(false_by: pl.DataFrame, *, by: str, noun: str) -> str:
    """One sentence on how often customers contradict a resolution, and where most."""
    if false_by.is_empty():
        return "No contact that the system calls resolved has an answer"
    n, false = int(false_by["n"].sum()), int(false_by["false"].sum())
    whole = f"Customers contradict {percent(false / n)} of {count(n)} resolutions they were asked about"
    worst = false_by.filter(pl.col("apart") & (pl.col("share") > false / n)).sort("share", descending=True)
    if worst.is_empty():
        return f"{whole}; no {noun} stands clearly out"
    return f"{whole}; most in {worst[by][0]}: {percent(worst['share'][0])}"


def tilted(tilts: pl.DataFrame) -> str:
    """One sentence on how far the estimate moves if silent customers differ."""
    known = tilts.drop_nulls("est")
    if known.height < 2:
        return "There are too few answers to say how much hangs on those who did not answer"
    least, most = (known.sort("tilt").row(place, named=True) for place in (0, -1))
    return (
        f"The number lies between {percent(least['est'])} and {percent(most['est'])} if the odds that silent customers were resolved are "
        f"{number(least['odds'])} to {number(most['odds'])} times those of customers who answered"
    )


def tips(tipping: pl.DataFrame) -> list[str]:
    """Per number to compare with, one sentence on what would have to be true of silent customers to reach it."""
    goals = {"system": "the system's", "survey": "the answers' own"}
    return [
        f"Together comes to {goals.get(row['against'], 'the given')} {percent(row['threshold'])} if {row['meaning']}"
        if row["tilt"] is not None
        else f"No difference of silent customers brings both together to {goals.get(row['against'], 'the given')} {percent(row['threshold'])}"
        for row in tipping.to_dicts()
    ]


def bounded(bounds: pl.DataFrame) -> str:
    """One sentence on what can be said without any belief about silent customers."""
    if bounds.is_empty():
        return UNASKED
    row = bounds.row(0, named=True)
    silent = count(row["n"] - row["respondents"])
    return f"If none or all of the {silent} without an answer were resolved, the share lies between {percent(row['lowest'])} and {percent(row['highest'])}: honest, and too wide to act on"


def weighed(weights: pl.DataFrame) -> str:
    """One sentence on what weighing costs."""
    row = _row(weights, method="post-stratified")
    if row is None or row["effective"] is None:
        return "There are no answers to weigh"
    return f"Weighed, {count(row['respondents'])} answers say as much as {count(row['effective'])} equal ones; one answer stands for at most {number(row['largest'])} contacts"


def planned(plan: pl.DataFrame, *, half_width: float = 0.03) -> str:
    """One sentence on how many to ask, at this desk's own response where it is known."""
    rows = plan.filter((pl.col("half_width") - half_width).abs() < 1e-9).sort("own", "response")
    if rows.is_empty():
        return "Without a survey there is nothing to plan with"
    row = rows.row(-1, named=True)
    whose = "this desk's own response" if row["own"] else "a response"
    weeks = f", {number(row['weeks'])} weeks of first contacts if all are asked" if row["weeks"] is not None else ""
    margin = points(half_width, digits=0).removeprefix("+")
    return f"To be sure to within {margin}, {count(row['answers'])} answers are needed: ask {count(row['ask'])} customers at {whose} of {percent(row['response'])}{weeks}"


def liked(quality: pl.DataFrame) -> str:
    """One sentence on contacts that are resolved and liked."""
    whole = _row(quality, channel="all")
    if whole is None or whole["share"] is None:
        return "There are too few ratings of contacts that can be judged"
    left = f"; {count(whole['left_out'])} ratings on other scales are left out" if whole["left_out"] else ""
    return (
        f"{percent(whole['share'])} of {count(whole['n'])} rated first contacts are both resolved and rated top ({interval(whole['low'], whole['high'])}); "
        f"resolved {percent(whole['fcr'])}, rated top {percent(whole['top'])}, scale {whole['scale']}{left}"
    )


def laboured(effort: pl.DataFrame) -> str:
    """One sentence on effort after resolved and failed first contacts."""
    good, bad, apart = (_row(effort, verdict=name) for name in ("resolved", "failed", "difference"))
    if good is None or bad is None or apart is None or apart["low"] is None:
        return "There are too few answers about effort to compare resolved with failed first contacts"
    means = f"Effort (1 easy, 7 hard) is {number(bad['mean'])} after failed and {number(good['mean'])} after resolved first contacts"
    if apart["low"] <= 0 <= apart["high"]:
        return f"{means}: no clear difference ({number(apart['low'])} to {number(apart['high'])})"
    return f"{means}: a difference of {number(apart['mean'])} ({number(apart['low'])} to {number(apart['high'])})"


def findings(estimates: pl.DataFrame, *, figure: str) -> list[Finding]:
    """The gap between the system and its customers as a finding, where it is clear; otherwise none."""
    flag, both = (_row(estimates, estimator=name) for name in ("system", "together"))
    if flag is None or both is None or both["est"] is None or both["low"] <= flag["est"] <= both["high"]:
        return []
    apart = flag["est"] - both["est"]
    more = "more" if apart > 0 else "fewer"
    title = f"The system calls {magnitude(apart)} {more} first contacts resolved than customers would"
    text = f"Both together {percent(both['est'])} ({interval(both['low'], both['high'])}) against the system's {percent(flag['est'])}, from {count(both['respondents'])} answers."
    why = "answers weighed by verdict, channel and category; silent customers may differ in ways nobody sees"
    measure = Measure(both["est"], both["low"], both["high"], int(both["n"]), "share", "up")
    act = "Read ten contacts that the system calls resolved and the customer does not."
    return [Finding("asked-gap", "finding", title, text, measure, grade="C", why=why, action=act, figures=(figure,))]


def cautions(estimates: pl.DataFrame, *, tipping: pl.DataFrame) -> list[Finding]:
    """What a reader must know before believing the survey: one caution, where answers are few or the gap hangs on those who are silent."""
    flag, both = (_row(estimates, estimator=name) for name in ("system", "together"))
    if flag is None or both is None:
        return []
    if both["respondents"] < FEW_ANSWERS:
        text = f"Only {count(both['respondents'])} customers answered for a contact that can be judged: take what they say as a hint, not as a rate."
        return [Finding("care-asked", "care", text)]
    tip = _row(tipping, against="system")
    clear = both["est"] is not None and not both["low"] <= flag["est"] <= both["high"]
    if not clear or tip is None or tip["tilt"] is None or abs(tip["tilt"]) >= FRAGILE:
        return []
    text = f"The gap between system and customers would be gone if {tip['meaning']}; nothing in the data can say whether they are."
    return [Finding("care-asked", "care", text)]
