"""Which contacts of one customer are worded alike, so that they may be about one issue?"""

from __future__ import annotations

import polars as pl

LOOK_BACK = 5
THRESHOLD = 0.35
_NOISE = "hi|hello|hey|dear|thanks|thank|you|please|help|regards|best|kind|team|support|the|and|for|with|that|this|from|have|are|our|your"


def similar_pairs(contacts: pl.DataFrame, *, threshold: float = THRESHOLD, look_back: int = LOOK_BACK) -> pl.DataFrame:
    """Pairs of contacts of one customer whose opening texts share enough words.

    Similarity is Jaccard's index of the two sets of words (three letters or more, greetings left out). Each contact is
    held against the customer's previous `look_back` contacts only, so the cost grows with the contacts, not their square.

    Parameters
    ----------
    contacts
        `i`, `source`, `customer_ref`, `start_at`, `subject`, `body`.
    threshold
        Smallest similarity that counts; calibrate it with an audit sample before trusting it.

    Returns
    -------
    pl.DataFrame
        `early`, `late`: row numbers `i`, in the order of customer and start.
    """
    spoken = contacts.filter(pl.col("customer_ref").is_not_null()).sort("source", "customer_ref", "start_at", "i").with_columns(words=words())
    pairs = [_pairs_back(spoken, step=step, threshold=threshold) for step in range(1, look_back + 1)]
    return pl.concat(pairs).sort("late", "early")


def _pairs_back(spoken: pl.DataFrame, *, step: int, threshold: float) -> pl.DataFrame:
    both = spoken.with_columns(early=pl.col("i").shift(step), before=pl.col("words").shift(step))
    same = (pl.col("customer_ref") == pl.col("customer_ref").shift(step)) & (pl.col("source") == pl.col("source").shift(step))
    return both.filter(same & (jaccard("words", "before") >= threshold)).select("early", late="i")


def words(subject: str = "subject", body: str = "body") -> pl.Expr:
    """The set of words of a text by which it is compared: three letters or more, greetings left out."""
    text = pl.concat_str(subject, body, separator=" ", ignore_nulls=True).str.to_lowercase()
    return text.str.extract_all(r"\p{L}{3,}").list.unique(maintain_order=True).list.set_difference(_NOISE.split("|"))


def jaccard(one: str, other: str) -> pl.Expr:
    """Share of the words in two columns of `words` that both have; null where neither has any.

    Examples
    --------
    >>> frame = pl.DataFrame({"a": [["invoice", "wrong"]], "b": [["invoice", "paid", "wrong"]]})
    >>> round(frame.select(jaccard("a", "b")).item(), 3)
    0.667
    """
    shared = pl.col(one).list.set_intersection(other).list.len()
    either = pl.col(one).list.set_union(other).list.len()
    return pl.when(either > 0).then(shared / either)
