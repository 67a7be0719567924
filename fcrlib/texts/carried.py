"""Which topic of the last period is this one?

The contacts that both assignments know say so: a topic is the same if most of its contacts were in one topic and most of that topic's are here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fcrlib.model.columns import known
from fcrlib.model.errors import DataError, UsageError

KEY = ("source", "contact_id")
KINDS = ("same", "split", "merged", "new")


def carried(
    before: pl.DataFrame, after: pl.DataFrame, *, topic: str = "topic", keys: Sequence[str] = KEY, least: float = 0.5, swallowed: float = 0.2
) -> pl.DataFrame:
    """Hold the topics of this period against those of the last one by the contacts that are in both.

    Parameters
    ----------
    before, after
        One row per contact: `keys` and `topic` (null, no topic, is carried over from nowhere). The later one is usually a joint fit of both periods.
    least
        A topic comes from another if more than this share of what is known of it lay there; and the other went here if more than this share did.
    swallowed
        A second topic that went here counts as merged in once it makes up this share of what is known of the topic; smaller ones are passed over.

    Returns
    -------
    pl.DataFrame
        One row per later topic, sorted: `topic`, `n` contacts, `n_known` of them that lay in a topic before, `kind`, `of` (the earlier topics it comes
        from, the largest part first; of a new one empty), `share_from` (of `n_known` that lay in the first of them), `share_to` (of the first one's
        contacts that are here; both null where nothing is known). The kinds: `merged` (two or more went here), `same` (most of it lay in one, and most
        of that one is here), `split` (most of it lay in one, but most of that one, or half of it, is elsewhere), `new` (anything else).

    Raises
    ------
    UsageError
        For columns that are not there, or shares outside 0..1.
    DataError
        If there are no rows, or a contact is there twice.

    Examples
    --------
    >>> before = pl.DataFrame({"source": "zd", "contact_id": list("abcdefgh"), "topic": [1] * 6 + [2] * 2})
    >>> after = pl.DataFrame({"source": "zd", "contact_id": list("abcdefghij"), "topic": [7] * 4 + [8] * 2 + [9] * 2 + [5] * 2})
    >>> carried(before, after).select("topic", "kind", "of").rows()
    [(5, 'new', []), (7, 'same', [1]), (8, 'split', [1]), (9, 'same', [2])]
    """
    _checked(before, after, topic=topic, keys=keys, shares={"least": least, "swallowed": swallowed})
    then, now = (frame.filter(pl.col(topic).is_not_null()).select(*keys, pl.col(topic).alias("topic")) for frame in (before, after))
    both = now.join(then.rename({"topic": "was"}), on=list(keys), how="inner")
    # Only contacts in both can have moved; a topic whose old contacts left the data has not shrunk.
    pairs = both.group_by("topic", "was").agg(k=pl.len()).with_columns(n_known=pl.col("k").sum().over("topic"), n_was=pl.col("k").sum().over("was"))
    pairs = pairs.with_columns(share_from=pl.col("k") / pl.col("n_known"), share_to=pl.col("k") / pl.col("n_was")).sort(
        "topic", "k", "was", descending=[False, True, False]
    )
    told = pairs.group_by("topic", maintain_order=True).agg(
        n_known=pl.col("n_known").first().cast(pl.Int64), was=pl.col("was").first(), share_from=pl.col("share_from").first(),
        share_to=pl.col("share_to").first(), parts=pl.col("was").filter((pl.col("share_to") > least) & (pl.col("share_from") >= swallowed)),
    )  # fmt: skip
    table = now.group_by("topic").agg(n=pl.len().cast(pl.Int64)).sort("topic").join(told, on="topic", how="left", maintain_order="left")
    mine, theirs = pl.col("share_from") > least, pl.col("share_to") > least
    kind = pl.when(pl.col("parts").list.len() > 1).then(pl.lit("merged")).when(mine & theirs).then(pl.lit("same")).when(mine).then(pl.lit("split"))
    table = table.with_columns(kind=kind.otherwise(pl.lit("new")), n_known=pl.col("n_known").fill_null(0))
    of = pl.when(pl.col("kind") == "merged").then("parts").when(pl.col("kind") != "new").then(pl.concat_list("was"))
    # Nothing is known of a topic without old contacts: its list is empty, its shares are null.
    table = table.with_columns(of=of.otherwise(pl.col("parts").fill_null([]).list.head(0)))
    return table.select(pl.col("topic").alias(topic), "n", "n_known", "kind", "of", "share_from", "share_to")


def _checked(before: pl.DataFrame, after: pl.DataFrame, *, topic: str, keys: Sequence[str], shares: dict[str, float]) -> None:
    if wrong := [f"{name} is {value}" for name, value in shares.items() if not 0 <= value <= 1]:
        raise UsageError("shares lie between 0 and 1", wrong)
    for frame in (before, after):
        known(frame, [*keys, topic])
    sides = {"before": before, "after": after}
    twice = [
        f"{name}: {extra:,} of {frame.height:,} rows repeat a contact, e.g. {repeated.select(keys).row(0)}; keep one row each"
        for name, frame in sides.items()
        if (extra := (repeated := frame.filter(pl.struct(keys).is_duplicated())).height)
    ]
    if twice:
        raise DataError("a contact can be in one topic only", twice)
