"""What did the customer write first, without greetings, signatures, quoted mails and templates?

What is left is what the contact is about. Nothing here is a judgement: a text from which all would be taken away is kept as it was.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fcrlib.model.columns import KEY, named
from fcrlib.model.desk import Desk
from fcrlib.texts.copies import copies
from fcrlib.texts.letters import GREETING, HEADERS, LANGUAGES, LEGAL, POLITE, PREFIX, QUOTED, REPORTED, SENT_FROM, SIGN_OFF

LONGEST = 4_000
TEMPLATE_CUSTOMERS = 20  # a line that so many customers send is looked at as a template
TEMPLATE_LETTERS = 30
PLACED = 0.2  # a subject that so many contacts of one channel have was placed there by a system
PLACED_CONTACTS = 30
ONE_CATEGORY = 0.6  # a line of which so much lies in one category says what the contact is about
COLUMNS = ("source", "contact_id", "text", "language", "copies", "representative", "copy_of")


def openings(desk: Desk, outcomes: pl.DataFrame) -> pl.DataFrame:
    """The opening text of every first contact, cleaned, with its language and how many share it.

    Subject and first message are joined; the message is the contact's body or else the first thing its customer wrote.

    Parameters
    ----------
    desk
        `contacts` and `events` are read.
    outcomes
        Contacts with their `label`: those that resolved, failed or are pending are first contacts. `customer` is read where it is there.

    Returns
    -------
    pl.DataFrame
        One row per first contact that has any text left, sorted by `source`, `contact_id`: `text` (at most 4,000 letters), `language` (as recorded,
        else guessed from small words, null where unsure), `copies` (contacts whose text is nearly the same, itself included), `representative` (the
        earliest of them; exactly one is), `copy_of` (that one, as `source:contact_id`).

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from fcrlib.model.desk import Manifest
    >>> day = datetime(2026, 3, 1, tzinfo=UTC)
    >>> contacts = pl.DataFrame({
    ...     "source": ["zd"], "contact_id": ["1"], "opened_at": [day], "channel": ["email"], "status": ["solved"], "initiated_by": ["customer"],
    ...     "resolved_by": ["human"], "subject": ["Re: Export"], "body": ["Hi team,\\n\\nthe file is empty.\\n\\nKind regards,\\nAnn"],
    ... })
    >>> manifest = Manifest(source="zd", reader="doc", reader_version="1", data_start=day, data_end=day)
    >>> told = openings(Desk.build(manifest, contacts=contacts), pl.DataFrame({"source": ["zd"], "contact_id": ["1"], "label": ["resolved"]}))
    >>> told["text"].to_list()
    ['Export\\nthe file is empty.']
    """
    rows = _first(desk, outcomes)
    rows = rows.with_columns(_without_letter_parts(pl.col("body")).alias("body"), _subject(pl.col("subject")).alias("subject"))
    rows = _without_placed_subjects(_without_templates(rows))
    text = pl.concat_str(pl.col("subject", "body").replace("", None), separator="\n", ignore_nulls=True).str.slice(0, LONGEST).str.strip_chars()
    told = rows.with_columns(text=text).filter(pl.col("text").str.contains(r"\p{L}"))
    told = told.with_columns(language=pl.coalesce(_recorded(pl.col("language")), _guess(told["text"])))
    return _grouped(told).sort(KEY).select(*COLUMNS)


def _first(desk: Desk, outcomes: pl.DataFrame) -> pl.DataFrame:
    """First contacts with what opened them."""
    who = pl.col("customer") if "customer" in outcomes.columns else pl.lit(None, pl.String).alias("customer")
    first = outcomes.filter(pl.col("label").cast(pl.String).is_in(["resolved", "failed", "pending"])).select(*KEY, who.cast(pl.String))
    written = pl.col("kind").eq("message") & pl.col("actor").eq("customer") & pl.col("text").str.contains(r"\S")
    said = desk.events.filter(written).select(*KEY, "at", "seq", "text").sort(*KEY, "at", "seq").unique(KEY, keep="first", maintain_order=True)
    columns = ("opened_at", "channel", "category", "language", "subject", "body")
    rows = desk.contacts.select(*KEY, *columns).join(first, on=KEY, how="inner", maintain_order="left")
    rows = rows.join(said.select(*KEY, said="text"), on=KEY, how="left", maintain_order="left")
    body = pl.when(pl.col("body").str.contains(r"\S")).then("body").otherwise("said").fill_null("")
    return rows.with_columns(body=body, subject=pl.col("subject").fill_null(""), customer=pl.coalesce("customer", named("contact_id")))


def _subject(subject: pl.Expr) -> pl.Expr:
    return subject.str.slice(0, LONGEST).str.replace_all(r"\s+", " ").str.replace(PREFIX, "").str.strip_chars()


def _without_letter_parts(body: pl.Expr) -> pl.Expr:
    """A message without what makes it a letter; where nothing would be left, what was quoted is what the customer had to say."""
    plain = body.str.slice(0, 4 * LONGEST).str.replace_all("\r\n?", "\n").str.replace_all(r"[ \t\x{a0}]+", " ").str.replace_all(r"(?m)^ | $", "")
    own = plain.str.replace(QUOTED, "").str.replace_all(r"(?m)^>.*$", "").str.replace(LEGAL, "").str.replace_all(SENT_FROM, "")
    own = own.str.strip_chars().str.replace(SIGN_OFF, "").str.strip_chars()
    unquoted = plain.str.replace_all(r"(?m)^(?:> ?)+", "").str.replace_all(HEADERS, "").str.strip_chars()
    kept = pl.when(own.str.contains(r"\p{L}")).then(own).otherwise(unquoted)
    greeted = kept.str.replace(GREETING, "").str.replace(GREETING, "").str.replace(REPORTED, "").str.strip_chars()
    short = greeted.str.replace(POLITE, "${1}").str.replace(POLITE, "${1}").str.strip_chars()
    last = pl.when(short.str.contains(r"\p{L}")).then(short).when(greeted.str.contains(r"\p{L}")).then(greeted).otherwise(kept)
    return last.str.replace_all(r"\n\s*\n+", "\n")


def _without_placed_subjects(rows: pl.DataFrame) -> pl.DataFrame:
    """Without the subjects that a system gave all contacts of a channel alike; they name the channel, not the matter."""
    plain = pl.col("subject").str.to_lowercase()
    many = (pl.len().over("channel", plain) >= PLACED_CONTACTS) & (pl.len().over("channel", plain) >= PLACED * pl.len().over("channel"))
    people = pl.col("customer").n_unique().over("channel", plain) >= TEMPLATE_CUSTOMERS
    spoken = pl.col("body").str.contains(r"\p{L}") & (pl.col("body").n_unique().over("channel", plain) > 1)
    # A subject that somebody placed is also placed in the few contacts of other channels that have it.
    placed = rows.filter(many & people & spoken).select(plain).to_series().unique()
    return rows.with_columns(subject=pl.when(~(plain.is_in(placed.implode()) & spoken)).then("subject").otherwise(pl.lit("")))


def _without_templates(rows: pl.DataFrame) -> pl.DataFrame:
    """Without long lines that many customers send beside words of their own; a line that is all they send is what they have to say."""
    numbered = rows.with_row_index("row")
    lines = numbered.select("row", "customer", "category", line=pl.col("body").str.split("\n")).explode("line")
    lines = lines.with_columns(
        pl.col("line").str.strip_chars(), place=pl.int_range(pl.len()), long=pl.col("line").str.len_chars() >= TEMPLATE_LETTERS
    )
    found = _templates(lines.filter("long"), numbered)
    if found.is_empty():
        return rows
    left = lines.filter(~pl.col("line").is_in(found.implode())).group_by("row", maintain_order=True).agg(left=pl.col("line").str.join("\n"))
    both = numbered.join(left, on="row", how="left", maintain_order="left")
    own = pl.col("left").str.contains(r"\p{L}").fill_null(False)
    return both.with_columns(body=pl.when(own).then("left").otherwise("body")).drop("row", "left")


def _templates(long: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """Lines of many customers that stand beside different words and in different categories."""
    often = long.filter(pl.len().over("line") >= TEMPLATE_CUSTOMERS)
    beside = often.join(rows.select("row", "body"), on="row", how="left", maintain_order="left").with_columns(
        rest=pl.col("body").str.replace("line", "").str.len_chars(), alone=pl.col("body") == pl.col("line")
    )
    named_category = pl.col("category").drop_nulls()
    told = beside.group_by("line").agg(
        customers=pl.col("customer").n_unique(), contacts=pl.col("row").n_unique(), alone=pl.col("alone").mean(), bodies=pl.col("body").n_unique(),
        largest=named_category.unique_counts().max() / named_category.len(), categories=named_category.n_unique(),
    )  # fmt: skip
    mixed = (pl.col("categories") < 1) | (pl.col("largest") < ONE_CATEGORY)
    many = (pl.col("customers") >= TEMPLATE_CUSTOMERS) & (pl.col("alone") < 0.5) & (2 * pl.col("bodies") >= pl.col("customers"))
    return told.filter(many & mixed.fill_null(True))["line"].sort()


def _recorded(language: pl.Expr) -> pl.Expr:
    """The language as the desk recorded it, in small letters and without the country; null where it says nothing."""
    plain = language.cast(pl.String).str.strip_chars().str.to_lowercase().str.extract(r"^([a-z]{2,3})(?:[-_].*)?$")
    return pl.when(~plain.is_in(["und", "mul", "zxx", "xx"])).then(plain)


def _guess(text: pl.Series) -> pl.Series:
    """The language whose small words a text has most of; null unless there are two or more, and twice as many as of the next language."""
    words = pl.DataFrame([text.str.slice(0, 1_000).str.to_lowercase().str.extract_all(r"\p{L}+").list.unique().alias("words")])
    shared = [pl.col("words").list.set_intersection(small.split()).list.len().alias(name) for name, small in LANGUAGES.items()]
    counts = words.select(shared).to_numpy().T.astype(np.int64)
    best, ranked = counts.argmax(axis=0), np.sort(counts, axis=0)
    sure = (ranked[-1] >= 2) & (ranked[-1] >= 2 * ranked[-2])
    guessed = pl.Series(np.array(list(LANGUAGES), dtype=object)[best].tolist(), dtype=pl.String)
    return pl.select(pl.when(pl.Series(sure)).then(guessed)).to_series()


def _grouped(rows: pl.DataFrame) -> pl.DataFrame:
    """How many share a text, and which of them came first."""
    ordered = rows.sort("opened_at", *KEY)
    told = ordered.with_columns(copy=copies(ordered["text"]), name=named("contact_id"))
    first = pl.int_range(pl.len()).over("copy") == 0
    return told.with_columns(copies=pl.len().over("copy").cast(pl.Int64), representative=first, copy_of=pl.col("name").first().over("copy"))
