"""What did people mark in a worksheet?

A worksheet is a CSV that goes out to people and comes back from their spreadsheet. Going out, nothing in it can run as a
formula. Coming back, what spreadsheets do (another delimiter, another encoding, moved columns, empty rows) is forgiven,
and what people got wrong is said, all at once, with the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from fcrlib.intake.tables.files import table
from fcrlib.model.errors import DataError, FcrError, UsageError

TEXT = 400
ANSWERS: dict[str, tuple[str, ...]] = {
    "yes": ("yes", "y", "1", "true", "ja", "j", "oui", "o", "si", "sí", "sim", "wahr", "vrai"),
    "no": ("no", "n", "0", "false", "nein", "non", "não", "nao", "falsch", "faux"),
    "unsure": ("unsure", "?", "maybe", "not sure", "don't know", "unklar", "vielleicht", "peut-être", "quizás"),
}
# With what a cell begins that a spreadsheet would run.
_RUNS = r"[=+\-@\t\r＝＋－＠]"
_EXAMPLES = 20
_FEW = 6  # so many answers are listed where one is not understood; of more, the nearest is named


def write(frame: pl.DataFrame, to: Path, *, key: str, blank: Sequence[str], limit: int = TEXT) -> Path:
    r"""Write a frame as a worksheet with empty columns to fill in.

    Every text becomes one line without control characters, of at most `limit` characters; a cell that a spreadsheet would
    take for a formula starts with an apostrophe.

    Parameters
    ----------
    frame
        One row per thing to mark; the columns `blank` are in it, empty.
    key
        The column by which a row is known again; it is never shortened.

    Examples
    --------
    >>> import tempfile
    >>> frame = pl.DataFrame({"id": ["a after b"], "text": ["=1+1\nboo"], "answer": [None]})
    >>> file = write(frame, Path(tempfile.mkdtemp()) / "sheet.csv", key="id", blank=["answer"])
    >>> file.read_text(encoding="utf-8-sig").splitlines()
    ['id,text,answer', "a after b,'=1+1 boo,"]
    """
    missing = [name for name in (key, *blank) if name not in frame.columns]
    if missing:
        raise UsageError(f"the worksheet lacks its columns {', '.join(missing)}")
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    safe = frame.with_columns(_guarded(one_line(pl.col(name)), limit=None if name == key else limit).alias(name) for name in texts)
    to.parent.mkdir(parents=True, exist_ok=True)
    safe.with_columns(pl.col(blank).cast(pl.String)).write_csv(to, include_bom=True, line_terminator="\r\n", float_precision=2)
    return to


def read(
    file: Path,
    *,
    key: str,
    answer: str,
    known: pl.Series,
    stamp: tuple[str, str],
    purpose: str,
    needs: Sequence[str] = (),
    answers: Mapping[str, Sequence[str]] = ANSWERS,
    also: Sequence[str] = (),
) -> pl.DataFrame:
    """Read a worksheet that came back.

    Parameters
    ----------
    key, answer
        The columns that name a row and that hold its answer.
    known
        Every key there can be.
    stamp
        A column and the text that must stand in it.
    purpose
        What a worksheet with that stamp was made for, in words.
    needs
        Other columns that must have come back.
    answers
        What people may write, by what it means; upper and lower case and blanks around it do not matter.
    also
        Further columns that take the same answers and may be empty.

    Returns
    -------
    pl.DataFrame
        `row` (in the file, the header is row 1) and the columns of the file as text, one row per key in the order of the file; `answer`
        is one of the names of `answers`, or null where nothing was marked; so are the columns `also`. Columns that the worksheet did not have
        are kept.

    Raises
    ------
    UsageError
        If the worksheet was made for something else.
    DataError
        If it cannot be read, or with every mistake at once: columns that are gone, answers and keys that nobody knows, keys
        that carry two answers, nothing filled in.
    """
    frame = opened(file)
    if missing := [name for name in dict.fromkeys([key, answer, stamp[0], *needs]) if name not in frame.columns]:
        raise DataError(f"{file} is not the worksheet that went out: {_columns(missing)} gone", [f"it has: {', '.join(frame.columns)}"])
    rows = frame.with_row_index("row", offset=2).filter(pl.any_horizontal(pl.col(name).is_not_null() for name in frame.columns))
    _refuse_other(rows, file=file, stamp=stamp, purpose=purpose)
    spelled = _spellings(answers)
    further = [name for name in also if name in frame.columns]
    rows = rows.with_columns(_meant(pl.col(answer), spelled).alias("said"))
    unread = [line for name in further for line in _unread(rows, name, _meant(pl.col(name), spelled), answers=answers)]
    if problems := _problems(rows, key=key, answer=answer, known=known, answers=answers) + unread:
        raise DataError(f"{file} has {len(problems)} mistake{'s' if len(problems) > 1 else ''}:", problems)
    read_out = rows.with_columns(pl.col("said").alias(answer), *(_meant(pl.col(name), spelled).alias(name) for name in further))
    return read_out.drop("said").sort(pl.col(answer).is_null(), "row").unique(key, keep="first", maintain_order=True).sort("row")


def opened(file: Path) -> pl.DataFrame:
    """What stands in a worksheet that came back: columns by the names they went out with, cells as text, null where nothing stands.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    frame = _named(table(file).frame)
    return frame.with_columns(_bare(pl.col(name)).alias(name) for name in frame.columns)


def read_all(files: Sequence[Path], read_one: Callable[[Path], pl.DataFrame]) -> list[pl.DataFrame]:
    """Read several worksheets, and tell what is wrong with any of them at once.

    Raises
    ------
    UsageError, DataError
        The mistake itself where there is one; a DataError that joins them where several files have some.
    """
    frames: list[pl.DataFrame] = []
    faults: list[FcrError] = []
    for file in files:
        try:
            frames.append(read_one(file))
        except FcrError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        lines = [f"{fault.what.rstrip(':')}: {problem}" if fault.problems else fault.what for fault in faults for problem in fault.problems or ("",)]
        raise DataError(f"{len(faults)} of {len(files)} worksheets cannot be taken:", lines)
    return frames


def has_marks(file: Path, *, blank: Sequence[str]) -> bool:
    """Has somebody written into this file, or is it something else than an empty worksheet?

    True whenever it cannot be told, so that nobody's work is overwritten.
    """
    try:
        frame = _named(table(file).frame)
    except DataError:
        return True
    there = [name for name in blank if name in frame.columns]
    return len(there) < len(blank) or bool(frame.select(pl.any_horizontal(_bare(pl.col(name)).is_not_null().any() for name in there)).item())


def one_line(text: pl.Expr) -> pl.Expr:
    """The text on one line, without anything that moves a cursor, hides or reorders letters."""
    return text.str.replace_all(r"\p{Cf}", "").str.replace_all(r"[\s\p{C}]+", " ").str.strip_chars()


def _guarded(text: pl.Expr, *, limit: int | None) -> pl.Expr:
    short = text if limit is None else pl.when(text.str.len_chars() > limit).then(text.str.head(limit - 1) + "…").otherwise(text)
    return pl.when(short.str.contains(rf"^'*{_RUNS}")).then(pl.lit("'") + short).otherwise(short)


def _bare(text: pl.Expr) -> pl.Expr:
    """What stood in a cell before it was guarded; null where nothing did."""
    clean = one_line(text).str.replace(rf"^'('*{_RUNS})", "${1}")
    return pl.when(clean.str.len_chars() > 0).then(clean)


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns by the names they went out with, however a spreadsheet spells them."""
    return frame.rename({name: name.strip().lower().replace(" ", "_") for name in frame.columns})


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(names)} {'are' if len(names) > 1 else 'is'}"


def _spellings(answers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {spelling.lower(): name for name, spellings in answers.items() for spelling in (name, *spellings)}


def _meant(said: pl.Expr, spelled: Mapping[str, str]) -> pl.Expr:
    return said.str.to_lowercase().replace_strict(dict(spelled), default=None, return_dtype=pl.String)


def _unread(rows: pl.DataFrame, column: str, meant: pl.Expr, *, answers: Mapping[str, Sequence[str]]) -> list[str]:
    """Answers that nobody knows, with the nearest one that is known, or all of them where they are few."""
    strange = rows.filter(pl.col(column).is_not_null() & meant.is_null())
    if len(answers) <= _FEW:
        return _told(strange, f"is no answer; write {' or '.join(answers)}", pl.col(column))
    spelled = _spellings(answers)
    near = {said: get_close_matches(said.lower(), spelled, n=1, cutoff=0.5) for said in strange[column].unique().sort()}
    hints = {said: f"is no answer; did you mean {spelled[found[0]]}?" if found else "is no answer" for said, found in near.items()}
    hint = pl.col(column).replace_strict(hints, return_dtype=pl.String) if hints else pl.lit("")
    return _told(strange, hint, pl.col(column))


def _refuse_other(rows: pl.DataFrame, *, file: Path, stamp: tuple[str, str], purpose: str) -> None:
    column, text = stamp
    others = rows.filter(~pl.col(column).str.contains(text, literal=True))
    if others.height:
        row, said = others.select("row", column).row(0)
        raise UsageError(f"{file} was not made for {purpose}: row {row} says '{said}'", [f"{others.height:,} of {rows.height:,} rows say so"])


def _problems(rows: pl.DataFrame, *, key: str, answer: str, known: pl.Series, answers: Mapping[str, Sequence[str]]) -> list[str]:
    keys = pl.DataFrame({"key": known.cast(pl.String)}).select(_bare(pl.col("key")))["key"]
    nameless = rows.filter(pl.col(key).is_null() & pl.col(answer).is_not_null())
    strange = rows.filter(pl.col(key).is_not_null() & ~pl.col(key).is_in(keys.implode()))
    split = rows.filter(pl.col("said").is_not_null() & (pl.col("said").drop_nulls().n_unique().over(key) > 1) & pl.col(key).is_not_null())
    found = [
        *_told(nameless, f"has an answer but no {key}", pl.lit("")),
        *_told(strange, f"there is no such {key}", pl.col(key)),
        *_unread(rows, answer, pl.col("said"), answers=answers),
        *_told(split, "carries two different answers", pl.col(key)),
    ]
    return found or ([] if rows["said"].count() else [f"nothing is filled in: the column {answer} is empty"])


def _told(rows: pl.DataFrame, what: str | pl.Expr, about: pl.Expr) -> list[str]:
    """One line per row, at most twenty of a kind."""
    quoted = pl.format("row {}: '{}' {}", "row", about.str.head(60), pl.lit(what) if isinstance(what, str) else what).str.replace(
        "'' ", "", literal=True
    )
    lines = rows.head(_EXAMPLES).select(line=quoted)["line"].to_list()
    return [*lines, f"and {rows.height - _EXAMPLES:,} more rows like these"] if rows.height > _EXAMPLES else lines
