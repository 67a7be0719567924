"""Was the issue resolved on first contact? The label of every contact under a policy.

Every contact gets exactly one label: `excluded`, `repeat`, `failed`, `pending` or `resolved`. A contact is failed from the
instant of its first failure on, and nothing that happens later takes the label back: labels at two data ends agree
wherever the earlier one is not pending.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from fcrlib.judge.definitions import definition_grid
from fcrlib.judge.facts import AT, Facts, customer, gather, in_key_order
from fcrlib.judge.neighbours import Neighbours, meet
from fcrlib.judge.verdict import LABELS, verdict
from fcrlib.model.columns import named
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.policy import Policy

REASONS = (
    "parallel_contact", "repeat_contact", "reopened", "escalated", "transferred", "survey_no", "extra_customer_reply",
    "extra_agent_reply", "several_agents", "put_on_hold", "no_response", "auto_closed", "deferred", "unresolved",
)  # fmt: skip
__all__ = ["LABELS", "OUTCOME_COLUMNS", "REASONS", "assemble", "definition_grid", "judge", "own_story"]
OUTCOME_COLUMNS = (
    "source", "contact_id", "customer_ref", "person", "resolved_by", "first_group", "first_agent", "resolver_group", "resolver_agent",
    "non_resolvable",
)  # fmt: skip


def judge(desk: Desk, *, policy: Policy, data_end: datetime | None = None) -> pl.DataFrame:
    """Label every contact of a desk.

    Parameters
    ----------
    desk
        Canonical tables; `contacts`, `events` and `surveys` are read.
    policy
        The written definition.
    data_end
        Judge as if the data ended here; the manifest's data end by default. Nothing after it is looked at.

    Returns
    -------
    pl.DataFrame
        One row per contact, ordered by `source`, `contact_id`:

        - `label`: excluded, repeat, failed, pending or resolved
        - `reason`: of the exclusion, of the pending state, or the first failure; null for resolved and repeat
        - `reasons`: all of them; for a failed contact every failure, earliest first
        - `reason_at`: when each failure happened; empty where the contact did not fail
        - `failed_at`: the first failure
        - `start_at`, `anchor_at`, `horizon_at`: start, first resolution, end of the window
        - `repeat_of`: the first contact of the chain that a repeat belongs to
        - `duplicate_of`: the contact of which this is a second submission
        - `issue`: name of the issue, the first contact of its chain as `source:contact_id`; null where the contact is excluded
        - `customer`: who asked, one name over all sources; null where nobody is known
        - `resolved_by`: human, bot, automation, customer or unknown
        - `confirmed`: the customer said yes when asked whether it was resolved; without a yes it is only assumed
        - `attributable`: false for what nobody at the desk could resolve
        - `routing_group`, `routing_agent`, `coaching_group`, `coaching_agent`: first handler and resolver
        - `left_truncated`: so early that it may itself be a repeat of something before the data
        - `policy`: name and fingerprint of the definition

    Examples
    --------
    >>> from datetime import UTC
    >>> day = lambda d: datetime(2026, 3, d, tzinfo=UTC)
    >>> contacts = pl.DataFrame({
    ...     "source": ["zd"] * 3, "contact_id": ["1", "2", "3"], "customer_ref": ["ann", "ann", "bob"],
    ...     "opened_at": [day(1), day(5), day(6)], "first_resolved_at": [day(2), day(6), day(7)], "category": ["billing"] * 3,
    ...     "channel": ["email"] * 3, "status": ["solved"] * 3, "initiated_by": ["customer"] * 3, "resolved_by": ["human"] * 3,
    ... })
    >>> manifest = Manifest(source="zd", reader="doc", reader_version="1", data_start=day(1), data_end=day(30))
    >>> judge(Desk.build(manifest, contacts=contacts), policy=Policy()).select("contact_id", "label", "reason", "repeat_of").rows()
    [('1', 'failed', 'repeat_contact', None), ('2', 'repeat', None, '1'), ('3', 'resolved', None, None)]
    """
    end = data_end or desk.manifest.data_end
    contacts = in_key_order(desk.contacts)
    facts = own_story(contacts, events=desk.events, surveys=desk.surveys, policy=policy, manifest=desk.manifest, data_end=end)
    similar = _similar(contacts, facts.frame, policy=policy)
    others = meet(contacts, facts=facts.frame, messages=facts.messages, policy=policy, data_end=end, similar=similar)
    failures = pl.concat([facts.failures.drop("inside_at"), others.failures])
    return assemble(contacts, facts.frame, others=others, failures=failures, names=contacts, policy=policy, manifest=desk.manifest, data_end=end)


def own_story(
    contacts: pl.DataFrame, *, events: pl.DataFrame, surveys: pl.DataFrame, policy: Policy, manifest: Manifest, data_end: datetime
) -> Facts:
    """What each contact says about itself; silence is only known where the source records messages."""
    known = manifest.has("has_messages")
    return gather(contacts, events=events, surveys=surveys, policy=policy, data_end=data_end, messages_known=known)


def assemble(
    contacts: pl.DataFrame,
    frame: pl.DataFrame,
    *,
    others: Neighbours,
    failures: pl.DataFrame,
    names: pl.DataFrame,
    policy: Policy,
    manifest: Manifest,
    data_end: datetime,
) -> pl.DataFrame:
    """Put a verdict together for some contacts.

    Parameters
    ----------
    contacts, frame
        The contacts (`OUTCOME_COLUMNS`) and what they say about themselves, row by row; `frame.i` counts over the whole desk.
    others, failures
        What all contacts do to each other, and all failures; those of other contacts are passed over.
    names
        `source` and `contact_id` of every contact of the desk, by row number.
    """
    here = pl.col("i").is_in(frame["i"].implode()) if frame.height < names.height else pl.lit(True)
    known = (
        frame.join(others.duplicates.rename({"of": "duplicate"}), on="i", how="left", maintain_order="left")
        .join(others.repeats.rename({"of": "chain"}), on="i", how="left", maintain_order="left")
        .join(_failures_per_contact(failures.filter(here), policy=policy), on="i", how="left", maintain_order="left")
        .with_columns(verdict(policy, data_end=data_end, because=pl.col("reasons").list.first()))
    )
    return _outcomes(contacts, known, names=names, policy=policy, manifest=manifest)


def _similar(contacts: pl.DataFrame, facts: pl.DataFrame, *, policy: Policy) -> pl.DataFrame | None:
    if policy.same_issue != "text":
        return None
    from fcrlib.link.issues import similar_pairs

    dated = contacts.with_row_index("i").join(facts.select("i", "start_at"), on="i", maintain_order="left")
    return similar_pairs(dated.with_columns(source=pl.lit(""), customer_ref=customer()), threshold=policy.similarity)


def _failures_per_contact(failures: pl.DataFrame, *, policy: Policy) -> pl.DataFrame:
    """All failures of a contact, earliest first; at the same instant in the order of `REASONS`."""
    if policy.survey == "decides":
        failures = failures.filter(pl.col("reason") == "survey_no")
    ordered = failures.with_columns(pl.col("reason").cast(pl.Enum(REASONS))).sort("i", "at", "reason")
    first = ordered.unique(["i", "reason"], keep="first", maintain_order=True)
    return first.group_by("i", maintain_order=True).agg(reasons=pl.col("reason").cast(pl.String), reason_at="at", failed_at=pl.col("at").first())


def _outcomes(contacts: pl.DataFrame, known: pl.DataFrame, *, names: pl.DataFrame, policy: Policy, manifest: Manifest) -> pl.DataFrame:
    is_failed = pl.col("label") == "failed"
    head = known.select(pl.coalesce("chain", "i")).to_series()
    issue = pl.DataFrame([names[name].gather(head).cast(pl.String).alias(name) for name in ("source", "contact_id")]).select(named("contact_id"))
    return known.with_columns(
        contacts.select(
            "source",
            "contact_id",
            "resolved_by",
            customer=customer(),
            routing_group="first_group",
            routing_agent="first_agent",
            coaching_group="resolver_group",
            coaching_agent="resolver_agent",
            attributable=~pl.col("non_resolvable"),
        )
    ).select(
        "source",
        "contact_id",
        "label",
        "reason",
        pl.when(is_failed).then("reasons").otherwise(pl.concat_list("reason").list.drop_nulls()).alias("reasons"),
        pl.when(is_failed).then("reason_at").otherwise(pl.lit([], dtype=pl.List(AT))).alias("reason_at"),
        pl.when(is_failed).then("failed_at").alias("failed_at"),
        "start_at",
        "anchor_at",
        "horizon_at",
        names["contact_id"].gather(known["chain"]).alias("repeat_of"),
        names["contact_id"].gather(known["duplicate"]).alias("duplicate_of"),
        pl.when(pl.col("label") != "excluded").then(issue.to_series()).alias("issue"),
        "customer",
        "resolved_by",
        pl.col("yes_at").is_not_null().alias("confirmed"),
        "attributable",
        "routing_group",
        "routing_agent",
        "coaching_group",
        "coaching_agent",
        left_truncated=pl.col("start_at") < manifest.data_start + (policy.window or timedelta(0)),
        policy=pl.lit(f"{policy.name} {policy.fingerprint}"),
    )
