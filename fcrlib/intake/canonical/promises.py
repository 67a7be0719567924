"""Which promised times does a helpdesk tell of a contact, and does it say that all of them were kept?

A promise that was broken is broken for good. One that still runs on an open contact is not kept yet; on a contact that is resolved nothing runs.
"""

from __future__ import annotations

import polars as pl

_SOLUTION = r"(?i)resol|solution|solv|restor|clos|lösung"
_ANSWER = r"(?i)respon|repl|answer|acknowledg|contact|assign|reaktion|antwort"


def kept(*, broken: pl.Expr, running: pl.Expr, over: pl.Expr) -> pl.Expr:
    """Was every promised time kept?

    Parameters
    ----------
    broken
        Was one broken? Null where nothing was promised.
    running
        Does one still run?
    over
        Is the contact resolved?

    Examples
    --------
    >>> some = pl.DataFrame({"broken": [True, False, False, False, None], "running": [True, True, True, False, None], "over": [False, False, True, False, True]})
    >>> some.select(kept(broken=pl.col("broken"), running=pl.col("running"), over=pl.col("over")).alias("kept"))["kept"].to_list()
    [False, None, True, True, None]
    """  # fmt: skip
    done = over.fill_null(False) | ~running.fill_null(False)
    return pl.when(broken).then(pl.lit(False)).when(broken.is_not_null() & done).then(pl.lit(True))


def promised(contacts: pl.DataFrame, promises: pl.DataFrame, *, key: str, over: pl.Expr) -> pl.DataFrame:
    """Contacts with `due_at` and `vendor_sla_met`.

    Parameters
    ----------
    contacts
        The `key`, and `due_at` where a contact itself says it: that stands where no promise tells one.
    promises
        One row per promise that was not called off: the `key`, `broken` (null where nobody says), `running`, and `due`, when the contact was to be resolved (null for promises
        of other things); of several the latest counts.
    key
        Column that names the contact in both.
    over
        Is the contact resolved?
    """
    told = promises.drop_nulls(key).group_by(key).agg(
        _broken(), pl.col("running").fill_null(False).any(), pl.col("due").max()
    )  # fmt: skip
    both = contacts.join(told, on=key, how="left", maintain_order="left")
    due = pl.coalesce("due", "due_at") if "due_at" in contacts.columns else pl.col("due")
    met = kept(broken=pl.col("broken"), running=pl.col("running"), over=over)
    return both.with_columns(due_at=due, vendor_sla_met=met).drop("broken", "running", "due")


def _broken() -> pl.Expr:
    """Was one of some promises broken? Where none is known to be, and of one nobody says it, that is not known."""
    return pl.when(pl.col("broken").any()).then(pl.lit(True)).when(pl.col("broken").is_not_null().all()).then(pl.lit(False)).alias("broken")


def of_resolution(promises: pl.DataFrame, *, key: str, title: str) -> pl.DataFrame:
    """Promises whose `due` is left only where they are about resolving the contact: those whose title says so; where none does, those of no answer.

    Parameters
    ----------
    promises
        The `key`, the `title`, and `due`.
    key
        Column that names the contact.
    title
        Column that says what was promised.

    Examples
    --------
    >>> some = pl.DataFrame({"case": ["1", "1", "2", "2", "3"], "name": ["First response", "Resolution", "Gold", None, "First reply"], "due": [1, 2, 3, 4, 5]})
    >>> of_resolution(some, key="case", title="name")["due"].to_list()
    [None, 2, 3, 4, None]
    """  # fmt: skip
    solution = pl.col(title).str.contains(_SOLUTION).fill_null(False)
    answer = pl.col(title).str.contains(_ANSWER).fill_null(False)
    counts = solution | (~solution.any().over(key) & ~answer)
    return promises.with_columns(pl.when(counts).then("due").alias("due"))
