"""Are remarks understood that were written without knowledge of the phrases and the examples?

`said_dev.json` was read while the phrases were written, `said_test.json` only afterwards, once: its floors say what to expect of another desk's words.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fcrlib.model.taxonomy import Taxonomy
from fcrlib.signs.examples import nearest
from fcrlib.signs.words import matches

SHIPPED = Taxonomy.shipped()


def named(name: str) -> pl.DataFrame:
    """Labelled remarks with the way of failing that is named for each: by phrases, else by examples; null where nothing is."""
    said = pl.read_json(Path(__file__).parent / f"{name}.json").with_row_index("i")
    text = pl.col("text").str.to_lowercase().str.replace_all("[’‘`´]", "'")
    told = said.select(source=pl.lit("zd"), contact_id=pl.col("i").cast(pl.String), voice="voice", text=text)
    order = {slug: place for place, slug in enumerate(SHIPPED.slugs)}
    by_phrase = matches(told, taxonomy=SHIPPED).group_by("contact_id", "mode").agg(belief=1 - (1 - pl.col("weight")).product())
    like = nearest(told.join(by_phrase, on="contact_id", how="anti"), taxonomy=SHIPPED).select("contact_id", "mode", belief="confidence")
    ranked = pl.concat([by_phrase, like]).with_columns(place=pl.col("mode").replace_strict(order, return_dtype=pl.Int32))
    first = ranked.sort("contact_id", "belief", "place", descending=[False, True, False]).unique("contact_id", keep="first", maintain_order=True)
    truth = said.select(contact_id=pl.col("i").cast(pl.String), truth="mode", lang="lang")
    return truth.join(first.select("contact_id", "mode"), on="contact_id", how="left")


def scored(rows: pl.DataFrame) -> tuple[float, float, float]:
    """Precision of the names, recall of what shows a way of failing, and the share of ordinary remarks that are left alone."""
    right = pl.col("mode") == pl.col("truth")
    something = pl.col("truth") != "none"
    return rows.select(
        right.filter(pl.col("mode").is_not_null()).mean().alias("precision"),
        right.fill_null(False).filter(something).mean().alias("recall"),
        pl.col("mode").is_null().filter(~something).mean().alias("alone"),
    ).row(0)


@pytest.mark.parametrize(("name", "precision", "recall", "alone"), [("said_dev", 0.92, 0.88, 0.85), ("said_test", 0.72, 0.22, 0.85)])
def test_remarks_are_named_as_well_as_they_were_when_it_was_measured(name: str, precision: float, recall: float, alone: float) -> None:
    found = scored(named(name))
    assert found[0] >= precision
    assert found[1] >= recall
    assert found[2] >= alone


@pytest.mark.parametrize("lang", ["en", "de", "fr"])
def test_no_language_is_much_worse_than_the_others(lang: str) -> None:
    precision, recall, _ = scored(named("said_test").filter(pl.col("lang") == lang))
    assert precision >= 0.65
    assert recall >= 0.2
