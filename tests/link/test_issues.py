"""Are contacts of one customer that are worded alike held to be one issue, and only those?"""

import polars as pl
from storytelling import at, desk_of

from fcrlib.judge.outcomes import judge
from fcrlib.link.issues import similar_pairs
from fcrlib.model.desk import Desk
from fcrlib.model.policy import Policy

CHARGED, AGAIN, OTHER = (
    "Hi team, I was charged twice for the March invoice",
    "Hello, still charged twice, March invoice not corrected",
    "Please help, single sign-on fails on my phone",
)


def desk_with(*words: tuple[str, str]) -> Desk:
    """One contact a day, each a customer and what they wrote."""
    acts = [{"kind": "message", "actor": "agent"}, {"kind": "status", "actor": "agent", "status": "solved"}]
    tale = [
        {"id": f"{n}", "opened": 24 * n, "customer": who, "events": [{**act, "t": 24 * n + 1} for act in acts]} for n, (who, _) in enumerate(words)
    ]
    desk = desk_of(tale, data_end=2000)
    texts = pl.Series([text for _, text in words])
    return Desk.build(desk.manifest, contacts=desk.contacts.with_columns(body=texts), events=desk.events)


def pairs_of(desk: Desk, **options: float) -> list[tuple[int, int]]:
    contacts = desk.contacts.with_row_index("i").with_columns(start_at="opened_at")
    return similar_pairs(contacts, **options).rows()


def test_like_words_of_one_customer_are_a_pair_and_greetings_do_not_make_one() -> None:
    assert pairs_of(desk_with(("ann", CHARGED), ("ann", OTHER), ("ann", AGAIN))) == [(0, 2)]
    assert pairs_of(desk_with(("ann", "Hi team, thanks, please help"), ("ann", "Hello team, please help, thank you"))) == []


def test_other_customers_and_unknown_ones_never_pair() -> None:
    assert pairs_of(desk_with(("ann", CHARGED), ("bob", AGAIN))) == []
    assert pairs_of(desk_with((None, CHARGED), (None, CHARGED))) == []


def test_a_stricter_threshold_and_a_shorter_memory_find_less() -> None:
    desk = desk_with(("ann", CHARGED), *[("ann", OTHER)] * 5, ("ann", AGAIN))
    assert (0, 6) not in pairs_of(desk)
    assert (0, 6) in pairs_of(desk, look_back=6)
    assert (0, 6) not in pairs_of(desk, look_back=6, threshold=0.9)


def test_the_policy_that_reads_texts_fails_the_contact_that_is_repeated_in_other_words() -> None:
    outcomes = judge(desk_with(("ann", CHARGED), ("ann", AGAIN), ("ann", OTHER)), policy=Policy(same_issue="text"))
    assert outcomes.select("label", "repeat_of").rows() == [("failed", None), ("repeat", "0"), ("resolved", None)]
    assert outcomes["failed_at"][0] == at(24)
