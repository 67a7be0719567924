"""Are topics found faster, better and more steadily than by BERTopic out of the box?

    python bench/topics.py [--quick] [--contacts 10000] [--texts FILE.csv --text COLUMN --label COLUMN] [--vectors FILE.npy] [--seeds 3] [--classic] [--unknown]

Without a file an invented desk is asked, whose themes are known. `--vectors` takes embeddings made elsewhere, one row per text, so that both ways
start from the same; `--classic` asks BERTopic's own way as well (umap-learn and hdbscan), on the same vectors; `--unknown` hides a fifth of the
labels while fitting and asks which level their texts get. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from fcrlib.explain import topics
from fcrlib.intake.demo import answer_key, invent
from fcrlib.texts.embedding import Floats, embedder
from fcrlib.texts.readable import readable

GRANULARITIES = ("coarse", "middle", "fine")
KNOWN = 0.8
"""Share of the texts of known labels that are fitted; the rest are new."""


class Given:
    """Vectors that were made elsewhere, by text."""

    name = "given"

    def __init__(self, texts: Sequence[str], rows: Floats) -> None:
        read = pl.DataFrame({"said": list(texts)}).select(readable(pl.col("said")))["said"].to_list()
        self.places = {text: at for at, text in reversed(list(enumerate(read)))}
        self.rows = rows

    def embed(self, texts: Sequence[str]) -> Floats:
        at = [self.places.get(text, -1) for text in texts]
        return np.where(np.array(at)[:, None] >= 0, self.rows[at], 0).astype(np.float32)


def read(arguments: argparse.Namespace) -> tuple[pl.Series, pl.Series]:
    """Texts, and what each is about."""
    if arguments.texts:
        table = pl.read_csv(arguments.texts)
        return table[arguments.text], table[arguments.label]
    desk, truth = invent(seed=3, contacts=arguments.contacts), answer_key(seed=3, contacts=arguments.contacts)
    said = desk.contacts.select("contact_id", text=pl.concat_str("subject", "body", separator="\n", ignore_nulls=True))
    both = said.join(truth.select("contact_id", "theme"), on="contact_id", how="inner", maintain_order="left").drop_nulls()
    return both["text"], both["theme"]


def asked(texts: pl.Series, labels: pl.Series, *, seeds: int, how: dict[str, object]) -> dict[str, object]:
    """One way of fitting, under several seeds."""
    found, took = [], []
    for seed in range(seeds):
        before = time.process_time()
        model = topics.fit(texts, seed=seed, **how)  # type: ignore[arg-type]
        took.append(time.process_time() - before)
        found.append(model.documents["topic"].fill_null(-1).to_numpy())
    sizes = model.topics.filter(pl.col("stable").fill_null(False))["n"].sum()
    levels = dict(model.documents["level"].value_counts(normalize=True).sort("level").iter_rows())
    both = pl.DataFrame({"topic": found[-1], "label": labels, "level": model.documents["level"]})
    most = both.group_by("topic", "label").len().sort("len", "label").group_by("topic").agg(most=pl.col("label").last())
    wrong = both.join(most, on="topic").group_by("level").agg((pl.col("most") != pl.col("label")).mean().round(3)).sort("level")
    return {
        "topics": model.topics.height,
        "ami": round(float(np.mean([adjusted_mutual_info_score(labels, one) for one in found])), 3),
        "ari": round(float(np.mean([adjusted_rand_score(labels, one) for one in found])), 3),
        "seed ari": round(float(np.mean([adjusted_rand_score(found[0], one) for one in found[1:]])), 3) if seeds > 1 else None,
        "cpu seconds": round(float(np.median(took)), 2),
        "levels": {name: round(share, 3) for name, share in levels.items()},
        "not the label of most": dict(wrong.iter_rows()),
        "texts in stable topics": round(sizes / len(texts), 2),
    }


def unknown(texts: pl.Series, labels: pl.Series, *, how: dict[str, object]) -> dict[str, object]:
    """Which level do new texts get, of labels that were fitted and of labels that were not?"""
    drawn = np.random.default_rng(0)
    names = labels.unique().sort().to_numpy()
    hidden = labels.is_in(pl.Series(drawn.choice(names, max(len(names) // 5, 1), replace=False)).implode()).to_numpy()
    fitted = ~hidden & (drawn.random(len(texts)) < KNOWN)
    model = topics.fit(texts.filter(pl.Series(fitted)), **how)  # type: ignore[arg-type]
    sides = {"known": ~hidden & ~fitted, "unknown": hidden}
    sure = {name: (model.assign(texts.filter(pl.Series(side)))["level"] == topics.SURE) for name, side in sides.items()}
    counts = {name: int(one.sum()) for name, one in sure.items()}
    return {
        **{f"sure, {name}": round(counts[name] / len(one), 3) for name, one in sure.items()},
        "precision of sure": round(counts["known"] / sum(counts.values()), 3),
    }


def timed(model: topics.TopicModel, texts: pl.Series) -> float:
    """Seconds to put 10,000 new texts into topics."""
    some = pl.Series((texts.to_list() * (10_000 // len(texts) + 1))[:10_000])
    before = time.perf_counter()
    model.assign(some)
    return round(time.perf_counter() - before, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--text", default="text")
    parser.add_argument("--label", default="label")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--classic", action="store_true")
    parser.add_argument("--unknown", action="store_true")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.contacts, chosen.seeds = 2_000, 1
    texts, labels = read(chosen)
    means = Given(texts.to_list(), np.load(chosen.vectors)) if chosen.vectors else embedder()
    topics.fit(texts.head(500), embedder=means)  # what is loaded once is not counted
    runs: dict[str, dict[str, object]] = {}
    for name in GRANULARITIES:
        runs[name] = asked(texts, labels, seeds=chosen.seeds, how={"embedder": means, "granularity": name})
        print(name, runs[name], flush=True)
    if chosen.classic:
        runs["classic"] = asked(texts, labels, seeds=chosen.seeds, how={"embedder": means, "way": "classic"})
        print("classic", runs["classic"], flush=True)
    if chosen.unknown:
        runs["unknown"] = unknown(texts, labels, how={"embedder": means})
    seconds = timed(topics.fit(texts, embedder=means), texts)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    print(json.dumps({"texts": len(texts), "embedder": means.name, "assign 10,000": seconds, "peak GiB": peak, "runs": runs}))


if __name__ == "__main__":
    main()
