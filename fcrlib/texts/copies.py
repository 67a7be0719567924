"""Which texts are nearly the same?

In an outage hundreds of customers send nearly the same sentence, and forms send the same text with another number. Such texts count once when
topics are sought, or the copies make a topic of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]
    Codes = NDArray[np.int64]

ALIKE = 0.8
SHORT = 5  # different words; shorter texts are the same only if their words are
BANDS, ROWS = 5, 2  # finds a pair that shares 0.8 of its parts in 994 of 1,000 cases


def copies(texts: pl.Series, *, alike: float = ALIKE) -> pl.Series:
    """Give nearly equal texts the same number.

    Two texts are nearly equal if they have the same set of words and pairs of words, or share at least `alike` of them (Jaccard's index); numbers
    are all one word, small and large letters the same. What is nearly equal to a text nearly equal to a third belongs together with it.

    Parameters
    ----------
    texts
        The texts (null is the empty text).
    alike
        Smallest similarity of texts of five different words or more.

    Returns
    -------
    pl.Series
        A number per text, counted in the order in which the texts come first.

    References
    ----------
    Broder (1997), Compression and Complexity of Sequences, 21-29 (shingles and their smallest hashes). Leskovec, Rajaraman and Ullman (2014), Mining
    of Massive Datasets, section 3.4 (bands).

    Examples
    --------
    >>> copies(pl.Series(["Job 7 hangs", "the export is empty today", "job 8812 hangs!"])).to_list()
    [0, 1, 0]
    """
    frame = pl.DataFrame({"words": _words(texts)})
    one = frame.select(pl.col("words").list.unique().list.sort().list.join(" ").rank("dense").cast(pl.Int64) - 1).to_series().to_numpy()
    if not one.size:
        return pl.Series([], dtype=pl.Int64)
    first = np.unique(one, return_index=True)[1]
    groups = _joined(_parts(frame["words"].gather(first)), alike=alike)[one]
    rows = pl.DataFrame({"group": groups}).with_row_index("row")
    return rows.select(pl.col("row").min().over("group").rank("dense").cast(pl.Int64).alias("copy") - 1).to_series()


def _words(texts: pl.Series) -> pl.Series:
    plain = (
        texts.fill_null("").str.to_lowercase().str.replace_all(r"\[[a-z ]+\]", " ").str.replace_all(r"[\p{L}_-]*\p{Nd}[\p{L}\p{Nd}.,:/_-]*", " 0 ")
    )
    return plain.str.extract_all(r"[\p{L}\p{M}]+|0")


def _parts(words: pl.Series) -> pl.Series:
    """The set of words and of pairs of neighbours of each text, as numbers."""
    held = pl.DataFrame({"row": np.arange(len(words)), "words": words}).explode("words", empty_as_null=True)
    pair = pl.when(pl.col("row") == pl.col("row").shift(-1)).then(pl.concat_str("words", pl.col("words").shift(-1), separator=" "))
    both = pl.concat([held.select("row", part="words"), held.select("row", part=pair)]).drop_nulls()
    sets = both.select("row", pl.col("part").hash(seed=1)).group_by("row").agg(pl.col("part").unique().sort())
    return pl.DataFrame({"row": np.arange(len(words))}).join(sets, on="row", how="left", maintain_order="left")["part"]


def _joined(parts: pl.Series, *, alike: float) -> Codes:
    """The number of the group of each set."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    size = len(parts)
    long = parts.list.len().fill_null(0).to_numpy() >= 2 * SHORT - 1
    rows = np.flatnonzero(long)
    if rows.size < 2:
        return np.arange(size)
    candidates = _candidates(parts.gather(rows))
    pairs = pl.DataFrame({"a": rows[candidates[:, 0]], "b": rows[candidates[:, 1]]})
    a, b = parts.gather(pairs["a"]), parts.gather(pairs["b"])
    shared = a.list.set_intersection(b).list.len()
    near = (shared / (a.list.len() + b.list.len() - shared) >= alike).to_numpy()
    kept = pairs.filter(pl.Series(near)).to_numpy()
    graph = sparse.coo_matrix((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _candidates(parts: pl.Series) -> Codes:
    """Pairs of sets that share a band of smallest hashes: each with the first and with the one before it in its bucket."""
    flat, ends = parts.explode().to_numpy(), np.cumsum(parts.list.len().cast(pl.Int64).to_numpy())
    starts = np.concatenate([[0], ends[:-1]])
    random = np.random.default_rng(20_260_101)
    found = []
    for _ in range(BANDS):
        key = np.zeros(len(parts), np.uint64)
        for factor in random.integers(1, 2**63, size=ROWS, dtype=np.uint64) * 2 + 1:
            # The high bits of a product with an odd factor are the well mixed ones.
            key = key * np.uint64(0x9E3779B97F4A7C15) + (np.minimum.reduceat(_mixed(flat * factor), starts))
        order = np.argsort(key, kind="stable")
        new = np.concatenate([[True], key[order][1:] != key[order][:-1]])
        leader = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
        found += [np.stack([leader, order], axis=1)[~new], np.stack([order[:-1], order[1:]], axis=1)[~new[1:]]]
    return np.unique(np.concatenate(found), axis=0)


def _mixed(values: Numbers) -> Numbers:
    """The final steps of a 64-bit mixer, so that the smallest of the products is a fair draw."""
    mixed = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    return np.asarray(mixed ^ (mixed >> np.uint64(29)), np.uint64)
