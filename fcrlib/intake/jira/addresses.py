"""Of which Jira issue is what lies beside it?

Pages of one issue's changelog, its comments, its rating: the records do not name the issue, the address of the record or of its page does, or the name
of the file.
"""

from __future__ import annotations

import polars as pl

from fcrlib.intake.export.gather import FILE
from fcrlib.intake.export.kinds import at
from fcrlib.intake.export.records import Records

_ADDRESS = r"/(?:issue|request)/([^/?#]+)"
_NAMED = r"(?:^|[/_. -])([A-Z][A-Z0-9_]*-\d+)(?:[/_. -]|$)"
_SELF = ("self", "_links.self")


def owned(found: Records, kind: str, issues: pl.DataFrame) -> pl.DataFrame:
    """Records of a kind with the `issue` they belong to, by its number; a file that tells of several issues says nothing about a record of it.

    Parameters
    ----------
    found
        The export.
    kind
        With `issue` (a number or a key) and maybe `link`, the address of the record.
    issues
        With `issue` and `contact_id`.
    """
    frame = found.table(kind)
    numbers = dict(issues.select("contact_id", "issue").iter_rows())
    link = pl.col("link").str.extract(_ADDRESS) if "link" in frame.columns else pl.lit(None, dtype=pl.String)
    whole = frame.join(_of_files(found, set(numbers) | set(numbers.values())), on=FILE, how="left", maintain_order="left")
    return whole.with_columns(issue=pl.coalesce("issue", link, "filed").replace(numbers)).drop("filed")


def _of_files(found: Records, known: set[str]) -> pl.DataFrame:
    """The one issue that a file is of, `filed`: by the addresses of its pages, else by its name."""
    told = [(sheet.file, str(link)) for sheet in found.sheets for path in _SELF if (link := at(sheet.said, path)) is not None]
    pages = pl.DataFrame(told, schema={"name": pl.String, "link": pl.String}, orient="row")
    paged = pages.with_columns(pl.col("link").str.extract(_ADDRESS)).drop_nulls().group_by("name").agg(pl.col("link").unique())
    single = paged.filter(pl.col("link").list.len() == 1).select("name", paged=pl.col("link").list.first())
    files = pl.DataFrame({FILE: range(len(found.names)), "name": found.names}, schema={FILE: pl.Int64, "name": pl.String})
    both = files.join(single, on="name", how="left", maintain_order="left")
    named = pl.col("name").str.extract(_NAMED)
    return both.select(FILE, filed=pl.coalesce("paged", pl.when(named.is_in(list(known))).then(named)))
