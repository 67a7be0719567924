"""What do customers say when they are asked, and what would all of them say?

The system's verdict is known of every contact and only a rule; the customer's answer is the better witness, but few give one, and
they are not like the rest. Every function takes a study and leaves an empty frame where the desk has no survey. An answer of
`partly` is no yes. A policy that reads the survey itself is judged anew without it, or the survey would be compared with itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import polars as pl

from fcrlib.judge import survey
from fcrlib.judge.outcomes import judge
from fcrlib.judge.rates import is_final, rate, stand_apart, withhold
from fcrlib.model.columns import NOT_KNOWN, OTHERS
from fcrlib.model.errors import DataError

if TYPE_CHECKING:
    from fcrlib.study import Study

ALL = "all"
GROUPS = 6
CELLS = ("channel", "group")
TOP = 0.75  # of csat on 0..1: 4 of 5 and better
TILTS = (-0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6)
METHODS: Mapping[str, Literal["poststrat", "rake", "ipw"]] = {"post-stratified": "poststrat", "raked": "rake", "by chance to answer": "ipw"}
Schema = dict[str, type[pl.DataType]]
T, N, F, B = pl.String, pl.Int64, pl.Float64, pl.Boolean
RATE: Schema = {"share": F, "low": F, "high": F}


def judged_alone(study: Study) -> Study:
    """The study under a policy that does not look at the survey: itself, or judged anew where its own policy does."""
    if study.policy.survey == "ignore":
        return study
    policy = study.policy.revised(survey="ignore")
    return replace(study, policy=policy, outcomes=judge(study.desk, policy=policy))


def linked(study: Study) -> pl.DataFrame:
    """The first contacts of the period with both verdicts.

    Returns
    -------
    pl.DataFrame
        One row per first contact, by `source`, `contact_id`: `channel`, `category`, `group` (the six largest categories, the rest
        together), `customer`, `system` (resolved; null until the verdict is final), `offered`, `answer` (the last one that a later one has not
        replaced), `said` (yes), `answered_at`, `late` (answered after the window), `csat`, `csat_scale`, `ces`.
    """
    first = judged_alone(study).first_contacts
    text = pl.col("channel", "category").cast(pl.String).fill_null(NOT_KNOWN)
    verdict = pl.when(is_final()).then(pl.col("label") == "resolved")
    rows = first.select("source", "contact_id", text, "customer", "anchor_at", "horizon_at", system=verdict)
    rows = rows.with_columns(group=_lumped(rows["category"], most=GROUPS))
    table = study.desk.surveys if not study.lacks("has_survey") else study.desk.surveys.clear()
    key = ["source", "contact_id"]
    rows = rows.join(table.select(*key, offered=True).unique(), on=key, how="left")
    for question, kept in (("resolved", ["resolved", "answered_at"]), ("csat", ["csat", "csat_scale"]), ("ces", ["ces"])):
        last = survey.last_answers(table, question=question, data_end=study.desk.manifest.data_end)
        rows = rows.join(last.select(*key, *kept), on=key, how="left")
    answer = pl.col("resolved").cast(pl.String)
    mended = rows.with_columns(
        pl.col("offered").fill_null(False), answer=answer, said=answer == "yes", late=pl.col("answered_at") > pl.col("horizon_at")
    )
    return mended.drop("resolved").sort("source", "contact_id")


def _lumped(levels: pl.Series, *, most: int) -> pl.Series:
    """The most frequent levels by themselves, the rest together."""
    largest = levels.value_counts().sort(pl.col("count") * -1, levels.name)[levels.name].head(most)
    return levels.set(~levels.is_in(largest.implode()), OTHERS)


def _shaped(frame: pl.DataFrame | None, schema: Schema) -> pl.DataFrame:
    """The frame with these columns; without one, no rows."""
    return pl.DataFrame(schema=schema) if frame is None else frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _both(study: Study) -> pl.DataFrame | None:
    """All first contacts, with `answered`, if at least one that can be judged has an answer."""
    rows = linked(study).with_columns(answered=pl.col("said").is_not_null())
    return rows if rows.select((pl.col("answered") & pl.col("system").is_not_null()).any()).item() else None


def _by_channel(rows: pl.DataFrame, measured: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `measured` makes of all rows and of those of each channel, the largest first, under `channel`."""
    names = rows.group_by("channel").len().sort(pl.col("len") * -1, "channel")["channel"].to_list()
    parts = {ALL: rows, **{name: rows.filter(pl.col("channel") == name) for name in names}}
    return pl.concat([measured(part).select(pl.lit(name).alias("channel"), pl.all()) for name, part in parts.items()])


def answers(study: Study) -> pl.DataFrame:
    """Who was asked, who answered and what: all together, then each channel, the largest first.

    Returns
    -------
    pl.DataFrame
        `channel`, `contacts` (first contacts), `asked` (null where the desk records no offers, only answers), `n` (answered whether
        it was resolved), `clusters`, `response` (answered of asked) with `response_low` and `response_high`, `share` (yes: the
        survey's FCR) with `low` and `high` (95 %, clustered by customer), `partly`, `no` (shares), `late` (answered after the
        window, counted all the same), `too_few`: shares of fewer than 30 answers or 10 customers are blank.
    """
    counts: Schema = {"channel": T, "contacts": N, "asked": N, "n": N, "clusters": N, "response": F, "response_low": F, "response_high": F}
    schema = counts | RATE | {"partly": F, "no": F, "late": N, "too_few": B}
    if study.lacks("has_survey"):
        return _shaped(None, schema)
    offers = bool(study.desk.surveys["answered_at"].is_null().any())
    return _shaped(_by_channel(linked(study), lambda rows: _funnel(rows, offers=offers)), schema)


def _funnel(rows: pl.DataFrame, *, offers: bool) -> pl.DataFrame:
    said = withhold(rate(rows, pl.col("said"), cluster="customer").fill_nan(None))
    heard = pl.when(pl.col("offered") & offers).then(pl.col("said").is_not_null())
    back = rate(rows, heard, cluster="customer").fill_nan(None).select(asked="n", response="share", response_low="low", response_high="high")
    shares = {word: (pl.col("answer") == word).mean() for word in ("partly", "no")}
    counted = rows.select(contacts=pl.len(), **shares, late=pl.col("late").sum())
    known = pl.when(~pl.col("too_few"))
    row = pl.concat([counted, back, said], how="horizontal").with_columns(known.then(pl.col("partly", "no")).name.keep())
    return row if offers else row.with_columns(asked=pl.lit(None, pl.Int64), response_low=None, response_high=None)


def _weigh(rows: pl.DataFrame, *, method: Literal["poststrat", "rake", "ipw"] = "poststrat") -> survey.Weights:
    """Weights for the answers of those contacts that can be judged."""
    return survey.response_weights(rows.filter(pl.col("system").is_not_null()), responded="answered", cells=["system", *CELLS], method=method)


def crossing(study: Study) -> pl.DataFrame:
    """How the verdicts of the system and of the customers meet on the contacts that have both.

    Returns
    -------
    pl.DataFrame
        Four rows, agreement first: `system` and `customer` (resolved, not resolved), `n` answers, `share` of them, `weighted` share
        when each answer stands for the contacts of its verdict, channel and category group.
    """
    schema: Schema = {"system": T, "customer": T, "n": N, "share": F, "weighted": F}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    found = _weigh(rows).frame
    plain, mended = (survey.agreement(found, system="system", survey="said", weight=weight).table for weight in (None, "weight"))
    words = {name: pl.when(name).then(pl.lit("resolved")).otherwise(pl.lit("not resolved")) for name in ("system", "survey")}
    agreed = (pl.col("system") != pl.col("survey"), pl.col("system") * -1)
    table = plain.with_columns(weighted=mended["share"]).sort(*(part.cast(pl.Int8) for part in agreed))
    return _shaped(table.with_columns(**words).rename({"survey": "customer"}), schema)


def agreement_of(study: Study) -> pl.DataFrame:
    """How well the system reads its customers.

    Returns
    -------
    pl.DataFrame
        `measure` (kappa; sensitivity, specificity: of what customers call resolved, or not, so much the system reads so; ppv, npv: of
        what the system calls resolved, or failed, so much customers confirm; difference: system minus customers), `n` answers,
        `value`, `low`, `high`, then `weighted`, `weighted_low`, `weighted_high` (answers weighed as in `crossing`) and `p` (McNemar's
        test of the difference, unweighted). Intervals 95 %, clustered by customer; null where undefined.
    """
    schema: Schema = {"measure": T, "n": N, "value": F, "low": F, "high": F, "weighted": F, "weighted_low": F, "weighted_high": F, "p": F}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    found = _weigh(rows).frame
    plain, mended = (survey.agreement(found, system="system", survey="said", weight=weight, cluster="customer") for weight in (None, "weight"))
    beside = mended.measures.select(weighted="value", weighted_low="low", weighted_high="high")
    p = pl.when(pl.col("measure") == "difference").then(plain.p)
    return _shaped(pl.concat([plain.measures, beside], how="horizontal").with_columns(p=p), schema)


def false_resolutions(study: Study, *, most: int = 10) -> pl.DataFrame:
    """Contacts that the system calls resolved and the customer does not: whom to ask what went wrong.

    Returns
    -------
    pl.DataFrame
        `source`, `contact_id`, `channel`, `category`, `answer` (no before partly), `answered_at`, `days` from the first resolution to
        the answer; the latest answers first, at most `most`.
    """
    schema: Schema = {"source": T, "contact_id": T, "channel": T, "category": T, "answer": T}
    found = linked(study).filter("system", ~pl.col("said")).sort("answer", "answered_at", "contact_id", descending=[False, True, False])
    days = (pl.col("answered_at") - pl.col("anchor_at")).dt.total_seconds() / 86_400
    return (
        found.head(most)
        .select(pl.col(name).cast(dtype) for name, dtype in schema.items())
        .with_columns(found.head(most).select("answered_at", days=days))
    )


def false_by(study: Study, *, by: str = "category", most: int = 12) -> pl.DataFrame:
    """How often customers contradict a resolution, by a column of `linked`: its largest levels by themselves, the rest together.

    Returns
    -------
    pl.DataFrame
        `by`, `n` (the system says resolved and the customer answered), `false` (of these the customer says no or partly), `clusters`,
        `share`, `low`, `high`, `too_few`, `apart` (from all together, by more than chance among so many); the highest share first.
    """
    rows = linked(study).filter(pl.col("system"), pl.col("said").is_not_null())
    schema = {by: T, "n": N, "false": N, "clusters": N} | RATE | {"too_few": B, "apart": B}
    if rows.is_empty():
        return _shaped(None, schema)
    rows = rows.with_columns(_lumped(rows[by], most=most))
    found = rate(rows, ~pl.col("said"), by=by, cluster="customer").with_columns(false=(pl.col("share") * pl.col("n")).round())
    whole = rows.select((~pl.col("said")).mean()).item()
    return _shaped(stand_apart(withhold(found), whole=whole).sort(pl.col("share") * -1, by, nulls_last=True), schema)


def estimates(study: Study) -> pl.DataFrame:
    """First contact resolution as the system, the customers who answered, and both together see it.

    Returns
    -------
    pl.DataFrame
        `estimator`, `est`, `low`, `high` (95 %, clustered by customer; null where it cannot be said), `n` contacts that can be
        judged, `respondents`, `rests_on` (all of them for the system, the answers for the others), `note`. Rows: `system`; `survey` as answered; `survey, post-stratified` over verdict, channel and
        category group, `survey, raked`, `survey, by chance to answer`; `together` (two-phase, see `judge.survey.hybrid`); and
        `cross-check` (Rogan and Gladen), which holds only if customers answer by chance.

    Notes
    -----
    Pending contacts are in no row. The intervals of the weighted surveys take the weights as given.
    """
    schema: Schema = {"estimator": T, "est": F, "low": F, "high": F, "n": N, "respondents": N, "rests_on": N, "note": T}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    table = survey.hybrid(rows, system="system", survey="said", cells=CELLS, cluster="customer", tilt=[0])
    size = table.row(0, named=True)
    found = survey.agreement(rows, system="system", survey="said")
    crossed = survey.rogan_gladen(size["est"], sensitivity=found.sensitivity, specificity=found.specificity)
    note = "holds only if customers answer by chance; a cross-check, not an estimate"
    mended = [{"estimator": f"survey, {name}", **_mended(rows, method)} for name, method in METHODS.items()]
    last = {"estimator": "cross-check", "est": None if math.isnan(crossed) else crossed, "note": note}
    named = table.with_columns(pl.col("estimator").replace({"hybrid": "together"})).drop("se")
    extra = pl.DataFrame([*mended, last], schema=named.schema).with_columns(n=pl.lit(size["n"], N), respondents=pl.lit(size["respondents"], N))
    stacked = pl.concat([named.head(2), extra.head(3), named.tail(1), extra.tail(1)])
    rests_on = pl.when(pl.col("estimator") == "system").then("n").otherwise("respondents")
    return _shaped(stacked.with_columns(rests_on=rests_on), schema)


def _mended(rows: pl.DataFrame, method: Literal["poststrat", "rake", "ipw"]) -> dict[str, object]:
    try:
        weighted = _weigh(rows, method=method).frame
    except DataError as error:
        return {"note": str(error)}
    row = rate(weighted, pl.col("said"), cluster="customer", weight="weight").row(0, named=True)
    return {"est": row["share"], "low": row["low"], "high": row["high"], "note": "answers weighed by verdict, channel and category group"}


def tilts(study: Study, *, tilt: Sequence[float] = TILTS) -> pl.DataFrame:
    """What becomes of the estimate if customers who did not answer differ from those of their kind who did.

    Nothing in the data can say whether they do; the table says how much would hang on it.

    Returns
    -------
    pl.DataFrame
        `tilt` (log odds, rising), `odds` (its odds ratio), `meaning` in words, `est`, `low`, `high`.
    """
    schema: Schema = {"tilt": F, "odds": F, "meaning": T, "est": F, "low": F, "high": F}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    steps = list(dict.fromkeys([0.0, *map(float, tilt)]))
    table = survey.hybrid(rows, system="system", survey="said", cells=CELLS, cluster="customer", tilt=steps).tail(len(steps))
    given = table.with_columns(tilt=pl.Series(steps)).with_columns(odds=pl.col("tilt").exp(), meaning=survey.tilt_in_words("tilt"))
    return _shaped(given.sort("tilt"), schema)


def bounds(study: Study) -> pl.DataFrame:
    """The share of yes if none, or all, of the customers who did not answer were resolved: honest, and too wide to act on.

    Returns
    -------
    pl.DataFrame
        One row: `lowest`, `highest`, `width` (one less the share that answered), `n`, `respondents`.
    """
    schema: Schema = {"lowest": F, "highest": F, "width": F, "n": N, "respondents": N}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    return _shaped(survey.bounds(rows, system="system", survey="said"), schema)


def tipping_point(study: Study, *, threshold: float | None = None) -> pl.DataFrame:
    """How different silent customers must be for both together to reach another number.

    Parameters
    ----------
    threshold
        The share to reach; by default the system's own, and the survey's as answered.

    Returns
    -------
    pl.DataFrame
        `against` (system, survey, or given), `threshold`, `est` (together), `tilt` (log odds; null if none within 10 does), `odds`, `meaning`.
    """
    schema: Schema = {"against": T, "threshold": F, "est": F, "tilt": F, "odds": F, "meaning": T}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    table = survey.hybrid(rows, system="system", survey="said", cells=CELLS, tilt=[0])
    goals = dict(table.head(2).select("estimator", "est").iter_rows()) if threshold is None else {"given": threshold}
    found = [
        {"against": name, "threshold": goal, "tilt": survey.tipping(rows, system="system", survey="said", cells=CELLS, threshold=goal)}
        for name, goal in goals.items()
    ]
    frame = pl.DataFrame(found, schema={"against": T, "threshold": F, "tilt": F})
    return _shaped(frame.with_columns(est=pl.lit(table["est"][2], F), odds=pl.col("tilt").exp(), meaning=survey.tilt_in_words("tilt")), schema)


def weights(study: Study) -> pl.DataFrame:
    """What weighing the answers costs, by method.

    Returns
    -------
    pl.DataFrame
        `method`, `respondents`, `effective` (Kish's size: so many answers of equal weight say as much), `largest` (contacts that one
        answer stands for, at most), `merged` (cells or levels with fewer than 20 answers), `note` (the first three of them).
    """
    schema: Schema = {"method": T, "respondents": N, "effective": F, "largest": F, "merged": N, "note": T}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    return pl.DataFrame([{"method": name, **_cost(rows, method)} for name, method in METHODS.items()], schema=schema)


def _cost(rows: pl.DataFrame, method: Literal["poststrat", "rake", "ipw"]) -> dict[str, object]:
    try:
        made = _weigh(rows, method=method)
    except DataError as error:
        return {"note": str(error)}
    size = {"respondents": made.frame.height, "effective": made.ess, "largest": made.max_weight}
    return {**size, "merged": len(made.collapsed), "note": "; ".join(made.collapsed[:3])}


def balance(study: Study) -> pl.DataFrame:
    """How unlike all contacts those answered for are, and what the post-strata mend.

    Returns
    -------
    pl.DataFrame
        `variable` (system, channel, group), `level`, `population` (share of all that can be judged), `before`, `after`: standardised
        differences of those answered for, as they are and weighed; 0.1 and more is worth a look. The largest `before` first.
    """
    schema: Schema = {"variable": T, "level": T, "population": F, "before": F, "after": F}
    if (rows := _both(study)) is None:
        return _shaped(None, schema)
    found = _weigh(rows).balance
    verdict = pl.when(pl.col("variable") == "system").then(pl.col("level").replace({"true": "resolved", "false": "failed"})).otherwise("level")
    return _shaped(found.with_columns(level=verdict).sort(pl.col("before").abs() * -1, "variable", "level", nulls_last=True), schema)


def plan(study: Study, *, half_widths: Sequence[float] = (0.02, 0.03, 0.05), response: Sequence[float] = (0.05, 0.10, 0.15)) -> pl.DataFrame:
    """How many customers to ask for an answer that is sure to within some points, and how long that takes here.

    Returns
    -------
    pl.DataFrame
        `half_width`, `response`, `own` (this desk's own response), `answers` needed, customers to `ask`, `weeks` of first contacts if all
        are asked, and what was assumed: `share` (the survey's, a half where unknown), `deff` (of its customers).
    """
    schema: Schema = {"half_width": F, "response": F, "own": B, "answers": N, "ask": N, "weeks": F, "share": F, "deff": F}
    if study.lacks("has_survey"):
        return _shaped(None, schema)
    rows, own = linked(study), answers(study)["response"][0]
    said = rate(rows, pl.col("said"), cluster="customer").fill_nan(None).row(0, named=True)
    share = said["share"] if said["share"] is not None and 0 < said["share"] < 1 else 0.5
    first, after = study.period.bounds(time_zone=study.time_zone)
    weeks = (min(after, study.desk.manifest.data_end) - max(first, study.desk.manifest.data_start)).total_seconds() / 604_800
    tried = [*response, *([own] if own else [])]
    tables = [
        survey.sample_size(share=share, half_width=half, response=tried, deff=said["deff"] or 1.0).with_columns(
            half_width=pl.lit(half), own=pl.int_range(pl.len()) == len(response), weeks=pl.col("ask") * weeks / max(rows.height, 1)
        )
        for half in half_widths
    ]
    return _shaped(pl.concat(tables).with_columns(share=pl.lit(share), deff=pl.lit(said["deff"] or 1.0)), schema)


def quality(study: Study) -> pl.DataFrame:
    """How many first contacts are both resolved and liked: all together, then each channel, the largest first.

    Returns
    -------
    pl.DataFrame
        `channel`, `n` (verdict and rating known), `clusters`, `share` (resolved and rated 0.75 or better on 0..1, 4 or 5 of 5) with
        `low` and `high`, `fcr` and `top` (of the same contacts), `too_few`, `scale` (the most frequent; others are never averaged
        in), `left_out` (ratings on other scales).
    """
    schema = {"channel": T, "n": N, "clusters": N} | RATE | {"fcr": F, "top": F, "too_few": B, "scale": T, "left_out": N}
    rated = linked(study).filter(pl.col("csat").is_not_null(), pl.col("system").is_not_null())
    if rated.is_empty():
        return _shaped(None, schema)
    rated = rated.with_columns(pl.col("csat_scale").fill_null(NOT_KNOWN))
    scale = rated.group_by("csat_scale").len().sort(pl.col("len") * -1, "csat_scale")["csat_scale"][0]
    kept = rated.filter(pl.col("csat_scale") == scale)
    return _shaped(_by_channel(kept, _score).with_columns(scale=pl.lit(scale), left_out=rated.height - kept.height), schema)


def _score(rows: pl.DataFrame) -> pl.DataFrame:
    found = withhold(survey.quality_score(rows, resolved="system", csat="csat", top=TOP, cluster="customer"))
    parts = rows.select(fcr=pl.col("system").mean(), top=(pl.col("csat") >= TOP).mean())
    row = pl.concat([found, parts], how="horizontal")
    return row.with_columns(pl.when(~pl.col("too_few")).then(pl.col("fcr", "top")).name.keep())


def effort(study: Study) -> pl.DataFrame:
    """How hard it was for the customer, by the system's verdict; what goes together, not what causes what.

    Returns
    -------
    pl.DataFrame
        `verdict` (resolved, failed, difference: failed less resolved), `n`, `clusters`, `mean` (1 easy to 7 hard), `low`, `high`
        (95 %, clustered by customer; null with fewer than two customers).
    """
    schema: Schema = {"verdict": T, "n": N, "clusters": N, "mean": F, "low": F, "high": F}
    rows = linked(study).filter(pl.col("ces").is_not_null(), pl.col("system").is_not_null())
    if rows.is_empty():
        return _shaped(None, schema)
    return _shaped(survey.means(rows, value="ces", good="system", cluster="customer").rename({"group": "verdict"}), schema)
