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
        "resolve_deadline": "14d", "duplicate_gap": "45min", "count_company_initiated": True,
    }  # fmt: skip
    assert set(changes) == set(Policy.model_fields) - {"name", "version", "note"}
    sentences = {field: Policy().revised(**{field: value}).sentence() for field, value in changes.items()}
    assert len(set(sentences.values())) == len(changes)
    assert all(sentence != Policy().sentence() for sentence in sentences.values())


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
