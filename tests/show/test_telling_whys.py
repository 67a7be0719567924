"""Is a chain of whys told plainly, with its evidence, and without claiming a cause?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from fcrlib.search.chain import Chain
from fcrlib.search.steps import SCHEMA
from fcrlib.show.telling import whys

CLAIMS = re.compile(r"\b(because|caus\w*|driv\w*|due to|leads? to|impact|effect of|significant)\b", re.IGNORECASE)


def step(kind: str, level: int, *what: str, effect: float | None = 0.2, change: str = "rate", **more: Any) -> dict[str, Any]:
    ends = {} if effect is None else {"low": effect - 0.05, "high": effect + 0.05, "plain_low": effect - 0.04, "plain_high": effect + 0.04}
    told = {
        "branch": 1,
        "kind": kind,
        "level": level,
        "what": list(what),
        "change": change,
        "effect": effect,
        "n": 400,
        "of_headline": 0.5,
        "note": "",
    }
    return {**told, **ends, **more}


def chain(*steps: dict[str, Any], compares: Any = "periods", notes: tuple[str, ...] = (), headline: float = 0.02, low: float = 0.01) -> Chain:
    top = step("headline", 1, effect=headline, change="none", branch=0, n=9000) | {"low": low, "high": 0.03, "plain_low": low, "plain_high": 0.03}
    rows = [{name: row.get(name) for name in SCHEMA} for row in (top, *steps)]
    return Chain(pl.DataFrame(rows, schema=SCHEMA), notes, (), compares)


END = step(
    "end", 5, effect=None, change="none", n=None, note="nothing further is distinguishable: a difference of 8.0 points or more would have been seen"
)
BUG = step("mechanism", 3, "undocumented-bug")
STORY = (step("place", 2, "category=login", coincides=["2026-07-06 release: New version."]), BUG, step("attribute", 4, "hold=long"), END)


def test_each_step_is_a_why_with_its_interval_its_contacts_and_its_share() -> None:
    said = whys.sentences(chain(*STORY))
    assert said[1] == (
        "Why? Where did it change? Category “login”: the failure rate rose by 20.0 points compared with the rest of the desk "
        "(95 % interval +15.0 to +25.0 points; 400 contacts; 50 % of the change; coincides with 2026-07-06 release: New version)."
    )
    assert "“a fault in the product” became more frequent: 20.0 points more of the contacts there failed in this way" in said[2]
    assert said[3].startswith(
        "Why that way? How were they handled? Contacts with hold “long” failed in this way 20.0 points more often than before, compared"
    )
    assert said[4] == "And why that? Nothing further is distinguishable: a difference of 8.0 points or more would have been seen."


def test_more_contacts_are_told_apart_from_worse_contacts() -> None:
    mix = chain(step("place", 2, "channel=chat", change="mix"))
    assert whys.title(mix) == "Channel “chat”: a larger share of all contacts came from there, by 20.0 points"
    assert whys.findings(mix)[0].measure.good == "neither"  # type: ignore[union-attr]
    exposed = whys.sentences(chain(STORY[0], BUG, step("attribute", 4, "hold=long", change="exposure")))[-1]
    assert "Contacts with hold “long”: they are a larger part of the contacts there than before, by 20.0 points" in exposed
    assert "such contacts fail in this way more often" in exposed


@pytest.mark.parametrize("compares", ["periods", "places"])
@pytest.mark.parametrize("effect", [0.2, -0.2, 0.01])
def test_no_sentence_claims_a_cause(compares: str, effect: float) -> None:
    steps = [
        step("place", 2, "category=login", effect=effect),
        step("mechanism", 3, "undocumented-bug", effect=effect),
        step("attribute", 4, "hold=long", effect=effect, change="exposure"),
        step("place", 5, "tier=gold", effect=effect),
    ]
    made = chain(*steps, compares=compares)
    finding = whys.findings(made)[0]
    for text in (*whys.sentences(made), finding.title, finding.statement, whys.told(made).note, whys.WHY):
        assert not CLAIMS.search(text), text


def test_an_interval_that_reaches_zero_is_no_difference() -> None:
    weak = chain(step("place", 2, "category=login", effect=0.03))
    assert "may have risen" in whys.title(weak)
    assert "the interval includes zero" in whys.sentences(weak)[1]


def test_an_improvement_is_told_as_one() -> None:
    better = chain(step("place", 2, "category=login", effect=-0.2), step("mechanism", 3, "undocumented-bug", effect=-0.2))
    assert whys.title(better) == (
        "Category “login”: the failure rate fell by 20.0 points compared with the rest of the desk, and “a fault in the product” became less frequent"
    )


def test_a_place_of_one_period_is_held_against_what_was_expected() -> None:
    assert "the failure rate lies 20.0 points above what is expected there" in whys.title(chain(*STORY, compares="places"))


def test_a_finding_has_the_id_of_its_place_and_the_remedy_of_its_way_of_failing() -> None:
    first, again = (whys.findings(chain(*STORY[:count]))[0] for count in (2, 4))
    assert first.id == again.id
    assert first.id.startswith("why-category-login")
    assert first.owner == "product team of the area"
    assert first.grade == "D"
    assert whys.findings(chain(step("place", 2, effect=0.1)))[0].id == "why-the-whole-desk"


def test_an_empty_chain_is_one_sentence() -> None:
    assert whys.title(chain()) == "No place stands out, so there is no further why to ask"
    assert whys.findings(chain()) == []
    assert len(whys.sentences(chain())) == 1


def test_hostile_names_are_escaped_where_the_chain_is_shown() -> None:
    made = chain(step("place", 2, "category=<b>x</b>", note="<script>", coincides=["<img src=x>"]), notes=("<i>",))
    shown = whys.told(made)._repr_mimebundle_()["text/html"]
    assert "<b>x" not in shown
    assert "<script>" not in shown
    assert "<img" not in shown
    assert "&lt;b&gt;x" in shown


def test_values_that_are_not_known_are_told_in_words() -> None:
    assert whys.title(chain(step("place", 2, "tier=(not known)"))).startswith("Tier not known:")
    assert whys.title(chain(step("place", 2, "product_area=(all others)"))).startswith("Any other product area:")


def test_more_than_the_whole_change_and_less_than_nothing_are_told_in_points() -> None:
    def part(of: float, **headline: float) -> str:
        return whys.sentences(chain(step("place", 2, "category=login", of_headline=of), **headline))[1]

    assert "; 50 % of the change" in part(0.5)
    assert "+3.0 points on the whole desk, more than its whole change" in part(1.5)
    assert "−1.0 point on the whole desk, against its change" in part(-0.5)
    unclear = part(6.0, headline=0.003, low=-0.02)
    assert "+1.8 points on the whole desk" in unclear
    assert "%" not in unclear.replace("95 %", "")


def test_a_headline_within_chance_is_no_change() -> None:
    assert whys.sentences(chain(headline=0.005, low=-0.02))[0].startswith(
        "What changed? The share of first contacts that failed shows no clear change: +0.5 points"
    )
    assert "failed rose by 2.0 points" in whys.sentences(chain())[0]
    assert whys.sentences(chain(headline=-0.0, low=-0.02))[0].count("−0.0") == 0


def test_the_handling_is_told_in_the_words_of_the_fishbone() -> None:
    long, never = (whys.sentences(chain(STORY[0], BUG, step("attribute", 4, f"hold={level}")))[-1] for level in ("a day or more", "none"))
    assert "Contacts on hold for a day or more failed in this way 20.0 points more often" in long
    assert "Contacts never on hold failed in this way" in never
    alone = whys.sentences(chain(STORY[0], step("attribute", 3, "hold=none", effect=0.03)))[-1]
    assert "Contacts never on hold may have failed 3.0 points more often" in alone, "without a way of failing there is no such way"


def test_fewer_of_those_that_fail_less_is_told_with_its_direction() -> None:
    fewer = step("attribute", 4, "hold=none", effect=-0.2, change="exposure", of_headline=0.4)
    assert (
        "a smaller part of the contacts there than before, by 20.0 points, and such contacts fail in this way less often"
        in (whys.sentences(chain(STORY[0], BUG, fewer))[-1])
    )


def test_what_else_stood_out_and_what_it_cannot_be_told_from_are_named_in_words() -> None:
    place = step("place", 2, "product_area=sso", alternatives=[["category=login", "product_area=sso"]])
    way = step("mechanism", 3, "undocumented-bug", besides=["approval-wait"])
    handled = step("attribute", 4, "hold=a day or more", besides=["escalated=yes"])
    said = whys.sentences(chain(place, way, handled))
    assert "the data cannot tell it from category “login”, product area “sso”" in said[1]
    assert "also stands out: “waited for an approval”" in said[2]
    assert "also stands out: contacts escalated" in said[3]
    noted = step("end", 4, effect=None, n=None, note="approval-wait, undocumented-bug moved there no further than in the rest of the desk")
    assert "“waited for an approval”, “a fault in the product” moved there" in whys.sentences(chain(place, noted))[-1].replace("“Waited", "“waited")


def test_the_week_in_which_it_turned_is_told_with_those_that_fit_nearly_as_well() -> None:
    day, later = datetime(2026, 7, 6, tzinfo=UTC), datetime(2026, 7, 13, tzinfo=UTC)
    sure = step("place", 2, "category=login", since=day, since_from=day, since_to=day)
    assert "; turned in the week from 2026-07-06)" in whys.sentences(chain(sure))[1]
    assert "(the weeks from 2026-07-06 to 2026-07-13 fit nearly as well)" in whys.sentences(chain({**sure, "since_to": later}))[1]


def test_a_contact_is_named_where_it_comes_first_and_one_contact_is_one() -> None:
    steps = [{**one, "examples": ["zd:1", "zd:2"], "n": 1} for one in STORY[:2]]
    said = whys.sentences(chain(*steps))
    assert "read first: zd:1, zd:2" in said[1]
    assert "read first" not in said[2]
    assert "; 1 contact;" in said[1]


def test_an_excess_is_a_part_of_all_failures_and_not_of_a_change() -> None:
    said = whys.sentences(chain(*STORY[:1], compares="places"))
    assert "this excess is 50 % of all failures" in said[1]


def test_a_period_without_a_verdict_has_nothing_to_explain() -> None:
    steps = pl.DataFrame([{name: step("headline", 1, effect=None, n=0, branch=0).get(name) for name in SCHEMA}], schema=SCHEMA)
    assert whys.sentences(Chain(steps, (), (), "places"))[0].startswith("What is there to explain? No first contact has its final verdict yet")
