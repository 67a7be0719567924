"""Has anybody read failed contacts to say why they failed, do they agree, and how right are the rules?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.judge.sampling import Drawing
from fcrlib.model.finding import Finding
from fcrlib.model.numbers import count, interval, number, percent
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.show.figure import Column, Table
from fcrlib.show.quote import quote
from fcrlib.signs.tagging import Marks

UNCHECKED = "Nobody has read failed contacts to check the tags; the command 'fcr tag export failures' draws a sample to read."
_ENOUGH = 10  # with fewer contacts read, a share of one way of failing is not told in a sentence


def checked(marks: Marks | None, *, taxonomy: Taxonomy) -> str:
    """Two or three sentences on the newest sample: how many were read, how far people agree, where the rules' counts are clearly off."""
    if marks is None or (newest := marks.of()).raw.is_empty():
        return UNCHECKED
    return " ".join([_who(newest), *_alike(newest), *_left_out(newest), f"{_right(newest)}.", _off(newest.volumes(), taxonomy, gone=newest.gone)])


def caution(marks: Marks | None, *, taxonomy: Taxonomy) -> list[Finding]:
    """What a reader must know about the tags by rule."""
    return [Finding("care-failure-tags", "care", checked(marks, taxonomy=taxonomy))]


def tables(marks: Marks | None, *, taxonomy: Taxonomy) -> list[Table]:
    """How many contacts fail in which way by rule and by what people say, and how right the rules are; no table where nobody has read any."""
    if marks is None or (newest := marks.of()).raw.is_empty():
        return []
    both = _both(newest, taxonomy)
    volumes = (
        Column("name", "way of failing"),
        Column("n_people", "read", "count"),
        Column("rules", "by rule", "count"),
        Column("adjusted", "by people", "count"),
        Column("low", "from", "count"),
        Column("high", "to", "count"),
    )
    shares = (
        Column("name", "way of failing"),
        Column("n_rules", "named by rule", "count"),
        Column("precision", "right", "percent"),
        Column("precision_low", "from", "percent"),
        Column("precision_high", "to", "percent"),
        Column("n_people", "named by people", "count"),
        Column("recall", "found", "percent"),
        Column("recall_low", "from", "percent"),
        Column("recall_high", "to", "percent"),
    )
    said = "By people: what they said of the sample, weighed to all failed contacts it was drawn from, with its 95 % interval."
    right = "Right: people say so too. Found: of what people name, the rules name it too. A share of a handful of contacts says little: read the interval."
    return [
        Table("failure-modes-checked", _off(both, taxonomy, gone=newest.gone), both, volumes, said),
        Table("failure-tags-right", _right(newest), both, shares, right),
    ]


def lines(marks: Marks, *, taxonomy: Taxonomy) -> list[str]:
    """What came of an import, for a terminal."""
    newest = marks.of()
    told = [_who(newest), *_alike(newest), *_confused(newest, taxonomy), *_left_out(newest), *_versions(newest), ""]
    both = _both(newest, taxonomy).to_dicts()
    wide = max(len(row["name"]) for row in both) if both else 0
    told.append(f"{'way of failing':<{wide}}  by rule  by people (95 % interval)  right when named         found of all")
    for row in both:
        people = f"{count(row['adjusted'])} ({count(row['low'])} to {count(row['high'])})" if row["adjusted"] is not None else "not read"
        told.append(f"{row['name']:<{wide}}  {count(row['rules']):>7}  {people:<26}  {_share(row, 'precision'):<23}  {_share(row, 'recall')}")
    return [*told, "", f"{_right(newest)}.", _off(newest.volumes(), taxonomy, gone=newest.gone)]


def instructions(drawn: pl.DataFrame, *, files: Sequence[Path], legend: Path, options: str = "") -> list[str]:
    """How the worksheets are filled in."""
    names = " ".join(str(file) for file in files)
    several = "one worksheet per person, the same contacts in another order: do not talk about them before both are filled in"
    settle = " --settle" if "said" in drawn.columns else ""
    return [
        *([several] if len(files) > 1 else []),
        f"each row is a first contact that failed: read it, then write why into mode (the words are in {legend}), and your name into tagger",
        "if two reasons fit, write the one that weighed more into mode and the other into second_mode; unsure is an answer too",
        "leave the other columns as they are; it holds customers' words, so keep it as private as the desk",
        f"when it is filled in: fcr tag import {names}{settle}{options}",
    ]


def _both(marks: Marks, taxonomy: Taxonomy) -> pl.DataFrame:
    quality = marks.quality().drop("n_people")
    both = marks.volumes().join(quality, on="mode", how="left", maintain_order="left")
    names = {UNEXPLAINED: "none of the known ways", **{mode.slug: mode.name for mode in taxonomy.modes}}
    return both.with_columns(name=pl.col("mode").replace(names))


def _right(marks: Marks) -> str:
    """How often rules and people name the same."""
    row = marks.accuracy().row(0, named=True)
    if not row["n"]:
        return "People have decided on no contact yet"
    ends = interval(row["low"], row["high"], digits=0)
    return f"Rules and people name the same for {percent(row['share'], digits=0)} of the failed contacts ({ends}, {count(row['n'])} decided)"


def _share(row: dict[str, Any], what: str) -> str:
    value = row[what]
    return "not known" if value is None else f"{percent(value, digits=0)} ({interval(row[f'{what}_low'], row[f'{what}_high'], digits=0)})"


def _who(marks: Marks) -> str:
    readers = marks.raw.filter(~pl.col("settles"))
    names = readers["tagger"].unique().sort().to_list()
    drawing = Drawing.told(marks.drawings[-1]) if marks.drawings else None
    of = f", drawn from {count(drawing.of)} that failed" if drawing else ""
    n = readers.select("source", "contact_id").unique().height
    people = f"{quote(names[0], limit=40)} has" if len(names) == 1 else f"{len(names)} people have"
    return f"{people[:1].upper()}{people[1:]} read {count(n)} contact{'' if n == 1 else 's'}{of}."


def _alike(marks: Marks) -> list[str]:
    """How far two people agree on all of what both decided on."""
    told = []
    for row in marks.agreement().filter(pl.col("mode").is_null()).to_dicts():
        one, two = (quote(row[name], limit=40) for name in ("tagger", "other"))
        beyond = f"Cohen's kappa {number(row['kappa'], digits=2)}" if row["kappa"] is not None else "kappa not known"
        ends = (
            f" ({number(row['kappa_low'], digits=2)} to {number(row['kappa_high'], digits=2)}; 1 is full agreement, 0 is chance)"
            if row["kappa"] is not None
            else ""
        )
        told.append(
            f"{one} and {two} call {percent(row['agreed'], digits=0)} ({interval(row['low'], row['high'], digits=0)}) of {count(row['n'])} alike; {beyond}{ends}."
        )
    return told


def _confused(marks: Marks, taxonomy: Taxonomy) -> list[str]:
    pairs = marks.confusion().head(3).to_dicts()
    told = "; ".join(f"{_name(row['mode'], taxonomy)} / {_name(row['other'], taxonomy)} ({row['n']} of {row['of']})" for row in pairs)
    return [f"Most often mistaken for each other: {told}."] if told else []


def _left_out(marks: Marks) -> list[str]:
    said = marks.verdicts
    open_ones, blank = said.filter("disputed").height, said.filter(pl.col("mode").is_null() & ~pl.col("disputed")).height
    told = (
        [f"They dispute {count(open_ones)}; these are left out until one more person settles them, which may flatter the rules."] if open_ones else []
    )
    return told + ([f"Of {count(blank)} nobody was sure."] if blank else [])


def _versions(marks: Marks) -> list[str]:
    told = [f"Some marks were made under taxonomy {version.split()[0]} ({version.split()[-1]})." for version in marks.versions]
    gone = ", ".join(quote(mode, limit=40) for mode in marks.gone)
    return told + ([f"Modes that no longer exist: {gone}; contacts that were called so are kept and not counted."] if gone else [])


def _off(volumes: pl.DataFrame, taxonomy: Taxonomy, *, gone: list[str]) -> str:
    """Which counts by rule the intervals leave out."""
    if not volumes["n_people"].sum():
        return "So nothing is known of the counts by rule."
    if gone:
        return "People named ways of failing that no longer exist, so the counts by rule cannot be held against theirs: have a new sample read."
    clear = volumes.filter(pl.col("clear").fill_null(False) & ((pl.col("rules") > 0) | (pl.col("n_people") >= _ENOUGH))).to_dicts()
    few = [_count(row, taxonomy) for row in clear if row["adjusted"] > row["rules"]]
    many = [_count(row, taxonomy) for row in clear if row["adjusted"] < row["rules"]]
    if not clear:
        return "No count by rule is clearly off, as far as a sample of this size can tell."
    told = [f"The rules count too few: {', '.join(few)}." if few else "", f"The rules count too many: {', '.join(many)}." if many else ""]
    return " ".join(text for text in told if text)


def _count(row: dict[str, Any], taxonomy: Taxonomy) -> str:
    return f"{_name(row['mode'], taxonomy)} ({count(row['rules'])} by rule, {count(row['low'])} to {count(row['high'])} by people)"


def _name(mode: str, taxonomy: Taxonomy) -> str:
    names = {UNEXPLAINED: "none of the known ways", **{one.slug: one.name for one in taxonomy.modes}}
    return names.get(mode, mode)
