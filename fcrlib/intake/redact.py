"""What must leave the text before anybody reads it, and does any of it remain?

`redact` takes personal data out of a desk once, at the door; `leaks` looks for it in any text that is about to be published. Both go the same way:
the text is made readable, what may stay is shielded, and then the kinds leave one after the other, each looked for only where it can be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import polars as pl

from fcrlib.intake.keys import keys, settled
from fcrlib.intake.privacy import shapes
from fcrlib.intake.privacy.known import PERSON, REFERENCES, known_names, name_shapes
from fcrlib.intake.privacy.plain import plain
from fcrlib.intake.privacy.portions import portions, portions_of
from fcrlib.intake.privacy.proofs import card_in, iban_in, parts_of, phone_in
from fcrlib.intake.privacy.pseudonyms import pseudonyms
from fcrlib.intake.privacy.shapes import INVISIBLE, MARK, SHIELD, Stage
from fcrlib.model.desk import KEYS, Desk
from fcrlib.model.identity import Rules, is_number
from fcrlib.model.redaction import KINDS, Redaction

TEXTS = {
    "contacts": ("subject", "body", "close_reason"),
    "events": ("text",),
    "surveys": ("comment",),
    "articles": ("title",),
    "changes": ("note",),
}
LISTS = {"contacts": ("tags",)}
_CHECKED: dict[str, Callable[[str], str]] = {"iban": iban_in, "card": card_in}
_LEAST = 2_000_000
"""Bytes of text that are worth a worker of their own: reading the shapes takes as long as cleaning a megabyte."""
_STRANGE = r"[^\t\n\r -~]"


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known of a project's texts before they are read."""

    rules: Redaction
    country: str | None = None
    names: tuple[str, ...] = ()


def redact(desk: Desk, *, rules: Rules | None = None, redaction: Redaction | None = None, names: pl.Series | None = None) -> Desk:
    """Take personal data out of a desk.

    In subjects, bodies, messages, notes, survey comments, tags and titles, e-mail addresses, phone numbers, IBANs, card numbers (those that pass
    Luhn's check), URLs with credentials or tokens, IP addresses, passwords and keys, names and street addresses become `[email]`, `[phone]`, `[iban]`,
    `[card]`, `[url]`, `[ip]`, `[secret]`, `[name]` and `[address]`; the project's own patterns become `[their name]`. Names are found in greetings and
    signatures, and wherever they stand if the desk's own references to customers and agents are names, or the export told whose names it knows. Characters that hide or break an address are
    removed; a text written as a page becomes the words its reader saw.

    Identifiers stay joinable and leave the clear: `value_norm` becomes the first 16 hex digits of its SHA-256, the same in every export of
    every source, so the same person is found again. Role addresses keep the part before the `@` (`info@3f2a...`), which names no person and lets
    them be known as weak; a shared phone is known by being shared. The hash is a pseudonym, not anonymity: who has a list of
    phone numbers can try them all, unless `redaction` names a key. References to customers and agents that are themselves an address, a phone number
    or a name are hashed alike.

    A hash says nothing of the value that it hides, so identifiers are brought into one shape first, as `rules` say.

    A desk that is already redacted is returned as it is.

    Parameters
    ----------
    desk
        As a reader made it.
    rules
        How identifiers are read; its `country` says how telephone numbers are written at home.
    redaction
        What the project knows about personal data in its texts.
    names
        Full names of people whom the export knows, beside those that the desk's references are.

    Returns
    -------
    Desk
        With `manifest.redacted` set and a note that counts what was taken out, by kind.

    Raises
    ------
    UsageError
        If pseudonyms should be made with a key that is not there.
    """
    if desk.manifest.redacted:
        return desk
    rules, redaction = rules or Rules(), redaction or Redaction()
    secret = redaction.secret()
    told = _Told(redaction, rules.country, tuple(_names_in(desk, names)) if redaction.names == "known" else ())
    named = _named([values for table, frame in desk.tables().items() for values in _texts(table, frame).values()], told)
    found: Counter[str] = Counter()
    written = {table: frame for table, frame in desk.tables().items() if table in TEXTS}
    parts = [_without_data(part, told, named, found) for part in portions_of(written, texts=TEXTS)]
    desk = desk.map_tables(lambda table, frame: frame.with_columns(pl.concat([part[table] for part in parts])) if table in TEXTS else frame)
    said = ", ".join(f"{found[kind]:,} {kind}" for kind in (*KINDS, *redaction.patterns) if found[kind]) or "nothing found"
    manifest = desk.manifest.model_copy(update={"redacted": True, "notes": (*desk.manifest.notes, f"personal data taken out of the text: {said}")})
    identifiers = _hashed(desk.identifiers, rules=rules, key=secret)
    plain_words = redaction.references == "hash"
    return replace(desk, manifest=manifest, identifiers=identifiers).map_tables(
        lambda table, frame: _without_people(table, frame, every=plain_words, key=secret)
    )


def redacted(texts: pl.Series, *, redaction: Redaction | None = None, country: str | None = None, names: Iterable[str] = ()) -> pl.Series:
    """The texts without personal data; every distinct text is looked at once.

    Parameters
    ----------
    texts
        Any text; null stays null.
    redaction
        What the project knows about personal data in its texts.
    country
        Two letters (ISO 3166): where telephone numbers without a country code belong.
    names
        Full names of people who may be spoken of.

    Examples
    --------
    >>> redacted(pl.Series(["Hi Anna,\\nmail jo@example.org or call +44 20 7946 0123, order 2025-004417"])).to_list()
    ['Hi [name],\\nmail [email] or call [phone], order 2025-004417']
    >>> redacted(pl.Series(["K-123456 asks for Lindqvist"]), redaction=Redaction(patterns={"customer_no": r"K-\\d{6}"}), names=["Eva Lindqvist"]).to_list()
    ['[customer_no] asks for [name]']
    """
    told = _Told(redaction or Redaction(), country, tuple(known_names(pl.Series(list(names), dtype=pl.String))))
    named = _named([texts], told)
    return pl.concat([_changed(part, _met(part, _swaps([part], told, named))) for part in portions(texts)])


def leaks(text: str, *, redaction: Redaction | None = None) -> dict[str, int]:
    """Count what looks like personal data in a text that is about to be published: e-mail, phone, IBAN and card numbers, keys, own patterns.

    Floats, dates, order numbers, file names and redaction tokens do not count. An empty answer means that nothing was found.

    Parameters
    ----------
    text
        As its reader sees it.
    redaction
        What may stay, and which patterns are the project's own.

    Examples
    --------
    >>> leaks("write to jo@example.org, see chart@2x.png of 2026-09-30, FCR 0.6978123456789012")
    {'email': 1}
    """
    told = _Told(redaction or Redaction())
    before = _shielded(_readable(pl.Series([text])), told)
    after = _own(before, told)
    for stage in _LOOKED_FOR:
        after = _staged(after, stage)
    after = _staged(_marked(after, shapes.NOT_NUMBERS), _NUMBERS_TO_CALL)
    texts = pl.DataFrame({"old": before, "new": after})
    found = texts.select(_tokens(pl.col("new"), kind) - _tokens(pl.col("old"), kind) for kind in (*KINDS, *told.rules.patterns))
    return {kind: int(times) for kind, times in found.row(0, named=True).items() if times > 0}


def _texts(table: str, frame: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns of a table that people wrote, lists one entry after the other."""
    lists = {column: frame[column].explode(empty_as_null=False) for column in LISTS.get(table, ())}
    return {column: frame[column] for column in TEXTS.get(table, ())} | lists


def _named(columns: Sequence[pl.Series], told: _Told) -> list[str]:
    """Patterns of the names that stand in the texts."""
    return name_shapes(columns, names=pl.Series(told.names, dtype=pl.String))


def _without_data(part: Mapping[str, pl.DataFrame], told: _Told, named: Sequence[str], found: Counter[str]) -> dict[str, pl.DataFrame]:
    """The columns that people wrote in a portion of the tables, without personal data; what stands in several columns is read once."""
    texts = {table: _texts(table, frame) for table, frame in part.items()}
    swap = _swaps([values for columns in texts.values() for values in columns.values()], told, named)
    return {table: _swapped(table, part[table].select([*columns]), columns, swap, found) for table, columns in texts.items()}


def _swapped(table: str, frame: pl.DataFrame, texts: Mapping[str, pl.Series], swap: pl.DataFrame, found: Counter[str]) -> pl.DataFrame:
    """The columns of one table with clean texts; what went is counted."""
    for column, old in texts.items():
        met = _met(old, swap)
        found.update(met.drop("row", "old", "new").sum().row(0, named=True))
        if column in LISTS.get(table, ()):
            frame = frame.with_columns(pl.col(column).list.eval(pl.element().replace(swap["old"], swap["new"])))
        else:
            frame = frame.with_columns(_changed(old, met))
    return frame


def _met(texts: pl.Series, swap: pl.DataFrame) -> pl.DataFrame:
    """The rows whose text changes: `row`, and all that is known of the change."""
    return texts.rename("old").to_frame().with_row_index("row").join(swap, on="old", how="inner")


def _changed(texts: pl.Series, met: pl.DataFrame) -> pl.Series:
    """The texts with those that change written anew; the others are not copied."""
    return texts.clone().scatter(met["row"], met["new"]) if met.height else texts


def _swaps(columns: Sequence[pl.Series], told: _Told, named: Sequence[str]) -> pl.DataFrame:
    """The distinct texts that change, `old` and `new`, and how many data of each kind left them."""
    unique = pl.concat([values.drop_nulls().unique().alias("old") for values in columns]).unique(maintain_order=True)
    share = max(int(unique.str.len_bytes().sum()) // pl.thread_pool_size(), _LEAST)
    with ThreadPoolExecutor(pl.thread_pool_size()) as workers:
        clean = pl.concat(list(workers.map(lambda part: _clean(part, told, named), portions(unique, most=share + 1))))
    # What did not change is let go at once: adding nothing copies the rest.
    swap = pl.DataFrame({"old": unique, "new": clean}).filter(unique != clean).with_columns(pl.col("new") + pl.lit(""))
    return swap.with_columns(_tokens(pl.col("new"), kind) - _tokens(pl.col("old"), kind) for kind in (*KINDS, *told.rules.patterns))


def _clean(texts: pl.Series, told: _Told, named: Sequence[str] = ()) -> pl.Series:
    """Distinct texts without personal data, one kind after the other."""
    texts = _own(_shielded(_readable(texts), told), told)
    for stage in (*shapes.SECRECY, *shapes.NUMBERS):
        texts = _staged(texts, stage)
    numbered = texts.str.contains(shapes.LONG_NUMBER) | texts.str.contains(_SPOT)
    texts = _where(texts, numbered, lambda few: _numbers(few, told))
    texts = _where(texts, texts.str.contains("[0-9]"), _streets)
    texts = _names(texts, named)
    return texts.str.replace_all(SHIELD, "", literal=True)


def _numbers(texts: pl.Series, told: _Told) -> pl.Series:
    texts = _marked(texts, shapes.NOT_NUMBERS)
    for stage in shapes.SPOTS:
        texts = _staged(texts, stage)
    texts = _home_phones(texts, told.country)
    return _staged(texts, shapes.SPOTS[-1]).str.replace_all(MARK, "", literal=True)


def _home_phones(texts: pl.Series, country: str | None) -> pl.Series:
    """Numbers that the numbering plan knows. Each is replaced with the sign before it, so that its digits stay where they are part of something else."""
    return _proved("\n" + texts, shapes.PHONE_CANDIDATE, lambda one: _taken(one, phone_in(one, country), "phone")).str.slice(1)


def _marked(texts: pl.Series, nots: Iterable[str]) -> pl.Series:
    """Texts in which no shape can begin at what must not be read as a datum."""
    for shape in nots:
        texts = texts.str.replace_all(shape, f"${{1}}{MARK}${{2}}")
    return texts


def _streets(texts: pl.Series) -> pl.Series:
    texts = _marked(texts, shapes.NOT_STREETS)
    return _staged(texts, shapes.ADDRESSES)


def _names(texts: pl.Series, named: Sequence[str]) -> pl.Series:
    texts = _marked(texts, shapes.NOT_NAMES)
    for stage in shapes.NAMES:
        texts = _staged(texts, stage)
    for shape in named:
        texts = texts.str.replace_all(shape, "[name]")
    return texts.str.replace_all(MARK, "", literal=True)


def _readable(texts: pl.Series) -> pl.Series:
    """Texts as their reader sees them, in one spelling of each letter."""
    texts = _where(texts, texts.str.contains(_STRANGE), _spelled)
    return plain(texts)


def _spelled(texts: pl.Series) -> pl.Series:
    # Last of all, since a letter and its accent may meet only when what stood between them is gone.
    return texts.str.replace_all(INVISIBLE, "").str.replace_many(shapes.WIDE).str.normalize("NFC")


def _shielded(texts: pl.Series, told: _Told) -> pl.Series:
    """What may stay, made unlike anything that must go."""
    if not told.rules.keep:
        return texts
    for entry in told.rules.keep:
        shape, shielded = _kept(entry.strip(), told.country)
        texts = texts.str.replace_all(shape, shielded)
    return texts


def _kept(entry: str, country: str | None) -> tuple[str, str]:
    """A pattern for an address, any address of a domain, or a number however its digits are grouped; and what it becomes."""
    if not is_number(entry):
        local, _, domain = entry.rpartition("@")
        box = re.escape(local) if local else r"[\w.%+\-]+"
        sub = "" if local else r"(?:[\w\-]+\.)*"
        return rf"(?i)(^|[^\w.%+\-])({box})@({sub}{re.escape(domain)})(\.?(?:[^\w.\-]|$))", f"${{1}}${{2}}{SHIELD}@{SHIELD}${{3}}${{4}}"
    code, home = parts_of(entry, country)
    gap = "[ ()./\\-\u00a0]{0,3}"
    digits = "".join(f"({digit}{gap})" for digit in home[:-1])
    shape = rf"((?:\+{gap}|\b00{gap}|\b){code}{gap}(?:\(?0\)?)?{gap}|\(?0|\b){digits}({home[-1]})\b"
    return shape, SHIELD.join(f"${{{place}}}" for place in range(1, len(home) + 2))


def _own(texts: pl.Series, told: _Told) -> pl.Series:
    for name, pattern in told.rules.patterns.items():
        texts = texts.str.replace_all(pattern, f"[{name}]")
    return texts


def _where(texts: pl.Series, holds: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Change the texts of which something holds, the others stay."""
    places = holds.arg_true()
    if len(places) == len(texts):
        return change(texts)
    return texts.clone().scatter(places, change(texts.gather(places))) if len(places) else texts


def _staged(texts: pl.Series, stage: Stage) -> pl.Series:
    """The texts without one kind of datum, by some of its shapes."""
    if stage.words:
        return _where(texts, texts.str.contains_any(list(stage.words), ascii_case_insensitive=True), lambda few: _shaped(few, stage))
    return _where(texts, texts.str.contains(stage.pattern), lambda few: _shaped(few, stage)) if stage.pattern else _shaped(texts, stage)


def _shaped(texts: pl.Series, stage: Stage) -> pl.Series:
    for shape in shapes.NOT_ADDRESSES if stage.kind == "email" else ():
        texts = texts.str.replace_all(shape, f"${{1}}{SHIELD}${{2}}")
    texts = _marked(texts, stage.nots)
    for shape in stage.shapes:
        if stage.kind in _CHECKED:
            texts = _proved(texts, shape, lambda one: _taken(one, _CHECKED[stage.kind](one), stage.kind))
        else:
            texts = texts.str.replace_all(shape, f"${{1}}[{stage.kind}]${{2}}")
    return texts


def _proved(texts: pl.Series, shape: str, without: Callable[[str], str]) -> pl.Series:
    """Texts without what has the shape *and* is proved: candidates are few, so each is looked at by itself, and in its own text only."""
    held = texts.rename("text").to_frame().with_row_index("row").with_columns(pl.col("text").str.extract_all(shape).alias("one"))
    found = held.explode("one", empty_as_null=False).drop_nulls("one")
    true = {one: new for one in found["one"].unique() if (new := without(one)) != one}
    hits = found.filter(pl.col("one").is_in([*true])).select("row").unique() if true else found.select("row").clear()
    told = held.join(hits, on="row", how="semi", maintain_order="left")
    if told.is_empty():
        return texts
    clean = pl.Series([_rewritten(text, ones, true) for _, text, ones in told.iter_rows()], dtype=pl.String)
    # What stood behind a datum, and was taken for its end, is looked at again.
    return texts.clone().scatter(told["row"], _proved(clean, shape, without))


def _taken(candidate: str, datum: str, kind: str) -> str:
    return candidate.replace(datum, f"[{kind}]", 1) if datum else candidate


def _rewritten(text: str, ones: Sequence[str], true: Mapping[str, str]) -> str:
    """One text with its candidates, which stand in it in this order, in their new form."""
    said, at = [], 0
    for one in ones:
        start = text.index(one, at)
        said += [text[at:start], true.get(one, one)]
        at = start + len(one)
    return "".join([*said, text[at:]])


def _tokens(text: pl.Expr, kind: str) -> pl.Expr:
    return text.str.count_matches(f"[{kind}]", literal=True).cast(pl.Int64).alias(kind)


def _names_in(desk: Desk, told: pl.Series | None) -> pl.Series:
    """Full names among the desk's own references to customers and agents, and those that the export told."""
    named = [frame[column] for frame in desk.tables().values() for column in REFERENCES if column in frame.columns]
    named += [told.cast(pl.String)] if told is not None else []
    return known_names(pl.concat([values.drop_nulls().unique().alias("name") for values in named]))


def _hashed(identifiers: pl.DataFrame, *, rules: Rules, key: bytes | None) -> pl.DataFrame:
    """Identifiers brought into one shape and out of the clear. What marks a value that joins nobody hides nothing and needs no key."""
    told = settled(keys(identifiers, own=rules.own, plus_tags=rules.plus_tags, country=rules.country, accounts=rules.accounts))
    order = ["source", "customer_ref", "kind", "value_norm"]
    value = told["value_norm"]
    marks = pl.Series("mark", value.str.contains(r"^\([a-z \-]+\)$"))
    secret = pl.DataFrame({"mark": pseudonyms(value), "value": pseudonyms(value, key=key), "marks": marks})
    hashed = secret.select(pl.when("marks").then("mark").otherwise("value").alias("value_norm"))["value_norm"]
    return told.with_columns(hashed).unique(order, maintain_order=True).sort(order)


def _without_people(table: str, frame: pl.DataFrame, *, every: bool, key: bytes | None) -> pl.DataFrame:
    """Hash the references that are an e-mail address, an international phone number or a name; the same value stays the same everywhere."""
    changed: list[pl.Series] = []
    for column in (column for column in REFERENCES if column in frame.columns):
        told = frame[column].drop_nulls().unique(maintain_order=True)
        if not every:
            told = told.filter(told.str.contains(r"@|^\+\d") | told.is_in(_people(told).implode()))
        if len(told):
            changed.append(frame[column].replace(told, pseudonyms(told, key=key)))
    frame = frame.with_columns(changed)
    return frame.sort(KEYS[table]) if {values.name for values in changed} & {*KEYS[table]} else frame


def _people(values: pl.Series) -> pl.Series:
    """The values that are full names, as they are written."""
    written = values.filter(values.str.normalize("NFC").str.strip_chars().str.contains(PERSON))
    return written.filter(pl.Series([len(known_names(pl.Series([value]))) > 0 for value in written], dtype=pl.Boolean))


_SPOT = "|".join(stage.pattern for stage in shapes.SPOTS if stage.pattern and stage.kind == "ip")
_SURE_SECRETS = Stage("secret", shapes.SECRECY[-1].shapes[:3], words=shapes.SECRECY[-1].words)
_LOOKED_FOR = (shapes.SECRECY[1], _SURE_SECRETS, *shapes.NUMBERS)
_NUMBERS_TO_CALL = Stage("phone", shapes.PHONES, pattern=shapes.LONG_NUMBER)
