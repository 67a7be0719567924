"""Why do first contacts fail, in the words of the work?

Every failed contact gets the ways of failing that its history and its words show, and one of them is its primary one. What shows none is
`unexplained`, a row of its own in every frame. A tag is a reading of signs, not a proof of what went wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.costs import total
from fcrlib.judge.rates import MIN_CONTACTS, MIN_CUSTOMERS, beyond_chance, difference, mature, rate, withhold
from fcrlib.model.columns import KEY, NOT_KNOWN
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Taxonomy
from fcrlib.signs.found import BY, HINT, HUMAN, LEAST, signs
from fcrlib.signs.words import heard, says

if TYPE_CHECKING:
    from fcrlib.model.desk import Desk
    from fcrlib.study import Study

SURE = 0.99
ALL, UNMARKED, RESOLVABLE = "all", "without those marked", "without those that show it too"
RANK = {
    "mode": pl.String, "name": pl.String, "bone": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "cumulative": pl.Float64, "cost": pl.Float64, "cost_low": pl.Float64, "cost_high": pl.Float64, "confidence": pl.Float64, "apart": pl.Boolean,
}  # fmt: skip
_CHANGE = ("rate", "before", "change", "change_low", "change_high")
LEAST_PAIR = 5  # contacts of a place that must fail one way before anything is said of the two
STATED = {
    "by": pl.String, "place": pl.String, "mode": pl.String, "name": pl.String, "bone": pl.String, "n": pl.Int64, "failed": pl.Int64,
    "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "share_failed": pl.Float64, "elsewhere": pl.Float64, "clear": pl.Boolean,
    "grade": pl.String,
}  # fmt: skip
_COMPARED = {name: dtype for name, dtype in STATED.items() if name not in ("clear", "grade")} | dict.fromkeys(
    ("gap", "gap_low", "gap_high"), pl.Float64
)


def tag(
    desk: Desk,
    outcomes: pl.DataFrame,
    *,
    taxonomy: Taxonomy | None = None,
    human: pl.DataFrame | None = None,
    topics: pl.DataFrame | None = None,
    named: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Say of every failed contact which ways of failing it shows, and which comes first.

    A person's word comes before the mark "outside what support can resolve", that before traces in the history, those before phrases in words,
    those before words that read like examples, those before topics, and all before hints; at the same place the better supported one, then the
    one that stands first in the taxonomy.

    Parameters
    ----------
    desk
        `contacts`, `events`, `agents` and `articles` are read.
    outcomes
        Every contact of the desk, judged (columns of `judge.outcomes.judge`).
    taxonomy
        The ways of failing; the shipped ones by default.
    human
        What people said: `source`, `contact_id`, `mode`; `unexplained` where they found that none of the modes fits, which comes before every rule.
        Contacts that did not fail are passed over.
    topics, named
        Where a topic model was run: `source`, `contact_id`, `topic`, and what some of the topics stand for: `topic`, `mode`, `confidence`.

    Returns
    -------
    pl.DataFrame
        One row per failed contact and mode: `source`, `contact_id`, `mode`, `name`, `bone`, `by` (rule, text, topic, human; null where no sign is
        believed enough), `confidence` (0..1, signs taken as independent; null where unexplained), `evidence` (short words, never a customer's text),
        `primary` (one per contact). Sorted by contact, the primary one first.

    Raises
    ------
    UsageError
        If people or topics name a mode that the taxonomy does not have, or only one of `topics` and `named` is given.
    """
    known = taxonomy or Taxonomy.shipped()
    failed = outcomes.filter(pl.col("label") == "failed")
    shown = signs(desk, outcomes, taxonomy=known, human=human, topics=topics, named=named)
    order = {slug: place for place, slug in enumerate((*known.slugs, UNEXPLAINED))}
    place = pl.col("mode").replace_strict(order, return_dtype=pl.Int32)
    belief = pl.min_horizontal(pl.lit(SURE), 1 - (1 - pl.col("confidence")).product())
    found = shown.sort(*KEY, "mode", "level", "confidence", "said", descending=[False] * 4 + [True, False]).group_by(
        *KEY, "mode", maintain_order=True
    )
    tags = found.agg(level=pl.col("level").min(), confidence=belief, evidence=pl.col("said").str.join("; "))
    believed = tags.filter((pl.col("confidence") >= LEAST) | (pl.col("level") == HUMAN)).select(KEY).unique()
    blank = failed.select(KEY).join(believed, on=KEY, how="anti")
    unexplained = blank.select(*KEY, mode=pl.lit(UNEXPLAINED), level=pl.lit(HINT, pl.Int32), confidence=pl.lit(None, pl.Float64))
    everything = pl.concat([tags, unexplained.with_columns(evidence=pl.lit("no sign that is believed enough"))])
    usable = ((pl.col("confidence") >= LEAST) | (pl.col("level") == HUMAN)).fill_null(True)
    ranked = everything.with_columns(usable=usable, place=place).sort(
        *KEY, "usable", "level", "confidence", "place", descending=[False, False, True, False, True, False]
    )
    named_one = pl.col("mode") != UNEXPLAINED
    by = pl.when(named_one | (pl.col("level") == HUMAN)).then(pl.col("level").replace_strict(BY, return_dtype=pl.String))
    told = {"by": by, "confidence": pl.when(named_one).then("confidence"), "primary": pl.int_range(pl.len()).over(KEY) == 0}
    return ranked.with_columns(*_named(known), **told).select(*KEY, "mode", "name", "bone", "by", "confidence", "evidence", "primary")


def tagged(
    study: Study,
    *,
    taxonomy: Taxonomy | None = None,
    human: pl.DataFrame | None = None,
    topics: pl.DataFrame | None = None,
    named: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The tags of the contacts that failed in the period of a study (columns of `tag`).

    By the study's own taxonomy, and with what people said of its failures, unless others are given.
    """
    said = study.marks.modes if human is None and study.marks else human
    everything = tag(study.desk, study.outcomes, taxonomy=taxonomy or study.taxonomy, human=said, topics=topics, named=named)
    return everything.join(study.contacts.select(KEY), on=KEY, how="semi", maintain_order="left")


def _named(taxonomy: Taxonomy) -> list[pl.Expr]:
    """Name and bone of the modes; what is unexplained is something that the data does not tell."""
    names: dict[str, str] = {UNEXPLAINED: UNEXPLAINED, **{mode.slug: mode.name for mode in taxonomy.modes}}
    bones: dict[str, str] = {UNEXPLAINED: "data", **{mode.slug: mode.bone for mode in taxonomy.modes}}
    return [pl.col("mode").replace_strict(what, return_dtype=pl.String).alias(name) for name, what in (("name", names), ("bone", bones))]


def rank(
    tags: pl.DataFrame, *, outcomes: pl.DataFrame, most: int = 5, unit_cost: float | None = None, costs: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The ways of failing by size, each failed contact counted once.

    Parameters
    ----------
    tags
        The frame of `tag`; its primary modes are counted.
    outcomes
        The judged contacts to count: `source`, `contact_id`, `label`, `customer`.
    most
        How many modes get a row of their own; the rest is added up.
    unit_cost
        What one failed contact costs, in the currency of the caller: the simple way, where `costs` are not known.
    costs
        What followed each failed contact cost (columns of `judge.costs.follow_up_cost`).

    Returns
    -------
    pl.DataFrame
        `mode`, `name`, `bone`, `n` failed contacts, `share` of all failed contacts with `low`, `high` (95 %, by customer), `cumulative` share,
        `cost` with `cost_low`, `cost_high` (95 %, by customer; null where it is not known of every contact), `confidence` (mean belief in the tags;
        null for the unexplained), `apart` (its interval lies above that of the next mode). Largest first, then the other modes together (mode null),
        the unexplained last.

    Examples
    --------
    >>> outcomes = pl.DataFrame({"source": ["zd"] * 3, "contact_id": list("123"), "label": ["failed"] * 3, "customer": list("abb")})
    >>> modes = ["wrong-routing", "wrong-routing", UNEXPLAINED]
    >>> tags = outcomes.select(*KEY, mode=pl.Series(modes), name=pl.Series(modes), bone=pl.lit("process"), confidence=0.8, primary=True)
    >>> rank(tags, outcomes=outcomes, unit_cost=9.0).select("mode", "n", "cost", "cumulative").rows()
    [('wrong-routing', 2, 18.0, 0.6666666666666666), ('unexplained', 1, 9.0, 1.0)]
    """
    failed = outcomes.filter(pl.col("label") == "failed").select(*KEY, "customer")
    first = failed.join(tags.filter("primary"), on=KEY, how="inner", maintain_order="left")
    if first.is_empty():
        return pl.DataFrame(schema=RANK)
    if costs is not None:
        first = first.join(costs.select(*KEY, "cost"), on=KEY, how="left", maintain_order="left")
    else:
        first = first.with_columns(cost=pl.lit(unit_cost, pl.Float64))
    sizes = first.filter(pl.col("mode") != UNEXPLAINED).group_by("mode", "name", "bone").agg(size=pl.len()).sort(pl.col("size") * -1, "mode")
    rows = [_row(first, pl.col("mode") == row["mode"], row["mode"], row["name"], row["bone"]) for row in sizes.head(most).to_dicts()]
    rest = sizes["mode"].slice(most)
    if rest.len():
        rows.append(_row(first, pl.col("mode").is_in(rest.implode()), None, f"{rest.len()} other ways" if rest.len() > 1 else "1 other way", None))
    rows.append(_row(first, pl.col("mode") == UNEXPLAINED, UNEXPLAINED, UNEXPLAINED, "data"))
    if first["cost"].null_count() == first.height:
        rows = [row.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("cost", "cost_low", "cost_high")) for row in rows]
    next_high = pl.col("high").shift(-1)
    is_mode = pl.int_range(pl.len()) < min(most, sizes.height) - 1
    table = pl.concat(rows).with_columns(cumulative=pl.col("n").cum_sum() / first.height)
    return table.with_columns(apart=(is_mode & (pl.col("low") > next_high)).fill_null(False)).select(list(RANK))


def _row(first: pl.DataFrame, what: pl.Expr, mode: str | None, name: str, bone: str | None) -> pl.DataFrame:
    texts = [pl.lit(value, pl.String).alias(column) for column, value in (("mode", mode), ("name", name), ("bone", bone))]
    n, confidence = first.select(what.sum(), believed=pl.col("confidence").filter(what).mean()).row(0)
    share = rate(first, what, cluster="customer").select(*texts, pl.lit(n, pl.Int64).alias("n"), "share", "low", "high")
    return pl.concat([share, total(first, what=what)], how="horizontal").with_columns(confidence=pl.lit(confidence, pl.Float64))


def against_before(
    ranked: pl.DataFrame, *, tags: pl.DataFrame, study: Study, taxonomy: Taxonomy | None = None, human: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Set the ranking of a study beside the period before.

    Shares of the failed contacts add up to one, so that all others fall when one rises; what is compared is therefore the share of all first
    contacts that failed each way, of those whose verdict is final.

    Parameters
    ----------
    ranked, tags
        The frames of `rank` and `tagged` for `study`.
    human
        What people said of both periods. What they said of one alone is left out of both, and so are topics: a sample that was read on one side
        would look like a change.

    Returns
    -------
    pl.DataFrame
        `ranked` with `rate` (share of all first contacts that failed this way), `before` (the same in the period before), `change` in points / 100
        with `change_low`, `change_high` (95 %, by customer), `change_clear` (by more than chance among so many ways would do) and `coverage_moved` (the
        share of failures without a sign is clearly another one, so that the ways cannot be compared; the same in every row). All of them null where
        no earlier period can be compared.
    """
    earlier = study.before()
    if earlier is None or ranked.is_empty():
        flags = [pl.lit(None, pl.Boolean).alias(name) for name in ("change_clear", "coverage_moved")]
        return ranked.with_columns(*(pl.lit(None, pl.Float64).alias(name) for name in _CHANGE), *flags)
    by_hand = tags["by"].is_in(["human", "topic"]).any()
    alike = tag(study.desk, study.outcomes, taxonomy=taxonomy or study.taxonomy, human=human)
    now, then = _with_mode(study.contacts, alike if by_hand else tags), _with_mode(earlier.contacts, alike)
    own = ranked["mode"].drop_nulls()
    ways = [pl.col("mode") == mode if mode else ~pl.col("mode").is_in(own.implode()) for mode in ranked["mode"]]
    rates = [pl.concat([withhold(rate(rows, way.fill_null(False), cluster="customer")) for way in ways]) for rows in (now, then)]
    moved = difference(*(frame.with_row_index("row") for frame in rates), by="row")
    gaps = moved.select("before", rate="now", change="value", change_low="low", change_high="high").select(_CHANGE)
    table = _beyond_chance(pl.concat([ranked, gaps], how="horizontal"), gap="change", compared=ranked.height).rename({"clear": "change_clear"})
    blank = [withhold(rate(rows.drop_nulls("mode"), pl.col("mode") == UNEXPLAINED, cluster="customer")) for rows in (now, then)]
    return table.with_columns(coverage_moved=pl.lit(difference(*blank)["clear"][0], pl.Boolean))


def _with_mode(contacts: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The contacts whose verdict is final, with the primary mode of those that failed."""
    return mature(contacts).join(tags.filter("primary").select(*KEY, "mode", "name", "bone"), on=KEY, how="left", maintain_order="left")


def _beyond_chance(table: pl.DataFrame, *, gap: str, compared: int) -> pl.DataFrame:
    """Mark gaps (`gap`, `gap_low`, `gap_high`) that leave out zero however many are compared."""
    value, low, high = pl.col(gap), pl.col(f"{gap}_low"), pl.col(f"{gap}_high")
    return table.with_columns(clear=beyond_chance(value, below=value - low, above=high - value, compared=compared))


def statements(tags: pl.DataFrame, *, contacts: pl.DataFrame, by: str | Sequence[str]) -> pl.DataFrame:
    """Where is a way of failing clearly more frequent than elsewhere, counted over all first contacts there?

    Parameters
    ----------
    contacts
        Judged contacts with the columns of `rates.mature`, `customer` and those of `by`; only those whose verdict is final are counted.
    by
        Columns whose levels are the places. Places of different columns overlap, so that one cluster of failures may show in several.

    Returns
    -------
    pl.DataFrame
        Only pairs of a place and a way of failing that are clear among all pairs that were compared, the most contacts above elsewhere first: `by`
        (the column), `place`, `mode`, `name`, `bone`, `n` first contacts there, `failed` of them this way, `share` = failed / n with `low`, `high`
        (95 %, by customer), `share_failed` (of the contacts that failed there), `elsewhere` (the share at all other places of the column), `clear`,
        `grade` (D: a comparison as found, nothing is held equal). Places with fewer than 30 contacts or 10 customers are left out, and so are pairs
        of fewer than 5 contacts.
    """
    columns = [by] if isinstance(by, str) else list(by)
    rows = _with_mode(contacts, tags)
    places = [pl.col(one).cast(pl.String).fill_null(NOT_KNOWN) for one in columns]
    rows = rows.with_columns(places)
    pairs = pl.concat([_pairs(rows, by=one) for one in columns])
    likely = pairs.filter("likely")
    found = pl.concat([pl.DataFrame(schema=_COMPARED), *(_stated(rows, row) for row in likely.to_dicts())])
    clear = _beyond_chance(found, gap="gap", compared=pairs.height).filter("clear").with_columns(grade=pl.lit("D"))
    return clear.sort((pl.col("elsewhere") - pl.col("share")) * pl.col("n"), "by", "place", "mode").select(list(STATED))


def _pairs(rows: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Every pair of a place and a mode; `likely` are those worth the exact comparison: above elsewhere, and not by plain chance."""
    whole = rows.height
    places = rows.group_by(pl.col(by).alias("place")).agg(
        n=pl.len(),
        customers=pl.col("customer").drop_nulls().n_unique() + pl.col("customer").null_count(),
        all_failed=(pl.col("label") == "failed").sum(),
    )
    modes = rows.filter(pl.col("mode").is_not_null() & (pl.col("mode") != UNEXPLAINED)).group_by("mode", "name", "bone").agg(everywhere=pl.len())
    there = rows.group_by(pl.col(by).alias("place"), "mode").agg(failed=pl.len())
    enough = places.filter((pl.col("n") >= MIN_CONTACTS) & (pl.col("customers") >= MIN_CUSTOMERS) & (pl.col("n") < whole))
    pairs = enough.join(modes, how="cross").join(there, on=["place", "mode"], how="left").with_columns(pl.col("failed").fill_null(0))
    here, rest = pl.col("failed") / pl.col("n"), (pl.col("everywhere") - pl.col("failed")) / (whole - pl.col("n"))
    plain = (here * (1 - here) / pl.col("n")).sqrt()
    pairs = pairs.with_columns(by=pl.lit(by), likely=(pl.col("failed") >= LEAST_PAIR) & (here - rest > plain))
    return pairs.select("by", "place", "mode", "name", "bone", "all_failed", "likely").sort("place", "mode")


def _stated(rows: pl.DataFrame, pair: dict[str, str | int]) -> pl.DataFrame:
    """One pair: its share among all contacts there and everywhere else."""
    here, it = pl.col(str(pair["by"])) == pair["place"], (pl.col("mode") == pair["mode"]).fill_null(False)
    there, away = (withhold(rate(rows.filter(side), it, cluster="customer")) for side in (here, ~here))
    failed = rows.select((here & it).sum()).item()
    told = there.select(
        *(pl.lit(pair[name]).alias(name) for name in ("by", "place", "mode", "name", "bone")),
        pl.col("n").cast(pl.Int64).alias("n"), pl.lit(failed, pl.Int64).alias("failed"), "share", "low", "high",
        share_failed=pl.lit(failed / max(int(pair["all_failed"]), 1)),
    )  # fmt: skip
    gap = difference(there, away).select(gap="value", gap_low="low", gap_high="high")
    return pl.concat([told, away.select(elsewhere="share"), gap], how="horizontal")


def coverage(tags: pl.DataFrame) -> pl.DataFrame:
    """What do the primary tags rest on?

    Returns
    -------
    pl.DataFrame
        `by` (human, also where people found that no mode fits; rule: marks and traces in the history; text, topic, unexplained), `n` failed
        contacts, `share` of them, `confidence` (mean; null where unexplained). In that order, only what there is.
    """
    order = pl.Enum(["human", "rule", "text", "topic", UNEXPLAINED])
    first = tags.filter("primary").with_columns(pl.col("by").fill_null(UNEXPLAINED).cast(order))
    table = first.group_by("by").agg(n=pl.len().cast(pl.Int64), confidence=pl.col("confidence").mean()).sort("by")
    return table.select(pl.col("by").cast(pl.String), "n", share=pl.col("n") / pl.col("n").sum(), confidence="confidence")


def resolvable(tags: pl.DataFrame, *, contacts: pl.DataFrame) -> pl.DataFrame:
    """FCR with and without what support could not have resolved.

    Contacts that are marked so are left out whether they failed or not. Where the signs alone say so, only failed contacts can be left out, since
    only these are searched for signs: the last row is an upper end, not a rate to compare with others.

    Parameters
    ----------
    contacts
        Judged contacts with the columns of `rates.mature`, `attributable` and `customer`; only those whose verdict is final are counted.

    Returns
    -------
    pl.DataFrame
        `part` (all, without those marked, without those that show it too), `n`, `left_out` contacts, `share` (FCR) with `low`, `high` (95 %, by
        customer; null where too few).
    """
    judged = mature(contacts)
    shows = tags.filter(pl.col("primary") & (pl.col("mode") == NON_RESOLVABLE)).select(KEY)
    unmarked = judged.filter(pl.col("attributable").fill_null(True))
    parts = {ALL: judged, UNMARKED: unmarked, RESOLVABLE: unmarked.join(shows, on=KEY, how="anti")}
    rates = [withhold(rate(rows, pl.col("label") == "resolved", cluster="customer")).with_columns(part=pl.lit(name)) for name, rows in parts.items()]
    return pl.concat(rates).select(
        "part", pl.col("n").cast(pl.Int64), pl.lit(judged.height).sub(pl.col("n")).cast(pl.Int64).alias("left_out"), "share", "low", "high"
    )


def quoted(study: Study, tags: pl.DataFrame, *, taxonomy: Taxonomy | None = None, stated: pl.DataFrame | None = None, most: int = 2) -> pl.DataFrame:
    """What customers wrote when they came back: the lines in which the words of a way of failing stand.

    Parameters
    ----------
    stated
        The frame of `statements`: quotes are then given for each of its rows, from the contacts of its place.

    Returns
    -------
    pl.DataFrame
        `by`, `place` (null without `stated`), `mode`, `ref` (source:contact_id), `text` (redacted when it was read; plain text, never to be
        interpreted): at most `most` for each, no line twice, of the contacts whose primary tag is believed most.
    """
    sure = tags.filter(pl.col("primary") & (pl.col("by") == "text")).select(*KEY, "mode", "confidence")
    lines = heard(study.desk, study.outcomes).filter(pl.col("voice") == "customer").join(sure, on=KEY, how="inner", maintain_order="left")
    lines = lines.with_columns(pl.col("text").str.split("\n")).explode("text").with_columns(pl.col("text").str.strip_chars())
    plain = pl.col("text").str.to_lowercase().str.replace_all("[’‘`´]", "'")
    said = [
        lines.filter((pl.col("mode") == mode.slug) & says(plain, patterns))
        for mode in (taxonomy or study.taxonomy).modes
        if (patterns := [one for phrase in mode.phrases if phrase.voice in ("customer", "any") for one in phrase.patterns])
    ]
    found = _at_places(pl.concat([lines.clear(), *said]), study=study, stated=stated)
    place = ["by", "place", "mode"]
    found = found.sort(*place, pl.col("confidence") * -1, *KEY, maintain_order=True)
    short = found.unique([*place, "text"], keep="first", maintain_order=True).unique([*place, *KEY], keep="first", maintain_order=True)
    return short.group_by(place, maintain_order=True).head(most).select(*place, ref=pl.concat_str(*KEY, separator=":"), text="text")


def _at_places(lines: pl.DataFrame, *, study: Study, stated: pl.DataFrame | None) -> pl.DataFrame:
    """The lines once for each stated place that their contact belongs to."""
    nowhere = [pl.lit(None, pl.String).alias(name) for name in ("by", "place")]
    if stated is None:
        return lines.with_columns(nowhere)
    parts = [lines.clear().with_columns(nowhere)]
    for by in stated["by"].unique(maintain_order=True):
        place = pl.col(by).cast(pl.String).fill_null(NOT_KNOWN)
        here = (
            study.contacts.select(*KEY, by=pl.lit(by), place=place).join(stated, on=["by", "place"], how="inner").select(*KEY, "by", "place", "mode")
        )
        parts.append(lines.join(here, on=[*KEY, "mode"], how="inner", maintain_order="left").select(parts[0].columns))
    return pl.concat(parts)
