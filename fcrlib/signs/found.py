"""Which signs of which ways of failing does each failed contact show?"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.taxonomy import NON_RESOLVABLE, UNEXPLAINED, Mode, Taxonomy, Trace
from fcrlib.signs.examples import nearest
from fcrlib.signs.traces import traces
from fcrlib.signs.words import matches, words

LEAST = 0.5  # what is believed less is a hint: shown, but never the primary way
HUMAN, FLAG, TRACE, TEXT, EXAMPLE, TOPIC, HINT = range(7)
BY = {HUMAN: "human", FLAG: "rule", TRACE: "rule", TEXT: "text", EXAMPLE: "text", TOPIC: "topic", HINT: "rule"}
SIGN = {"source": pl.String, "contact_id": pl.String, "mode": pl.String, "level": pl.Int32, "confidence": pl.Float64, "said": pl.String}


def signs(
    desk: Desk,
    outcomes: pl.DataFrame,
    *,
    taxonomy: Taxonomy,
    human: pl.DataFrame | None = None,
    topics: pl.DataFrame | None = None,
    named: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Find every sign, one row each.

    Parameters
    ----------
    outcomes
        Every contact of the desk, judged.
    human
        What people said: `source`, `contact_id`, `mode`; `unexplained` where they found that none of the modes fits.
    topics, named
        The topic of some contacts: `source`, `contact_id`, `topic`; and what some topics stand for: `topic`, `mode`, `confidence`.

    Returns
    -------
    pl.DataFrame
        `source`, `contact_id`, `mode`, `level` (place of its kind in the order human, flag, trace, text, example, topic, hint), `confidence` (0..1),
        `said` (short words, never a customer's text). What reads like an example is looked for only where nothing surer was found.

    Raises
    ------
    UsageError
        If people or topics name a mode that the taxonomy does not have, or only one of `topics` and `named` is given.
    """
    failed = outcomes.filter(pl.col("label") == "failed")
    told = words(desk, outcomes)
    found = pl.concat([pl.DataFrame(schema=SIGN), *_surer(desk, failed, told=told, taxonomy=taxonomy, human=human)])
    sure = found.filter((pl.col("confidence") >= LEAST) & (pl.col("level") < EXAMPLE)).select(KEY).unique()
    like = nearest(told.join(sure, on=KEY, how="anti"), taxonomy=taxonomy)
    reads = pl.concat_str("voice", pl.lit(": reads like examples of this"))
    near = like.select(*KEY, "mode", level=pl.lit(EXAMPLE, pl.Int32), confidence="confidence", said=reads)
    return pl.concat([found, near, _topic(topics, named, failed=failed, taxonomy=taxonomy)])


def _surer(desk: Desk, failed: pl.DataFrame, *, told: pl.DataFrame, taxonomy: Taxonomy, human: pl.DataFrame | None) -> Iterator[pl.DataFrame]:
    """The signs that do not wait for others."""
    if human is not None:
        yield _human(human, failed=failed, taxonomy=taxonomy)
    if NON_RESOLVABLE in taxonomy.slugs:
        marked = failed.filter(~pl.col("attributable").fill_null(True))
        yield _sign(marked, NON_RESOLVABLE, FLAG, pl.lit(0.95), pl.lit("marked as outside what support can resolve"))
    left = traces(desk, failed, promises=taxonomy.promises)
    for mode in taxonomy.modes:
        yield from (_trace(left, mode, sign) for sign in mode.traces)
    # Phrases that one voice matches are often the same words read twice, so only the best counts; two voices are two witnesses.
    voice = pl.col("said").str.split(":").list.first()
    said = matches(told, taxonomy=taxonomy).with_columns(voice=voice).sort(*KEY, "mode", pl.col("weight") * -1, "said")
    said = said.unique([*KEY, "mode", "voice"], keep="first", maintain_order=True)
    yield said.select(*KEY, "mode", pl.lit(TEXT, pl.Int32).alias("level"), pl.col("weight").alias("confidence"), "said")


def _sign(rows: pl.DataFrame, mode: str, level: int, confidence: pl.Expr, said: pl.Expr) -> pl.DataFrame:
    return rows.select(*KEY, mode=pl.lit(mode), level=pl.lit(level, pl.Int32), confidence=confidence, said=said.cast(pl.String))


def _trace(left: pl.DataFrame, mode: Mode, sign: Trace) -> pl.DataFrame:
    value = pl.col(sign.name)
    there = value >= sign.at_least if sign.at_least is not None else value <= sign.at_most
    level = TRACE if sign.confidence >= LEAST else HINT
    return _sign(left.filter(there.fill_null(False)), mode.slug, level, pl.lit(sign.confidence), _told(sign.name))


def _told(trace: str) -> pl.Expr:
    """A trace in a few words."""
    value, first, away = pl.col(trace), pl.col("first_team"), pl.col("away_team")
    times = pl.when(value == 1).then(pl.lit("once")).otherwise(pl.format("{} times", value.cast(pl.Int64)))
    hours = pl.format("{} hours", value.round(1))
    told = {
        "handovers": pl.format("handed over {}{}", times, pl.coalesce(pl.format(", first by {}", first), pl.lit(""))),
        "returns": pl.format("back to a team that had it {}", times),
        "quick_handover_minutes": pl.format("handed on by the first team after {} minutes", value.round(0).cast(pl.Int64)),
        "silent_handovers": pl.format("handed over {} without a note", times),
        "asked_again": pl.format("asked {} after a handover", times),
        "away_hours": pl.format("{} on hold{}", hours, pl.coalesce(pl.format(" at {}", away), pl.lit(" in another team"))),
        "hold_hours": pl.format("{} on hold", hours),
        "escalated_hold_hours": pl.format("{} on hold after an escalation", hours),
        "unowned_hours": pl.format("{} until somebody took it", hours),
        "broken_promises": pl.lit("a promise to be in touch that nothing followed"),
        "stale_article_days": pl.format("an article {} days old was sent", value.round(0).cast(pl.Int64)),
    }
    return told[trace]


def _human(human: pl.DataFrame, *, failed: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    _known(human, slugs=(*taxonomy.slugs, UNEXPLAINED), what="tags", where="contact_id", spelled="contact")
    here = human.select(*KEY, "mode").unique().join(failed.select(KEY), on=KEY, how="semi")
    none = pl.col("mode") == UNEXPLAINED
    # Whoever names a way of failing beside "none of these" has named one.
    here = here.filter(~none | none.all().over(KEY))
    said = pl.when(none).then(pl.lit("a person found that none of them fits")).otherwise(pl.lit("a person said so"))
    return here.select(*KEY, "mode", level=pl.lit(HUMAN, pl.Int32), confidence=pl.lit(1.0), said=said)


def _topic(topics: pl.DataFrame | None, named: pl.DataFrame | None, *, failed: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    if topics is None and named is None:
        return pl.DataFrame(schema=SIGN)
    if topics is None or named is None:
        raise UsageError("topics say something only together with what they stand for: give both `topics` and `named`")
    _known(named, slugs=taxonomy.slugs, what="topics", where="topic", spelled="topic")
    stands_for = named.select(pl.col("topic").cast(pl.String), "mode", "confidence").unique(maintain_order=True)
    here = topics.select(*KEY, pl.col("topic").cast(pl.String)).unique().join(failed.select(KEY), on=KEY, how="semi")
    found = here.join(stands_for, on="topic", how="inner").filter(pl.col("confidence") > 0)
    return found.select(
        *KEY, "mode", level=pl.lit(TOPIC, pl.Int32), confidence=pl.col("confidence").cast(pl.Float64), said=pl.lit("its topic stands for this")
    )


def _known(frame: pl.DataFrame, *, slugs: tuple[str, ...], what: str, where: str, spelled: str) -> None:
    """Refuse modes that the taxonomy does not have."""
    strange = frame.filter(~pl.col("mode").is_in(list(slugs)).fill_null(False))
    if strange.height:
        row = strange.row(0, named=True)
        first = f"{strange.height} of {frame.height} {what} name an unknown failure mode, e.g. '{row['mode']}' at {spelled} '{row[where]}'"
        raise UsageError(first, [f"known modes: {', '.join(slugs)}"])
