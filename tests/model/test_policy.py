"""Is the definition written down so that nobody can misread it?"""

from datetime import timedelta

import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.policy import Policy, presets


def test_the_default_is_seven_days_same_category_across_channels() -> None:
    policy = Policy.named("customer_7d")
    assert policy == Policy()
    assert (policy.window, policy.same_issue, policy.across_channels) == (timedelta(days=7), "category", True)


def test_every_preset_of_the_rules_is_there() -> None:
    wanted = {
        "customer_7d", "within_24h", "within_48h", "customer_30d", "strict", "voice", "zendesk_ticket_one_touch", "zendesk_messaging_one_touch",
        "freshservice", "zoho", "intercom_first_contact", "genesys_nca", "servicenow_csm", "zammad_15min", "sqm_internal_30d", "sqm_survey", "sqm_one_contact",
    }  # fmt: skip
    assert set(presets()) == wanted


def test_every_field_that_moves_a_number_is_spoken_of() -> None:
    changes = {
        "window": "36h", "same_issue": "any", "across_channels": False, "transfer": "any", "zero_touch": "fail", "auto_close": "count",
        "survey": "veto", "max_customer_replies": 3, "max_agent_replies": 2, "max_agents": 4, "waiting": "fail", "resolve_within": "5h",
        "resolve_deadline": "14d", "duplicate_gap": "45min", "count_company_initiated": True, "unit": "contact", "while_open": "wait",
    }  # fmt: skip
    assert set(changes) == set(Policy.model_fields) - {"name", "version", "note", "similarity"}
    sentences = {field: Policy().revised(**{field: value}).sentence() for field, value in changes.items()}
    assert len(set(sentences.values())) == len(changes)
    assert all(sentence != Policy().sentence() for sentence in sentences.values())
    assert "50% of the words" in Policy().revised(same_issue="text", similarity=0.5).sentence()


def test_a_window_can_be_none_and_then_nothing_is_waited_for() -> None:
    policy = Policy.read({"window": "none", "resolve_deadline": "none"})
    assert (policy.window, policy.resolve_deadline) == (None, None)
    assert "by the data end" in policy.sentence()


def test_a_definition_knows_what_it_needs() -> None:
    needs = {name: policy.needs() for name, policy in presets().items()}
    assert needs["sqm_survey"] == ("has_survey",)
    assert needs["genesys_nca"] == ("has_customer",)
    assert "has_public_flag" in needs["zendesk_ticket_one_touch"]
    assert all(needs.values())


def test_the_fingerprint_follows_what_moves_a_number_and_nothing_else() -> None:
    assert Policy(name="ours", note="why").fingerprint == Policy().fingerprint
    assert Policy().revised(window="8d").fingerprint != Policy().fingerprint


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UsageError) as told:
        Policy.read({"window": 7, "same_issue": "topic", "transfers": "any"})
    assert len(told.value.problems) == 3
    assert "write a duration with its unit" in str(told.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="customer_7d"):
        Policy.named("costumer_7d")
