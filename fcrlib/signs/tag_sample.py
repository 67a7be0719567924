"""Which failed contacts do people read, and on what worksheet?

Drawn by what the rules say, so that no way of failing is missed, and shown without a word of it: strata go out under a code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import polars as pl

from fcrlib.intake.tables.worksheet import one_line
from fcrlib.judge.rates import is_final
from fcrlib.judge.sampling import draw, stamp
from fcrlib.model.columns import KEY
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.signs.tag_sheet import shown

LEAST, MOST, USUAL = 50, 200, 100
DAYS = (30, 60)
CONTACT, ANSWER, UNSURE = "contact", "mode", "unsure"
BLANK = (ANSWER, "second_mode", "tagger", "note")
CARRIED = ("stratum", "stratum_size", "drawn")
_FEW = 5  # so many of each stratum at least, where there are so many


def sample(
    desk: Desk,
    outcomes: pl.DataFrame,
    *,
    tags: pl.DataFrame,
    taxonomy: Taxonomy,
    policy: Policy,
    n: int = USUAL,
    seed: int = 0,
    days: int = 45,
    within: pl.Expr | None = None,
) -> pl.DataFrame:
    """Draw failed contacts for people to read, each way of failing by its size and none left out.

    Strata are the primary modes that the rules give; inside a stratum the channels come in proportion. Only contacts whose verdict is final
    are drawn. The same seed on the same desk draws the same contacts, whatever the order of the rows.

    Parameters
    ----------
    tags
        What the rules say: `source`, `contact_id`, `mode`, `primary` (`explain.failure_modes.tag`).
    n
        How many contacts; all of them where there are fewer.
    days
        Contacts that started in so many days are drawn from, the last ones whose window has closed.
    within
        Which contacts may be drawn instead, an expression on `outcomes` (usually a period).

    Returns
    -------
    pl.DataFrame
        `contact` (unique), what a reader needs (`judge.tag_sheet.shown`), the empty columns `mode`, `second_mode`, `tagger`, `note`, then what the
        answer is weighed by: `stratum` (a code that does not tell the mode), `stratum_size`, `drawn` (definition, taxonomy, days, seed, desk);
        in random order.

    Raises
    ------
    UsageError
        If the numbers are out of their bounds, or too few for so many modes.
    DataError
        If no contact failed in these days.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., 91-93 (proportional allocation), 205-208 (equal steps through the channels).
    """
    if not LEAST <= n <= MOST:
        raise UsageError(f"a sample has {LEAST} to {MOST} failed contacts, not {n}")
    pool = _pool(desk, outcomes, policy=policy, days=days, within=within)
    told = pool.join(tags.filter("primary").select(*KEY, stratum="mode"), on=KEY, how="inner", maintain_order="left")
    strata = told["stratum"].n_unique()
    if strata > n / 2:
        raise UsageError(f"{n} contacts are too few for {strata} ways of failing: draw {2 * strata} or more, or join modes in the taxonomy")
    drawn = draw(told, n=n, seed=seed, least=max(1, min(_FEW, n // (2 * strata))), spread="channel")
    first, last = told.select(pl.col("start_at").min().dt.date(), last=pl.col("start_at").max().dt.date()).row(0)
    made = f"{policy.name} {policy.fingerprint}; taxonomy {taxonomy.version} {taxonomy.fingerprint}; {first} to {last}"
    mark = stamp(desk, made=made, seed=seed, drawn=drawn.height, of=told.height, things="failed contacts")
    return sheet(drawn.with_columns(drawn=pl.lit(mark)), desk=desk, outcomes=outcomes, taxonomy=taxonomy)


def _pool(desk: Desk, outcomes: pl.DataFrame, *, policy: Policy, days: int, within: pl.Expr | None) -> pl.DataFrame:
    """Failed contacts that may be drawn: `source`, `contact_id`, `start_at`, `channel`, in the order of the keys."""
    end = pl.lit(desk.manifest.data_end).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if within is None:
        if not DAYS[0] <= days <= DAYS[1]:
            raise UsageError(f"a sample is drawn from the last {DAYS[0]} to {DAYS[1]} days, not {days}")
        until = end - (policy.window or timedelta())
        within = (pl.col("start_at") < until) & (pl.col("start_at") >= until - timedelta(days=days))
    failed = outcomes.with_columns(data_end=end).filter((pl.col("label") == "failed") & is_final() & within)
    if failed.is_empty():
        raise DataError(f"no contact failed in these days under {policy.name}, so there is nothing to read")
    channels = desk.contacts.select(*KEY, pl.col("channel").cast(pl.String))
    return failed.select(*KEY, "start_at").join(channels, on=KEY, how="inner").sort(KEY)


def sheet(drawn: pl.DataFrame, *, desk: Desk, outcomes: pl.DataFrame, taxonomy: Taxonomy, beside: Sequence[str] = ()) -> pl.DataFrame:
    """The worksheet of some contacts; a contact's place in it is that of the frame."""
    told = shown(desk, outcomes, asked=drawn, promises=taxonomy.promises)
    carried = drawn.select(*KEY, *CARRIED, *beside).with_columns(stratum=_coded(drawn))
    both = told.join(carried, on=KEY, how="inner", maintain_order="left")
    blank = [pl.lit(None, pl.String).alias(name) for name in BLANK]
    return both.select(contact_name().alias(CONTACT), pl.exclude(*KEY, *CARRIED, *beside), *beside, *blank, *CARRIED)


def contact_name() -> pl.Expr:
    """A contact by one name; the word in front keeps a spreadsheet from reading a number or a date."""
    return one_line(pl.format("contact {} ({})", "contact_id", "source"))


def _coded(drawn: pl.DataFrame) -> pl.Series:
    """The strata under names that do not tell the mode."""
    pairs = drawn.select("drawn", "stratum").unique()
    codes = pairs.with_columns(code=pl.Series([code(mark, mode) for mark, mode in pairs.iter_rows()], dtype=pl.String))
    return drawn.join(codes, on=["drawn", "stratum"], how="left", maintain_order="left")["code"].alias("stratum")


def code(mark: str, mode: str) -> str:
    """Whoever knows the modes can tell which it is; whoever only reads the worksheet cannot."""
    return "s" + hashlib.sha256(f"{' '.join(mark.split())}|{mode}".encode()).hexdigest()[:7]


def for_taggers(drawn: pl.DataFrame, *, taggers: int = 2, seed: int = 0) -> list[pl.DataFrame]:
    """The same worksheet for each tagger, each in an order of its own, so that tiredness does not fall on the same contacts."""
    orders = [np.random.default_rng([seed, tagger]).permutation(drawn.height) for tagger in range(1, taggers)]
    return [drawn, *(drawn[order.tolist()] for order in orders)]


def legend(taxonomy: Taxonomy) -> pl.DataFrame:
    """What may be written into a worksheet: `mode`, `name`, `meaning`, `example`."""
    rows = [(mode.slug, mode.name, mode.meaning, next(iter(mode.examples), None)) for mode in taxonomy.modes]
    rows += [
        (UNEXPLAINED, "none of these", "You see what happened, and none of the ways above fits; say in the note what it was.", None),
        (UNSURE, "cannot tell", "What stands here does not let you decide.", None),
    ]
    return pl.DataFrame(rows, orient="row", schema=dict.fromkeys(("mode", "name", "meaning", "example"), pl.String))
