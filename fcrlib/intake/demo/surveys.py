"""What do the customers of the invented desk say when they are asked?

Satisfaction falls by `Truth.csat_effect` when the contact failed and by the confounders in their cells; who answers depends on both.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.intake.demo.canaries import confessions
from fcrlib.intake.demo.outcomes import HOUR, inside
from fcrlib.intake.demo.people import stream
from fcrlib.intake.demo.text import REMARKS, chosen
from fcrlib.intake.demo.truth import Truth

_ANSWERS = ("yes", "partly", "no")
_MINDS = {False: (0.88, 0.08, 0.04), True: (0.25, 0.30, 0.45)}  # "was your issue resolved?", by whether it failed


def asked(cases: pl.DataFrame, *, seed: int, truth: Truth) -> pl.DataFrame:
    """Decide whom to ask, who answers, and how pleased they are.

    Returns
    -------
    DataFrame
        `pleased` (yes/no, known for everybody), `t_offered` and `t_survey` (seconds; null where nothing was offered or answered).
    """
    rng, rows, response = stream(seed, "surveys", "asked"), cases.height, truth.response
    fails = cases["fails"].to_numpy()
    chance = truth.pleased - truth.csat_effect * fails + sum(c.top_box * inside(cases, c.cell) for c in truth.confounders)
    pleased = rng.random(rows) < np.clip(chance, 0.02, 0.98)
    solved = cases["t_solved"].to_numpy()
    eligible = cases.select(pl.col("fate").is_in(["normal", "outreach-reply"]) & ~pl.col("anonymous") & pl.col("t_solved").is_not_null()).to_series()
    offered = eligible.to_numpy() & (rng.random(rows) < response.offered)
    answers = offered & (rng.random(rows) < np.clip(response.rate + response.if_failed * fails + response.if_pleased * pleased, 0, 1))
    offered_at = solved + rng.integers(HOUR // 2, 3 * HOUR, rows)
    answered_at = offered_at + (8 * HOUR * np.exp(rng.normal(0, 1.1, rows)))
    times = pl.DataFrame({"t_offered": offered_at, "t_survey": answered_at, "offered": offered, "answers": answers, "pleased": pleased})
    return times.select(
        "pleased",
        pl.when("offered").then(pl.col("t_offered").fill_nan(None).cast(pl.Int64)).alias("t_offered"),
        pl.when("answers").then(pl.col("t_survey").fill_nan(None).cast(pl.Int64)).alias("t_survey"),
    )


def surveys(cases: pl.DataFrame, *, seed: int, end: int) -> pl.DataFrame:
    """Write down the offers and the answers that were given by `end` (seconds).

    `cases` has `contact_id`, `fails`, `pleased`, `t_offered`, `t_survey`.
    """
    asked = cases.filter(pl.col("t_offered") <= end).select("contact_id", "fails", "pleased", "t_offered", "t_survey")
    given = asked.with_columns(_answers(asked, seed=seed)).with_columns(t_survey=pl.when(pl.col("t_survey") <= end).then("t_survey"))
    silent = pl.col("t_survey").is_null()
    given = given.with_columns(pl.when(~silent).then(name).alias(name) for name in ("resolved", "stars", "ces", "nps", "comment"))
    twice = ~silent & (pl.col("again") < 0.03) & (pl.col("t_survey") - pl.col("t_offered") > 600)
    early = given.filter(twice).with_columns(
        t_survey=pl.col("t_survey") - 300, stars=pl.col("stars").clip(2, 4), comment=pl.lit(None, pl.String), superseded=pl.lit(True), seq=pl.lit(0)
    )
    final = given.with_columns(superseded=pl.lit(False), seq=twice.cast(pl.Int32))
    return pl.concat([final, early]).select(
        pl.lit("demo").alias("source"),
        "contact_id",
        "seq",
        *(
            (pl.col(time) * 1_000_000).cast(pl.Datetime("us", "UTC")).alias(name)
            for time, name in (("t_offered", "offered_at"), ("t_survey", "answered_at"))
        ),
        "resolved",
        pl.col("stars").cast(pl.String).alias("csat_raw"),
        pl.when(~silent).then(pl.lit("1-5")).alias("csat_scale"),
        ((pl.col("stars") - 1) / 4).alias("csat"),
        "ces",
        "nps",
        "comment",
        "superseded",
    )


def _answers(asked: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    rng, rows = stream(seed, "surveys", "answers"), asked.height
    fails, pleased = asked["fails"].to_numpy(), asked["pleased"].to_numpy()
    edges = np.where(fails[:, None], np.cumsum(_MINDS[True]), np.cumsum(_MINDS[False]))
    mind = (rng.random(rows)[:, None] > edges[:, :2]).sum(axis=1)
    stars = np.where(pleased, 4 + (rng.random(rows) < 0.66), rng.integers(1, 4, rows))
    effort = np.clip(np.round(rng.normal(np.where(fails, 4.6, 2.4) + np.where(pleased, -0.3, 0.6), 1.2)), 1, 7)
    return pl.DataFrame(
        {
            "resolved": pl.Series(_ANSWERS).gather(mind),
            "stars": stars.astype(np.int64),
            "ces": effort,
            "nps": np.clip(np.round(rng.normal(np.where(pleased, 8.6, 4.6), 1.5)), 0, 10),
            "comment": _comments(pleased, rng),
            "again": rng.random(rows),
        }
    )


def _comments(pleased: np.ndarray, rng: np.random.Generator) -> pl.Series:
    rows = len(pleased)
    secret = confessions().gather(rng.integers(0, len(confessions()), rows))
    frame = pl.DataFrame(
        {
            "pleased": pleased,
            "good": chosen(REMARKS["good"], rows, rng),
            "bad": chosen(REMARKS["bad"], rows, rng),
            "secret": secret,
            "luck": rng.random(rows),
        }
    ).with_columns(remark=pl.when("pleased").then("good").otherwise("bad"))
    told = pl.concat_str(["remark", pl.lit(" "), "secret"])
    return frame.select(pl.when(pl.col("luck") < 0.02).then(told).when(pl.col("luck") < 0.4).then("remark").alias("comment"))["comment"]
