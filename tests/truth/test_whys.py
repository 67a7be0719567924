"""Do the whys lead from the headline to what was planted, and nowhere when nothing was?"""

from __future__ import annotations

from datetime import date
from typing import Literal

import pytest

from fcrlib.explain import drivers, failure_modes
from fcrlib.intake.demo import Cause, Truth, invent
from fcrlib.intake.redact import redact
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.search.chain import Chain
from fcrlib.show.telling import whys as tell
from fcrlib.signs.attributes import attributes
from fcrlib.study import Study

JULY = date(2026, 7, 1)
DATED = (
    Cause({"category": "billing"}, 0.25, "approval-wait", JULY),
    Cause({"channel": "email", "tier": "starter"}, 0.3, "wrong-routing", date(2026, 8, 3)),
    Cause({"category": "login"}, 0.35, "undocumented-bug", date(2026, 7, 20)),
    Cause({"category": "integrations"}, 0.3, "knowledge-gap", JULY),
    Cause({"language": "fr"}, 0.25, "handoff-without-context", JULY),
    Cause({"tier": "starter"}, 0.2, "deferred-promise", JULY),
)
STANDING = (
    Cause({"category": "reports"}, 0.3, "tool-limitation"),
    Cause({"channel": "email", "tier": "starter"}, 0.3, "wrong-routing"),
    Cause({"category": "integrations"}, 0.3, "knowledge-gap"),
)


def asked(*causes: Cause, contacts: int, of: Literal["change", "excess"] = "change", seed: int = 7, truth: Truth | None = None) -> Chain:
    desk = redact(invent(seed=seed, contacts=contacts, truth=truth or Truth(causes=causes)))
    study = Study.of(desk, policy=Policy(), period=Period.parse("2026Q3"))
    handled = attributes(study.desk, study.outcomes, time_zone=study.time_zone)
    return drivers.whys(study, of=of, tags=failure_modes.tag(study.desk, study.outcomes), handled=handled)


def named(chain: Chain) -> list[tuple[list[str], str | None]]:
    """Place and way of failing of every branch."""
    told = []
    for branch in chain.branches:
        ways = branch.filter(kind="mechanism")["what"].to_list()
        told.append((sorted(branch["what"][0].to_list()), ways[0][0] if ways else None))
    return told


def place(cause: Cause) -> list[str]:
    return sorted(f"{column}={value}" for column, value in cause.cell.items())


def logged(chain: Chain) -> list[str]:
    return [entry for entries in chain.steps["coincides"].drop_nulls().to_list() for entry in entries]


def test_a_change_is_led_to_its_place_its_way_of_failing_and_its_entry_in_the_log() -> None:
    cause = Cause({"category": "reports"}, 0.3, "tool-limitation", JULY)
    chain = asked(cause, contacts=12_000)
    assert named(chain) == [(place(cause), cause.mechanism)]
    assert set(logged(chain)) == {"2026-07-01 release (category=reports): New version of this part went live."}
    assert tell.title(chain).startswith("Category “reports”: the failure rate rose by")


def test_what_was_always_there_is_an_excess() -> None:
    chain = asked(STANDING[0], contacts=12_000, of="excess")
    assert named(chain) == [(place(STANDING[0]), STANDING[0].mechanism)]
    assert logged(chain) == [], "within one period nothing can be said of a date"


def test_where_nothing_is_planted_no_why_is_asked() -> None:
    chain = asked(contacts=12_000, truth=Truth.nothing())
    assert chain.steps["kind"].to_list() == ["headline"]
    assert "no clear change" in tell.sentences(chain)[0]


@pytest.mark.slow
@pytest.mark.parametrize("cause", DATED, ids=lambda cause: cause.mechanism)
def test_every_dated_cause_comes_first_with_its_way_of_failing_and_its_entry(cause: Cause) -> None:
    chain = asked(cause, contacts=40_000)
    assert named(chain)[0] == (place(cause), cause.mechanism)
    assert any(cause.scope in entry for entry in logged(chain))


@pytest.mark.slow
@pytest.mark.parametrize("cause", STANDING, ids=lambda cause: cause.mechanism)
def test_every_standing_cause_comes_first_with_its_way_of_failing(cause: Cause) -> None:
    assert named(asked(cause, contacts=40_000, of="excess"))[0] == (place(cause), cause.mechanism)


@pytest.mark.slow
def test_a_standing_cause_is_no_change() -> None:
    assert [words for words, _ in named(asked(STANDING[0], contacts=40_000)) if words == place(STANDING[0])] == []


@pytest.mark.slow
@pytest.mark.parametrize("of", ["change", "excess"])
def test_nothing_planted_names_nothing_over_many_seeds(of: Literal["change", "excess"]) -> None:
    chains = [asked(contacts=20_000, of=of, seed=seed, truth=Truth.nothing()) for seed in range(6)]
    assert [named(chain) for chain in chains] == [[]] * 6


@pytest.mark.slow
def test_two_causes_are_two_branches() -> None:
    first, second = Cause({"category": "reports"}, 0.35, "tool-limitation", JULY), Cause({"language": "fr"}, 0.3, "handoff-without-context", JULY)
    found = named(asked(first, second, contacts=40_000))
    assert sorted(found[:2]) == sorted([(place(first), first.mechanism), (place(second), second.mechanism)])
