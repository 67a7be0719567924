"""Which way of failing do the words around a failed contact read like?

Every remark is held against the examples of a taxonomy by the words and the word parts that they share. Words that stand in many examples count
little (TF-IDF), and the two closest examples of a way decide; how close they have to be was set on remarks written without knowledge of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.taxonomy import Taxonomy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

VOICES = ("customer", "note")
LEAST = 0.6  # what reads less like the examples of a way is no sign: of what is left without a surer one, much shows nothing at all
PARTS = (3, 4, 5)
_AT_ONCE = 20_000  # remarks that are compared at once: memory stays below a few hundred megabytes
_SHORTEST, _LONGEST = 25, 600  # letters of a remark that says something, and of one that is not a listing
# Logistic regression of "the closest way is the right one" on its similarity and on its lead over the next, over labelled remarks.
_BASE, _NEAR, _AHEAD = -3.5, 16.5, 7.5


def nearest(told: pl.DataFrame, *, taxonomy: Taxonomy, marked: pl.DataFrame | None = None) -> pl.DataFrame:
    """Name the way of failing whose examples the words of a contact read like, where they read like one at all.

    Parameters
    ----------
    told
        The frame of `words.words`: `source`, `contact_id`, `voice`, `text`; customers and internal notes are read.
    marked
        Sentences of contacts that people tagged, as further examples: `mode`, `text`.

    Returns
    -------
    pl.DataFrame
        One row per contact and way, sorted: `source`, `contact_id`, `mode`, `confidence` (0.6 and more), `voice`.

    Examples
    --------
    >>> text = ["nobody kept the promise to call me. thanks.", "please send me a copy of the invoice."]
    >>> told = pl.DataFrame({"source": ["zd"] * 2, "contact_id": ["1", "2"], "voice": ["customer"] * 2, "text": text})
    >>> nearest(told, taxonomy=Taxonomy.shipped()).select("contact_id", "mode").rows()
    [('1', 'deferred-promise')]
    """
    said = remarks(told.filter(pl.col("voice").is_in(VOICES)))
    scored = likeness(said["remark"].unique(maintain_order=True), taxonomy=taxonomy, marked=marked)
    believed = scored.filter(pl.col("confidence") >= LEAST)
    found = said.join(believed, on="remark", how="inner", maintain_order="left")
    best = found.sort(*KEY, "mode", "confidence", "voice", descending=[False] * 3 + [True, False]).unique(
        [*KEY, "mode"], keep="first", maintain_order=True
    )
    return best.select(*KEY, "mode", "confidence", "voice")


def remarks(told: pl.DataFrame) -> pl.DataFrame:
    """Take texts apart by line: `source`, `contact_id`, `voice`, `remark`, one row each; the very short and the very long are left out."""
    parts = told.select(*KEY, "voice", remark=pl.col("text").str.to_lowercase().str.split("\n")).explode("remark")
    parts = parts.with_columns(pl.col("remark").str.strip_chars())
    return parts.filter(pl.col("remark").str.len_chars().is_between(_SHORTEST, _LONGEST)).unique(maintain_order=True)


def likeness(said: pl.Series, *, taxonomy: Taxonomy, marked: pl.DataFrame | None = None) -> pl.DataFrame:
    """How much each remark is like the examples of the way of failing that it is most like.

    Parameters
    ----------
    said
        Remarks in small letters.

    Returns
    -------
    pl.DataFrame
        In their order: `remark`, `mode` (null where it reads most like an ordinary one), `similarity` (0..1) to its two closest
        examples, `ahead` (how much less similar anything else is), `confidence` (0..1; null with the mode).
    """
    known = _examples(taxonomy, marked=marked)
    chunks = [_compared(said.slice(start, _AT_ONCE), known=known) for start in range(0, max(said.len(), 1), _AT_ONCE)]
    chance = 1 / (1 + (-(_BASE + _NEAR * pl.col("similarity") + _AHEAD * pl.col("ahead"))).exp())
    return pl.concat(chunks).with_columns(confidence=pl.when(pl.col("mode").is_not_null()).then(chance))


def _examples(taxonomy: Taxonomy, *, marked: pl.DataFrame | None) -> pl.DataFrame:
    """What to compare with, in small letters, those of one way together; ordinary ones have no mode and come first."""
    rows = [(None, text) for text in taxonomy.ordinary] + [(mode.slug, text) for mode in taxonomy.modes for text in mode.examples]
    known = pl.DataFrame(rows, schema={"mode": pl.String, "text": pl.String}, orient="row")
    known = known if marked is None else pl.concat([known, marked.select("mode", "text")])
    return known.select("mode", remark=pl.col("text").str.to_lowercase().str.replace_all("[’‘`´]", "'")).sort("mode", "remark")


def _compared(said: pl.Series, *, known: pl.DataFrame) -> pl.DataFrame:
    """The closest way and its lead over the next, for some remarks."""
    schema = {"remark": pl.String, "mode": pl.String, "similarity": pl.Float64, "ahead": pl.Float64}
    if said.is_empty() or known.is_empty():
        return pl.DataFrame(schema=schema).clear(n=said.len()).with_columns(remark=said, similarity=pl.lit(0.0), ahead=pl.lit(0.0))
    import numpy as np

    near = _cosines(said, examples=known["remark"])
    spans = known.with_row_index("at").group_by("mode", maintain_order=True).agg(first=pl.col("at").first(), n=pl.len())
    by_mode = [np.sort(near[:, first : first + n], axis=1)[:, -2:].mean(axis=1) for _, first, n in spans.iter_rows()]
    table = np.column_stack([np.zeros(said.len()), *by_mode])
    ranked = np.sort(table, axis=1)
    mode = pl.concat([pl.Series("mode", [None], pl.String), spans["mode"]]).gather(pl.Series(table.argmax(axis=1)))
    return pl.DataFrame({"remark": said, "mode": mode, "similarity": ranked[:, -1], "ahead": ranked[:, -1] - ranked[:, -2]}, schema=schema)


def _cosines(said: pl.Series, *, examples: pl.Series) -> npt.NDArray[np.float64]:
    """The cosine of every remark with every example: the mean of that over words and that over word parts."""
    import numpy as np
    from scipy.sparse import csr_matrix

    told = pl.concat([examples.alias("remark"), said.alias("remark")]).to_frame().with_row_index("i")
    words = told.select("i", word=pl.col("remark").str.extract_all(r"[\p{L}\d']+")).explode("word").drop_nulls()
    vocabulary = words.select(pl.col("word").unique().sort()).with_row_index("j")
    found = words.join(vocabulary, on="word", maintain_order="left")
    counts = csr_matrix((np.ones(found.height), (found["i"].to_numpy(), found["j"].to_numpy())), shape=(told.height, vocabulary.height))
    blocks = [_cosine(counts, features, n=examples.len()) for features in (vocabulary.select("j", feature="word"), _parts(vocabulary))]
    return (blocks[0] + blocks[1]) / 2


def _parts(vocabulary: pl.DataFrame) -> pl.DataFrame:
    """The runs of three to five letters in each word, with its ends marked: `j`, `feature`."""
    ends = vocabulary.select("j", word=pl.format(" {} ", "word"), size=pl.col("word").str.len_chars().cast(pl.Int64) + 2)
    runs = (
        ends.with_columns(start=pl.int_ranges(0, (pl.col("size") - width + 1).clip(lower_bound=0))).explode("start").drop_nulls("start")
        .select("j", feature=pl.col("word").str.slice(pl.col("start"), width))
        for width in PARTS
    )  # fmt: skip
    return pl.concat(list(runs))


def _cosine(counts: Any, features: pl.DataFrame, *, n: int) -> npt.NDArray[np.float64]:
    """The cosines between the first `n` rows and the others, after TF-IDF with the weights of the first."""
    import numpy as np
    from scipy.sparse import csr_matrix, diags

    index = features.select(pl.col("feature").unique().sort()).with_row_index("k")
    found = features.join(index, on="feature", maintain_order="left")
    shape = (counts.shape[1], index.height)
    there = counts @ csr_matrix((np.ones(found.height), (found["j"].to_numpy(), found["k"].to_numpy())), shape=shape)
    seen = np.asarray((there[:n] > 0).sum(axis=0)).ravel()
    weighted = there @ diags(np.log((1 + n) / (1 + seen)) + 1)
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    unit = diags(1 / np.maximum(length, 1e-12)) @ weighted
    return np.asarray((unit[n:] @ unit[:n].T).todense())
