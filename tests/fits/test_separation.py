"""Is it found before fitting that a logit has no estimate, and is the level named?"""

from __future__ import annotations

import polars as pl
import pytest

from fcrlib.fits.design import Terms
from fcrlib.fits.separation import refuse, separating
from fcrlib.model.errors import DataError

TERMS = Terms("fcr", factors={"channel": ("chat", "email", "phone"), "tier": ("free", "pro")})


def cells(**alike: float) -> pl.DataFrame:
    """Every combination with answers of both kinds, but for the channels given: the share of good ones there."""
    channels, tiers = pl.DataFrame({"channel": ["chat", "email", "phone"]}), pl.DataFrame({"tier": ["free", "pro"]})
    whole = channels.join(tiers, how="cross").join(pl.DataFrame({"fcr": [False, True]}), how="cross")
    share = pl.col("channel").replace_strict({name: alike.get(name, 0.4) for name in ("chat", "email", "phone")}, return_dtype=pl.Float64)
    return whole.with_columns(w=pl.lit(10.0), wy=10 * share)


def test_answers_of_both_kinds_everywhere_have_an_estimate() -> None:
    assert separating(cells(), terms=TERMS) == ()
    refuse(cells(), terms=TERMS)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_level_with_answers_of_one_kind_is_named(share: float) -> None:
    assert separating(cells(phone=share), terms=TERMS) == ("channel: phone",)
    with pytest.raises(DataError, match="channel: phone"):
        refuse(cells(phone=share), terms=TERMS)


def test_a_reference_level_with_answers_of_one_kind_is_found_through_the_others() -> None:
    assert set(separating(cells(chat=0.0), terms=TERMS)) == {"channel: email", "channel: phone"}


def test_a_crossing_separates_where_the_levels_alone_do_not() -> None:
    there = (pl.col("channel") == "phone") & pl.col("fcr")
    table = cells().with_columns(wy=pl.when(there).then("w").otherwise("wy"))
    assert separating(table, terms=TERMS) == ()
    crossed = Terms("fcr", factors=TERMS.factors, by="channel")
    assert separating(table, terms=crossed) == ("fcr and channel: phone",)


def test_levels_that_only_together_tell_answers_apart_are_found() -> None:
    table = pl.DataFrame(
        {"fcr": [True, True, False, False], "tier": ["free", "pro", "free", "pro"], "w": [5.0, 5.0, 5.0, 5.0], "wy": [5.0, 2.0, 2.0, 0.0]}
    )
    # Both cells in the middle hold answers of both kinds; the outer ones do not, and one may go on for ever without touching them.
    assert separating(table, terms=Terms("fcr", factors={"tier": ("free", "pro")})) == ("fcr", "tier: pro")


def test_cells_without_weight_say_nothing() -> None:
    table = cells().with_columns(w=pl.when(pl.col("channel") == "phone").then(0.0).otherwise("w"))
    assert separating(table.with_columns(wy=pl.when(pl.col("w") > 0).then("wy").otherwise(0.0)), terms=TERMS) == ()
