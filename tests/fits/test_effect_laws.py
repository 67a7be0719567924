"""What must hold of a standardised difference, whatever the answers?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fcrlib.fits.design import AsIs
from fcrlib.fits.difference import effect
from fcrlib.fits.effect import Effect
from fcrlib.model.errors import DataError

ROUNDING = 1e-9
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 10_000)
kinds = st.sampled_from(["logit", "linear", "ordinal"])


def answers(seed: int, *, rows: int = 400) -> pl.DataFrame:
    """Answers of some customers on two channels, with a wait, a weight and holes everywhere."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 60, rows)
    mood = rng.normal(size=60)[who]
    fcr, channel, wait = rng.random(rows) < 0.6, rng.choice(["chat", "phone", "web"], rows), rng.gamma(2, 3, rows)
    stars = np.clip(np.round(3 + 0.7 * fcr + 0.5 * mood - 0.05 * wait + rng.normal(size=rows)), 1, 5).astype(int)
    frame = pl.DataFrame(
        {"fcr": fcr, "channel": channel, "wait": wait, "stars": stars, "weight": rng.gamma(3, 1, rows), "customer": [f"c{one}" for one in who]}
    )
    hole = [pl.Series(rng.random(rows) > share) for share in (0.2, 0.05, 0.1, 0.1)]
    names = ["stars", "fcr", "channel", "customer"]
    frame = frame.with_columns(pl.when(there).then(name).alias(name) for name, there in zip(names, hole, strict=True))
    return frame.with_columns(good=pl.col("stars") >= 4)


def found(frame: pl.DataFrame, *, kind: Any = "logit", **more: Any) -> Effect:
    asked = {"adjust": ["channel", "wait"], "weight": "weight", **more}
    return effect(frame, outcome="good" if kind == "logit" else "stars", exposure="fcr", kind=kind, **asked)


def told(one: Effect) -> list[float]:
    assert one.se is not None
    assert one.low is not None
    return [one.estimate, one.se, one.low, one.with_exposure, one.without]


@few
@given(seeds, kinds)
def test_other_orders_and_other_names_change_nothing(seed: int, kind: str) -> None:
    frame = answers(seed)
    plain, shuffled = found(frame, kind=kind), found(frame.sample(fraction=1, shuffle=True, seed=seed), kind=kind)
    assert told(shuffled) == told(plain)
    renamed = frame.with_columns(channel=pl.col("channel").replace({"chat": "zeta", "web": "alpha"}), customer=pl.col("customer").str.reverse())
    assert told(found(renamed, kind=kind)) == pytest.approx(told(plain), abs=ROUNDING)


@few
@given(seeds, kinds)
def test_every_row_twice_at_half_its_weight_is_the_same(seed: int, kind: str) -> None:
    # Customers nobody knows are each their own, so that twice the row would be two of them.
    frame = answers(seed).with_columns(pl.col("customer").fill_null("somebody"))
    twice = pl.concat([frame, frame]).with_columns(pl.col("weight") / 2)
    plain, other = found(frame, kind=kind, adjust=["channel"]), found(twice, kind=kind, adjust=["channel"])
    # A level with too few answers to stand alone has enough of them when each stands twice: then it is another model.
    assume(plain.merged.is_empty())
    assert told(other)[0] == pytest.approx(plain.estimate, abs=ROUNDING)
    # The factor of few rows, (N - 1) / (N - K), is all that knows of the second copy.
    n, k = plain.n, plain.table.height
    factor = ((2 * n - 1) / (2 * n - k)) / ((n - 1) / (n - k))
    assert other.se == pytest.approx((plain.se or 0) * factor**0.5, rel=1e-8)
    assert other.n == 2 * plain.n
    assert other.n_clusters == plain.n_clusters


@few
@given(seeds, st.floats(1e-6, 1e6), st.floats(-100, 100))
def test_units_and_origins_of_numbers_change_nothing(seed: int, unit: float, origin: float) -> None:
    frame = answers(seed)
    other = frame.with_columns(wait=(pl.col("wait") * unit))
    assert told(found(other)) == pytest.approx(told(found(frame)), abs=ROUNDING)
    straight = found(frame, adjust=["channel", AsIs("wait")])
    moved = found(frame.with_columns(wait=(pl.col("wait") + origin) * unit), adjust=["channel", AsIs("wait")])
    assert told(moved) == pytest.approx(told(straight), abs=1e-7)


@few
@given(seeds, kinds, st.floats(1e-3, 1e3))
def test_the_scale_of_the_weights_changes_nothing(seed: int, kind: str, scale: float) -> None:
    frame = answers(seed)
    assert told(found(frame.with_columns(pl.col("weight") * scale), kind=kind)) == pytest.approx(told(found(frame, kind=kind)), abs=ROUNDING)


@few
@given(seeds, kinds)
def test_what_never_varies_is_left_out_as_levels_and_refused_as_it_is(seed: int, kind: str) -> None:
    frame = answers(seed).with_columns(always=pl.lit(3.0))
    held = found(frame, kind=kind, adjust=["channel", "always"])
    assert told(held) == told(found(frame, kind=kind, adjust=["channel"]))
    assert "always has only one level" in held.notes[0]
    with pytest.raises(DataError, match="always"):
        found(frame, kind=kind, adjust=["channel", AsIs("always")])


@few
@given(seeds, kinds)
def test_levels_weighed_by_their_size_are_the_whole(seed: int, kind: str) -> None:
    one = found(answers(seed), kind=kind, by="channel")
    assert one.segments is not None
    sizes = one.segments["size"]
    assert float((sizes * one.segments["estimate"]).sum()) / int(sizes.sum()) == pytest.approx(one.estimate, abs=ROUNDING)
    assert one.segments["n"].sum() == one.n


@few
@given(seeds)
def test_turning_the_outcome_around_turns_the_difference(seed: int) -> None:
    frame = answers(seed)
    one, other = found(frame), found(frame.with_columns(~pl.col("good")))
    assert other.estimate == pytest.approx(-one.estimate, abs=ROUNDING)
    assert other.se == pytest.approx(one.se, abs=ROUNDING)
