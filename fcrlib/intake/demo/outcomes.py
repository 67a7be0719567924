"""How does each contact of the invented desk go?

Every step that may happen gets a time of its own, null where it does not happen; the history is only written down from these. The planted
probability of failure is spent in slices: the desk's own share first, then each cause, so the slice that was hit is the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import polars as pl

from fcrlib.intake.demo.arrivals import DAY, codes, midnight
from fcrlib.intake.demo.people import TEAMS, Agents, Bools, Customers, Floats, Ints, stream
from fcrlib.intake.demo.themes import CATEGORIES, THEMES
from fcrlib.intake.demo.truth import MECHANISMS, Truth
from fcrlib.model.tables import CHANNELS

MINUTE, HOUR = 60, 3_600
NEVER = -1
NO_MECHANISM = len(MECHANISMS)
# Median seconds to the first reply, and from there to the solution.
_PACE = {
    "email": (4 * HOUR, 3 * HOUR), "web": (3 * HOUR, 3 * HOUR), "chat": (90, 12 * MINUTE), "messaging": (8 * MINUTE, 40 * MINUTE), "phone": (40, 9 * MINUTE),
    "social": (HOUR, 2 * HOUR), "in_app": (HOUR, 2 * HOUR), "api": (5 * HOUR, 4 * HOUR), "other": (8 * HOUR, 4 * HOUR),
}  # fmt: skip
LIVE = ("chat", "messaging", "phone")
# What befalls a first contact instead of the ordinary course, and how often.
FATES = {
    "spam": 0.015, "deleted": 0.006, "test": 0.003, "internal": 0.005, "side": 0.010, "outreach": 0.008, "outreach-reply": 0.008,
    "silent": 0.015, "inactive": 0.030, "self-solved": 0.006, "stuck": 0.006,
}  # fmt: skip
_ABANDONED = 0.07  # of live contacts
FATE = pl.Enum(["normal", *FATES, "abandoned", "merged", "duplicate"])
_FAIL_BY = {"reopen": 0.42, "repeat": 0.43, "parallel": 0.15}
# Mechanisms of the failures that nothing planted caused, in the order of MECHANISMS.
_EVERYDAY = np.array([0.08, 0.10, 0.06, 0.16, 0.08, 0.10, 0.07, 0.05, 0.08, 0.09, 0.09, 0.04])
_HOME = np.array([TEAMS.index(home) for _, home in CATEGORIES.values()])
_FIRST_LINE, _SPECIALISTS, _BOTS = TEAMS.index("first line"), TEAMS.index("specialists"), TEAMS.index("bots")


def fates(channel: pl.Series, *, rng: np.random.Generator) -> pl.Series:
    """What befalls each first contact: `normal` or one of `FATES`, or `abandoned` on live channels."""
    abandoned = 1 + len(FATES)
    fate = rng.choice(abandoned, len(channel), p=[1 - sum(FATES.values()), *FATES.values()])
    live = np.isin(codes(channel), [CHANNELS.index(name) for name in LIVE])
    given_up = live & (rng.random(len(channel)) < _ABANDONED)
    return pl.Series(FATE.categories, dtype=FATE).gather(np.where(given_up, abandoned, fate))


def handled(cases: pl.DataFrame, *, seed: int, batch: str, truth: Truth, agents: Agents, customers: Customers) -> pl.DataFrame:
    """Let the desk handle contacts that have arrived and have a `fate`.

    Returns
    -------
    DataFrame
        The cases with who handles them, `fails`, `cause` (number, -1 the desk's own), `mechanism` (number), `how`, and a time for each step.
    """
    opened = cases["opened"].to_numpy()
    normal = cases["fate"].is_in(["normal", "outreach-reply"]).to_numpy()
    rng = stream(seed, batch, "team")
    first_line = rng.random(len(opened)) < 0.3
    home = _HOME[codes(cases["category"])]
    start_team = np.where(first_line, _FIRST_LINE, home)
    agent = agents.on_duty(start_team, opened, rng)
    slices = _slices(
        cases, truth=truth, drift=agents.drift[agent] + customers.drift[cases["customer"].to_numpy()] + _weeks(opened, truth=truth, seed=seed)
    )
    fails, cause = _struck(slices, normal, rng=stream(seed, batch, "fails"))
    mechanism = _mechanisms(cause, fails, normal, truth=truth, rng=stream(seed, batch, "mechanism"))
    staffed = cases.with_columns(_path(cases, start_team, home, agent, mechanism, agents=agents, rng=stream(seed, batch, "path")))
    timed = staffed.with_columns(_steps(staffed, mechanism, rng=stream(seed, batch, "steps")))
    outcome = pl.DataFrame({"fails": fails, "cause": cause, "mechanism": mechanism, "probability": np.where(normal, slices[-1], 0.0)})
    return timed.with_columns(outcome).with_columns(_aftermath(timed, fails, cause, truth=truth, rng=stream(seed, batch, "aftermath")))


def inside(cases: pl.DataFrame, cell: Mapping[str, str]) -> Bools:
    """Which cases lie in a cell?"""
    theme = {one.slug: number for number, one in enumerate(THEMES)}
    tests = [pl.col("theme") == theme[value] if column == "subcategory" else pl.col(column) == value for column, value in cell.items()]
    return cases.select(pl.all_horizontal(pl.lit(True), *tests).alias("in"))["in"].to_numpy()


def _slices(cases: pl.DataFrame, *, truth: Truth, drift: Floats) -> list[Floats]:
    """Upper edges of the slices of failure: the desk's own, each cause, each lifted topic."""
    edge = np.clip(truth.base + drift + sum(c.failure * inside(cases, c.cell) for c in truth.confounders), 0.0, 1.0)
    opened, edges = cases["opened"].to_numpy(), [edge]
    for cause in truth.causes:
        at_work = inside(cases, cause.cell) & (opened >= (midnight(cause.since) if cause.since else 0))
        at_work &= opened < midnight(cause.until) if cause.until else True
        edges.append(edges[-1] + cause.points * at_work)
    for theme, points in truth.reopened_topics.items():
        edges.append(edges[-1] + points * inside(cases, {"subcategory": theme}))
    return [np.clip(one, 0.0, 1.0) for one in edges]


def _weeks(opened: Ints, *, truth: Truth, seed: int) -> Floats:
    week = (opened // DAY + 3) // 7
    shocks = stream(seed, "weeks").normal(0, truth.drift.week or 1e-12, 5_000)
    return np.asarray(shocks[week % 5_000])


def _struck(slices: list[Floats], normal: Bools, *, rng: np.random.Generator) -> tuple[Bools, Ints]:
    luck = rng.random(len(normal))
    fails = (luck < slices[-1]) & normal
    cause = np.full(len(normal), -1)
    for number, (low, high) in enumerate(pairwise(slices)):
        cause[fails & (luck >= low) & (luck < high)] = number
    return fails, cause


def _mechanisms(cause: Ints, fails: Bools, normal: Bools, *, truth: Truth, rng: np.random.Generator) -> Ints:
    """Why it failed; and 6 % of the contacts that did not fail show such traces as well."""
    everyday = rng.choice(len(MECHANISMS), len(fails), p=_EVERYDAY / _EVERYDAY.sum())
    planted = np.array(
        [*(MECHANISMS.index(one.mechanism) for one in truth.causes), *[MECHANISMS.index("unclear-guidance")] * (1 + len(truth.reopened_topics))]
    )
    shown = fails | (normal & (rng.random(len(fails)) < 0.06))
    return np.where(cause >= 0, planted[cause], np.where(shown, everyday, NO_MECHANISM))


def _is(mechanism: Ints, *names: str) -> Bools:
    return np.isin(mechanism, [MECHANISMS.index(name) for name in names])


def _path(cases: pl.DataFrame, team: Ints, home: Ints, agent: Ints, mechanism: Ints, *, agents: Agents, rng: np.random.Generator) -> pl.DataFrame:
    """Which teams and agents does it pass through? `hops` is the number of transfers between humans."""
    rows, opened = len(team), cases["opened"].to_numpy()
    wrong = _is(mechanism, "wrong-routing")
    stray = (home + 1 + rng.integers(0, 5, rows)) % 7
    team0 = np.where(wrong, np.where(stray == home, (home + 1) % 7, stray), team)
    overflow = (team0 == _FIRST_LINE) & (rng.random(rows) < 0.22)
    passed = _is(mechanism, "handoff-without-context")
    hops = np.where(wrong, 2 + (rng.random(rows) < 0.4), (overflow | passed).astype(np.int64))
    last = np.where(passed & (team0 == home), _SPECIALISTS, home)
    teams = [team0, np.where(hops == 1, last, _FIRST_LINE), np.where(hops == 2, last, team0), last]
    people = [np.where(wrong, agents.on_duty(team0, opened, rng), agent), *(agents.on_duty(one, opened, rng) for one in teams[1:])]
    live_text = np.isin(codes(cases["channel"]), [CHANNELS.index("chat"), CHANNELS.index("messaging")]) & (cases["fate"] == "normal").to_numpy()
    bot = live_text & (rng.random(rows) < 0.35)
    bot_solves = bot & (rng.random(rows) < 0.5)
    columns = {f"team{k}": one for k, one in enumerate(teams)} | {f"agent{k}": one for k, one in enumerate(people)}
    return pl.DataFrame({**columns, "hops": np.where(bot_solves, 0, hops), "bot": bot, "bot_solves": bot_solves})


class _Clock:
    """The course of every contact at once: each step moves the hands of the rows it concerns."""

    def __init__(self, now: Ints, live: Bools, rng: np.random.Generator) -> None:
        self.now, self.live, self.rng = now.copy(), live, rng

    def step(self, median: Floats, *, when: Bools) -> Ints:
        """Let a step happen in some rows after a log-normal delay, in office hours unless live; returns its times."""
        delay = np.maximum(median * np.exp(self.rng.normal(0, 0.9, len(self.now))), 5.0).astype(np.int64)
        at = self.now + delay
        at = np.where(self.live, at, office(at))
        self.now = np.where(when, at, self.now)
        return np.where(when, at, NEVER)


def office(at: Ints) -> Ints:
    """The next moment on a weekday between 7 and 19 o'clock; what waited for the morning is spread over its first three hours."""
    second = at % DAY
    morning = 7 * HOUR + second // 8
    at = np.where(second >= 19 * HOUR, at - second + DAY + morning, np.where(second < 7 * HOUR, at - second + np.maximum(morning, second), at))
    weekday = (at // DAY + 3) % 7
    return np.where(weekday >= 5, (at // DAY + 7 - weekday) * DAY + 7 * HOUR + (at % DAY) // 8, at)


def _steps(cases: pl.DataFrame, mechanism: Ints, *, rng: np.random.Generator) -> pl.DataFrame:
    """The times of everything up to the first resolution."""
    rows, opened, channel = cases.height, cases["opened"].to_numpy(), codes(cases["channel"])
    pace = np.array([_PACE[name] for name in CHANNELS], dtype=np.float64)
    reply, solve = pace[channel, 0], pace[channel, 1]
    fate = {name: (cases["fate"] == name).to_numpy() for name in FATE.categories}
    live = np.isin(channel, [CHANNELS.index(name) for name in LIVE])
    bot, bot_solves = cases["bot"].to_numpy(), cases["bot_solves"].to_numpy()
    start = np.where(fate["outreach-reply"], opened + rng.integers(HOUR, 2 * DAY, rows), opened)
    human = (
        fate["normal"] | fate["outreach-reply"] | fate["inactive"] | fate["stuck"] | fate["test"] | fate["internal"] | fate["duplicate"]
    ) & ~bot_solves
    clock = _Clock(start, live, rng)
    bot_at = clock.step(np.full(rows, 15.0), when=bot)
    assigned = clock.step(np.where(live, 20.0, 600.0), when=human | fate["silent"])
    first = clock.step(reply, when=human)
    hops = cases["hops"].to_numpy()
    hop = [clock.step(0.3 * solve, when=human & (hops > k)) for k in range(3)]
    raised = clock.step(0.3 * solve, when=human & (_is(mechanism, "specialist-unavailable") | (rng.random(rows) < 0.03)))
    asks = human & (fate["inactive"] | _is(mechanism, "missing-account-context") | (rng.random(rows) < 0.22))
    asked = clock.step(0.3 * solve, when=asks)
    answered = clock.step(1.2 * reply, when=asks & ~fate["inactive"])
    holds = human & ~fate["inactive"] & (_is(mechanism, "approval-wait", "specialist-unavailable") | (rng.random(rows) < 0.03))
    held = clock.step(0.3 * solve, when=holds)
    freed = clock.step(np.where(live, 3.0 * HOUR, 1.0 * DAY), when=holds)
    solved = clock.step(np.where(bot_solves, 300.0, solve), when=(human & ~fate["inactive"] & ~fate["stuck"]) | bot_solves | fate["silent"])
    times = {"bot": bot_at, "assigned": assigned, "first": first, "hop1": hop[0], "hop2": hop[1], "hop3": hop[2], "raised": raised, "asked": asked}
    times |= {
        "answered": answered,
        "held": held,
        "freed": freed,
        "solved": np.where(solved == NEVER, _other_ends(fate, opened, asked, rng=rng), solved),
    }
    return pl.DataFrame({"start": start, **{f"t_{name}": _moments(at) for name, at in times.items()}})


def _other_ends(fate: Mapping[str, Bools], opened: Ints, asked: Ints, *, rng: np.random.Generator) -> Ints:
    """When contacts end that nobody solves: given up, thrown away, merged, closed for silence."""
    luck = rng.random(len(opened))
    ends = np.full(len(opened), NEVER)
    for name, (least, most) in {
        "spam": (30, 2 * HOUR), "deleted": (HOUR, DAY), "abandoned": (60, 10 * MINUTE), "self-solved": (10 * MINUTE, 3 * HOUR),
        "merged": (20 * MINUTE, 6 * HOUR), "side": (HOUR, 2 * DAY), "outreach": (DAY, 5 * DAY),
    }.items():  # fmt: skip
        ends = np.where(fate[name], opened + (least + luck * (most - least)).astype(np.int64), ends)
    return np.where(fate["inactive"], asked + 7 * DAY, ends)


def _moments(at: Ints) -> pl.Series:
    times = pl.Series(at)
    return times.set(times == NEVER, None)


def return_delays(rows: int, rng: np.random.Generator) -> Ints:
    """How long until somebody comes back: median a day and a half, within the seven days."""
    delay = 1.5 * DAY * np.exp(rng.normal(0, 0.9, rows))
    return np.clip(np.where(delay > 6.8 * DAY, rng.uniform(2 * DAY, 6.8 * DAY, rows), delay), HOUR, 6.8 * DAY).astype(np.int64)


def _aftermath(cases: pl.DataFrame, fails: Bools, cause: Ints, *, truth: Truth, rng: np.random.Generator) -> pl.DataFrame:
    """What follows the first resolution: a reopening, a return, a chase meanwhile, thanks, the closing."""
    rows, opened = cases.height, cases["opened"].to_numpy()
    solved = cases["t_solved"].fill_null(NEVER).to_numpy()
    how = rng.choice(3, rows, p=list(_FAIL_BY.values()))
    how = np.where(cause >= len(truth.causes), 0, how)
    how = np.where((how == 2) & (solved - opened < 3 * HOUR), 1, how)
    how = np.where(cases["anonymous"].to_numpy(), 0, how)
    delay = return_delays(rows, rng)
    reopens = fails & (how == 0)
    # A contact is closed four days after it was solved; from then on a reply opens a follow-up instead.
    late = reopens & (delay > 3.9 * DAY)
    delay = np.where(late & cases["anonymous"].to_numpy(), 3 * DAY, delay)
    late &= ~cases["anonymous"].to_numpy()
    reopens &= ~late
    chase = opened + 40 * MINUTE + (rng.random(rows) * np.maximum(solved - opened - 50 * MINUTE, 1)).astype(np.int64)
    back = np.where(fails & ~reopens, np.where(how == 2, chase, solved + delay), NEVER)
    again = np.where(reopens, solved + delay, NEVER)
    resolved = np.where(reopens, office(again + (2 * HOUR * np.exp(rng.normal(0, 0.9, rows))).astype(np.int64)), NEVER)
    normal = cases["fate"].is_in(["normal", "outreach-reply"]).to_numpy()
    thanks = normal & ~fails & (rng.random(rows) < 0.24)
    thanked = np.where(thanks, solved + rng.integers(10 * MINUTE, 2 * DAY, rows), NEVER)
    bounced = np.where(thanks & (rng.random(rows) < 0.3), thanked + rng.integers(MINUTE, 3 * HOUR, rows), NEVER)
    glitch = np.where(normal & ~fails & ~thanks & (rng.random(rows) < 0.006), solved + HOUR, NEVER)
    ends = np.maximum.reduce([solved, resolved, bounced, np.where(glitch != NEVER, glitch + 60, NEVER)])
    open_ended = (solved == NEVER) | cases["fate"].is_in(["spam", "deleted", "abandoned", "inactive", "merged"]).to_numpy()
    closed = np.where(open_ended, NEVER, ends + 4 * DAY + rng.integers(0, HOUR, rows))
    words = pl.Series(["reopen", "repeat", "parallel", "follow-up", ""])
    names = words.gather(np.where(~fails, 4, np.where(late, 3, how)))
    times = {"back": back, "again": again, "resolved": resolved, "thanked": thanked, "bounced": bounced, "glitch": glitch, "closed": closed}
    return pl.DataFrame({"how": names, **{f"t_{name}": _moments(at) for name, at in times.items()}})
