"""How much hangs on the definition, and what would other people's screens say about the same contacts?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from fcrlib.judge.definitions import SCOPES
from fcrlib.judge.rates import INDEX, MIN_CONTACTS, rate, withhold
from fcrlib.model.columns import KEY, OTHERS
from fcrlib.model.policy import Policy, presets
from fcrlib.model.tables import RESOLVED_STATUSES

if TYPE_CHECKING:
    from fcrlib.study import Study

RULES = (
    "deleted", "spam", "merged", "internal", "test", "side_conversation", "company_initiated", "abandoned", "duplicate_submission", "no_response",
    "auto_closed",
)  # fmt: skip
_TREATED = {
    "what": pl.String, "treatment": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "house": pl.Boolean,
}  # fmt: skip
_ASKED_OF = {"no_response": "has_messages", "thanks": "has_messages"}
_SCREEN = {
    "name": pl.String, "supported": pl.Boolean, "missing": pl.String, "n": pl.Int64, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "against_ours": pl.Float64, "why": pl.String, "only_theirs": pl.Int64, "ours_says": pl.String, "only_ours": pl.Int64, "theirs_says": pl.String,
}  # fmt: skip


def grid(study: Study) -> pl.DataFrame:
    """FCR of the period under many definitions.

    Returns
    -------
    pl.DataFrame
        The columns of `judge.definitions.definition_grid` and `definition` in words; `n`, `share`, `low` and `high` are those of the rate as it
        will stand. Rows that say the same twice are left out: where the category and the customer are not looked at, the channel is not either.
    """
    said = study.definitions().filter(pl.col("same_issue").is_in(["category", "any", "text"]) | (pl.col("scope") == SCOPES[True]))
    final = {"n": "final_n", "share": "final", "low": "final_low", "high": "final_high"}
    return said.with_columns(definition=_in_words(), **{name: pl.col(column) for name, column in final.items()})


def plain(study: Study, definitions: pl.DataFrame) -> pl.DataFrame:
    """The part of a grid that changes nothing but the window and the idea of the same issue."""
    scope = pl.col("scope").is_in([SCOPES[study.policy.across_channels]]) | pl.col("same_issue").is_in(["none", "linked"])
    return definitions.filter(scope & (pl.col("transfer") == study.policy.transfer))


def choices(study: Study, definitions: pl.DataFrame) -> pl.DataFrame:
    """Which of the choices matters most? Each one changed alone, everything else as the house has it.

    Returns
    -------
    pl.DataFrame
        `choice`, `to` (in words), `n`, `share`, `low`, `high`, `moves` (share minus the house's), `tau` (agreement of the ranking of categories);
        the largest move first. Empty where the house definition is not in the grid.
    """
    house = definitions.filter("house")
    if house.is_empty() or house["share"][0] is None:
        return definitions.select(pl.lit("").alias("choice"), pl.lit("").alias("to"), "n", "share", "low", "high", moves="share", tau="tau").head(0)
    own = house.row(0, named=True)
    words = {"window": ("window", "window"), "rule": ("same issue", "rule"), "scope": ("channels", "scope"), "transfer": ("transfers", "transfer")}
    rows = []
    for column, (choice, shown) in words.items():
        others = [pl.col(name) == own[name] for name in words if name != column]
        alone = definitions.filter(*others, pl.col(column) != own[column])
        to = pl.col(shown).replace({"any": "any transfer fails", "ignore": "transfers are ignored"}) if column == "transfer" else pl.col(shown)
        moves = pl.col("share") - own["share"]
        rows.append(alone.select(pl.lit(choice).alias("choice"), to.alias("to"), "n", "share", "low", "high", moves.alias("moves"), "tau"))
    return pl.concat(rows).sort(pl.col("moves").abs() * -1, "choice", "to", nulls_last=True)


def _in_words() -> pl.Expr:
    channel = pl.when(pl.col("scope") == "same channel").then(pl.lit(", same channel")).otherwise(pl.lit(""))
    handover = pl.when(pl.col("transfer") == "any").then(pl.lit(", no transfer")).otherwise(pl.lit(""))
    return pl.concat_str("rule", channel, handover)


def screens(study: Study) -> pl.DataFrame:
    """The same period under every preset, among them those that rebuild the number on a vendor's screen.

    Returns
    -------
    pl.DataFrame
        One row per preset: `name`, `supported` (does this desk record what it needs?), `missing` (what it lacks, in words), `n`, `share`,
        `low`, `high` (null where not supported), `against_ours` (share minus that of the study's policy), `why` (what it does otherwise),
        `only_theirs` (contacts that it calls resolved and ours failed), `ours_says` (by what most of those failed), `only_ours` (resolved by
        ours, failed by it) and `theirs_says`. The study's own policy comes first, then the presets in their order.
    """
    named = {
        study.policy.name: study.policy,
        **{name: policy for name, policy in presets().items() if policy.fingerprint != study.policy.fingerprint},
    }
    return pl.DataFrame([_screen(study, name, policy) for name, policy in named.items()], schema=_SCREEN)


def _screen(study: Study, name: str, policy: Policy) -> dict[str, object]:
    missing = study.lacks(*policy.needs())
    blank = {"name": name, "supported": not missing, "missing": "; ".join(missing), "why": policy.note}
    if missing:
        return blank
    other = study.with_policy(policy)
    head, ours = other.headline, study.headline["share"]
    gap = None if head["share"] is None or ours is None else head["share"] - ours
    figures = {key: head[key] for key in ("n", "share", "low", "high")}
    return {**blank, **figures, "against_ours": gap, **_disagreements(study.contacts, other.contacts)}


def _disagreements(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, object]:
    """Contacts that one calls resolved and the other failed, and by what most of them failed."""
    both = ours.select(*KEY, "label", "reason").join(theirs.select(*KEY, "label", "reason"), on=KEY, suffix="_there")
    sides = {
        ("only_theirs", "ours_says", "reason"): (pl.col("label") == "failed") & (pl.col("label_there") == "resolved"),
        ("only_ours", "theirs_says", "reason_there"): (pl.col("label") == "resolved") & (pl.col("label_there") == "failed"),
    }
    found: dict[str, object] = {}
    for (count, word, reason), holds in sides.items():
        rows = both.filter(holds)
        found[count] = rows.height
        found[word] = rows.group_by(reason).len().sort("len", reason, descending=[True, False])[reason][0] if rows.height else None
    return found


def exclusions(study: Study) -> pl.DataFrame:
    """What is not counted, rule by rule, also the rules that struck nobody.

    Returns
    -------
    pl.DataFrame
        `rule`, `n` contacts of the period, `share` of them (both null where the desk does not record what the rule asks); in the order in
        which the rules are asked. The last row, `thanks`, are contacts whose reopening was not held against them because a thank-you or the
        system caused it.
    """
    counts = study.contacts.filter(pl.col("label") == "excluded").group_by("reason").agg(n=pl.len())
    rules = pl.DataFrame({"rule": RULES}).join(counts, left_on="rule", right_on="reason", how="left", maintain_order="left")
    last = pl.DataFrame({"rule": ["thanks"], "n": [_forgiven(study)]}, schema={"rule": pl.String, "n": pl.Int64})
    table = pl.concat([rules.select("rule", pl.col("n").fill_null(0).cast(pl.Int64)), last])
    blind = [rule for rule, needs in _ASKED_OF.items() if study.lacks(needs)]
    table = table.with_columns(n=pl.when(~pl.col("rule").is_in(blind)).then("n"))
    return table.with_columns(share=pl.col("n") / study.contacts.height)


def _forgiven(study: Study) -> int:
    """Contacts that were reopened inside the window without failing by it."""
    states = study.desk.events.filter(pl.col("kind") == "status").sort(*KEY, "at", "seq")
    before = pl.coalesce(pl.col("status_to").shift(1).over(KEY), "status_from")
    reopened = states.filter(before.is_in(RESOLVED_STATUSES) & ~pl.col("status_to").is_in(RESOLVED_STATUSES)).select(*KEY, "at")
    counted = study.contacts.filter(pl.col("label").is_in([*INDEX, "pending"]) & ~pl.col("reasons").list.contains("reopened"))
    inside = (pl.col("at") > pl.col("anchor_at")) & (pl.col("at") <= pl.col("horizon_at"))
    return reopened.join(counted.select(*KEY, "anchor_at", "horizon_at"), on=KEY).filter(inside).select(KEY).n_unique()


def treatments(study: Study) -> pl.DataFrame:
    """What the rate would be if silence were treated otherwise: `what`, `treatment`, `n`, `share`, `low`, `high`, `house`.

    Contacts resolved without an answer, and those the system closed for inactivity, can be left out, counted as resolved or held to have failed.
    What the desk does not record, or never happened to it, is not asked.
    """
    rows = []
    silent = not study.lacks("has_messages")
    closed = bool((study.desk.contacts["close_reason"] == "inactivity").any())
    asked = {"zero_touch": silent, "auto_close": closed}
    for field, what in [pair for pair in (("zero_touch", "resolved without an answer"), ("auto_close", "closed for inactivity")) if asked[pair[0]]]:
        for treatment, word in (("exclude", "left out"), ("count", "counted as resolved"), ("fail", "held to have failed")):
            own = getattr(study.policy, field) == treatment
            other = study if own else study.with_policy(study.policy.revised(**{field: treatment}))
            figures = {name: other.headline[name] for name in ("n", "share", "low", "high")}
            rows.append({"what": what, "treatment": word, **figures, "house": own})
    return pl.DataFrame(rows, schema=_TREATED)


def units(study: Study) -> pl.DataFrame:
    """The same period counted by contact, by issue and by customer.

    Returns
    -------
    pl.DataFrame
        `unit`, `means`, `n`, `share`, `low`, `high`: contacts (repeats judged like first ones), issues (what comes back is not counted again),
        customers (who asked once in the period, and that was enough).
    """
    every, issue = (study.rate(study.under(study.policy.revised(unit=unit))) for unit in ("contact", "issue"))
    known = study.contacts.filter(pl.col("customer").is_not_null() & pl.col("label").is_in([*INDEX, "repeat"]))
    people = known.group_by("customer").agg(done=(pl.len() == 1) & (pl.col("label") == "resolved").any())
    customers = rate(people, pl.col("done"))
    told = {
        "contact": ("contacts that nothing had to follow", every),
        "issue": ("issues that needed one contact", issue),
        "customer": ("customers who asked just once", customers),
    }
    return pl.concat(
        table.select(pl.lit(unit).alias("unit"), pl.lit(means).alias("means"), "n", "share", "low", "high") for unit, (means, table) in told.items()
    )


def per_issue(study: Study) -> pl.DataFrame:
    """How many contacts an issue of the period took so far: `contacts` (1, 2, 3, 4 or more), `n` issues, `share`, and `mean` over all."""
    chains = _chains(study)
    size = chains.group_by("issue").agg(contacts=pl.len())
    counts = size.group_by(pl.min_horizontal("contacts", pl.lit(4)).alias("contacts")).agg(n=pl.len()).sort("contacts")
    words = pl.when(pl.col("contacts") < 4).then(pl.col("contacts").cast(pl.String)).otherwise(pl.lit("4 or more")).alias("contacts")
    mean = size["contacts"].mean() if size.height else None
    return counts.select(words, "n", share=pl.col("n") / pl.col("n").sum(), mean=pl.lit(mean, pl.Float64))


def _chains(study: Study) -> pl.DataFrame:
    """Contacts of the issues that began in the period, in the order of time: `issue`, `start_at`, `channel`, `customer`, and their key."""
    first = study.contacts.filter(pl.col("label").is_in([*INDEX, "pending"])).select("issue")
    linked = study.everything.filter(pl.col("label").is_in([*INDEX, "pending", "repeat"])).join(first, on="issue", how="semi")
    return linked.select(*KEY, "issue", "start_at", pl.col("channel").cast(pl.String), "customer").sort("issue", "start_at", *KEY)


def switches(study: Study) -> pl.DataFrame:
    """On which channel customers come back, by the channel they came from.

    Returns
    -------
    pl.DataFrame
        `from_channel`, `to_channel` (the five busiest by themselves, the rest together), `n` repeats, `share` of the repeats that came from
        that channel (null below 30 of them); the busiest channels first.
    """
    steps = _steps(study)
    busiest = pl.concat([steps["from_channel"], steps["to_channel"]]).value_counts(sort=True)["from_channel"].sort().to_list() if steps.height else []
    size = {name: steps.filter((pl.col("from_channel") == name) | (pl.col("to_channel") == name)).height for name in busiest}
    own = sorted(busiest, key=lambda name: (-size[name], name))[:5]
    lumped = steps.with_columns(
        pl.when(pl.col(name).is_in(own)).then(name).otherwise(pl.lit(OTHERS)).alias(name) for name in ("from_channel", "to_channel")
    )
    place = {name: rank for rank, name in enumerate([*own, OTHERS])}
    table = lumped.group_by("from_channel", "to_channel").agg(n=pl.len().cast(pl.Int64))
    whole = pl.col("n").sum().over("from_channel")
    ranked = table.sort(pl.col("from_channel", "to_channel").replace_strict(place, return_dtype=pl.Int64))
    return ranked.select("from_channel", "to_channel", "n", share=pl.when(whole >= MIN_CONTACTS).then(pl.col("n") / whole))


def after_switch(study: Study) -> pl.DataFrame:
    """How often a repeat ends the matter, on another channel and on the same: `came_back_by`, then the columns of `rates.rate` and `too_few`."""
    word = pl.when("switched").then(pl.lit("another channel")).otherwise(pl.lit("the same channel")).alias("came_back_by")
    steps = _steps(study).with_columns(switched=pl.col("from_channel") != pl.col("to_channel")).with_columns(word)
    return withhold(rate(steps, pl.col("held"), by="came_back_by", cluster="customer"))


def _steps(study: Study) -> pl.DataFrame:
    """Each repeat with the channel before it, and whether it was the end of the matter (null while that is open)."""
    alone = study.under(study.policy.revised(unit="contact"), within="desk").select(*KEY, judged="label")
    chains = _chains(study)
    same = pl.col("issue") == pl.col("issue").shift(1)
    steps = chains.with_columns(from_channel=pl.when(same).then(pl.col("channel").shift(1)), to_channel="channel").drop_nulls("from_channel")
    steps = steps.join(alone, on=KEY, how="left", maintain_order="left")
    held = pl.when(pl.col("judged").is_in(INDEX)).then(pl.col("judged") == "resolved")
    return steps.select("customer", "from_channel", "to_channel", held=held)


def across(study: Study) -> dict[str, int]:
    """How many issues of the period needed more than one contact, and how many of those went over more than one channel."""
    chains = _chains(study).group_by("issue").agg(contacts=pl.len(), channels=pl.col("channel").n_unique())
    several = chains.filter(pl.col("contacts") > 1)
    return {"issues": chains.height, "several": several.height, "crossed": int((several["channels"] > 1).sum())}
