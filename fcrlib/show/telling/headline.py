"""How is the rate told: what it is, how it moved, what a reader must know before believing it, and which segments stand apart?

A difference is only called one when its interval leaves out zero; the more segments are compared, the wider the interval has to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.judge.rates import MIN_CONTACTS, MIN_CUSTOMERS, difference, mature, rate, withhold
from fcrlib.model.finding import Change, Finding, Measure, Moved
from fcrlib.model.numbers import count, interval, magnitude, percent, points
from fcrlib.show.names import capital, slug

if TYPE_CHECKING:
    from fcrlib.study import Study

REASONS = {
    "repeat_contact": "was followed by another about the same issue",
    "reopened": "was reopened",
    "parallel_contact": "was chased while still open",
    "unresolved": "was still open at the deadline",
    "deferred": "was resolved too late to count",
    "transferred": "was transferred",
    "escalated": "was escalated",
    "survey_no": "was called unresolved by the customer",
    "extra_customer_reply": "needed more messages from the customer",
    "extra_agent_reply": "needed more replies",
    "several_agents": "needed several agents",
    "put_on_hold": "was put on hold",
    "no_response": "was closed without an answer",
    "auto_closed": "was closed for inactivity",
    "spam": "spam",
    "deleted": "deleted",
    "merged": "merged into another",
    "internal": "internal",
    "test": "test",
    "side_conversation": "side conversation",
    "company_initiated": "outreach without a reply",
    "abandoned": "abandoned by the customer",
    "duplicate_submission": "sent twice",
    "open": "not resolved yet",
    "window": "window still open",
    "not_started": "not started by the data end",
    "no_answer": "survey not answered",
}


def reasons_in_words(frame: pl.DataFrame) -> pl.DataFrame:
    """Spell the column `reason` for people."""
    return frame.with_columns(pl.col("reason").replace(REASONS).fill_null(""))


def counted(study: Study) -> str:
    """One sentence on how many contacts are in the rate."""
    head = study.headline
    waiting = head["n"] - head["resolved"] - head["failed"]
    still = f", {count(waiting)} of them for as long as they were seen" if waiting else ""
    return f"{count(head['n'])} of {count(study.contacts.height)} contacts are in the rate{still}"


def headline(study: Study) -> list[Finding]:
    """The finding that heads the report, its summary sentences and its key figures."""
    head, before = study.headline, study.before()
    then = before.headline if before else None
    summary = [_counted(study), _changed(study, then), _failing(study)]
    return [
        Finding("fcr-headline", "headline", _state_of(study, then), " ".join(summary), _measure(head)),
        Finding("fcr", "kpi", f"First contact resolution ({study.policy.name})", measure=_measure(head), change=_moved(study, then)),
        _share_failed(study, "repeat_contact", "Came back about the same issue", "has_customer"),
        _share_failed(study, "reopened", "Reopened", "has_status_history"),
        _share_excluded(study),
    ]


def _measure(head: dict[str, Any]) -> Measure:
    if _too_few(head):
        return Measure(None, n=int(head["n"]), good="up")
    return Measure(head["share"], head["low"], head["high"], int(head["n"]), "share", "up")


def _too_few(head: dict[str, Any]) -> bool:
    """Does a rate rest on too few contacts or customers to be given?"""
    return head["share"] is None or head["n"] < MIN_CONTACTS or head["clusters"] < MIN_CUSTOMERS


def _state_of(study: Study, then: dict[str, Any] | None) -> str:
    share = percent(study.headline["share"])
    if study.headline["share"] is None:
        return f"No contact {study.period.when} can be judged yet"
    if _too_few(study.headline):
        return f"Too few contacts {study.period.when} to say how many issues were resolved on first contact ({count(study.headline['n'])})"
    if study.lacks(*study.policy.needs()):
        return f"At most {share} of issues were resolved on first contact {study.period.when}: failures of some kinds are not recorded"
    if then is None:
        return f"{share} of issues were resolved on first contact {study.period.when}"
    moved = difference(study.headline, then)
    if not moved.is_clear:
        return f"First contact resolution held at {share}: no clear change against {study.period.previous().label}"
    return f"First contact resolution {'rose' if moved.value > 0 else 'fell'} {magnitude(moved.value)} to {share}"


def _moved(study: Study, then: dict[str, Any] | None) -> Change | None:
    """How the rate moved since the period before, by one definition; None where the two cannot be compared."""
    if then is None or _too_few(study.headline) or _too_few(then) or study.policy.window is None:
        return None
    gap = difference(study.headline, then)
    label: Moved = ("up" if gap.value > 0 else "down") if gap.is_clear else "within noise"
    return Change(label, then["share"], gap.value, previous=study.period.previous().label)


def _counted(study: Study) -> str:
    head = study.headline
    waiting = head["n"] - head["resolved"] - head["failed"]
    rate = f"{percent(head['share'])}, 95 % interval {interval(head['low'], head['high'])}"
    known = f" The customer is known for {percent(_known(study))} of all contacts."
    if not waiting:
        return f"Of {count(head['n'])} first contacts that can be judged, {count(head['resolved'])} were resolved ({rate}).{known}"
    return (
        f"Of {count(head['n'])} first contacts, {count(head['resolved'])} are resolved, {count(head['failed'])} failed, and {count(waiting)} are "
        f"still inside the window; counted for as long as they were seen, that makes {rate}.{known}"
    )


def _changed(study: Study, then: dict[str, Any] | None) -> str:
    if study.policy.window is None:
        return "This definition waits for no window, so older contacts have had more time to fail: periods cannot be compared."
    if then is None or study.headline["share"] is None or then["share"] is None:
        return "There is no earlier period to compare with."
    moved = difference(study.headline, then)
    return f"{capital(study.period.previous().when)} it was {percent(then['share'])}: a difference of {points(moved.value)} ({points(moved.low)} to {points(moved.high)})."


def _failing(study: Study) -> str:
    head = study.headline
    counts = study.contacts.filter(pl.col("label") == "failed").group_by("reason").len().sort("len", "reason", descending=[True, False])
    if counts.is_empty():
        return "No first contact failed."
    reason, n = counts.row(0)
    return f"Of the {count(head['failed'])} that failed, {percent(n / head['failed'], digits=0)} failed first because the contact {REASONS[reason]}."


def _share_failed(study: Study, reason: str, title: str, *needs: str) -> Finding:
    if study.lacks(*needs):
        return Finding(reason.replace("_", "-"), "kpi", title, measure=Measure(None, good="down"))
    judged = mature(study.contacts)
    asked = rate(judged, pl.col("reasons").list.contains(reason).fill_null(False), cluster="customer")
    found = withhold(asked).row(0, named=True)
    return Finding(reason.replace("_", "-"), "kpi", title, measure=Measure(found["share"], found["low"], found["high"], found["n"], "share", "down"))


def _share_excluded(study: Study) -> Finding:
    out = rate(study.contacts, pl.col("label") == "excluded", cluster="customer").row(0, named=True)
    return Finding("excluded", "kpi", "Contacts left out of the rate", measure=Measure(out["share"], out["low"], out["high"], out["n"]))


def cautions(study: Study) -> list[Finding]:
    """What a reader must know before believing a number of this study."""
    return [found for found in (_pending(study), _identity(study), _unrecorded(study), _young(study)) if found]


def _pending(study: Study) -> Finding | None:
    head = study.headline
    everyone = head["resolved"] + head["failed"] + head["pending"]
    if head["pending"] < 0.02 * max(1, everyone):
        return None
    share = percent(head["pending"] / everyone)
    text = f"{count(head['pending'])} contacts ({share}) are still pending: the rate could end anywhere from {percent(head['lowest'])} to {percent(head['highest'])}."
    return Finding("care-pending", "care", text)


def _identity(study: Study) -> Finding | None:
    known = _known(study)
    text = f"Only {percent(known)} of the contacts name a customer; the others can never be seen to come back."
    return Finding("care-identity", "care", text) if known < 0.98 else None


def _known(study: Study) -> float:
    """Share of the contacts of the period that name a customer."""
    return float(study.contacts.select(pl.col("customer").is_not_null().mean()).item() or 0.0)


def _unrecorded(study: Study) -> Finding | None:
    missing = study.lacks("has_messages", "has_status_history", "has_customer", "has_category")
    text = f"This desk does not record {'; nor '.join(missing)}. What only shows there is not counted."
    return Finding("care-missing", "care", text) if missing else None


def _young(study: Study) -> Finding | None:
    young = int(study.first_contacts["left_truncated"].sum())
    text = f"{count(young)} first contacts lie so close to the start of the data that they may be repeats of contacts before it."
    return Finding("care-left-edge", "care", text) if young else None


def spread(segments: pl.DataFrame, *, by: str, noun: str, overall: float | None) -> str:
    """One sentence on a set of segments: which one clearly stands apart from the whole, if any does.

    Parameters
    ----------
    segments
        `by`, `share`, `apart` (from `rates.stand_apart`); blank shares are passed over.
    noun
        What a segment is, e.g. `channel`.
    overall
        The share of everything together.
    """
    known = segments.drop_nulls("share")
    if overall is None or known.height < 2:
        return f"This desk does not tell one {noun} from another well enough to compare them"
    apart = known.filter("apart").sort("share", by)
    if apart.is_empty():
        return f"No {noun} stands clearly apart from the {percent(overall)} of all together"
    worst, best = apart.row(0, named=True), apart.row(-1, named=True)
    row, word = (worst, "least") if worst["share"] < overall else (best, "most")
    return f"{capital(str(row[by]))} resolves {word} on first contact: {percent(row['share'])} against {percent(overall)} of all"


def places(study: Study, segments: pl.DataFrame, *, by: str, noun: str, figure: str, most: int = 2) -> list[Finding]:
    """The segments clearly below the whole, as places to look: each a finding with its figure.

    A place is not a cause: what arrives there may simply be harder. That is what its grade says.
    """
    low = segments.filter(pl.col("apart") & (pl.col("share") < study.headline["share"])).sort("share", by).head(most)
    return [_place(study, row, by=by, noun=noun, figure=figure) for row in low.to_dicts()]


def _place(study: Study, row: dict[str, Any], *, by: str, noun: str, figure: str) -> Finding:
    name, whole = str(row[by]), study.headline
    missed = (whole["share"] - row["share"]) * row["n"]
    return Finding(
        f"{slug(noun)}-{slug(name)}",
        "finding",
        f"{capital(name)} ({noun}) resolves {magnitude(whole['share'] - row['share'])} less on first contact than all together",
        f"Of {count(row['n'])} first contacts, {percent(row['share'])} were resolved ({interval(row['low'], row['high'])}), against {percent(whole['share'])} "
        f"of all. At the rate of all together, about {count(missed)} more would have been.",
        Measure(row["share"], row["low"], row["high"], int(row["n"]), "share", "up"),
        grade="D",
        why="a raw difference; what arrives here may be harder",
        action=f"Read ten failed contacts of this {noun} and note what the customer came back for.",
        figures=(figure,),
        details={"place": f"{by}={name}"},
    )


def main_reason(failures: pl.DataFrame) -> str:
    """One sentence on what failed contacts fail by."""
    if failures.is_empty():
        return "No first contact failed"
    top = failures.row(0, named=True)
    return f"{percent(top['share'])} of the failed contacts have this in common: the contact {REASONS[top['reason']]}"
