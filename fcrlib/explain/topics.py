"""What do customers write about?

Topics are found in all texts together, and named by the phrases that set them apart. How sure an assignment is, and whether a topic would be
found again, stands beside each. A topic says what was written, not why a contact failed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.model.columns import KEY
from fcrlib.model.errors import DataError, LibraryError, UsageError
from fcrlib.texts.carried import carried
from fcrlib.texts.communities import NOBODY, SMALLEST, Communities, Held, Places, by_size, communities
from fcrlib.texts.embedding import DEFAULT, Embedder, Floats, library
from fcrlib.texts.embedding import embedder as embedding_of
from fcrlib.texts.openings import openings
from fcrlib.texts.phrases import LONGEST_PHRASE, NOTHING_SHARED, label, phrases, telling
from fcrlib.texts.readable import WORD, gist, readable
from fcrlib.texts.reading import Reading, reading, unread, why_not
from fcrlib.texts.renames import renamed

if TYPE_CHECKING:
    from fcrlib.study import Study

GRANULARITY = {"coarse": 1.0, "middle": 3.0, "fine": 6.0}
"""Resolution of the communities."""
FEWEST, STABLE, SHOWN = 20, 0.75, 5
SURE, DOUBTFUL, NONE = "sure", "doubtful", "none"
Granularity = Literal["coarse", "middle", "fine"]
Way = Literal["communities", "classic"]
_CARRIED: dict[str, Any] = {"kind": pl.String, "of": pl.List(pl.Int32), "share_from": pl.Float64, "share_to": pl.Float64}
_INSIDE: dict[str, Any] = {
    "topic": pl.Int32, "label": pl.String, "n": pl.Int64, "share": pl.Float64, "stability": pl.Float64, "stable": pl.Boolean, "quote": pl.String,
}  # fmt: skip
_WAYS = ("communities", "classic")
_FORMAT, _NEVER = 1, "(never said)"
_MODEL, _PLACES, _FRAME = "model.json", "places.safetensors", "bertopic"
_TOPICS: dict[str, Any] = {
    "topic": pl.Int32, "n": pl.Int64, "distinct": pl.Int64, "sure": pl.Float64, "label": pl.String, "phrases": pl.List(pl.String),
    "representatives": pl.List(pl.Int64), "stability": pl.Float64, "stable": pl.Boolean, "fingerprint": pl.String,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class TopicModel:
    """Topics as they were found, frozen: asking for new texts changes nothing.

    Parameters
    ----------
    documents
        One row per text in its order: `row` (0, 1, ...), `topic` (null where there is none), `confidence` (cosine to the centre of its topic
        less that to the nearest other; below zero another is nearer), `level` (sure, doubtful, none). A text is doubtful where another topic is
        nearly as near, or where nine of ten texts of its topic lie nearer to another of it: so a tenth at least are always doubtful.
    topics
        One row per topic, in the order of its number (which means nothing across fits): `topic`, `n` texts, `distinct` ones among them, `sure`
        (share of the texts), `label`, `phrases` (the most telling first), `representatives` (rows of the texts nearest to its centre),
        `stability` (0..1, how much of it is found again in samples; null where it was not looked for), `stable` (0.75 or more), `fingerprint`
        (the same for the same texts).
    places
        Centres and examples of the topics, for new texts.
    embedder, granularity, seed, way
        How it was made.
    frame
        The BERTopic object.
    """

    documents: pl.DataFrame
    topics: pl.DataFrame
    places: Places
    embedder: Embedder
    granularity: str
    seed: int
    way: str
    frame: Any

    def assign(self, texts: Sequence[str | None] | pl.Series) -> pl.DataFrame:
        """Put single new texts into the topics as they stand.

        This is for texts that come one by one. Whether a topic is new or grows is asked of one fit of both periods. A text that was fitted may
        be put elsewhere here: it lay among texts then, and lies beside centres now.

        Returns
        -------
        pl.DataFrame
            `row`, `topic`, `runner_up` (the next nearest), `confidence`, `level`, as in `documents`.
        """
        read = _read(texts)
        rows = self.embedder.embed(read["read"].to_list())
        told = (read["gist"] != "").to_numpy() & (np.abs(rows).sum(axis=1) > 0)
        held = self.places.held(rows)
        found = _told(np.where(told, held.own, NOBODY).astype(np.int32), held)
        other = pl.when(pl.col("topic").is_not_null()).then(_number(pl.Series(held.other)))
        return found.select("row", "topic", other.alias("runner_up"), "confidence", "level")

    def as_bertopic(self) -> Any:
        """The BERTopic object, for its own pictures and reductions.

        Its documents are the distinct texts as they were read, in the order of their words. Its topic numbers are those of this model; what it
        is told to merge or reduce changes that object and not this model. After loading it knows no representative documents.
        """
        return self.frame

    def save(self, folder: Path | str) -> None:
        """Write JSON, parquet and safetensors: nothing that could run when it is read, and no text of a customer.

        Phrases that three texts share are written, and the vectors of up to 100 texts a topic: keep it where the desk is kept.
        """
        home = Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        made = {"format": _FORMAT, "embedder": self.embedder.name, "granularity": self.granularity, "seed": self.seed, "way": self.way}
        (home / _MODEL).write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        self.documents.write_parquet(home / "documents.parquet")
        self.topics.write_parquet(home / "topics.parquet")
        library("safetensors.numpy").save_file(asdict(self.places), home / _PLACES)
        # Told a name, BERTopic would look for a model of that name on the network when it is loaded.
        self.frame.save(home / _FRAME, serialization="safetensors", save_ctfidf=True, save_embedding_model=True)


def fit(
    texts: Sequence[str | None] | pl.Series,
    *,
    embedder: str | Embedder = DEFAULT,
    granularity: Granularity = "middle",
    seed: int = 0,
    way: Way = "communities",
) -> TopicModel:
    """Find topics in texts.

    Parameters
    ----------
    texts
        One per contact, cleaned of greetings and quotes; null and empty ones have no topic. Texts with the same words count once.
    embedder
        `wordllama` (needs no download), `sentence-transformers:FOLDER` (a model of yours), or an object that embeds.
    granularity
        `coarse`, `middle` or `fine` topics.
    seed
        The same seed gives the same result to the byte, whatever the number of threads and the order of the texts.
    way
        `communities`, or `classic` for BERTopic's own pipeline (needs `umap-learn` and `hdbscan`; its stability is not looked for).

    Raises
    ------
    UsageError
        For another word, or a library that is not installed.
    DataError
        If there are fewer than 20 distinct texts.

    References
    ----------
    Grootendorst (2022), arXiv:2203.05794, section 3.3 (class-based TF-IDF).

    Examples
    --------
    Fit all texts of a desk, and see what there is::

        model = topics.fit(openings["text"])
        model.topics
    """
    if granularity not in GRANULARITY or way not in _WAYS:
        said = [f"granularity '{granularity}': say coarse, middle or fine", f"way '{way}': say communities or classic"]
        known = (granularity in GRANULARITY, way in _WAYS)
        raise UsageError("topics cannot be found this way", [word for word, fine in zip(said, known, strict=True) if not fine])
    means = embedding_of(embedder)
    read = _read(texts)
    distinct = _distinct(read)
    rows = means.embed(distinct["read"].to_list())
    found = _classic(rows, seed=seed) if way == "classic" else communities(rows, resolution=GRANULARITY[granularity], seed=seed)
    frame, of = _framed(distinct["read"], rows, found.of, means=means)
    stability = np.full(of.max(initial=NOBODY) + 1, np.nan)
    # BERTopic has its own order among topics of the same size.
    known = of != NOBODY
    stability[of[known]] = found.stability[found.of[known]]
    places = Places.among(rows, of)
    told = _told(of, places.held(rows, of)).drop("row").with_columns(distinct["gist"], distinct["first"], near=_nearness(rows, places, of))
    documents = read.select("row", "gist").join(told, on="gist", how="left", maintain_order="left")
    documents = documents.with_columns(pl.col("level").fill_null(NONE))
    topics = _topics(documents, told, frame=frame, stability=stability)
    return TopicModel(documents.select("row", "topic", "confidence", "level"), topics, places, means, granularity, seed, way, frame)


def of_study(
    study: Study, *, against: str = "previous", granularity: Granularity = "fine", embedder: str | Embedder = DEFAULT, seed: int = 0
) -> Reading:
    """Find the topics of a study's first contacts and of those of the earlier period together.

    Parameters
    ----------
    against
        The earlier period, as in `Study.sides`.

    Returns
    -------
    Reading
        Without a model, and with a note, where the desk has no texts or fewer than 20 different ones.
    """
    earlier = study.earlier(against)
    within = study.period.covers(pl.col("start_at"), time_zone=study.time_zone)
    before = earlier.covers(pl.col("start_at"), time_zone=study.time_zone) if earlier else pl.lit(value=False)
    judged = study.everything.filter(within | before).with_columns(later=within)
    texts = openings(study.desk, judged)
    representative = texts.filter("representative").sort(KEY)
    try:
        model = fit(representative["text"], embedder=embedder, granularity=granularity, seed=seed)
    except DataError:
        return unread(judged, texts, notes=(why_not(study.desk, texts, fewest=FEWEST),))
    except LibraryError as lacking:
        if embedder != DEFAULT:
            raise
        return unread(judged, texts, notes=(f"Topics are not looked for: {lacking.what}.",))
    return reading(judged, texts, documents=model.documents, topics=model.topics, model=model)


def named(study: Study, found: Reading, *, against: str = "previous") -> pl.DataFrame:
    """The topics under the names that people gave them, and what they were in the last period.

    The last period is read by itself (with the one before it), as its own report did; its topics are held against these by the contacts in both.

    Returns
    -------
    pl.DataFrame
        The topics of the reading with `name`, `named_by` (analyst, carried, found) and `kind`, `of`, `share_from`, `share_to` as `texts.carried.carried`
        has them, null where there is no last period with topics.
    """
    model, earlier = found.model, study.earlier(against)
    if model is not None and earlier is not None:
        before = of_study(replace(study, period=earlier), against=against, granularity=model.granularity, embedder=model.embedder, seed=model.seed)
        if before.model is not None:
            over = carried(before.documents, found.documents)
            told = renamed(found.topics, names=study.names, carried=over, before=before.topics)
            return told.join(over.select("topic", *_CARRIED), on="topic", how="left", maintain_order="left")
    return renamed(found.topics, names=study.names).with_columns(pl.lit(None, kind).alias(name) for name, kind in _CARRIED.items())


def inside(reading: Reading, *, topics: Sequence[int], seed: int = 0) -> pl.DataFrame:
    """What the failed contacts of some topics are about more closely: a second, finer fit inside each.

    Returns
    -------
    pl.DataFrame
        `topic`, `label` (of the sub-theme), `n` failed contacts, `share` of those of the topic, `stability`, `stable`, `quote`; the largest first within
        each topic, in the order asked for. Topics with fewer than 20 different texts of failed contacts are not there.
    """
    failed = reading.now.filter("failed").select(*KEY, "topic").join(reading.texts.select(*KEY, "text"), on=KEY, how="inner").sort(KEY)
    parts = [pl.DataFrame(schema=_INSIDE)]
    for topic in topics:
        texts = failed.filter(pl.col("topic") == topic)["text"]
        try:
            found = fit(texts, embedder=reading.model.embedder if reading.model else DEFAULT, granularity="fine", seed=seed)
        except DataError:
            continue  # too few texts to be told apart more finely
        quotes = pl.Series([texts[rows[0]] if len(rows) else None for rows in found.topics["representatives"].to_list()], dtype=pl.String)
        rows = found.topics.with_columns(quote=quotes, share=pl.col("n") / texts.len(), topic=pl.lit(topic, pl.Int32))
        parts.append(rows.select(list(_INSIDE)).sort(pl.col("n") * -1, "label"))
    return pl.concat(parts)


def load(folder: Path | str, *, embedder: Embedder | None = None) -> TopicModel:
    """Read a model that `save` wrote.

    Parameters
    ----------
    embedder
        The object that embedded, where it was none of those that have a name here.

    Raises
    ------
    DataError
        If the folder holds no such model, or one of another version.
    UsageError
        If what it was made with is not installed.
    """
    home = Path(folder)
    parts = [_MODEL, "documents.parquet", "topics.parquet", _PLACES, _FRAME]
    lost = [f"'{part}' is not there" for part in parts if not (home / part).exists()]
    if lost:
        raise DataError(f"'{home}' holds no topic model: fit one and save it there", lost)
    try:
        made = json.loads((home / _MODEL).read_text(encoding="utf-8"))
    except ValueError as problem:
        raise DataError(f"'{home / _MODEL}' cannot be read: fit and save the model anew", [str(problem)]) from problem
    if not isinstance(made, dict) or made.get("format") != _FORMAT:
        raise DataError(f"'{home}' holds a topic model of another version of this library: fit and save it anew")
    means = embedder or embedding_of(str(made["embedder"]))
    tensors: dict[str, Any] = library("safetensors.numpy").load_file(home / _PLACES)
    frame = library("bertopic").BERTopic.load(str(home / _FRAME), embedding_model=_backend(means))
    documents, topics = (pl.read_parquet(home / f"{name}.parquet", glob=False) for name in ("documents", "topics"))
    return TopicModel(documents, topics, Places(**tensors), means, made["granularity"], made["seed"], made["way"], frame)


def _read(texts: Sequence[str | None] | pl.Series) -> pl.DataFrame:
    said = pl.Series("said", texts, dtype=pl.String, strict=True).fill_null("")
    read = pl.DataFrame({"said": said}).with_row_index("row").select(pl.col("row").cast(pl.Int64), read=readable(pl.col("said")))
    return read.with_columns(gist=gist(pl.col("read")))


def _distinct(read: pl.DataFrame) -> pl.DataFrame:
    """One text for each gist, in the order of the gists, so that neither copies nor the order of the rows matter."""
    told = read.filter(pl.col("gist") != "")
    distinct = told.group_by("gist").agg(pl.col("read").min(), first=pl.col("row").min()).sort("gist")
    if distinct.height < FEWEST:
        empty = f"{read.height - told.height:,} of {read.height:,} texts have no words"
        alike = f"{told.height:,} have, and {distinct.height:,} of these differ in their words; {FEWEST} are needed"
        raise DataError("there are too few texts to find topics in: take a longer period, or read them", [empty, alike])
    return distinct


def _number(of: pl.Series) -> pl.Series:
    return of.cast(pl.Int32).set(of == NOBODY, None)


def _told(of: npt.NDArray[np.int32], held: Held) -> pl.DataFrame:
    told = pl.DataFrame({"topic": _number(pl.Series(of)), "confidence": held.margin.astype(np.float64), "sure": held.sure}).with_row_index("row")
    somewhere = pl.col("topic").is_not_null()
    return told.select(
        pl.col("row").cast(pl.Int64),
        "topic",
        confidence=pl.when(somewhere).then("confidence"),
        level=pl.when(somewhere & pl.col("sure")).then(pl.lit(SURE)).when(somewhere).then(pl.lit(DOUBTFUL)).otherwise(pl.lit(NONE)),
    )


def _nearness(rows: Floats, places: Places, of: npt.NDArray[np.int32]) -> pl.Series:
    return pl.Series(np.einsum("ij,ij->i", rows, places.centres[of]) if len(places.centres) else np.zeros(len(rows)))


def _topics(documents: pl.DataFrame, told: pl.DataFrame, *, frame: Any, stability: npt.NDArray[np.float64]) -> pl.DataFrame:
    known = told.filter(pl.col("topic").is_not_null())
    marks = known.sort("gist").group_by("topic", maintain_order=True).agg("gist")
    nearest = (
        known.sort("near", "gist", descending=[True, False])
        .group_by("topic")
        .agg(distinct=pl.len().cast(pl.Int64), representatives=pl.col("first").head(SHOWN))
    )
    sizes = documents.filter(pl.col("topic").is_not_null()).group_by("topic").agg(n=pl.len().cast(pl.Int64), sure=(pl.col("level") == SURE).mean())
    named = pl.DataFrame(
        [
            (topic, label(said), said or [NOTHING_SHARED], _mark(gists))
            for topic, gists in marks.select(pl.col("topic"), "gist").iter_rows()
            for said in [[phrase for phrase, _ in frame.get_topic(topic) if phrase]]
        ],
        schema={name: _TOPICS[name] for name in ("topic", "label", "phrases", "fingerprint")},
        orient="row",
    )
    graded = pl.DataFrame({"topic": np.arange(len(stability), dtype=np.int32), "stability": stability}).with_columns(
        pl.col("stability").fill_nan(None)
    )
    whole = sizes.join(nearest, on="topic").join(named, on="topic").join(graded, on="topic").with_columns(stable=pl.col("stability") >= STABLE)
    return whole.select(pl.col(name).cast(kind) for name, kind in _TOPICS.items()).sort("topic")


def _mark(gists: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(gists).encode(), digest_size=8).hexdigest()


class _Telling:
    """Keeps the phrases of each topic that tell it; BERTopic asks it after its class-based TF-IDF."""

    def extract_topics(
        self, model: Any, documents: Any, c_tf_idf: Any, topics: dict[int, list[tuple[str, float]]]
    ) -> dict[int, list[tuple[str, float]]]:
        """The phrases and scores of each topic, fewer than before."""
        return {topic: telling(scored) or [("", 0.0)] for topic, scored in topics.items()}


def _framed(read: pl.Series, rows: Floats, of: npt.NDArray[np.int32], *, means: Embedder) -> tuple[Any, npt.NDArray[np.int32]]:
    """A BERTopic object around topics that were found elsewhere, and their numbers in it."""
    bertopic = library("bertopic")
    text = library("scikit-learn", of="sklearn.feature_extraction.text")
    # What fewer than three texts say could be one customer's own words; BERTopic cannot count fewer than two phrases.
    shared = phrases(read)
    said = shared if len(shared) > 1 else [*shared, NOTHING_SHARED, _NEVER]
    frame = bertopic.BERTopic(
        language="multilingual",
        embedding_model=_backend(means),
        umap_model=library("bertopic.dimensionality").BaseDimensionalityReduction(),
        hdbscan_model=library("bertopic.cluster").BaseCluster(),
        # Words are counted within a text only: a phrase that spans two of them is not in this vocabulary.
        vectorizer_model=text.CountVectorizer(vocabulary=said, ngram_range=(1, LONGEST_PHRASE), token_pattern=WORD),
        ctfidf_model=library("bertopic.vectorizers").ClassTfidfTransformer(bm25_weighting=True, reduce_frequent_words=False),
        representation_model=[_Telling()],
    )
    numbers, _ = frame.fit_transform(read.to_list(), embeddings=rows, y=of)
    return frame, np.asarray(numbers, np.int32)


def _backend(means: Embedder) -> Any:
    """An embedder in the form that BERTopic knows."""

    class Backend(library("bertopic.backend").BaseEmbedder):  # type: ignore[misc]
        def embed(self, documents: Sequence[str], verbose: bool = False) -> Floats:
            return means.embed(list(documents))

    return Backend()


def _classic(rows: Floats, *, seed: int) -> Communities:
    """BERTopic's own way: squeeze into five dimensions, and look for dense places; what lies in none has no topic."""
    squeezed = library("umap-learn", of="umap").UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1)
    dense = library("hdbscan").HDBSCAN(min_cluster_size=max(2 * SMALLEST, 10)).fit(squeezed.fit_transform(rows))
    of = by_size(np.asarray(dense.labels_, np.int32))
    return Communities(of, np.full(of.max(initial=NOBODY) + 1, np.nan))
