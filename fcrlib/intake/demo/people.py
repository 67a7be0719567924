"""Who asks and who answers at the invented desk?

Customers belong to accounts of very unequal size; some share a front-desk phone or a role address, and the phone system knows some under another
name. Agents sit in teams, have skills, and were hired at some time, a few of them during the story.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.intake.demo.canaries import emails, phones
from fcrlib.intake.demo.themes import CATEGORIES
from fcrlib.intake.demo.truth import TIERS, Truth

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TEAMS = (
    "first line",
    "billing desk",
    "access desk",
    "integrations desk",
    "data desk",
    "technical desk",
    "customer success",
    "specialists",
    "approvals",
    "bots",
)
_TEAM_SHARE = (0.24, 0.14, 0.16, 0.11, 0.13, 0.10, 0.06, 0.04, 0.02)
_ROLE_BOXES = ("info", "billing", "office", "support")
_PHONE, _MOBILE = 0.7, 0.1  # how many have a phone of their own, and a second one


def stream(seed: int, *what: str) -> np.random.Generator:
    """A generator of its own for every purpose, so that a new column reshuffles no other."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *(zlib.crc32(word.encode()) for word in what)])))


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


@dataclass(frozen=True, slots=True)
class Agents:
    """Who answers: arrays of one entry per agent, sorted by team and hiring day.

    `first` and `count` say where each team starts and how many it has; `drift` is each agent's own points of failure.
    """

    ids: pl.Series
    team: Ints
    hired: Ints
    drift: Floats
    first: Ints
    count: Ints

    def on_duty(self, team: Ints, at: Ints, rng: np.random.Generator) -> Ints:
        """An agent of the given team for each row, hired by then; who came first to the team is always there."""
        there = np.ones(len(team), dtype=np.int64)
        for number in range(len(TEAMS)):
            rows = team == number
            hired = self.hired[self.first[number] : self.first[number] + self.count[number]]
            there[rows] = np.maximum(np.searchsorted(hired, at[rows], side="right"), 1)
        return self.first[team] + np.floor(rng.random(len(team)) * there).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Customers:
    """Who asks: arrays of one entry per customer. `weight` says how often each of them writes, `drift` is the account's points of failure.

    `alias` is the number under which the phone system knows them, -1 where it knows them by their own name.
    """

    account: Ints
    tier: Ints
    language: Ints
    weight: Floats
    drift: Floats
    alias: Ints

    def drawn(self, rows: int, rng: np.random.Generator) -> Ints:
        """A customer for each row, the busy ones more often."""
        return np.searchsorted(np.cumsum(self.weight) / self.weight.sum(), rng.random(rows), side="right").clip(0, len(self.weight) - 1)


def hire(*, seed: int, contacts: int, truth: Truth, start: datetime, end: datetime) -> Agents:
    """Staff the teams: one agent for about 500 contacts, at least two in every team, the bot last."""
    rng = stream(seed, "agents")
    staff = max(30, min(240, contacts // 500))
    count = np.array([*(max(2, round(share * staff)) for share in _TEAM_SHARE), 1])
    team = np.repeat(np.arange(len(TEAMS)), count)
    tenure = rng.gamma(1.5, 500, len(team)) * 86_400
    early = seconds(start) - tenure
    late = rng.uniform(seconds(start), seconds(end), len(team))
    hired = np.where(rng.random(len(team)) < 0.15, late, early).astype(np.int64) // 86_400 * 86_400
    order = np.lexsort((hired, team))
    drift = rng.normal(0, truth.drift.agent, len(team)) if truth.drift.agent else np.zeros(len(team))
    ids = pl.select(pl.format("a-{}", pl.int_range(1, len(team) + 1).cast(pl.String).str.zfill(3)).alias("id"))["id"]
    return Agents(ids, team, hired[order], drift, np.cumsum(count) - count, count)


def gather_customers(*, seed: int, contacts: int, truth: Truth) -> Customers:
    """Found the accounts (sizes with a heavy tail) and people them."""
    rng = stream(seed, "customers")
    accounts, people = max(20, contacts // 18), max(60, contacts // 5)
    size = rng.pareto(1.3, accounts) + 0.3
    account = rng.choice(accounts, people, p=size / size.sum())
    tier = np.searchsorted([0.45, 0.82], rng.random(accounts), side="right")
    language = np.searchsorted([0.88, 0.95], rng.random(accounts), side="right")
    drift = rng.normal(0, truth.drift.account, accounts) if truth.drift.account else np.zeros(accounts)
    weight = rng.gamma(1.2, 1.0, people) + 0.05
    return Customers(account, tier[account], language[account], weight, drift[account], _aliases(people, seed=seed, share=truth.aliases))


def _aliases(people: int, *, seed: int, share: float) -> Ints:
    """A number of its own for the chosen share of customers, among those who have a phone of their own; -1 for the others."""
    own = _habits(people, seed=seed).select((pl.col("phone") < _PHONE) | (pl.col("mobile") < _MOBILE)).to_series().to_numpy()
    shuffled = stream(seed, "aliases").permutation(people)
    chosen = shuffled[own[shuffled]][: round(share * people)]
    alias = np.full(people, -1)
    alias[chosen] = np.arange(1, len(chosen) + 1)
    return alias


def _habits(people: int, *, seed: int) -> pl.DataFrame:
    """The dice that decide what each customer is known by."""
    rng = stream(seed, "identifiers")
    return pl.DataFrame({name: rng.random(people) for name in ("second", "phone", "mobile", "role", "desk")}).with_columns(
        pl.Series("box", rng.integers(0, len(_ROLE_BOXES), people))
    )


def customer_refs(people: pl.Expr) -> pl.Expr:
    """How the source names its customers, by number."""
    return pl.concat_str([pl.lit("c-"), people.cast(pl.String).str.zfill(6)])


def alias_refs(aliases: pl.Expr) -> pl.Expr:
    """How the phone system names them, by number."""
    return pl.concat_str([pl.lit("t-"), aliases.cast(pl.String).str.zfill(6)])


def account_refs(accounts: pl.Expr) -> pl.Expr:
    """How the source names its accounts, by number."""
    return pl.concat_str([pl.lit("acc-"), accounts.cast(pl.String).str.zfill(5)])


def identifiers(customers: Customers, *, seed: int) -> pl.DataFrame:
    """What each customer is known by: e-mail and account, mostly a phone, sometimes a second one of each, a role address, a front-desk phone.

    An alias is known by a phone alone.
    """
    rows = len(customers.account)
    people = pl.DataFrame({"person": np.arange(rows), "account": customers.account, "alias": customers.alias})
    people = people.with_columns(_habits(rows, seed=seed))
    person, account = pl.col("person"), pl.col("account")
    box = pl.lit(pl.Series(_ROLE_BOXES)).gather(pl.col("box"))
    role = pl.concat_str([box, pl.lit("@canary-"), account.cast(pl.String).str.zfill(6), pl.lit(".example.com")])
    front_desk = pl.concat_str([pl.lit("+4420794600"), (account % 100).cast(pl.String).str.zfill(2)])
    kinds = (
        ("email", emails(person), pl.lit(True)),
        ("email", emails(person + rows), pl.col("second") < 0.12),
        ("email", role, pl.col("role") < 0.06),
        ("phone", phones(person), pl.col("phone") < _PHONE),
        ("phone", phones(person + rows), pl.col("mobile") < _MOBILE),
        ("phone", front_desk, (pl.col("desk") < 0.08) & (account < 100)),
        ("account", account_refs(account), pl.lit(True)),
    )
    name = customer_refs(person)
    told = [(name, kind, value, when) for kind, value, when in kinds]
    own_phone = pl.when(pl.col("phone") < _PHONE).then(phones(person)).otherwise(phones(person + rows))
    told.append((alias_refs(pl.col("alias")), "phone", own_phone, pl.col("alias") > 0))
    return pl.concat(
        people.filter(when).select(pl.lit("demo").alias("source"), name.alias("customer_ref"), pl.lit(kind).alias("kind"), value.alias("value_norm"))
        for name, kind, value, when in told
    )


def tiers(customers: Customers, who: Ints) -> pl.Series:
    """The service tier of each customer in the rows."""
    return pl.Series(TIERS).gather(customers.tier[who])


def staff_table(agents: Agents) -> pl.DataFrame:
    """The table of agents. Skills are the categories of the team, and one more for some."""
    own = [[category for category, (_, home) in CATEGORIES.items() if home == team] or list(CATEGORIES)[:4] for team in TEAMS]
    extra = list(CATEGORIES)
    skills = [sorted({*own[team], extra[number % len(extra)]} if number % 3 == 0 else own[team]) for number, team in enumerate(agents.team)]
    return pl.DataFrame(
        {
            "agent_id": agents.ids,
            "group": pl.Series(TEAMS).gather(agents.team),
            "kind": ["bot" if TEAMS[team] == "bots" else "human" for team in agents.team],
            "skills": skills,
            "hired_at": (pl.Series(agents.hired) * 1_000_000).cast(pl.Datetime("us", "UTC")),
        }
    )
