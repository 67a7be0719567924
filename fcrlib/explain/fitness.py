"""What does this desk carry: how much is known, since when, until when, and which notebooks can run on it?

Facts about the data that hold before any rate is made. Nothing is judged here but the shape of the hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.hours import hours
from fcrlib.judge.rates import share

if TYPE_CHECKING:
    from fcrlib.study import Study

IN_SHORT = {
    "has_events": "histories",
    "has_status_history": "status changes",
    "has_messages": "messages",
    "has_public_flag": "marks of internal notes",
    "has_group_history": "handovers",
    "has_text": "texts",
    "has_survey": "surveys",
    "has_handle_time": "working times",
    "has_cost": "costs",
    "has_category": "categories",
    "has_customer": "customers",
    "has_retention": "customers who left",
}
FULLY, PARTLY, NOT = "fully", "in part", "not"
_TWICE = r"(?i)\bagain\b|\btwice\b|duplicate|identical|in a conversation of the ticket already"
_RECENT = 28


@dataclass(frozen=True, slots=True)
class Notebook:
    """What a notebook asks, what it cannot do without, which sections stay empty without what, and what its numbers go without.

    Parameters
    ----------
    needs
        Capabilities without which its question has no answer.
    sections
        Heading of a section, the figure in it that stays empty, and the capabilities that this figure needs.
    counts
        Capabilities that its numbers make use of: without them it runs, and what only shows there is not counted.
    """

    question: str
    needs: tuple[str, ...] = ()
    sections: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    counts: tuple[str, ...] = ()


_JUDGED = ("has_customer", "has_category", "has_messages", "has_status_history")
_MARKED = (*_JUDGED, "has_public_flag", "has_group_history", "has_text")
NOTEBOOKS: dict[str, Notebook] = {
    "00_data_quality": Notebook(
        "Can this data answer which questions?",
        sections={"Do the labels speak one language?": ("labels-crossed", ("has_customer", "has_category"))},
    ),
    "01_baseline": Notebook(
        "How often is an issue resolved on first contact, under which definition, and how sure are we?",
        sections={
            "How much hangs on the definition": ("choices", ("has_customer", "has_category")),
            "When customers come back": ("returns", ("has_customer",)),
            "What customers say": ("asked-funnel", ("has_survey",)),
        },
        counts=(*_JUDGED, "has_public_flag", "has_group_history"),
    ),
    "02_failure_modes": Notebook(
        "Why do first contacts fail, in the words of the work?",
        sections={"What happens when a contact changes hands": ("handovers", ("has_group_history",))},
        counts=_MARKED,
    ),
    "03_reopened_topics": Notebook(
        "What are failed and reopened contacts about, and what is new?",
        needs=("has_text",),
        sections={
            "Which topics are over-represented among reopened contacts?": ("topics-reopened", ("has_status_history",)),
            "What could be written down, or answered without people?": ("articles-missing", ("has_events",)),
        },
        counts=(*_JUDGED, "has_group_history"),
    ),
    "04_drivers": Notebook("Where do first contacts fail more than they should, what changed, and why?", counts=_MARKED),
    "05_csat": Notebook(
        "What is a first-contact resolution worth?",
        needs=("has_survey",),
        sections={
            "What do failed first contacts cost?": ("cost-volume", ("has_customer", "has_category")),
            "Do customers stay?": ("retention-left", ("has_retention", "has_customer")),
        },
        counts=(*_MARKED, "has_handle_time"),
    ),
    "09_product_feedback": Notebook(
        "What should the product teams fix first, who owns it, what does it cost, and did the last fixes work?", counts=_MARKED
    ),
}


def notebooks(study: Study) -> pl.DataFrame:
    """Which notebooks can run on this desk.

    Returns
    -------
    pl.DataFrame
        `notebook`, `question`, `runs`: `fully`; `in part` where a section stays empty or its numbers go without something; `not` where its question
        has no answer; `off` (sections that stay empty, with what they lack) and `without` (what is not recorded and could not be counted), both empty
        where there is nothing to say. In the order of the notebooks.
    """
    rows = [{"notebook": name, "question": one.question, **_allowed(study, one)} for name, one in NOTEBOOKS.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("notebook", "question", "runs", "off", "without"), pl.String()))


def _allowed(study: Study, one: Notebook) -> dict[str, str]:
    def missing(needs: tuple[str, ...]) -> list[str]:
        return [IN_SHORT[name] for name in needs if not study.desk.manifest.has(name)]

    if missing(one.needs):
        return {"runs": NOT, "off": "", "without": ", ".join(missing(one.needs))}
    off = [f"{heading} (no {', no '.join(missing(needs))})" for heading, (_, needs) in one.sections.items() if missing(needs)]
    without = missing(one.counts)
    return {"runs": PARTLY if off or without else FULLY, "off": "; ".join(off), "without": ", ".join(without)}


def shares(study: Study) -> pl.DataFrame:
    """How much is known of the contacts of the period.

    Returns
    -------
    pl.DataFrame
        `what`, `of` (what the share is of), `n`, `share`, `low`, `high` (95 %, as if contacts were independent): `customer known`, `category known`,
        `opening text`, `survey offered` (null where only answers are recorded) and `survey answered` (of the offers, else of the contacts). Null with
        `n` of 0 where the desk records no such thing.
    """
    here = study.contacts
    asked = study.desk.surveys.group_by("source", "contact_id").agg(
        offered=pl.col("offered_at").is_not_null().any(), answered=pl.col("answered_at").is_not_null().any()
    )
    both = here.join(asked, on=["source", "contact_id"], how="left", maintain_order="left").with_columns(
        pl.col("offered", "answered").fill_null(False)
    )
    offers = both.filter("offered")
    # An answer without an offer beside offers is a gap of the export: then nobody knows how many were asked.
    told = offers.height > 0 and both.filter(pl.col("answered") & ~pl.col("offered")).height <= 0.1 * int(both["answered"].sum())

    def where(capability: str, yes: pl.Expr) -> pl.Expr:
        return yes if study.desk.manifest.has(capability) else pl.lit(None, pl.Boolean)

    rows = [
        _share(both, "customer known", where("has_customer", pl.col("customer_ref").is_not_null())),
        _share(both, "category known", where("has_category", pl.col("category").is_not_null())),
        _share(both, "opening text", where("has_text", pl.col("body").is_not_null())),
        _share(both, "survey offered", pl.col("offered") if told else pl.lit(None, pl.Boolean)),
        _share(offers if told else both, "survey answered", where("has_survey", pl.col("answered")), of="offers" if told else "contacts"),
    ]
    return pl.concat(rows)


def _share(rows: pl.DataFrame, what: str, yes: pl.Expr, *, of: str = "contacts") -> pl.DataFrame:
    return rows.select(share(yes)).select(pl.lit(what).alias("what"), pl.lit(of).alias("of"), pl.col("n").cast(pl.Int64), "share", "low", "high")


def clock(study: Study) -> pl.DataFrame:
    """What the hours say about the time zone: one row.

    Returns
    -------
    pl.DataFrame
        `zone` (in which days are cut), `named` (the zone that the import named), `n` contacts with a time of day, `night` (share opened between
        midnight and six), `middle` (hour; null for fewer than 200), `odd` (does it look unlike a working day?).
    """
    seen = hours(study.contacts, time_zone=study.time_zone)
    night = seen.night / seen.n if seen.n else None
    row = {"zone": study.time_zone, "named": study.desk.manifest.time_zone, "n": seen.n, "night": night, "middle": seen.middle, "odd": seen.odd}
    return pl.DataFrame([row], schema_overrides={"night": pl.Float64, "middle": pl.Float64})


def depth(study: Study) -> pl.DataFrame:
    """How far the data reach back: one row.

    Returns
    -------
    pl.DataFrame
        `first` (earliest contact of the desk), `before` (days of data before the period), `days` (of the period that the data cover), `window`
        (days within which a contact can be a repeat; null where the definition has none), `n` contacts that can be first ones, `blind` (of these,
        so near the start of the data that a previous one could not be known), `share`, `low`, `high`.
    """
    first = study.desk.contacts["opened_at"].min()
    start = study.period.bounds(time_zone=study.time_zone)[0]
    counted = study.first_contacts
    blind = pl.col("left_truncated").fill_null(False)
    window = study.policy.window
    return counted.select(share(blind), blind=blind.sum().cast(pl.Int64)).select(
        pl.lit(first).alias("first"),
        pl.lit(max((start - study.desk.manifest.data_start) / timedelta(days=1), 0.0)).alias("before"),
        pl.lit(study.days).alias("days"),
        pl.lit(window / timedelta(days=1) if window else None, pl.Float64).alias("window"),
        *("n", "blind", "share", "low", "high"),
    )


def newest(study: Study) -> pl.DataFrame:
    """How close to the data end contacts still come in: one row.

    Returns
    -------
    pl.DataFrame
        `last` (the newest contact), `data_end`, `quiet` (days between), `over` (days up to the newest over which is counted: 28, or as many as the
        data hold, at least one), `per_day` (contacts a day in these), `later` (contacts opened after the data end, which are not looked at).
    """
    end = study.desk.manifest.data_end
    opened = study.desk.contacts["opened_at"]
    inside = opened.filter(opened <= end)
    last = inside.max()
    if not isinstance(last, datetime):
        last = end
    first = inside.min()
    held = math.ceil((last - first) / timedelta(days=1)) if isinstance(first, datetime) else 0
    over = min(max(held, 1), _RECENT)
    recent = inside.filter(inside >= last - timedelta(days=over))
    row = {
        "last": last,
        "data_end": end,
        "quiet": (end - last) / timedelta(days=1),
        "over": over,
        "per_day": len(recent) / over,
        "later": len(opened) - len(inside),
    }
    return pl.DataFrame([row])


def doubled(study: Study) -> pl.DataFrame:
    """What came twice and was left out once: `what`, `count`, `why`, in the reader's order."""
    rows = [{"what": one.what, "count": one.count, "why": one.why} for one in study.desk.manifest.dropped if one.count]
    return pl.DataFrame(rows, schema={"what": pl.String, "count": pl.Int64, "why": pl.String}).filter(pl.col("why").str.contains(_TWICE))
