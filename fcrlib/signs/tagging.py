"""What do people say about why first contacts failed?

A sample of failed contacts goes out as worksheets, one per person, without a word of what the rules think. What comes back is kept beside the
desk: what people agree on, what they dispute, and how the sample was drawn, so that their words can be weighed (the room `tag_quality`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from fcrlib.intake.tables.worksheet import ANSWERS, one_line, opened, read
from fcrlib.judge.sampling import Drawing, keep, kept_in
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk, read_manifest
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.signs.tag_quality import accuracy, agreement, confusion, quality, verdicts, volumes
from fcrlib.signs.tag_sample import ANSWER, BLANK, CARRIED, CONTACT, UNSURE, code, contact_name, for_taggers, legend, sample, sheet

__all__ = [
    "BLANK", "CONTACT", "Marks", "accuracy", "agreement", "allowed", "conclude", "confusion", "disputed", "for_taggers", "legend", "load", "quality", "read_sheet", "sample", "verdicts",
    "volumes",
]  # fmt: skip
RAW: dict[str, Any] = {
    **dict.fromkeys([*KEY, "tagger", "mode", "second_mode", "note"], pl.String), "settles": pl.Boolean, "taxonomy": pl.String, "drawn": pl.String,
}  # fmt: skip
SAMPLE: dict[str, Any] = {**dict.fromkeys([*KEY, "stratum"], pl.String), "stratum_size": pl.Int64, "drawn": pl.String}
_VERSION = re.compile(r"taxonomy (\d+ [0-9a-f]{8});")
_SLUG = re.compile(r"[a-z][a-z0-9-]*")


def allowed(taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """What people may write, by the mode that it means: slugs and names, with blanks or underscores for the hyphens."""
    spellings = {
        mode.slug: (mode.name, mode.name.replace(" ", "-"), mode.slug.replace("-", " "), mode.slug.replace("-", "_")) for mode in taxonomy.modes
    }
    return {UNEXPLAINED: ("none", "none of these", "other"), UNSURE: (*ANSWERS["unsure"], "cannot tell"), **spellings}


def read_sheet(file: Path, *, desk: Desk, taxonomy: Taxonomy) -> pl.DataFrame:
    """Read a worksheet of failed contacts that came back.

    Under another taxonomy than the one it was made for, modes that are gone are read all the same.

    Returns
    -------
    pl.DataFrame
        The columns of `intake.tables.worksheet.read`, with `source`, `contact_id`; every row that names a contact, also those without a mark.

    Raises
    ------
    UsageError
        If it was made for another desk.
    DataError
        With every mistake at once.
    """
    frame, known = opened(file), desk.contacts.select(*KEY, contact_name().alias(CONTACT))
    answers = {**allowed(taxonomy), **_gone(frame, taxonomy=taxonomy)}
    source = desk.manifest.source
    nameless = _nameless(frame)
    try:
        rows = read(
            file,
            key=CONTACT,
            answer=ANSWER,
            known=known[CONTACT],
            stamp=("drawn", f"; {source} to "),
            purpose=f"this desk ({source})",
            needs=("tagger", *CARRIED),
            answers=answers,
            also=("second_mode",),
        )
    except DataError as fault:
        raise DataError(fault.what, [*fault.problems, *nameless]) from None
    if nameless:
        raise DataError(f"{file} has {len(nameless)} mistake{'s' if len(nameless) > 1 else ''}:", nameless)
    only = rows["tagger"].drop_nulls().unique()
    keyed = known.with_columns(one_line(pl.col(CONTACT)))
    absent = [pl.lit(None, pl.String).alias(name) for name in BLANK if name not in rows.columns]
    named = rows.filter(pl.col(CONTACT).is_not_null()).with_columns(*absent, pl.col("tagger").fill_null(only.first()))
    return named.join(keyed, on=CONTACT, how="left", maintain_order="left")


def _gone(frame: pl.DataFrame, *, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
    """Modes that a worksheet made under another taxonomy names and that this one does not have."""
    if not {ANSWER, "drawn"} <= set(frame.columns):
        return {}
    made = frame["drawn"].drop_nulls().str.extract(_VERSION.pattern).unique().drop_nulls()
    if not made.len() or made.to_list() == [_version(taxonomy)]:
        return {}
    said = pl.concat([frame[name].drop_nulls().str.to_lowercase() for name in (ANSWER, "second_mode") if name in frame.columns]).unique()
    known = {spelling.lower() for slug, others in allowed(taxonomy).items() for spelling in (slug, *others)}
    strange = [word for word in sorted(said) if word not in known and not get_close_matches(word, known, n=1, cutoff=0.85)]
    slugs = {word: word.replace(" ", "-") for word in strange}
    return {slug: tuple(word for word in strange if slugs[word] == slug) for slug in slugs.values() if _SLUG.fullmatch(slug)}


def _version(taxonomy: Taxonomy) -> str:
    return f"{taxonomy.version} {taxonomy.fingerprint}"


def _nameless(frame: pl.DataFrame) -> list[str]:
    """Marks of which nobody knows whose they are; one name in a worksheet counts for all its rows."""
    if not {ANSWER, "tagger"} <= set(frame.columns):
        return []
    marked = frame.with_row_index("row", offset=2).filter(pl.col(ANSWER).is_not_null())
    names = frame["tagger"].drop_nulls().n_unique()
    if marked.is_empty() or names == 1:
        return []
    if names == 0:
        return ["the column tagger is empty: write your name into it, one row is enough"]
    rows = marked.filter(pl.col("tagger").is_null())["row"].to_list()
    return [f"rows {', '.join(str(row) for row in rows[:20])}: several people marked this worksheet, so every mark needs its tagger"] if rows else []


@dataclass(frozen=True, slots=True)
class Marks:
    """What people said about a sample of failed contacts, or about several.

    Parameters
    ----------
    raw
        One row per contact and tagger: `source`, `contact_id`, `tagger`, `mode` (null: unsure), `second_mode`, `note`, `settles` (it settles a
        dispute), `taxonomy` (version and fingerprint it was made under), `drawn`.
    sample
        What was drawn and came back, read or not: `source`, `contact_id`, `stratum` (what the rules said), `stratum_size`, `drawn` (how).
    slugs
        The modes of today's taxonomy.
    taxonomy
        Its version and fingerprint.
    """

    raw: pl.DataFrame
    sample: pl.DataFrame
    slugs: tuple[str, ...]
    taxonomy: str

    @property
    def verdicts(self) -> pl.DataFrame:
        """The rows of `verdicts`, without contacts of which somebody named a mode that is gone."""
        return verdicts(self.usable)

    @property
    def modes(self) -> pl.DataFrame:
        """What people agree on: `source`, `contact_id`, `mode` (of today's taxonomy, or unexplained); `failure_modes.tag(human=...)` takes it."""
        return self.verdicts.filter(pl.col("mode").is_in([*self.slugs, UNEXPLAINED])).select(*KEY, "mode")

    @property
    def gone(self) -> list[str]:
        """Modes that people named and that no longer exist."""
        return self.raw.filter(self._is_gone)["mode"].unique().sort().to_list()

    @property
    def usable(self) -> pl.DataFrame:
        """The rows of `raw` of contacts of which nobody named a mode that is gone."""
        return self.raw.join(self.raw.filter(self._is_gone).select(KEY), on=KEY, how="anti", maintain_order="left")

    @property
    def _is_gone(self) -> pl.Expr:
        return ~pl.col("mode").is_in([*self.slugs, UNEXPLAINED]).fill_null(True)

    @property
    def versions(self) -> list[str]:
        """Versions of other taxonomies that marks were made under."""
        return self.raw.filter(pl.col("taxonomy") != self.taxonomy)["taxonomy"].unique().sort().to_list()

    @property
    def drawings(self) -> list[str]:
        """The samples, the newest last."""
        found = [(drawing.data_end, mark) for mark in self.sample["drawn"].unique().sort() if (drawing := Drawing.told(mark))]
        return [mark for _, mark in sorted(found)]

    def of(self, drawn: str | None = None) -> Marks:
        """The marks of one sample, the newest by default."""
        chosen = drawn or (self.drawings or [""])[-1]
        return replace(self, raw=self.raw.filter(pl.col("drawn") == chosen), sample=self.sample.filter(pl.col("drawn") == chosen))

    def agreement(self) -> pl.DataFrame:
        """The rows of `agreement`."""
        return agreement(self.usable)

    def confusion(self) -> pl.DataFrame:
        """The rows of `confusion`."""
        return confusion(self.usable)

    def accuracy(self, *, rules: pl.DataFrame | None = None) -> pl.DataFrame:
        """The row of `accuracy`, from the newest sample."""
        newest = self.of()
        return accuracy(newest.usable, sample=newest.sample, rules=rules)

    def quality(self, *, rules: pl.DataFrame | None = None) -> pl.DataFrame:
        """The rows of `quality`, from the newest sample."""
        newest = self.of()
        return quality(newest.usable, sample=newest.sample, rules=rules)

    def volumes(self) -> pl.DataFrame:
        """The rows of `volumes`, from the newest sample."""
        newest = self.of()
        return volumes(newest.usable, sample=newest.sample)

    def save(self, folder: Path) -> list[Path]:
        """Write each sample beside the desk of that folder."""
        return [self._save(folder, drawn) for drawn in self.drawings]

    def _save(self, folder: Path, drawn: str) -> Path:
        one = self.of(drawn)
        file = kept_in(folder) / f"failures-{hashlib.sha256(drawn.encode()).hexdigest()[:12]}.json"
        return keep(file, {"drawn": drawn, "marks": one.raw.drop("drawn").to_dicts(), "sample": one.sample.drop("drawn").to_dicts()})


def load(folder: Path, taxonomy: Taxonomy) -> Marks | None:
    """Read what people said of the failed contacts of the desk in a folder.

    None where nobody has read any, or only of another desk that lay in this folder before.

    Raises
    ------
    DataError
        If a file is there and damaged.
    """
    found = [_kept(file) for file in sorted(kept_in(folder).glob("failures-*.json"))]
    here = read_manifest(folder).source if found else ""
    mine = [(raw, drawn) for source, raw, drawn in found if source == here]
    if not mine:
        return None
    raw, drawn = (pl.concat(part) for part in zip(*mine, strict=True))
    return Marks(raw, drawn, taxonomy.slugs, _version(taxonomy))


def _kept(file: Path) -> tuple[str, pl.DataFrame, pl.DataFrame]:
    try:
        fields: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        mark = pl.lit(fields["drawn"], pl.String).alias("drawn")
        drawing = Drawing.told(fields["drawn"])
        raw = pl.DataFrame(fields["marks"], schema={name: dtype for name, dtype in RAW.items() if name != "drawn"}).with_columns(mark)
        drawn = pl.DataFrame(fields["sample"], schema={name: dtype for name, dtype in SAMPLE.items() if name != "drawn"}).with_columns(mark)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise DataError(f"{file} is damaged ({str(error).splitlines()[0]}): import the worksheets again") from None
    if drawing is None:
        raise DataError(f"{file} is damaged (it does not say how the sample was drawn): import the worksheets again")
    return drawing.source, raw, drawn


def conclude(sheets: Sequence[pl.DataFrame], *, taxonomy: Taxonomy, before: Marks | None = None, settles: bool = False) -> Marks:
    """Make marks of the worksheets of one sample that came back (`read_sheet`), joined to those that were there before.

    What a tagger says of a contact replaces what the same tagger said of it before.

    Parameters
    ----------
    before
        What is kept of this desk; only the marks of the same sample are joined.
    settles
        The worksheets settle disputes.

    Raises
    ------
    UsageError
        If they are of several samples, or settle what nobody has read.
    DataError
        If two of them have a tagger in common, or what they carry about their strata was changed.
    """
    rows = pl.concat([sheet.with_columns(file=pl.lit(place)) for place, sheet in enumerate(sheets)], how="diagonal")
    stamps = rows["drawn"].drop_nulls().unique().sort().to_list()
    if len(stamps) > 1:
        raise UsageError(f"the worksheets are of {len(stamps)} samples: import each sample on its own", stamps)
    kept = before.of(stamps[0]) if before is not None else None
    if settles and (kept is None or kept.raw.is_empty()):
        raise UsageError("nobody's marks on this sample are there yet, so there is nothing to settle: import the taggers' worksheets first")
    if problems := _spoilt(rows):
        raise DataError("the worksheets cannot be put together:", problems)
    modes = [*taxonomy.slugs, UNEXPLAINED, *(kept.sample["stratum"].unique() if kept else ())]
    codes = {code(stamps[0], mode): mode for mode in modes}
    drawn = rows.unique(KEY, keep="first", maintain_order=True).with_columns(
        pl.col("stratum").replace_strict(codes, default=pl.format("gone-{}", "stratum"), return_dtype=pl.String),
        pl.col("stratum_size").cast(pl.Int64),
    )
    named = rows.filter(pl.col(ANSWER).is_not_null()).with_columns(
        pl.col(ANSWER, "second_mode").replace({UNSURE: None}), settles=pl.lit(settles), taxonomy=pl.col("drawn").str.extract(_VERSION.pattern)
    )
    raw, seen = named.select(list(RAW)).cast(pl.Schema(RAW)), drawn.select(list(SAMPLE)).cast(pl.Schema(SAMPLE))
    if kept is not None:
        raw = pl.concat([kept.raw.join(raw, on=[*KEY, "tagger", "settles"], how="anti", maintain_order="left"), raw])
        seen = pl.concat([kept.sample, seen.join(kept.sample, on=KEY, how="anti", maintain_order="left")])
    return Marks(raw, seen, taxonomy.slugs, _version(taxonomy))


def _spoilt(rows: pl.DataFrame) -> list[str]:
    """What is wrong between the worksheets, and with the columns that nobody should write into."""
    marked = rows.filter(pl.col(ANSWER).is_not_null())
    files = marked.select(pl.col("tagger").str.to_lowercase(), "file").unique().group_by("tagger").len().filter(pl.col("len") > 1)["tagger"].sort()
    sizes = pl.col("stratum_size").cast(pl.Int64, strict=False)
    uneven = rows.group_by("stratum").agg(n=sizes.n_unique()).filter(pl.col("n") > 1)["stratum"].sort()
    odd = rows.filter((sizes < 1) | sizes.is_null() | pl.col("stratum").is_null())["row"].head(20)
    lost = not any(Drawing.told(mark) for mark in rows["drawn"].unique())
    return [
        *(f"two worksheets carry the name '{name}': each person reads alone, so each needs a name of its own" for name in files),
        *(f"row {row}: the stratum or its size was changed; copy the marks into a fresh worksheet" for row in odd),
        *(f"stratum {name} has several sizes; copy the marks into a fresh worksheet" for name in uneven),
        *(["the column drawn does not say how the sample was drawn; copy the marks into a fresh worksheet"] if lost else []),
    ]


def disputed(marks: Marks, *, desk: Desk, outcomes: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    """The contacts of the newest sample that taggers dispute, for one more person to settle.

    Returns
    -------
    pl.DataFrame
        A worksheet as `sample` makes it, with `said`: what each tagger called it. Sorted by contact.
    """
    newest = marks.of()
    open_ones = newest.verdicts.filter("disputed").select(KEY)
    voice = pl.format("{}: {}{}", "tagger", pl.col("mode").fill_null(UNSURE), pl.format(" or {}", "second_mode").fill_null(""))
    said = newest.raw.filter(~pl.col("settles")).sort("tagger").group_by(KEY).agg(said=voice.str.join(" / "))
    rows = newest.sample.join(open_ones, on=KEY, how="semi").join(said, on=KEY, how="inner").sort(KEY)
    return sheet(rows, desk=desk, outcomes=outcomes, taxonomy=taxonomy, beside=("said",))
