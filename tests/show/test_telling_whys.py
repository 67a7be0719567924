"""Is a chain of whys told plainly, with its evidence, and without claiming a cause?"""

from __future__ import annotations

import re
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


def chain(*steps: dict[str, Any], compares: Any = "periods", notes: tuple[str, ...] = ()) -> Chain:
    top = step("headline", 1, effect=0.02, change="none", branch=0, n=9000)
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
        "Why? Where did it change? Category “login”: the failure rate rose by 20.0 points beyond the rest "
        "(95 % interval +15.0 to +25.0 points; 400 contacts; 50 % of the change; coincides with 2026-07-06 release: New version)."
    )
    assert "“a fault in the product” became more frequent: +20.0 points of the contacts there" in said[2]
    assert said[3].startswith("Why that way? How were they handled? Contacts with hold “long” failed in this way 20.0 points more than before")
    assert said[4] == "And why that? Nothing further is distinguishable: a difference of 8.0 points or more would have been seen."


def test_more_contacts_are_told_apart_from_worse_contacts() -> None:
    mix = chain(step("place", 2, "channel=chat", change="mix"))
    assert whys.title(mix) == "Channel “chat”: a larger share of all contacts came from there, by 20.0 points"
    assert whys.findings(mix)[0].measure.good == "neither"  # type: ignore[union-attr]
    exposed = whys.sentences(chain(STORY[0], BUG, step("attribute", 4, "hold=long", change="exposure")))[-1]
    assert "More of these contacts had hold “long” than before (+20.0 points)" in exposed


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
    assert "does not leave out zero" in whys.sentences(weak)[1]


def test_an_improvement_is_told_as_one() -> None:
    better = chain(step("place", 2, "category=login", effect=-0.2), step("mechanism", 3, "undocumented-bug", effect=-0.2))
    assert whys.title(better) == "Category “login”: the failure rate fell by 20.0 points, and “a fault in the product” became less frequent"


def test_a_place_of_one_period_is_held_against_what_was_expected() -> None:
    assert "the failure rate lies higher by 20.0 points" in whys.title(chain(*STORY, compares="places"))


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
    assert whys.title(chain(step("place", 2, "product_area=(all others)"))).startswith("All other values of product area:")
