"""What would a helpdesk look like if we knew why its first contacts fail?

`invent` makes one up: a business-software helpdesk over five quarters with everything an export holds, good and bad. Its `truth` argument
*is* what a method has to find, and `answer_key` says it contact by contact. Same arguments, same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from fcrlib.intake.demo.arrivals import first_contacts
from fcrlib.intake.demo.changes import articles, changes
from fcrlib.intake.demo.history import events
from fcrlib.intake.demo.leaving import customer_table
from fcrlib.intake.demo.outcomes import NO_MECHANISM, fates, handled
from fcrlib.intake.demo.people import Agents, Customers, alias_refs, customer_refs, gather_customers, hire, identifiers, seconds, staff_table, stream
from fcrlib.intake.demo.returns import WEEKS, background, duplicates, followers, second_tries
from fcrlib.intake.demo.summary import contacts as contact_table
from fcrlib.intake.demo.surveys import asked, surveys
from fcrlib.intake.demo.text import complaints, openings
from fcrlib.intake.demo.themes import CATEGORIES, THEMES
from fcrlib.intake.demo.truth import MECHANISMS, Truth
from fcrlib.model.desk import Desk, Manifest
from fcrlib.model.errors import UsageError
from fcrlib.model.tables import CAPABILITIES

START = datetime(2025, 7, 1, tzinfo=UTC)
END = datetime(2026, 9, 30, 23, 59, 59, tzinfo=UTC)
_GENERATIONS = 3  # a contact that came back may fail again, and once more


def invent(*, seed: int = 7, contacts: int = 40_000, truth: Truth | None = None, data_start: datetime = START, data_end: datetime = END) -> Desk:
    """Invent a helpdesk with a planted truth.

    Parameters
    ----------
    seed
        Same seed, same desk.
    contacts
        About how many contacts; returns, duplicates and merges are counted in.
    truth
        What is planted; by default three causes, a late fourth, and their company. `Truth.nothing()` plants nothing.
    data_start, data_end
        First day, and the moment of the export: nothing is known after it.

    Returns
    -------
    Desk
        All canonical tables; the text is raw and holds personal data that nobody has (see `CANARIES`).

    Raises
    ------
    UsageError
        If there are too few contacts for a desk, or it ends before it starts.

    Examples
    --------
    >>> desk = invent(contacts=500, truth=Truth.nothing())
    >>> desk.manifest.invented, desk.manifest.redacted
    (True, False)
    """
    _possible(contacts, data_start, data_end)
    truth = truth or Truth()
    agents, customers, cases = _world(seed=seed, rows=contacts, truth=truth, start=data_start, end=data_end)
    end = seconds(data_end)
    named = pl.lit(pl.Series([*MECHANISMS, ""])).gather("mechanism").alias("mechanism_name")
    account = pl.Series("account", customers.account).gather(cases["customer"])
    told = cases.with_columns(_texts(cases, seed=seed)).with_columns(named, account)
    history = events(told, seed=seed, agents=agents, end=end)
    base = customer_table(cases, seed=seed, truth=truth, customers=customers, start=seconds(data_start), end=end)
    manifest = Manifest(
        source="demo",
        reader="demo",
        reader_version="1",
        data_start=data_start,
        data_end=data_end,
        capabilities=frozenset(CAPABILITIES) - ({"has_retention"} if not base["left_at"].count() else set()),
        invented=True,
        notes=(f"invented with seed {seed}",),
    )
    return Desk.build(
        manifest,
        contacts=contact_table(told, history, seed=seed, end=end),
        events=history,
        identifiers=identifiers(customers, seed=seed),
        surveys=surveys(cases, seed=seed, end=end),
        customers=base,
        agents=staff_table(agents),
        articles=articles(seed=seed, start=data_start),
        changes=changes(truth, start=data_start, end=data_end),
    )


def answer_key(
    *, seed: int = 7, contacts: int = 40_000, truth: Truth | None = None, data_start: datetime = START, data_end: datetime = END
) -> pl.DataFrame:
    """Tell, contact by contact, what was planted on the desk that `invent` makes of the same arguments.

    Returns
    -------
    DataFrame
        One row per contact, in order: `contact_id`, `customer` (who really asked, whatever name the export gives), `relation` (first
        background repeat parallel follow-up duplicate second try), `of` (the contact it goes back to), `fate` (normal, or what befell it), `theme`,
        `probability` of failing (0..1), `fails`, `how` (reopen repeat parallel follow-up), `cause` (number in `truth.causes`, null for the
        desk's own; a lifted topic counts on from there), `mechanism`,
        `pleased` (top box, also of those who were never asked).
    """
    _possible(contacts, data_start, data_end)
    truth = truth or Truth()
    _, _, cases = _world(seed=seed, rows=contacts, truth=truth, start=data_start, end=data_end)
    return cases.select(
        "contact_id",
        customer_refs(pl.col("customer")).alias("customer"),
        "relation",
        pl.col("parent_id").alias("of"),
        pl.col("fate").cast(pl.String),
        pl.lit(pl.Series([theme.slug for theme in THEMES])).gather("theme").alias("theme"),
        "probability",
        "fails",
        pl.when("fails").then("how").alias("how"),
        pl.when(pl.col("cause") >= 0).then("cause").alias("cause"),
        pl.when(pl.col("mechanism") != NO_MECHANISM).then(pl.lit(pl.Series([*MECHANISMS, ""])).gather("mechanism")).alias("mechanism"),
        "pleased",
    )


def _possible(contacts: int, start: datetime, end: datetime) -> None:
    problems = [f"contacts: {contacts:,} are too few for a desk, write at least 200"] * (contacts < 200)
    problems += [f"data_end {end:%Y-%m-%d} must lie at least 28 days after data_start {start:%Y-%m-%d}"] * (end - start < timedelta(days=28))
    if problems:
        raise UsageError("this desk cannot be invented:", problems)


def _world(*, seed: int, rows: int, truth: Truth, start: datetime, end: datetime) -> tuple[Agents, Customers, pl.DataFrame]:
    """Everything that happens, in the order of opening, before anybody writes it down."""
    agents = hire(seed=seed, contacts=rows, truth=truth, start=start, end=end)
    customers = gather_customers(seed=seed, contacts=rows, truth=truth)
    first = first_contacts(seed=seed, rows=round(rows / _growth(truth)), truth=truth, customers=customers, start=start, end=end)
    first = first.with_columns(
        fates(first["channel"], rng=stream(seed, "fates")).alias("fate"),
        pl.lit("first").alias("relation"),
        pl.lit("").alias("link"),
        pl.lit(None, pl.Int64).alias("parent"),
        pl.lit(None, pl.Int64).alias("about"),
        _anonymous(first, seed=seed),
    )
    batches: list[pl.DataFrame] = []

    def add(arrived: pl.DataFrame, batch: str) -> pl.DataFrame:
        arrived = arrived.filter(pl.col("opened") <= seconds(end)).with_row_index("key", offset=sum(one.height for one in batches))
        arrived = arrived.with_columns(pl.col("key").cast(pl.Int64))
        done = handled(arrived, seed=seed, batch=batch, truth=truth, agents=agents, customers=customers)
        batches.append(done.select(sorted(done.columns)))
        return batches[-1]

    latest = pl.concat([add(first, "first"), add(background(batches[0], seed=seed, truth=truth), "background")])
    latest = pl.concat([latest, add(second_tries(batches[0], seed=seed), "second tries")])
    add(duplicates(batches[0], seed=seed), "duplicates")
    for generation in range(_GENERATIONS):
        latest = add(followers(latest, seed=seed, batch=f"return {generation}"), f"return {generation}")
    cases = _numbered(pl.concat(batches), customers=customers)
    return agents, customers, cases.with_columns(asked(cases, seed=seed, truth=truth))


def _growth(truth: Truth) -> float:
    """How many contacts one first contact brings about, roughly."""
    failing = truth.base + sum(cause.points for cause in truth.causes) * 0.07 + 0.02
    return (1 + 0.8 * WEEKS * truth.background) * (1 + 0.55 * failing / (1 - 0.55 * failing)) + 0.01


def _anonymous(first: pl.DataFrame, *, seed: int) -> pl.Series:
    """Some callers give no number, and nobody knows who spammed."""
    unknown = stream(seed, "anonymous").random(first.height) < 0.1
    nobody = first["channel"].is_in(["phone", "other"]).to_numpy() & unknown
    return pl.Series("anonymous", nobody)


def _numbered(cases: pl.DataFrame, *, customers: Customers) -> pl.DataFrame:
    """Number the contacts in the order of opening, point the links at the numbers and name who asks: callers as the phone system knows them."""
    ordered = cases.sort("opened", "key").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    width = max(6, len(str(ordered.height)))
    ids = ordered.select("key", (pl.col("row") + 1).cast(pl.String).str.zfill(width).alias("contact_id"))
    parents = ids.rename({"key": "parent", "contact_id": "parent_id"})
    linked = ordered.join(ids, on="key", how="left", maintain_order="left").join(parents, on="parent", how="left", maintain_order="left")
    alias = pl.lit(pl.Series(customers.alias)).gather(pl.col("customer"))
    name = pl.when((pl.col("channel") == "phone") & (alias > 0)).then(alias_refs(alias)).otherwise(customer_refs(pl.col("customer")))
    return linked.with_columns(pl.when(~pl.col("anonymous")).then(name).alias("customer_ref"))


def _texts(cases: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Subject and body. Who comes back says what went wrong; a duplicate has the words of the first."""
    theme = cases["theme"].to_numpy()
    category = np.array([list(CATEGORIES).index(one.category) for one in THEMES])[theme]
    text = openings(theme, category, language=cases["language"], channel=cases["channel"], rng=stream(seed, "openings"))
    about = cases["about"].fill_null(NO_MECHANISM).to_numpy()
    complaint = complaints((*MECHANISMS, ""), about, rng=stream(seed, "follow-ups"))
    body, said = pl.col("body"), pl.col("said")
    letter = body.str.contains("\n\n", literal=True)
    again = (
        pl.when(letter).then(body.str.replace("\n\n", pl.lit("\n\n") + said + " ", literal=True)).otherwise(pl.concat_str([said, pl.lit(" "), body]))
    )
    written = text.with_columns(said=complaint, about=cases["about"], twice=cases["relation"] == "duplicate").with_columns(
        pl.when(pl.col("about").is_not_null()).then(again).otherwise(body).alias("body")
    )
    keys = cases.select("key", "parent").with_columns(written)
    original = keys.select(pl.col("key").alias("parent"), pl.col("subject").alias("first_subject"), pl.col("body").alias("first_body"))
    return keys.join(original, on="parent", how="left", maintain_order="left").select(
        pl.when("twice").then(f"first_{part}").otherwise(part).alias(part) for part in ("subject", "body")
    )
