"""Who is who, and how well do we know it?

A contact whose customer is not known can never be seen to come back, and one person under two names comes back unseen. Two people under one name
do the opposite: they come back for each other. This room shows how much of each is left after customers have been joined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.rates import rate, withhold
from fcrlib.model import checks

if TYPE_CHECKING:
    from fcrlib.study import Study

ALL, WITHOUT = "all customers", "without the crowded ones"
_WHO = ["source", "customer_ref"]
_SHOWN = 6  # characters of a key that are shown: enough to tell two apart, too few to know anybody by


def coverage(study: Study) -> pl.DataFrame:
    """Of how many contacts is the customer known, and of how many could they be found again under another name?

    Returns
    -------
    pl.DataFrame
        One row per channel: `channel`, `n` contacts, `clusters` (customers), `share`, `low`, `high` (contacts whose customer is known), `deff`,
        `too_few`, `identified`, `identified_low`, `identified_high` (contacts whose customer has a key that is theirs alone: an e-mail address, a
        phone, an id; null where the desk has no identifiers). The least known channel first, blanks last.
    """
    here = _with_key(study)
    known = withhold(rate(here, pl.col("customer_ref").is_not_null(), by="channel", cluster="customer"))
    keyed = withhold(rate(here, pl.col("keyed"), by="channel", cluster="customer"))
    keyed = keyed.select("channel", identified="share", identified_low="low", identified_high="high")
    return known.join(keyed, on="channel", how="left", maintain_order="left").sort("share", "identified", "channel", nulls_last=True)


def joined(study: Study) -> pl.DataFrame:
    """How many names became how many people, and what would have been missed without?

    Returns
    -------
    pl.DataFrame
        One row: `names` (customers as the sources name them) and `people` in the period, `several` (people under more than one name there), `n`
        contacts, `concerned` (contacts of these people), `share`, `low`, `high` (concerned of all contacts), `repeats` (contacts of the period that
        are repeats), `across` (of these, under another name than the contact they go back to: seen only because the names were joined).
    """
    known = study.contacts.filter(pl.col("customer_ref").is_not_null())
    people = known.group_by("customer").agg(names=pl.struct(_WHO).n_unique())
    several = people.filter(pl.col("names") > 1)
    concerned = rate(study.contacts, pl.col("customer").is_in(several["customer"].implode()).fill_null(False), cluster="customer")
    repeats = study.contacts.filter(pl.col("label") == "repeat")
    return concerned.select(
        pl.lit(int(people["names"].sum())).alias("names"),
        pl.lit(people.height).alias("people"),
        pl.lit(several.height).alias("several"),
        "n",
        (pl.col("share") * pl.col("n")).round().cast(pl.Int64).alias("concerned"),
        *("share", "low", "high"),
        pl.lit(repeats.height).alias("repeats"),
        pl.lit(_across(repeats, everything=study.everything)).alias("across"),
    )


def weak(study: Study, *, most: int = 10) -> pl.DataFrame:
    """The keys that most customers have and that therefore join nobody.

    Returns
    -------
    pl.DataFrame
        `kind`, `key` (its first characters), `customers` who have it, `why` it joins nobody; the widest first.
    """
    found = study.people
    widest = found.weak if found else _empty(kind=pl.String, value=pl.String, customers=pl.UInt32, why=pl.String)
    return widest.head(most).select("kind", _short(pl.col("value")).alias("key"), "customers", "why")


def cut(study: Study) -> pl.DataFrame:
    """The groups of customers that hang together but are too large to be one person; their widest keys were let go.

    Returns
    -------
    pl.DataFrame
        `group` (by rank), `customers`, `dropped` (how many keys), `kind` and `widest` (first characters) of the widest of them; the largest first.
        Their names stand in `study.people.cut`.
    """
    found = study.people
    groups = found.cut if found else _empty(person=pl.String, customers=pl.UInt32, keys=pl.List(pl.String))
    first = pl.col("keys").list.first()
    return groups.sort(pl.col("customers").cast(pl.Int64) * -1, "person").select(
        pl.format("group no. {}", pl.int_range(1, pl.len() + 1)).alias("group"),
        "customers",
        pl.col("keys").list.len().alias("dropped"),
        first.str.extract(r"^(\w+) ").alias("kind"),
        _short(first.str.replace(r"^\w+ ", "")).alias("widest"),
    )


def refused(study: Study) -> pl.DataFrame:
    """The values that are no identifier: damaged, empty, or no address at all.

    Returns
    -------
    pl.DataFrame
        `kind`, `why`, `n` (distinct customers and values), `example` (hidden where it was hashed); the most frequent first.
    """
    found = study.people
    values = found.refused if found else _empty(kind=pl.String, why=pl.String, n=pl.UInt32, example=pl.String)
    hidden = pl.col("example").str.contains(r"^[0-9a-f]{16,64}$|^\(")
    shown = pl.when(hidden).then(pl.lit("(hidden)")).otherwise(pl.col("example").fill_null("(empty)"))
    return values.with_columns(example=shown).sort(pl.col("n").cast(pl.Int64) * -1, "kind", "why")


def crowd_limit(study: Study) -> int:
    """More contacts than this are suspicious for one customer of the period: one every working day."""
    return checks.crowd_limit(study.days)


def crowded(study: Study) -> pl.DataFrame:
    """The customers with suspiciously many contacts: likely a shared login, a front desk or a machine.

    Returns
    -------
    pl.DataFrame
        `customer` (by rank, unnamed), `n` contacts, `share` of the period's contacts, `repeat` (how many of them are repeats), `busiest_channel`; the
        busiest first.
    """
    channel = pl.col("channel").cast(pl.String).mode().sort().first()
    counted = (
        _crowd(study).join(study.contacts, on="customer").group_by("customer", "n").agg((pl.col("label") == "repeat").sum().alias("repeat"), channel)
    )
    return counted.sort(pl.col("n").cast(pl.Int64) * -1, "customer").select(
        pl.format("customer no. {}", pl.int_range(1, pl.len() + 1)).alias("customer"),
        "n",
        share=pl.col("n") / study.contacts.height,
        repeat="repeat",
        busiest_channel="channel",
    )


def without_crowds(study: Study) -> pl.DataFrame:
    """FCR with and without the contacts of the crowded customers: how much hangs on them.

    Returns
    -------
    pl.DataFrame
        `contacts` (all customers, without the crowded ones), then the columns of `rates.fcr`; the second row only where there is a crowd.
    """
    crowd = _crowd(study)
    rest = study.contacts.join(crowd, on="customer", how="anti")
    frames = {ALL: study.contacts, WITHOUT: rest} if crowd.height else {ALL: study.contacts}
    return pl.concat(study.rate(frame).select(pl.lit(name).alias("contacts"), pl.all()) for name, frame in frames.items())


def _with_key(study: Study) -> pl.DataFrame:
    """The contacts of the period with `keyed`: their customer has a key of their own; null where the desk has no identifiers."""
    here, found = study.contacts.with_columns(pl.col("channel").cast(pl.String)), study.people
    if found is None:
        return here.with_columns(keyed=pl.lit(None, pl.Boolean))
    keyed = found.known.with_columns(keyed=pl.lit(True))
    return here.join(keyed, on=_WHO, how="left", maintain_order="left").with_columns(pl.col("keyed").fill_null(False))


def _across(repeats: pl.DataFrame, *, everything: pl.DataFrame) -> int:
    """How many repeats go back to a contact of the same person under another name."""
    heads = everything.select("customer", repeat_of="contact_id", head_source="source", head_ref="customer_ref")
    pairs = repeats.select("source", "contact_id", "customer_ref", "customer", "repeat_of").join(heads, on=["customer", "repeat_of"])
    other = (pl.col("source") != pl.col("head_source")) | (pl.col("customer_ref") != pl.col("head_ref"))
    return pairs.filter(other).select("source", "contact_id").n_unique()


def _crowd(study: Study) -> pl.DataFrame:
    counts = study.contacts.filter(pl.col("customer").is_not_null()).group_by("customer").agg(n=pl.len())
    return counts.filter(pl.col("n") > crowd_limit(study))


def _short(value: pl.Expr) -> pl.Expr:
    """The first characters of a key, the mailbox whole where it is one of a role."""
    box = value.str.extract(r"^([a-z_-]+@)").fill_null("")
    kept = pl.when(box == "").then(pl.lit(_SHOWN)).otherwise(pl.lit(_SHOWN) + box.str.len_chars())
    return pl.when(value.str.len_chars() > kept).then(value.str.slice(0, kept) + "…").otherwise(value)


def _empty(**columns: pl.DataType | type[pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema=columns)
