"""When was that?

Reads date columns as exports write them and gives UTC instants. The order of day and month is decided over whole columns,
never row by row; where no row decides it, both readings are shown and the user is asked. Local times without a zone are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from fcrlib.model.errors import UsageError

# A column of this name, if the frame has it, says in which row of the file a value stands.
ROW = "fcrlib row"
ORDERS = ("day first", "month first")
EXPECTED = "2026-09-30 14:05, 30/9/2026 14:05, 2026-09-30T14:05:00+02:00 or seconds since 1970"
_TIME = (
    r"(?:[T, ]+(?<hour>\d{1,2})[:.h](?<minute>\d{2})(?:[:.](?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?"
    r" ?(?<half>[AaPp])?\.?(?:[Mm]\.?)? ?(?<offset>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$"
)
_SHAPES = {
    "iso": r"^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})" + _TIME,
    "numbers": r"^(?<first>\d{1,2})[-/.](?<then>\d{1,2})[-/.](?<year>\d{4}|\d{2})" + _TIME,
    "day and name": r"^(?:[A-Za-z]{3},? )?(?<day>\d{1,2})[-. /]+(?<month>[A-Za-z]{3})[a-z]*\.?[-. /,]+(?<year>\d{4}|\d{2})" + _TIME,
    "name and day": r"^(?:[A-Za-z]{3},? )?(?<month>[A-Za-z]{3})[a-z]*\.? (?<day>\d{1,2}),? (?<year>\d{4})" + _TIME,
    "compact": r"^(?<year>(?:19|20)\d{2})(?<month>\d{2})(?<day>\d{2})(?:T?(?<hour>\d{2})(?<minute>\d{2})(?<second>\d{2})(?<offset>Z)?)?$",
}
_ISO = r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)(?:Z|\+00:?00)?$"
_ZERO = r"(?:Z|\+00:?00)$"
_EPOCH = r"^\d{9,10}(?:\.\d+)?$|^\d{12,13}$|^\d{16}$"
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: f"{number:02d}" for number, name in enumerate(_NAMES, start=1)}
_PARTS = ("year", "month", "day", "first", "then", "hour", "minute", "second", "fraction", "half", "offset", "epoch")


@dataclass(frozen=True, slots=True)
class Instants:
    """Date columns, read.

    Parameters
    ----------
    frame
        One UTC column per date column, rows in the order given; null where the source says nothing.
    problems
        What could not be read, one line per column.
    notes
        What had to be decided, e.g. clock changes.
    """

    frame: pl.DataFrame
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read(frame: pl.DataFrame, *, columns: Sequence[str], time_zone: str | None, dates: str | None = None) -> Instants:
    """Read date columns of text as UTC instants.

    Parameters
    ----------
    frame
        Text columns, nulls for "nothing here". Row 1 of the file is its header; the column `ROW` numbers rows that no longer stand in its order.
    columns
        The date columns.
    time_zone
        Zone of times that carry none; None refuses them.
    dates
        `day first`, `month first`, a pattern such as `%d.%m.%Y %H:%M`, or None to decide by the values.

    Examples
    --------
    >>> frame = pl.DataFrame({"opened": ["29/2/2016 01:16", "5/3/2016 12:00"]})
    >>> read(frame, columns=["opened"], time_zone="UTC").frame["opened"].dt.strftime("%F %T").to_list()
    ['2016-02-29 01:16:00', '2016-03-05 12:00:00']
    """
    zone_of(time_zone)
    pattern = dates if dates and "%" in dates else None
    if dates is not None and pattern is None and dates not in ORDERS:
        raise UsageError(f"dates = '{dates}' is not understood: write {ORDERS[0]!r}, {ORDERS[1]!r} or a pattern such as '%d.%m.%Y %H:%M'")
    numbers = pl.col(ROW).cast(pl.String) if ROW in frame.columns else pl.int_range(2, pl.len() + 2).cast(pl.String).alias(ROW)
    frame = frame.select(numbers, *(pl.col(column).cast(pl.String) for column in columns))
    texts = {column: frame.select(pl.col(column).alias("text")) for column in columns}
    plain = {column: _plainly(values, read=pattern is None) for column, values in texts.items()}
    rest = {column: values.filter(plain[column]["at"].is_null()).unique(maintain_order=True).drop_nulls() for column, values in texts.items()}
    parts = {column: _by_pattern(values, pattern) if pattern else _split(values) for column, values in rest.items()}
    orders, problems = _orders(parts, given=None if pattern else dates)
    notes: list[str] = []
    read_columns = []
    for column, values in texts.items():
        known = plain[column]
        if parts[column].height:
            others = values.join(_moments(parts[column], order=orders.get(column, ORDERS[0])), on="text", how="left", maintain_order="left")
            known = known.select(pl.coalesce("at", others["at"]), pl.coalesce("fixed", others["fixed"]))
        problems += _unread(frame, column, known["at"].is_null(), pattern) if orders.get(column) != "both" else []
        problems += _without_zone(frame, column, known["at"].is_not_null() & ~known["fixed"]) if time_zone is None else []
        placed = _placed(known, zone=time_zone or "UTC")
        notes += [*_clock_changes(placed, column, time_zone), *(_days_only(parts[column], column) if plain[column]["at"].count() == 0 else [])]
        read_columns.append(placed["at"].alias(column))
    return Instants(pl.DataFrame(read_columns), tuple(problems), tuple(notes))


def zone_of(time_zone: str | None) -> None:
    """Refuse a zone that does not exist.

    Raises
    ------
    UsageError
        If it is none of the IANA names.
    """
    try:
        ZoneInfo(time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"time zone '{time_zone}' does not exist: write a name such as Europe/Berlin, America/New_York or UTC") from None


def aware(moment: datetime, *, name: str) -> datetime:
    """The moment in UTC; one without a zone is refused.

    Raises
    ------
    UsageError
        If it has none.
    """
    if moment.tzinfo is None:
        raise UsageError(f"{name} {moment:%Y-%m-%d %H:%M} has no time zone: say which, e.g. datetime(2026, 9, 30, tzinfo=UTC)")
    return moment.astimezone(UTC)


def looks_like_dates(values: pl.Series) -> float:
    """Share of the values (0..1) that have the shape of a date or an epoch.

    Examples
    --------
    >>> looks_like_dates(pl.Series(["29/2/2016 01:16", "Group 5"]))
    0.5
    """
    if values.is_empty():
        return 0.0
    shapes = [*_SHAPES.values(), _EPOCH]
    return float(pl.DataFrame({"text": values}).select(pl.any_horizontal(_bare().str.contains(_plain(shape)) for shape in shapes).mean()).item())


def looks_local(values: pl.Series) -> bool:
    """Is any of these dates written without a zone?"""
    split = _split(pl.DataFrame({"text": values}))
    return bool(split.select((pl.col("shape").is_not_null() & pl.col("offset").is_null() & pl.col("epoch").is_null()).any()).item())


def undecided(values: pl.Series) -> bool:
    """Could the day be the month in every one of these dates?"""
    return _order(_split(pl.DataFrame({"text": values}))) == "open"


def _plain(shape: str) -> str:
    return shape.replace("?<", "?P<")


def _bare() -> pl.Expr:
    return pl.col("text").str.strip_chars().str.replace_all(r"\s+", " ")


def _plainly(values: pl.DataFrame, *, read: bool) -> pl.DataFrame:
    """Rows of `at` and `fixed`, as of `_moments`, where a text has the form that most exports write; taking all to pieces would need much more room."""
    if not read:
        return values.select(at=pl.lit(None, dtype=pl.Datetime("us")), fixed=pl.lit(None, dtype=pl.Boolean))
    written = pl.col("text").str.extract(_ISO, 1).str.replace(" ", "T", literal=True)
    at = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    return values.select(at=at).with_columns(fixed=pl.when(pl.col("at").is_not_null()).then(values["text"].str.contains(_ZERO)))


def _split(values: pl.DataFrame) -> pl.DataFrame:
    """Columns text, shape and the parts of a date as text; shape is null where no shape fits."""
    rest = values.select("text", bare=_bare())
    pieces = []
    for name, shape in {**_SHAPES, "epoch": f"(?<epoch>{_EPOCH})"}.items():
        fits = pl.col("bare").str.contains(_plain(shape))
        found = rest.filter(fits).with_columns(pl.lit(name).alias("shape"), pl.col("bare").str.extract_groups(_plain(shape)).alias("parts"))
        pieces.append(found.unnest("parts"))
        rest = rest.filter(~fits)
    pieces.append(rest)
    blank = pl.DataFrame(schema=dict.fromkeys(("text", "shape", *_PARTS), pl.String))
    return pl.concat([blank, *pieces], how="diagonal").drop("bare")


def _by_pattern(values: pl.DataFrame, pattern: str | None) -> pl.DataFrame:
    """The parts of dates that the user described by a pattern."""
    form = pattern or ""
    zoned = "%z" in form or "%:z" in form
    moment = _bare().str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC" if zoned else None) if "%H" in form or "%I" in form else None
    moment = _bare().str.to_date(form, strict=False).cast(pl.Datetime("us")) if moment is None else moment
    offset = pl.lit("Z" if zoned else None, dtype=pl.String)
    written = values.select("text", shape=pl.lit("iso"), iso=moment.dt.strftime("%Y-%m-%dT%H:%M:%S%.6f"), offset=offset)
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(("text", "shape", *_PARTS), pl.String)), written], how="diagonal")


def _order(parts: pl.DataFrame) -> str | None:
    """`day first`, `month first`, `open` if no row decides, `both` if rows contradict each other, None if there is nothing to decide."""
    numbers = parts.filter(pl.col("first").is_not_null()).select(pl.col("first", "then").cast(pl.Int64))
    if numbers.is_empty():
        return None
    day_first, month_first = bool((numbers["first"] > 12).any()), bool((numbers["then"] > 12).any())
    if day_first and month_first:
        return "both"
    return ORDERS[0] if day_first else ORDERS[1] if month_first else "open"


def _orders(parts: dict[str, pl.DataFrame], *, given: str | None) -> tuple[dict[str, str], list[str]]:
    """The order of each column; a column that cannot tell follows the others of its file if they agree."""
    found = {column: order for column, split in parts.items() if (order := _order(split))}
    if given:
        return dict.fromkeys(found, given), []
    decided = {order for order in found.values() if order in ORDERS}
    problems = [_contradiction(column, parts[column]) for column, order in found.items() if order == "both"]
    if len(decided) == 1:
        return {column: order if order in ORDERS else next(iter(decided)) for column, order in found.items()}, problems
    problems += [_both_readings(column, parts[column]) for column, order in found.items() if order == "open"]
    return found, problems


def _both_readings(column: str, parts: pl.DataFrame) -> str:
    numbers = parts.filter(pl.col("first").is_not_null())
    differing = numbers.filter(pl.col("first").cast(pl.Int64) != pl.col("then").cast(pl.Int64))
    row = (numbers if differing.is_empty() else differing).row(0, named=True)
    day, month = int(row["first"]), int(row["then"])
    names = {int(number): name.title() for name, number in _MONTHS.items()}
    return (
        f"{column}: no day is above 12, so '{row['text']}' can be {day} {names.get(month, month)} {row['year']} (dates = \"day first\") "
        f'or {month} {names.get(day, day)} {row["year"]} (dates = "month first"): say which: `dates` in the mapping, or of a system\'s reader'
    )


def _contradiction(column: str, parts: pl.DataFrame) -> str:
    one, other = (parts.filter(pl.col(part).cast(pl.Int64) > 12)["text"][0] for part in ("first", "then"))
    return f"{column}: '{one}' has the day first and '{other}' the month: two exports with different settings were joined, read them apart"


def _moments(parts: pl.DataFrame, *, order: str) -> pl.DataFrame:
    """Columns text, at (naive, or UTC where `fixed`) and fixed; at is null where the text is no date."""
    day, month = ("first", "then") if order == ORDERS[0] else ("then", "first")
    year = pl.when(pl.col("year").str.len_chars() == 2).then(
        pl.when(pl.col("year") < "70").then(pl.lit("20")).otherwise(pl.lit("19")) + pl.col("year")
    )
    named = pl.col("month").str.to_lowercase().replace(_MONTHS)
    hour = pl.col("hour").cast(pl.Int64)
    clock = pl.when(pl.col("half").is_null()).then(hour).otherwise(pl.when(hour.is_between(1, 12)).then(hour % 12))
    clock = clock + pl.when(pl.col("half").str.to_lowercase() == "p").then(12).otherwise(0)
    pieces = [
        year.otherwise(pl.col("year")), pl.coalesce(named, month).str.zfill(2), pl.coalesce("day", day).str.zfill(2),
        pl.when(pl.col("hour").is_null()).then(pl.lit("00")).otherwise(clock.cast(pl.String).str.zfill(2)),
        pl.col("minute").fill_null("00"), pl.col("second").fill_null("00"), pl.col("fraction").fill_null("0"),
    ]  # fmt: skip
    spelled = pl.coalesce("iso", pl.format("{}-{}-{}T{}:{}:{}.{}", *pieces)) if "iso" in parts.columns else pl.format("{}-{}-{}T{}:{}:{}.{}", *pieces)
    naive = spelled.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us")
    return parts.select(
        "text",
        at=pl.coalesce(naive - pl.duration(minutes=_offset_minutes()), _from_epoch()),
        fixed=pl.col("offset").is_not_null() | pl.col("epoch").is_not_null(),
    )


def _offset_minutes() -> pl.Expr:
    digits = pl.col("offset").str.replace_all(r"[^0-9]", "")
    minutes = digits.str.slice(0, 2).cast(pl.Int64, strict=False) * 60 + digits.str.slice(2, 2).cast(pl.Int64, strict=False).fill_null(0)
    return pl.when(pl.col("offset").str.starts_with("-")).then(-minutes).otherwise(minutes).fill_null(0)


def _from_epoch() -> pl.Expr:
    """Seconds, milliseconds or microseconds since 1970, told apart by their size."""
    number = pl.col("epoch").cast(pl.Float64)
    scale = pl.when(number < 1e11).then(1_000_000).when(number < 1e14).then(1_000).otherwise(1)
    return (number * scale).round().cast(pl.Int64).cast(pl.Datetime("us"))


def _where(frame: pl.DataFrame, column: str, which: pl.Series) -> tuple[int, str]:
    """How many of these rows say something, and where the first one stands."""
    hits = frame.filter(which & frame[column].is_not_null())
    return hits.height, f"the first in row {hits[ROW][0]}: '{hits[column][0]}'" if hits.height else ""


def _unread(frame: pl.DataFrame, column: str, which: pl.Series, pattern: str | None) -> list[str]:
    count, first = _where(frame, column, which)
    expected = f"the pattern '{pattern}'" if pattern else f"a date such as {EXPECTED}"
    return [f"{column}: {count:,} of {frame[column].count():,} values are no date, {first}; expected {expected}"] if count else []


def _without_zone(frame: pl.DataFrame, column: str, which: pl.Series) -> list[str]:
    count, first = _where(frame, column, which)
    said = f'{column}: {count:,} values have no time zone, {first}; say where the clock hung: time_zone = "Europe/Berlin" (or "UTC")'
    return [said] if count else []


def _placed(moments: pl.DataFrame, *, zone: str) -> pl.DataFrame:
    """Local times as UTC. A time that the clock skipped moves on with it; of a time that came twice the first is taken."""
    local = pl.when(~pl.col("fixed")).then(pl.col("at"))
    day = timedelta(days=1)
    first = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    last = local.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    eve = (local - day).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC") + day
    fixed = pl.when("fixed").then(pl.col("at").dt.replace_time_zone("UTC"))
    return moments.select(
        at=pl.coalesce(fixed, first.dt.convert_time_zone("UTC"), eve),
        skipped=local.is_not_null() & first.is_null(),
        twice=(first != last).fill_null(False),
    )


def _clock_changes(placed: pl.DataFrame, column: str, zone: str | None) -> list[str]:
    skipped, twice = int(placed["skipped"].sum()), int(placed["twice"].sum())
    notes = [f"{column}: {skipped:,} values do not exist in {zone} (the clock was put forward) and were moved on with it"] if skipped else []
    return notes + ([f"{column}: {twice:,} values came twice in {zone} (the clock was put back); the first was taken"] if twice else [])


def _days_only(parts: pl.DataFrame, column: str) -> list[str]:
    """A window of 24 hours means little where only days are written."""
    timed = parts.filter(pl.col("hour").is_not_null() | pl.col("epoch").is_not_null() | pl.col("year").is_null())
    return [] if parts.is_empty() or timed.height else [f"{column}: days without a time of day were read as midnight"]
