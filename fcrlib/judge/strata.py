"""Which cells are large enough to stand alone, and whom do the others join?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

REST, OTHER = " (rest)", "(other)"


def label(keys: Sequence[str]) -> pl.Expr:
    """One string per row, such as `channel=chat, topic=bill`; a null is a level of its own."""
    parts = [pl.lit(f"{key}=") + pl.col(key).cast(pl.String).fill_null("(unknown)") for key in keys]
    return pl.concat_str(parts, separator=", ") if parts else pl.lit("all")


def tally(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Contacts and answers per level of `keys`, sorted."""
    return rows.group_by(list(keys)).agg(_contacts=pl.len(), _answers=pl.col("_answered").sum()).sort(list(keys))


def ladder(table: pl.DataFrame, keys: Sequence[str], *, least: int, floor: int) -> tuple[pl.DataFrame, list[str]]:
    """Give every cell its `stratum`: one with fewer than `least` answers drops its last key and joins those that did the same; what is
    still too small when only the first `floor` keys are left joins the stratum of these keys with the fewest answers."""
    table = table.with_columns(stratum=pl.lit(None, pl.String), cell=label(keys))
    for depth in range(len(keys), floor - 1, -1):
        name = label(keys[:depth]) if depth == len(keys) else label(keys[:depth]) + REST
        here = pl.col("stratum").is_null()
        enough = (pl.col("_answers") * here).sum().over(label(keys[:depth])) >= least
        table = table.with_columns(stratum=pl.when(here & enough).then(name).otherwise("stratum"))
    total = pl.col("_answers").sum().over("stratum")
    smallest = table.filter(pl.col("stratum").is_not_null()).select("stratum", total=total, start=label(keys[:floor])).sort("total", "stratum")
    smallest = smallest.unique("start", keep="first", maintain_order=True)
    homes = table.select(start=label(keys[:floor])).join(smallest, on="start", how="left", maintain_order="left")["stratum"]
    table = table.with_columns(stratum=pl.coalesce("stratum", homes, label(keys[:floor]) + REST))
    moved = table.filter(pl.col("cell") != pl.col("stratum"))
    return table, moved.select(pl.format("{} ({} answers) -> {}", "cell", "_answers", "stratum"))["cell"].to_list()


def merge(rows: pl.DataFrame, names: Sequence[str], *, least: int) -> tuple[pl.DataFrame, list[str]]:
    """Number the levels of each column from 0; those with fewer than `least` answers are one level, topped up with the next smallest."""
    coded, lines = rows.select("_answered"), []
    for name in names:
        table = tally(rows.select("_answered", label([name]).alias(name)), [name]).sort("_answers", name)
        few, before = pl.col("_answers") < least, pl.col("_answers").cum_sum().shift(1, fill_value=0)
        merged = table.filter(few | (few.any() & (before < least)))
        lines += merged.select(pl.format("{} ({} answers) -> {}", name, "_answers", pl.lit(f"{name}={OTHER}")))[name].to_list()
        level = rows.select(pl.when(label([name]).is_in(merged[name].to_list())).then(pl.lit(OTHER)).otherwise(label([name])).alias(name))
        coded = coded.with_columns(level.select(pl.col(name).rank("dense").cast(pl.Int64) - 1))
    return coded, lines
