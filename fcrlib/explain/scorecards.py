"""Which teams and agents resolve more or less than their contacts would lead one to expect?

Nobody chooses their contacts, so a share is held against the share expected of that mix of contacts, drawn towards it as far as few
contacts leave doubt, and called different only if it survives the number of comparisons (`judge.compare.shrink`).

Only contacts whose verdict is final are counted: failures are known at once, resolutions when the window has closed, so whoever
began late would look worse than they are. A repeat is charged to whoever had the first contact, never to whoever took the repeat.
What nobody at the desk could resolve is charged to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from fcrlib.fits.regression import logit_shares
from fcrlib.judge.compare import MATURED, gaming, shrink
from fcrlib.judge.rates import INDEX, MIN_CONTACTS, MIN_CUSTOMERS, mature, rate, stand_apart, withhold
from fcrlib.model.columns import NOT_KNOWN, OTHERS

if TYPE_CHECKING:
    from fcrlib.study import Study

MIX = ("channel", "category", "tier", "priority")
"""What makes contacts easy or hard before anybody has touched them."""
TOP_BOX = 0.75
"""Satisfaction from here on counts as good: 4 and 5 on a scale of five."""
NUMBERS = {
    "n": pl.Int64, "share": pl.Float64, "expected": pl.Float64, "post": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "funnel_low": pl.Float64, "funnel_high": pl.Float64, "q": pl.Float64, "flagged": pl.Boolean, "too_few": pl.Boolean,
    "moved": pl.Float64, "reopened": pl.Float64, "hours": pl.Float64, "csat": pl.Float64, "csat_n": pl.Int64, "look": pl.Boolean, "method": pl.String,
}  # fmt: skip


def teams(study: Study) -> pl.DataFrame:
    """Hold every team against what is expected of the contacts it handled first.

    Returns
    -------
    pl.DataFrame
        One row per team, the furthest below its expectation first:

        - `team`; `n` contacts; `share` resolved (null if too few)
        - `expected`: share expected of its mix of channel, category, tier and priority
        - `post`, `low`, `high`: the share drawn towards the expectation, and its 95 % interval
        - `funnel_low`, `funnel_high`: where 95 of 100 teams like the others would lie; `q`, `flagged`, `too_few`: see `shrink`
        - `moved`: share that was first resolved in another team; `reopened`: share reopened
        - `hours`: median from start to first resolution
        - `csat`, `csat_n`: share of good answers and answers (null below 10 answers)
        - `look`: above the limits, with signs that contacts are closed rather than solved, so read some; null if too few
        - `method`: `model`, or `cell shares` where the model could not be fitted

        No rows where the desk knows fewer than two teams.
    """
    return _card(study, _charged(study), who="routing_group", named="team", mix=MIX, at_least=MIN_CONTACTS)


def agents(study: Study, *, named: bool = False) -> pl.DataFrame:
    """Hold every human agent against what is expected of the contacts they resolved, within the team in which they resolved them.

    The team is part of the expectation: who sits where hard contacts are handed to would otherwise look bad without having done
    anything. What a whole team does better or worse is therefore not seen here.

    Parameters
    ----------
    named
        Show the agents' ids; otherwise they are called `agent 1`, `agent 2`, ... in an order that has nothing to do with the ids.

    Returns
    -------
    pl.DataFrame
        One row per agent, the furthest below the expectation first: `agent`, then the columns of `teams`, where `moved` is the share
        taken over from another team; fewer than 100 contacts are too few. No rows where the desk knows fewer than two agents.
    """
    bots = study.desk.agents.filter(pl.col("kind") == "bot")["agent_id"]
    handled = ~pl.col("resolved_by").is_in(["bot", "automation"]) & ~pl.col("coaching_agent").is_in(bots.implode())
    card = _card(study, _charged(study).filter(handled), who="coaching_agent", named="agent", mix=(*MIX, "coaching_group"), at_least=MATURED)
    if named:
        return card
    alias = _aliases(study.everything["coaching_agent"])
    return card.with_columns(pl.col("agent").replace_strict(alias, return_dtype=pl.String))


def adjusted(study: Study, *, by: str = "first_group") -> pl.DataFrame:
    """Compare the levels of a column as if each had the desk's own mix of contacts (indirect standardisation).

    Parameters
    ----------
    by
        Column of the contacts: a team, site or channel; where it is part of the mix, it is left out of the expectation.

    Returns
    -------
    pl.DataFrame
        One row per level, the lowest adjusted share first: `by`, `n`, `clusters`, `share` (raw), `expected` of its mix,
        `difference` (share - expected), `adjusted` = share of all x share / expected, `low`, `high` (95 %, the expectation taken as
        given), `too_few`, `apart` (further from the whole than chance among so many levels), `method`. Shares are null if too few.

    References
    ----------
    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, 3rd ed., section 19.4 (indirect adjustment).
    """
    contacts, method = _expected(_charged(study), mix=[name for name in MIX if name != by])
    whole = contacts.select(pl.col("is_resolved").mean()).item()
    contacts = contacts.with_columns(pl.col(by).cast(pl.String).fill_null(NOT_KNOWN))
    raw = withhold(rate(contacts, pl.col("is_resolved"), by=by, cluster="customer"))
    table = raw.join(contacts.group_by(by).agg(expected=pl.col("expected").mean()), on=by, maintain_order="left")
    table = table.with_columns(raw=pl.col("share"), difference=pl.col("share") - pl.col("expected"), method=pl.lit(method))
    table = table.with_columns((pl.col("share", "low", "high") * whole / pl.col("expected")).clip(0, 1))
    table = stand_apart(table, whole=whole).rename({"share": "adjusted", "raw": "share"}).sort("adjusted", by, nulls_last=True)
    return table.select(by, "n", "clusters", "share", "expected", "difference", "adjusted", "low", "high", "too_few", "apart", "method")


def largest(card: pl.DataFrame, *, most: int = 24) -> pl.DataFrame:
    """The rows with enough contacts, the `most` with the most contacts, in the order of the card: what a reader can take in."""
    enough = card.filter(~pl.col("too_few"))
    return enough.filter(pl.col("n").rank("ordinal", descending=True) <= most)


def attribution(study: Study) -> pl.DataFrame:
    """First contact resolution as customers see it, and as the desk can be held to account for it.

    Returns
    -------
    pl.DataFrame
        Two rows, `customers` (all contacts that count) and `desk` (without those that nobody at the desk could resolve): `view`, `n`,
        `clusters`, `share`, `low`, `high`, `set_aside` (contacts left out of the view).
    """
    views = {"customers": pl.lit(True), "desk": pl.col("attributable")}
    rows = [study.rate(study.contacts.filter(kept)).select(pl.lit(view).alias("view"), pl.all()) for view, kept in views.items()]
    table = pl.concat(rows).fill_nan(None).with_columns(set_aside=pl.col("n").first() - pl.col("n"))
    return table.select("view", "n", "clusters", "share", "low", "high", "set_aside")


def _charged(study: Study) -> pl.DataFrame:
    """The contacts of the period that somebody can be held to account for, with what became of them."""
    good = study.desk.surveys.filter(~pl.col("superseded") & pl.col("csat").is_not_null()).sort("answered_at", "seq")
    good = good.unique(["source", "contact_id"], keep="last").select("source", "contact_id", is_good=pl.col("csat") >= TOP_BOX)
    contacts = mature(study.contacts).filter("attributable").join(good, on=["source", "contact_id"], how="left", maintain_order="left")
    hours = (pl.col("anchor_at") - pl.col("start_at")).dt.total_seconds() / 3600
    reopened = pl.lit(None, pl.Boolean) if study.lacks("has_status_history") else pl.col("reasons").list.contains("reopened").fill_null(False)
    judged = contacts.with_columns(hours=hours, is_reopened=reopened, is_resolved=pl.col("label") == INDEX[0])
    # A phone call is short and a letter is long whoever answers it, so pace is time against the channel's own.
    return judged.with_columns(pace=pl.col("hours") / pl.col("hours").median().over("channel"))


def _card(study: Study, contacts: pl.DataFrame, *, who: str, named: str, mix: Sequence[str], at_least: int) -> pl.DataFrame:
    known = contacts.filter(pl.col(who).is_not_null())
    if known[who].n_unique() < 2:
        return pl.DataFrame(schema={named: pl.String, **NUMBERS})
    known, method = _expected(known, mix=mix)
    tallied = known.group_by(pl.col(who).alias(named)).agg(
        n=pl.len().cast(pl.Int64),
        k=pl.col("is_resolved").sum(),
        expected=pl.col("expected").mean(),
        moved=(pl.col("coaching_group") != pl.col("routing_group")).mean(),
        reopened=pl.col("is_reopened").mean(),
        hours=pl.col("hours").median(),
        pace=pl.col("pace").median(),
        csat_n=pl.col("is_good").count().cast(pl.Int64),
        csat=pl.when(pl.col("is_good").count() >= MIN_CUSTOMERS).then(pl.col("is_good").mean()),
    )
    judged = shrink(tallied.sort(named), k="k", n="n", expected="expected", at_least=at_least)
    # High means high for its contacts: easy work makes a high share without any help.
    compared = judged.with_columns(beyond=pl.col("post") - pl.col("expected"))
    enough = compared.with_columns(pl.when(~pl.col("too_few")).then(pl.col("beyond", "reopened", "pace", "csat")).name.prefix("_"))
    signs = gaming(enough, fcr="_beyond", reopen="_reopened", life="_pace", csat="_csat")
    # With few rows somebody is always in the upper quarter; a share within the limits is nothing to explain.
    looked = pl.when(~pl.col("too_few")).then(pl.col("look") & (pl.col("share") > pl.col("funnel_high")))
    table = signs.with_columns(look=looked, method=pl.lit(method))
    return table.sort("beyond", named).select(named, *NUMBERS)


def _expected(contacts: pl.DataFrame, *, mix: Sequence[str]) -> tuple[pl.DataFrame, str]:
    """The contacts with the share `expected` of their mix, and how it was found.

    The model is fitted to one row per cell of the mix, which gives the same answer as one row per contact.
    """
    cell = [f"_{name}" for name in mix]
    placed = contacts.with_columns(_levels(contacts, name) for name in mix)
    cells = placed.group_by(cell).agg(n=pl.len(), k=pl.col("is_resolved").sum()).sort(cell)
    fitted = _logit(cells, cell) if cells.height else None
    method = "cell shares" if fitted is None else "model"
    cells = cells.with_columns(_cell_shares(cells) if fitted is None else fitted)
    return placed.join(cells.select(*cell, "expected"), on=cell, how="left", maintain_order="left").drop(cell), method


def _levels(contacts: pl.DataFrame, name: str) -> pl.Series:
    """The levels of a column; rare ones are merged, and with them the next larger ones until the rest is not rare itself."""
    level = contacts.select(pl.col(name).cast(pl.String).fill_null(NOT_KNOWN).alias(f"_{name}"))
    sizes = level.group_by(f"_{name}").len().sort("len", f"_{name}")
    smaller = pl.col("len").cum_sum() - pl.col("len")
    kept = sizes.filter((pl.col("len") >= MIN_CONTACTS) & ~smaller.is_between(0, MIN_CONTACTS, closed="none"))[f"_{name}"]
    return level.select(pl.when(pl.col(f"_{name}").is_in(kept.implode())).then(f"_{name}").otherwise(pl.lit(OTHERS))).to_series().alias(f"_{name}")


def _logit(cells: pl.DataFrame, mix: Sequence[str]) -> pl.Series | None:
    """Share resolved in each cell by a logit of the mix; None where a level is all one way or the fit does not settle."""
    from scipy.sparse import csr_array

    if cells["k"].sum() in (0, cells["n"].sum()):
        return None
    design = cells.select(pl.repeat(1.0, pl.len()).alias("one"), *mix).to_dummies(mix, drop_first=True).cast(pl.Float64)
    fitted = logit_shares(csr_array(design.to_numpy()), w=cells["n"].cast(pl.Float64).to_numpy(), wy=cells["k"].cast(pl.Float64).to_numpy())
    return None if fitted is None else pl.Series("expected", fitted)


def _cell_shares(cells: pl.DataFrame) -> pl.Series:
    """Share resolved in each cell of channel and category, half a contact added to either side so that none is 0 or 1."""
    pairs = [name for name in ("_channel", "_category") if name in cells.columns]
    shares = cells.with_columns(expected=(pl.col("k").sum().over(pairs) + 0.5) / (pl.col("n").sum().over(pairs) + 1))
    return shares["expected"]


def _aliases(ids: pl.Series) -> dict[str, str]:
    """A name for everybody that does not tell who it is, the same in every period of a desk."""
    shuffled = sorted(ids.drop_nulls().unique().to_list(), key=lambda one: hashlib.sha256(one.encode()).digest())
    return {one: f"agent {place}" for place, one in enumerate(shuffled, 1)}
