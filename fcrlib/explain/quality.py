"""Can this data answer which questions, and what is wrong with it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import rate, withhold

if TYPE_CHECKING:
    from fcrlib.study import Study

QUESTIONS: dict[str, tuple[str, ...]] = {
    "How often is an issue resolved on first contact?": ("has_customer",),
    "Does the customer come back about the same thing?": ("has_customer", "has_category"),
    "Which contacts are reopened?": ("has_status_history",),
    "Which contacts were closed without an answer?": ("has_messages", "has_public_flag"),
    "Which contacts bounce between teams?": ("has_group_history",),
    "What are failed contacts about, in the customers' words?": ("has_text",),
    "Do customers agree that it was resolved?": ("has_survey",),
    "What do repeat contacts cost?": ("has_cost", "has_customer"),
    "How long does the work take?": ("has_handle_time",),
}
ASKED = {
    "customer_ref": "customer",
    "account_ref": "account",
    "category": "category",
    "product_area": "product area",
    "first_group": "first team",
    "resolver_group": "resolving team",
    "resolver_agent": "resolving agent",
    "tier": "service tier",
    "language": "language",
    "body": "opening text",
    "handle_seconds": "handle time",
    "cost": "cost",
}


def tables(study: Study) -> pl.DataFrame:
    """What came in: `table`, `rows`."""
    rows = [{"table": name, "rows": frame.height} for name, frame in study.desk.tables().items()]
    return pl.DataFrame(rows, schema={"table": pl.String, "rows": pl.Int64})


def dropped(study: Study) -> pl.DataFrame:
    """What the reader left out: `what`, `count`, `why`."""
    rows = [{"what": d.what, "count": d.count, "why": d.why} for d in study.desk.manifest.dropped]
    return pl.DataFrame(rows, schema={"what": pl.String, "count": pl.Int64, "why": pl.String})


def questions(study: Study) -> pl.DataFrame:
    """Which questions this desk can answer: `question`, `answer` (yes or no), `missing` (what it lacks)."""
    rows = [
        {"question": question, "answer": "no" if (missing := study.lacks(*needs)) else "yes", "missing": "; ".join(missing)}
        for question, needs in QUESTIONS.items()
    ]
    return pl.DataFrame(rows, schema={"question": pl.String, "answer": pl.String, "missing": pl.String})


def filled(study: Study) -> pl.DataFrame:
    """How many contacts of the period have each column filled: `column`, `n`, `share`; the fullest first."""
    here = study.contacts
    rows = [
        {"column": name, "n": int(here[column].is_not_null().sum()), "share": float(here[column].is_not_null().mean() or 0)}  # type: ignore[arg-type]
        for column, name in ASKED.items()
    ]
    return pl.DataFrame(rows).sort(pl.col("share") * -1, "column")


def coverage(study: Study) -> pl.DataFrame:
    """Share of contacts whose customer is known, per channel: `channel`, then the columns of `rates.rate` and `too_few`."""
    known = rate(study.contacts.with_columns(pl.col("channel").cast(pl.String)), pl.col("customer_ref").is_not_null(), by="channel")
    return withhold(known).sort("share", "channel", nulls_last=True)


def volume(study: Study) -> pl.DataFrame:
    """Contacts opened per week over the whole desk: `week` (its Monday), `contacts`."""
    week = pl.col("opened_at").dt.convert_time_zone(study.time_zone).dt.truncate("1w").dt.date()
    counts = study.desk.contacts.group_by(week.alias("week")).agg(contacts=pl.len()).sort("week")
    return counts.upsample("week", every="1w").with_columns(pl.col("contacts").fill_null(0).cast(pl.Int64))


def oddities(study: Study) -> pl.DataFrame:
    """What looks wrong, how often, and why it matters: `oddity`, `n`, `share` of the period's contacts, `so`.

    Nothing here is repaired: a number that rests on it says so.
    """
    here = study.contacts
    crowd = here.filter(pl.col("customer_ref").is_not_null()).with_columns(held=pl.len().over("customer_ref"))
    limit = max(50, here.height // 100)
    found = {
        "no customer": (here["customer_ref"].is_null(), "cannot be seen to come back"),
        "no category": (here["category"].is_null(), "never counts as the same issue"),
        "no first resolution although closed": (here["anchor_at"].is_null() & here["closed_at"].is_not_null(), "judged as open"),
        "resolved within a minute": ((here["anchor_at"] - here["start_at"]).dt.total_seconds() < 60, "closed without work, or entered afterwards"),
        "submitted twice": (here["reason"] == "duplicate_submission", "counted once"),
        "closed without an answer": (here["reason"] == "no_response", "left out under the default definition"),
        "close to the start of the data": (here["left_truncated"], "may be a repeat of something before the data"),
        f"customers with more than {limit} contacts": (crowd["held"] > limit, "likely a shared login, a front desk or a machine"),
    }
    rows = [
        {"oddity": name, "n": int(flags.sum() or 0), "share": int(flags.sum() or 0) / here.height, "so": so} for name, (flags, so) in found.items()
    ]
    return pl.DataFrame(rows).filter(pl.col("n") > 0).sort(pl.col("n") * -1, "oddity")


def crowds(study: Study, *, most: int = 5) -> pl.DataFrame:
    """The customers with the most contacts, unnamed: `customer` (rank), `n`, `share` of the period's contacts."""
    known = study.contacts.filter(pl.col("customer_ref").is_not_null())
    largest = known.group_by("source", "customer_ref").agg(n=pl.len()).sort(pl.col("n") * -1, "source", "customer_ref").head(most)
    rank = pl.format("customer no. {}", pl.int_range(1, pl.len() + 1))
    return largest.select(customer=rank, n="n", share=pl.col("n") / study.contacts.height)


def reconciled(study: Study) -> pl.DataFrame:
    """The vendor's own counts beside the recomputed ones: `figure`, `vendor`, `ours`, `contacts` with both; empty without any."""
    events = study.desk.events
    ours = {
        "vendor_reopens": events.filter(
            (pl.col("kind") == "status") & pl.col("status_from").is_in(["solved", "closed"]) & ~pl.col("status_to").is_in(["solved", "closed"])
        ),
        "vendor_stations": events.filter(
            pl.col("kind").is_in(["assignment", "transfer"]) & (pl.col("agent_from").is_not_null() | pl.col("group_from").is_not_null())
        ),
        "vendor_replies": events.filter((pl.col("kind") == "message") & (pl.col("actor") == "agent") & pl.col("public") & ~pl.col("is_auto")),
    }
    rows = []
    for column, own in ours.items():
        told = study.desk.contacts.filter(pl.col(column).is_not_null()).select("source", "contact_id", column)
        if told.is_empty():
            continue
        both = own.join(told, on=["source", "contact_id"], how="semi")
        rows.append({"figure": column.removeprefix("vendor_"), "vendor": int(told[column].sum()), "ours": both.height, "contacts": told.height})
    return pl.DataFrame(rows, schema={"figure": pl.String, "vendor": pl.Int64, "ours": pl.Int64, "contacts": pl.Int64})


def fitness(study: Study) -> tuple[int, int]:
    """How many of the questions the desk can answer, and how many there are."""
    asked = questions(study)
    return int((asked["answer"] == "yes").sum()), asked.height
