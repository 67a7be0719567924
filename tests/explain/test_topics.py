"""Are topics found that were written about, the same ones each time, with their doubts, and read back as they were?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import adjusted_rand_score

from fcrlib.explain import topics
from fcrlib.explain.topics import TopicModel
from fcrlib.model.errors import DataError, UsageError
from fcrlib.texts.readable import gist, readable

needed = [name for name in ("wordllama", "sknetwork", "bertopic") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(needed), reason=f"not installed: {', '.join(needed)}")
ABOUT = {
    "card": ("my bank card has not arrived", "the card was never delivered", "where is the debit card", "the new card did not come", "card lost in the post"),
    "export": ("the export file is empty", "spreadsheet export shows no rows", "downloaded export has no data", "the csv export is blank", "empty file after export"),
    "password": ("cannot reset my password", "the password link has expired", "forgot my password", "password reset mail missing", "new password is refused"),
    "refund": ("when do I get my refund", "refund not received", "the refund is too small", "money back for the cancelled order", "refund still missing"),
}  # fmt: skip
AROUND = ("since monday", "on my phone", "for our office", "after the update", "this morning", "in berlin", "as a new customer", "on the tablet")
AGAIN = ("", "we wait for an answer", "it is urgent for us", "nobody replied", "our team is stuck")


def invented() -> tuple[list[str], list[str]]:
    said = [(f"{text} {around}, {again}", name) for name, texts in ABOUT.items() for text in texts for around in AROUND for again in AGAIN]
    order = np.random.default_rng(5).permutation(len(said))
    return [said[at][0] for at in order], [said[at][1] for at in order]


def distinct_texts() -> list[str]:
    said = pl.DataFrame({"said": invented()[0]}).with_columns(readable(pl.col("said")).alias("read"))
    return said.with_columns(gist=gist(pl.col("read"))).group_by("gist").agg(pl.col("read").min()).sort("gist")["read"].to_list()


@pytest.fixture(scope="module")
def model() -> TopicModel:
    return topics.fit(invented()[0], granularity="coarse")


def purity(found: pl.Series, truth: list[str]) -> float:
    both = pl.DataFrame({"topic": found, "truth": truth}).group_by("topic", "truth").len()
    return both.group_by("topic").agg(pl.col("len").max())["len"].sum() / len(truth)


def test_what_was_written_about_is_found_and_told_by_its_words(model: TopicModel) -> None:
    assert purity(model.documents["topic"], invented()[1]) > 0.85
    first = " ".join(model.topics["label"])
    assert all(name in first for name in ABOUT)
    assert not {"office", "monday"} & set(model.topics["label"])


def test_the_tables_say_what_they_promise(model: TopicModel) -> None:
    assert model.documents.schema == {"row": pl.Int64, "topic": pl.Int32, "confidence": pl.Float64, "level": pl.String}
    assert model.documents["row"].to_list() == list(range(800))
    assert model.topics["topic"].to_list() == list(range(model.topics.height))
    assert model.topics["n"].sum() + (model.documents["level"] == "none").sum() == 800
    assert model.topics["stable"].to_list() == (model.topics["stability"] >= 0.75).to_list()
    own = dict(zip(model.documents["row"], model.documents["topic"], strict=True))
    assert all(own[row] == topic for topic, rows in model.topics.select("topic", "representatives").iter_rows() for row in rows)


def test_numbers_are_those_of_the_bertopic_object(model: TopicModel) -> None:
    frame = model.as_bertopic()
    sizes = frame.get_topic_info().set_index("Topic")["Count"]
    assert {topic: int(sizes[topic]) for topic in model.topics["topic"]} == dict(model.topics.select("topic", "distinct").iter_rows())
    assert [frame.get_topic(topic)[0][0] for topic in model.topics["topic"]] == [said[0] for said in model.topics["phrases"]]


def test_bertopics_own_tools_work_on_it() -> None:
    frame = topics.fit(invented()[0]).as_bertopic()
    before = len(frame.get_topics())
    found, _ = frame.transform(["the export file is empty"])
    assert "export" in " ".join(word for word, _ in frame.get_topic(found[0]))
    assert len(frame.get_representative_docs(0)) == 3
    frame.reduce_topics(distinct_texts(), nr_topics=3)
    assert len(frame.get_topics()) == 3 < before


def test_the_order_of_the_texts_does_not_matter(model: TopicModel) -> None:
    said, _ = invented()
    turned = topics.fit(said[::-1], granularity="coarse")
    assert turned.documents["topic"].reverse().to_list() == model.documents["topic"].to_list()
    assert turned.topics.drop("representatives").equals(model.topics.drop("representatives"))


def test_copies_of_a_text_count_once_where_topics_are_found(model: TopicModel) -> None:
    said, _ = invented()
    storm = topics.fit([*said, *([said[0].upper() + " 4711"] * 3_000)], granularity="coarse")
    assert storm.documents["topic"].head(800).to_list() == model.documents["topic"].to_list()
    assert storm.topics["fingerprint"].to_list() == model.topics["fingerprint"].to_list()
    assert storm.topics["n"].sum() == model.topics["n"].sum() + 3_000


def test_a_fingerprint_changes_with_the_members_and_only_then(model: TopicModel) -> None:
    said, truth = invented()
    fewer = [text for text, about in zip(said, truth, strict=True) if about != "refund" or "berlin" not in text]
    kept = topics.fit(fewer, granularity="coarse", seed=3).topics
    assert model.topics["fingerprint"].n_unique() == model.topics.height
    assert 0 < len(set(kept["fingerprint"]) & set(model.topics["fingerprint"])) < model.topics.height


def test_a_finer_look_finds_more_topics(model: TopicModel) -> None:
    assert topics.fit(invented()[0], granularity="fine").topics.height > model.topics.height


def test_another_seed_finds_nearly_the_same(model: TopicModel) -> None:
    other = topics.fit(invented()[0], granularity="coarse", seed=9)
    assert adjusted_rand_score(model.documents["topic"], other.documents["topic"]) > 0.85


def test_new_texts_are_put_where_they_belong_and_strange_ones_are_in_doubt(model: TopicModel) -> None:
    found = model.assign(["the card has not been delivered", "is the restaurant open on sundays?", "", None, "12 345"])
    assert "card" in model.topics["label"][found["topic"][0]]
    assert found["level"].to_list()[1:] == ["doubtful", "none", "none", "none"]
    assert found["topic"].to_list()[2:] == [None, None, None]
    assert found["confidence"].to_list()[2:] == [None, None, None]
    assert found["runner_up"][0] not in (None, found["topic"][0])
    assert model.assign([]).height == 0


def test_asking_for_new_texts_changes_nothing(model: TopicModel) -> None:
    before = model.topics.clone()
    assert model.assign(["a card"]).equals(model.assign(["a card", "an export"]).head(1))
    assert model.topics.equals(before)


def test_a_saved_model_reads_back_and_answers_the_same(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path / "kept")
    back = topics.load(tmp_path / "kept")
    assert back.documents.equals(model.documents)
    assert back.topics.equals(model.topics)
    assert back.assign(invented()[0][:50]).equals(model.assign(invented()[0][:50]))
    assert back.as_bertopic().get_topic(0)[0][0] == model.topics["phrases"][0][0]
    assert (back.granularity, back.seed, back.way, back.embedder.name) == ("coarse", 0, "communities", "wordllama")


def test_nothing_that_could_run_and_no_text_of_a_customer_is_saved(model: TopicModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert {file.suffix for file in files} == {".json", ".parquet", ".safetensors"}
    assert not [file.name for file in files if invented()[0][0].encode() in file.read_bytes()]
    assert "embedding_model" not in json.loads((tmp_path / "bertopic" / "config.json").read_text())


def test_a_folder_without_a_model_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'model\.json' is not there") as told:
        topics.load(tmp_path)
    assert len(told.value.problems) == 5


@pytest.mark.parametrize("content", ["not json", "[]", '{"format": 99}'])
def test_a_model_that_cannot_be_read_is_refused(model: TopicModel, tmp_path: Path, content: str) -> None:
    model.save(tmp_path)
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(DataError, match="fit and save"):
        topics.load(tmp_path)


def test_a_model_of_your_own_embedder_is_read_back_with_it(tmp_path: Path) -> None:
    class Letters:
        name = "letters"

        def embed(self, texts: list[str]) -> np.ndarray:
            rows = np.array([[text.lower().count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"] for text in texts], np.float32).reshape(-1, 26)
            return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)

    topics.fit(invented()[0], embedder=Letters()).save(tmp_path)
    assert topics.load(tmp_path, embedder=Letters()).assign(["a card"]).height == 1
    with pytest.raises(UsageError, match="not by 'letters'"):
        topics.load(tmp_path)


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "0 of 0 texts"),
        ([""] * 50, "50 of 50 texts have no words"),
        (["one"] * 500, "500 have, and 1 of these differ"),
        (["a b", "c d", "e", "f", "g"], "5 of"),
    ],
)
def test_too_few_texts_are_refused_in_a_sentence(texts: list[str], sentence: str) -> None:
    with pytest.raises(DataError, match="too few texts") as told:
        topics.fit(texts)
    assert sentence in str(told.value)
    assert "20 are needed" in str(told.value)


def test_every_wrong_word_is_named_at_once() -> None:
    with pytest.raises(UsageError) as told:
        topics.fit(["a"], granularity="tiny", way="magic")  # type: ignore[arg-type]
    assert len(told.value.problems) == 2


@pytest.mark.skipif(find_spec("umap") is not None, reason="it is installed here")
def test_the_classic_way_says_what_to_install() -> None:
    with pytest.raises(UsageError, match="pip install umap-learn"):
        topics.fit(invented()[0], way="classic")


def test_twenty_texts_are_enough_and_empty_ones_among_them_have_no_topic() -> None:
    said = [None, "", *invented()[0][:20], "   "]
    found = topics.fit(said).documents
    assert found["level"][0] == found["level"][1] == found["level"][22] == "none"
    assert found["topic"].null_count() >= 3


def test_hostile_and_huge_texts_are_texts_like_others(model: TopicModel) -> None:
    nasty = [
        "<script>alert(1)</script>",
        '=HYPERLINK("http://evil.example","x")',
        "\x00\u202e\ud7ff",
        "{{7*7}}",
        "a" * 1_000_000,
        "card " * 200_000,
        "🙂" * 40,
    ]
    found = topics.fit([*invented()[0], *nasty], granularity="coarse")
    assert found.documents.height == 807
    assert not [said for said in found.topics["label"] if set("<>={}") & set(said)]
    assert found.assign(nasty).height == 7


def test_another_language_gets_topics_of_its_own() -> None:
    german = [
        f"{text} {around}"
        for text in ("die Rechnung ist falsch", "Rechnung nicht erhalten", "der Betrag auf der Rechnung stimmt nicht", "Rechnung bitte korrigieren")
        for around in ("seit Montag", "in unserem Büro", "nach dem Update", "heute früh", "für unsere Firma", "auf dem Handy", "schon wieder")
    ]
    said, _ = invented()
    found = topics.fit([*said, *german], granularity="coarse")
    (most,) = found.documents["topic"].tail(len(german)).mode().head(1)
    assert (found.documents["topic"].tail(len(german)) == most).mean() > 0.8
    assert (found.documents["topic"].head(len(said)) == most).mean() < 0.05
    assert "rechnung" in found.topics["label"][most]


SAVING = """
import sys
sys.path.insert(0, {folder!r})
from test_topics import invented
from fcrlib.explain import topics
topics.fit(invented()[0], seed=4).save(sys.argv[1])
"""


@pytest.mark.slow
def test_one_thread_and_two_write_the_same_bytes(tmp_path: Path) -> None:
    for count in ("1", "2"):
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), count)
        code = SAVING.format(folder=str(Path(__file__).parent))
        subprocess.run([sys.executable, "-c", code, str(tmp_path / count)], check=True, env=os.environ | threads | {"PYTHONHASHSEED": count})
    one, two = (
        {str(file.relative_to(tmp_path / count)): file.read_bytes() for file in (tmp_path / count).rglob("*") if file.is_file()} for count in "12"
    )
    assert sorted(one) == sorted(two)
    assert [name for name in one if one[name] != two[name]] == []
    assert json.loads(one["model.json"])["seed"] == 4
