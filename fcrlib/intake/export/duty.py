"""What does an export owe its reader?

It is of this system and of one desk, every page of it is there, and what must be known is known; a record that came twice counts once.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.canonical.instants import ROW
from fcrlib.intake.export.gather import RECORD, Gathering, folded, paths_of
from fcrlib.intake.export.kinds import Kind
from fcrlib.intake.export.likeness import looks_like
from fcrlib.intake.export.pages import gaps
from fcrlib.intake.tables.files import SHRUNK
from fcrlib.model.desk import Dropped

_SHOWN = 30


def problems(gathered: Gathering, *, files: int) -> list[str]:
    """Everything that is wrong with what was gathered, one line each."""
    first = gathered.export.kinds[0].name
    found = [*gathered.problems]
    if all(gathered.table(kind).is_empty() for kind in (first, *gathered.export.enough)) and not found:
        found.append(_foreign(gathered, first, files))
    elif other := looks_like(gathered.seen[first], unless=gathered.export.system):
        found.insert(0, f"{first}: the records look like {other}, try `fcr import {other}`")
    found += gaps([sheet for sheet in gathered.sheets if not gathered.kinds[sheet.kind].spare], paging=gathered.export.paging)
    for kind in gathered.export.kinds:
        found += _needs(gathered, kind)
    return found


def once(gathered: Gathering) -> tuple[dict[str, pl.DataFrame], list[Dropped]]:
    """The tables with every record once, of several with one name the newest; what stood inside the others goes with them."""
    tables, dropped = {}, []
    for kind in gathered.export.kinds:
        older, example = _older(gathered.table(kind.name), kind)
        if len(older):
            why = "the same record again: exports overlap, or it was delivered twice; the newest is kept"
            dropped.append(Dropped(what=kind.name, count=len(older), why=why, example=example))
            for one in kind.family():
                gathered.shelf.keep(one.name, ~pl.col(RECORD).is_in(older.implode()))
        tables.update({one.name: gathered.table(one.name) for one in kind.family()})
    return tables, dropped


def _older(frame: pl.DataFrame, kind: Kind) -> tuple[pl.Series, str]:
    """Numbers of the records that came again in a newer form, and a name that stood on several; records without a name are all kept."""
    none = frame[RECORD].head(0), ""
    if not kind.key or not frame.height:
        return none
    # A number for every name needs less room than the names; those of the same number are looked at more closely.
    sign = frame.select(pl.struct(kind.key).hash())[:, 0]
    if sign.n_unique() == frame.height:
        return none
    twice = frame.select(RECORD, *kind.key, *([_age(kind.newest)] if kind.newest else [])).filter(sign.is_duplicated())
    named = twice.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in kind.key))
    newest = named.sort(*([_AGE] if kind.newest else []), RECORD).unique(kind.key, keep="last")
    older = named.filter(~pl.col(RECORD).is_in(newest[RECORD].implode()))
    return older[RECORD], next((one for one in older[kind.key[0]] if one), "")


def unused(gathered: Gathering) -> pl.DataFrame:
    """Fields that nobody asked for: `kind`, `field`, `n`; the most frequent first."""
    rows = []
    for name, seen in gathered.seen.items():
        kind = gathered.kinds[name]
        if kind.spare:
            continue
        paths = [*paths_of(kind), *(kind.tell or ())[:1]]
        asked = {path.lstrip("^").replace("[", ".").replace("{", ".").split(".")[0] for path in paths}
        headers = {folded(path) for path in paths}
        rows += [(name, field, n) for field, n in seen.items() if field not in asked and folded(field) not in headers]
    found = pl.DataFrame(rows, schema={"kind": pl.String, "field": pl.String, "n": pl.Int64}, orient="row")
    return found.sort("kind", pl.col("n") * -1, "field")


def remarks(spare: pl.DataFrame) -> list[str]:
    """One line per kind that has fields nobody asked for."""
    grouped = spare.group_by("kind", maintain_order=True).agg(pl.col("field").head(_SHOWN), pl.len())
    more = [(kind, ", ".join(fields), n - _SHOWN) for kind, fields, n in grouped.iter_rows()]
    return [f"{kind}: fields not used: {fields}{f' and {n} more' if n > 0 else ''}" for kind, fields, n in more]


def _foreign(gathered: Gathering, first: str, files: int) -> str:
    fields = {*gathered.strange, *(field for seen in gathered.seen.values() for field in seen)}
    other = looks_like(fields)
    hint = f": it looks like {other}, try `fcr import {other}`" if other and other != gathered.export.system else ""
    there = f"; its fields are {', '.join(sorted(fields)[:12])}" if fields else ""
    return f"no {first} are in {files:,} file{'s' if files > 1 else ''}{hint}{there}"


def _needs(gathered: Gathering, kind: Kind) -> list[str]:
    frame = gathered.table(kind.name)
    if frame.is_empty():
        return []
    known = {column: pl.col(column).is_not_null().any() for column in kind.needed}
    shrunk = {f"shrunk {column}": pl.col(column).filter(pl.col(column).str.contains(SHRUNK)).first() for column in kind.key}
    found = frame.select(pl.len().alias("rows"), **known, **shrunk).row(0, named=True)
    fields = ", ".join(field for field, _ in gathered.seen[kind.name].most_common(40))
    told = [
        f"{kind.name}: '{kind.fields[column]}' ({column}) is in none of {found['rows']:,} records; was it renamed? there are {fields}"
        for column in kind.needed
        if not found[column]
    ]
    told += _nameless(gathered, frame, kind)
    told += [
        f"{kind.name}: {column} was shortened by a spreadsheet, e.g. '{example}'{_place(frame, column, example)}: export it again and do not open it there"
        for column in kind.key
        if (example := found[f"shrunk {column}"])
    ]
    told += _remade(gathered, frame, kind)
    host = gathered.export.host
    if host in kind.fields and len(hosts := _hosts(frame, host)) > 1:
        mixed = ", ".join(f"{name} ({n:,})" for name, n in hosts)
        told.append(f"{kind.name}: records of {len(hosts)} desks are mixed: {mixed}; import each on its own")
    return told


def _nameless(gathered: Gathering, frame: pl.DataFrame, kind: Kind) -> list[str]:
    """What the export is about must have a name; an answer among the pages that tells of an error has none."""
    if kind is not gathered.export.kinds[0]:
        return []
    columns = [column for column in kind.key if column in kind.needed and frame[column].null_count() < frame.height]
    blank = {column: frame.filter(pl.col(column).is_null()) for column in columns}
    return [
        f"{kind.name}: {rows.height:,} of {frame.height:,} records have no '{kind.fields[column]}' ({column}), the first is {rows[ROW][0]}: "
        "is it the answer to a request that failed? fetch it again"
        for column, rows in blank.items()
        if rows.height
    ]


def _place(frame: pl.DataFrame, column: str, value: str) -> str:
    """Where a value stands first."""
    return f" ({frame.filter(pl.col(column) == value)[ROW][0]})"


def _remade(gathered: Gathering, frame: pl.DataFrame, kind: Kind) -> list[str]:
    """Records of one name that were made at different times are two records, of two desks: a new state of a record keeps the time it was made."""
    made = next((name for name in ("created_at", "opened_at") if name in kind.fields), None)
    if kind is not gathered.export.kinds[0] or made is None or not kind.key:
        return []
    sign = frame.select(pl.struct(kind.key).hash())[:, 0]
    if sign.n_unique() == frame.height:
        return []
    twice = frame.filter(sign.is_duplicated()).select(*kind.key, ROW, made=pl.coalesce(_age(made).cast(pl.String), made)).drop_nulls()
    mixed = twice.filter(pl.col("made").n_unique().over(kind.key) > 1)
    if mixed.is_empty():
        return []
    name = mixed[kind.key[0]][0]
    rows = " and ".join(mixed.filter(pl.col(kind.key[0]) == name).unique("made", maintain_order=True)[ROW].head(2))
    count = mixed[kind.key[0]].n_unique()
    return [
        f"{kind.name}: {count:,} ids stand for records made at different times, e.g. '{name}' ({rows}): two desks are mixed, import each on its own"
    ]


def _hosts(frame: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    host = pl.col(column).str.extract(r"^https?://([^/]+)")
    counts = frame.select(host.alias("host")).drop_nulls().group_by("host").len().sort("len", "host", descending=[True, False])
    return counts.rows()


_AGE = "fcrlib age"


def _age(column: str) -> pl.Expr:
    """Numbers as numbers, ISO instants as instants, so that the newest is the last."""
    text = pl.col(column)
    moment = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us", time_zone="UTC")
    plain = text.str.replace(" ", "T").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us", time_zone="UTC")
    return pl.coalesce(text.cast(pl.Float64, strict=False), moment.dt.epoch("us").cast(pl.Float64), plain.dt.epoch("us").cast(pl.Float64)).alias(_AGE)
