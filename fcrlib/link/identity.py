"""Which customers are the same person?

Two customers are one person when they share a key that only one person has: a telephone, an e-mail address, an external id, an order, a device.
What many people share (a role address, a front-desk phone, a withheld number, the company itself) joins nobody, and a person that grows too
large is cut, because one false key is likelier than one customer with fifty names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.intake.redact import pseudonyms
from fcrlib.model.errors import TableError, UsageError
from fcrlib.model.tables import IDENTIFIER_KINDS

MOST_CUSTOMERS = 20
SHARED_PHONE = 5
# Mailboxes of a task, not of a person; a superset of those that redaction leaves readable before the hash.
ROLE_BOXES = (
    "abuse|accounting|accounts|admin|administrator|billing|careers|contact|customerservice|do-not-reply|donotreply|enquiries|finance|hello|help|"
    "helpdesk|hostmaster|hr|info|invoice|invoices|it|jobs|kontakt|legal|mail|mailer-daemon|marketing|no-reply|no_reply|noreply|notifications|office|"
    "orders|payments|postmaster|press|privacy|reception|root|sales|security|service|shop|support|team|webmaster"
)
# The last two spell "anonymous" on a keypad.
ANONYMOUS = ("anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld", "266696687", "+266696687")
DAMAGED = (
    "#n/a", "#na", "#name?", "#null!", "#num!", "#ref!", "#value!", "#div/0!", "n/a", "na", "nan", "nil", "none", "null", "undefined", "-", "?",
)  # fmt: skip
_HASHED = r"^[0-9a-f]{16,64}$"
_WHO = ["source", "customer_ref"]
_WEAK = ("role address", "anonymous", "own", "shared phone")
_REFUSED = ("empty", "error value", "shortened by a spreadsheet", "one digit repeated", "not an e-mail address", "not a phone number")
_WHY = pl.Enum([*_WEAK, *_REFUSED, "account"])


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is who, and why not.

    `people`: `source`, `customer_ref`, `person`, one row per customer, sorted. `person` is `source:customer_ref` of the smallest member, so it
    depends on nothing but the members. `known`: the customers that have at least one strong key, `source`, `customer_ref`, sorted.
    `weak`: keys that joined nobody: `kind`, `value`, `customers` (how many have it), `why` (role address, anonymous, own, shared phone), widest
    first.
    `refused`: values that are no identifier: `kind`, `why`, `n` (distinct customers and values), `example`.
    `cut`: persons too large to be one: `person` (as it would have been), `customers`, `keys` (what was dropped, as `kind value`, widest first).
    """

    people: pl.DataFrame
    known: pl.DataFrame
    weak: pl.DataFrame
    refused: pl.DataFrame
    cut: pl.DataFrame


def customers(
    identifiers: pl.DataFrame,
    *,
    most: int = MOST_CUSTOMERS,
    weak: Collection[str] = (),
    plus_tags: Literal["keep", "strip"] = "keep",
    country: str | None = None,
    shared_phone: int = SHARED_PHONE,
) -> Customers:
    """Find the people behind the customers: connected components over shared strong keys.

    E-mail addresses are compared in lower case, phones in E.164 (a number without a country code joins only within its source, unless `country` is
    given), hashed values as they are. Accounts join nobody: a company is not a person. Neither row order nor duplicate rows matter.

    Parameters
    ----------
    identifiers
        `source`, `customer_ref`, `kind`, `value_norm`. Rows without a customer are left out.
    most
        Most customers one person may have. In a larger component keys are let in from the rarest to the widest; one that would exceed it is dropped.
    weak
        The company's own numbers, addresses and domains, in the clear; they join nobody.
    plus_tags
        `strip` reads `jo+news@example.org` as `jo@example.org`.
    country
        Two letters (ISO 3166): where a phone number without a country code belongs.
    shared_phone
        A phone that more customers than this have is nobody's own.

    Raises
    ------
    UsageError
        If a parameter is not understood.
    TableError
        If a column is missing or a kind unknown.

    Examples
    --------
    >>> rows = [("zd", "1", "email", "Jo@example.org"), ("sf", "A", "email", "jo@example.org"), ("sf", "B", "email", "info@example.org")]
    >>> found = customers(pl.DataFrame(rows, schema=["source", "customer_ref", "kind", "value_norm"], orient="row"))
    >>> found.people.rows()
    [('sf', 'A', 'sf:A'), ('sf', 'B', 'sf:B'), ('zd', '1', 'sf:A')]
    >>> found.weak.rows()
    [('email', 'info@example.org', 1, 'role address')]
    """
    _understand(most=most, weak=weak, plus_tags=plus_tags, country=country, shared_phone=shared_phone)
    told = _told(_rows(identifiers), plus_tags=plus_tags, country=country)
    told = told.with_columns(why=_reason(own=weak, country=country))
    told = told.with_columns(why=pl.when(_is_shared_phone(told, above=shared_phone)).then(pl.lit("shared phone", dtype=_WHY)).otherwise("why"))
    everyone = told.group_by(_WHO).agg(strong=pl.col("why").is_null().any()).sort(_WHO).with_row_index("node")
    keys = _shared_keys(told.filter(pl.col("why").is_null()), everyone)
    person, dropped = _persons(keys, count=everyone.height, most=most)
    name = pl.format("{}:{}", pl.col("source").str.replace_all("%", "%25", literal=True).str.replace_all(":", "%3A", literal=True), "customer_ref")
    names = everyone.select(name).to_series()
    people, known = everyone.select(*_WHO, person=names.gather(person)), everyone.filter("strong").select(_WHO)
    return Customers(people, known, _weak(told), _refused(told), _cut(dropped, names))


def coverage(contacts: pl.DataFrame, *, by: str | Sequence[str] = "channel", found: Customers | None = None) -> pl.DataFrame:
    """How many contacts have a known customer, and how many a customer who could be found again under another name?

    Parameters
    ----------
    contacts
        `source`, `customer_ref` and the columns of `by`.
    found
        The answer of `customers`; without it only the known customers are counted.

    Returns
    -------
    pl.DataFrame
        One row per level of `by`, sorted: `n` (contacts), `known`, `share` (= known / n), and with `found` also `identified` (contacts whose
        customer has a strong key) and `identified_share`.

    Examples
    --------
    >>> contacts = pl.DataFrame({"source": ["zd"] * 3, "customer_ref": ["1", None, "2"], "channel": ["email", "phone", "phone"]})
    >>> coverage(contacts).rows()
    [('email', 1, 1, 1.0), ('phone', 2, 1, 0.5)]
    """
    levels = [by] if isinstance(by, str) else list(by)
    if missing := [name for name in dict.fromkeys([*_WHO, *levels]) if name not in contacts.columns]:
        raise UsageError("coverage cannot be counted:", [f"contacts have no column '{name}'" for name in missing])
    counted = [pl.len().alias("n"), pl.col("customer_ref").count().alias("known")]
    if found is not None:
        contacts = contacts.join(found.known.with_columns(_strong=pl.lit(True)), on=_WHO, how="left")
        counted.append(pl.col("_strong").count().alias("identified"))
    table = contacts.group_by(levels).agg(counted).sort(levels) if levels else contacts.select(counted)
    share = pl.when(pl.col("n") > 0).then(pl.col("known") / pl.col("n")).alias("share")
    again: list[str | pl.Expr] = (
        [] if found is None else ["identified", pl.when(pl.col("n") > 0).then(pl.col("identified") / pl.col("n")).alias("identified_share")]
    )
    return table.select(*levels, "n", "known", share, *again)


def _understand(*, most: int, weak: Collection[str], plus_tags: str, country: str | None, shared_phone: int) -> None:
    numbers = {"most": most, "shared_phone": shared_phone}
    problems = [f"{name}: {value!r} must be a whole number, at least 1" for name, value in numbers.items() if not isinstance(value, int) or value < 1]
    if isinstance(weak, str) or not isinstance(weak, Collection):
        problems.append(f"weak: {weak!r} must be a list of numbers, addresses and domains, e.g. ['+44 20 7946 0000', 'example.com']")
    if plus_tags not in ("keep", "strip"):
        problems.append(f"plus_tags: {plus_tags!r} must be 'keep' or 'strip'")
    if country is not None:
        from phonenumbers import SUPPORTED_REGIONS

        if country not in SUPPORTED_REGIONS:
            problems.append(f"country: {country!r} must be two capital letters of ISO 3166, e.g. 'GB' or 'DE'")
    if problems:
        raise UsageError("customers cannot be joined:", problems)


def _rows(identifiers: pl.DataFrame) -> pl.DataFrame:
    columns = [*_WHO, "kind", "value_norm"]
    if missing := [name for name in columns if name not in identifiers.columns]:
        raise TableError("table 'identifiers' cannot be read:", [f"{name}: the column is missing" for name in missing])
    rows = identifiers.select(pl.col(columns).cast(pl.String)).filter(pl.all_horizontal(pl.col(_WHO).is_not_null()))
    strange = rows.filter(~pl.col("kind").is_in(IDENTIFIER_KINDS).fill_null(False))["kind"]
    if len(strange):
        problem = f"kind: {len(strange):,} of {rows.height:,} rows are none of {', '.join(IDENTIFIER_KINDS)}, e.g. {strange.min()!r}"
        raise TableError("table 'identifiers' cannot be read:", [problem])
    return rows.with_columns(pl.col("kind").cast(pl.Enum(IDENTIFIER_KINDS)))


def _told(rows: pl.DataFrame, *, plus_tags: str, country: str | None) -> pl.DataFrame:
    """Add `plain` (the value, trimmed, in lower case) and `key` (what is compared) to every row."""
    rows = rows.with_columns(pl.col("value_norm").str.strip_chars()).with_columns(plain=pl.col("value_norm").str.to_lowercase())
    kind = {word: rows.filter(pl.col("kind") == word).with_columns(key="value_norm") for word in IDENTIFIER_KINDS}
    address = pl.col("plain").str.normalize("NFC")
    kind["email"] = kind["email"].with_columns(key=address.str.replace(r"^([^+@]+)\+[^@]*@", "${1}@") if plus_tags == "strip" else address)
    numbers = kind["phone"].with_columns(_phones(kind["phone"]["value_norm"], country=country).alias("key"))
    local = ~pl.col("key").str.contains(r"^\+") & ~pl.col("key").str.contains(_HASHED)
    kind["phone"] = numbers.with_columns(pl.when(local).then(pl.format("{}: {}", "source", "key")).otherwise("key").alias("key"))
    return pl.concat(kind.values())


def _phones(values: pl.Series, *, country: str | None) -> pl.Series:
    """E.164 where the country is known, bare digits where it is not, null where it is no number; every distinct number is read once."""
    unique = values.drop_nulls().unique()
    unsettled = unique.filter(~unique.str.contains(r"^\+\d{8,15}$") | unique.str.contains(_unsettled_shape()))
    unsettled = unsettled.filter(~unsettled.str.contains(_HASHED))
    read = pl.Series([_phone(text, country) for text in unsettled], dtype=pl.String)
    return values.replace(unsettled, read) if len(unsettled) else values


def _phone(text: str, country: str | None) -> str | None:
    import phonenumbers as library

    dialled = re.sub(r"^\s*00(?=[1-9])", "+", text) if country is None else text
    try:
        number = library.parse(dialled, country)
    except library.NumberParseException:
        number = None
    digits = re.sub(r"\D", "", dialled)
    international = dialled.lstrip(" (").startswith("+")
    if number and (international or library.is_possible_number_with_reason(number) == library.ValidationResult.IS_POSSIBLE):
        extension = f";ext={number.extension}" if number.extension else ""
        full = library.format_number(number, library.PhoneNumberFormat.E164)
        return full + extension if len(full) > 8 else None
    return ("+" if international else "") + digits if len(digits) >= 7 + international else None


@lru_cache(maxsize=1)
def _unsettled_shape() -> str:
    """International numbers that may still carry a national prefix, as in +44 (0)20: all others are E.164 as they stand."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

    prefixes = {
        code: data.national_prefix_for_parsing
        for code, regions in COUNTRY_CODE_TO_REGION_CODE.items()
        if (data := PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])) is not None
    }
    return r"^\+(?:" + "|".join(f"{code}(?:{prefix})" for code, prefix in prefixes.items() if prefix) + ")"


def _reason(*, own: Collection[str], country: str | None) -> pl.Expr:
    """Why a row joins nobody; null for a strong key. Words are known in the clear and as the pseudonym that redaction gives them."""
    kind, plain, key = pl.col("kind"), pl.col("plain"), pl.col("key")
    is_phone, is_email, hashed = kind == "phone", kind == "email", key.str.contains(_HASHED)
    alike = {digit: [f"{sign}{digit * n}" for n in range(4, 21) for sign in ("", "+")] for digit in "0123456789"}
    repeats = [text for texts in alike.values() for text in texts]
    nobody = plain.is_in(_either(ANONYMOUS)) | key.is_in(_either(ANONYMOUS)) | is_phone & plain.is_in(_either(alike["0"]))
    whys = (
        ("account", kind == "account"),
        ("empty", plain.is_null() | (plain == "")),
        ("anonymous", nobody | is_phone & plain.str.contains(r"^\+?\d{0,3}0{7,}$")),
        ("error value", plain.is_in(_either(DAMAGED)) | plain.str.contains(r"^#+$")),
        ("shortened by a spreadsheet", plain.str.contains(r"^[+-]?\d+(?:[.,]\d*e[+-]?|e[+-])\d+$")),
        ("one digit repeated", plain.is_in(_either(repeats))),
        ("own", _is_own(own, country=country)),
        ("role address", is_email & key.str.contains(rf"^(?:{ROLE_BOXES})(?:\+[^@]*)?@")),
        ("not an e-mail address", is_email & ~hashed & ~key.str.contains(r"^[^@\s]+@[^@\s]+$")),
        ("not a phone number", is_phone & key.is_null()),
    )
    return pl.coalesce(pl.when(holds).then(pl.lit(why, dtype=_WHY)) for why, holds in whys)


def _either(words: Collection[str]) -> list[str]:
    """The words, and the pseudonyms of the words as they may have been written."""
    written = sorted({shape for word in words for shape in (word, word.lower(), word.upper(), word.title())})
    return [*written, *pseudonyms(pl.Series(written, dtype=pl.String))]


def _is_own(own: Collection[str], *, country: str | None) -> pl.Expr:
    entries = sorted({entry.strip().lower() for entry in own if entry.strip()})
    phones = [number for entry in entries if "@" not in entry and re.fullmatch(r"[\d\s+()./-]+", entry) and (number := _phone(entry, country))]
    domains = [re.escape(entry.lstrip("@")) for entry in entries if entry.rfind("@") < 1 and "." in entry and re.search(r"[^\W\d]", entry)]
    at_home = pl.col("key").str.contains(rf"[@.](?:{'|'.join(domains)})$") if domains else pl.lit(False)
    keys = _either([*entries, *phones])
    return pl.col("key").is_in(keys) | pl.col("plain").is_in(keys) | (pl.col("kind") == "email") & at_home


def _is_shared_phone(told: pl.DataFrame, *, above: int) -> pl.Expr:
    phones = told.lazy().filter((pl.col("kind") == "phone") & pl.col("why").is_null()).select(*_WHO, "key")
    often = phones.group_by("key").len().filter(pl.col("len") > above)
    spread = phones.join(often, on="key", how="semi").unique().group_by("key").len().filter(pl.col("len") > above)
    return (pl.col("kind") == "phone") & pl.col("why").is_null() & pl.col("key").is_in(spread.collect()["key"].to_list())


def _shared_keys(strong: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    """`kind`, `key`, `nodes` (its customers, ascending) of the keys that more than one customer has."""
    told = strong.lazy().select(*_WHO, "kind", "key")
    shared = told.join(told.group_by("kind", "key").len().filter(pl.col("len") > 1), on=["kind", "key"], how="semi")
    nodes = shared.join(everyone.lazy(), on=_WHO).group_by("kind", "key").agg(nodes=pl.col("node").unique())
    return nodes.filter(pl.col("nodes").list.len() > 1).with_columns(pl.col("nodes").list.sort()).collect()


def _persons(keys: pl.DataFrame, *, count: int, most: int) -> tuple[npt.NDArray[np.int64], pl.DataFrame]:
    """The smallest member for each customer, and the keys dropped from each person that was too large: `node`, `customers`, `kind`, `key`, `held`."""
    person = _smallest_member(keys, count=count)
    size = np.bincount(person, minlength=count)
    keys = keys.with_columns(node=pl.Series(person).gather(keys["nodes"].list.first()), held=pl.col("nodes").list.len())
    keys = keys.with_columns(customers=pl.Series(size).gather(keys["node"]))
    large = keys.filter(pl.col("customers") > most).sort("held", "kind", "key")
    kept = _let_in(large["nodes"].to_list(), most=most)
    dropped = large.filter(~pl.Series(kept, dtype=pl.Boolean))
    if large.height:
        whole = pl.concat([keys.filter(pl.col("customers") <= most), large.filter(pl.Series(kept, dtype=pl.Boolean))])
        person = _smallest_member(whole, count=count)
    return person, dropped.select("node", "customers", "kind", "key", "held")


def _smallest_member(keys: pl.DataFrame, *, count: int) -> npt.NDArray[np.int64]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = keys.select(first=pl.col("nodes").list.first(), other="nodes").explode("other")
    graph = coo_array((np.ones(edges.height, dtype=np.int8), (edges["first"].to_numpy(), edges["other"].to_numpy())), shape=(count, count))
    parts, label = connected_components(graph, directed=False)
    smallest = np.empty(parts, dtype=np.int64)
    smallest[label[::-1]] = np.arange(count)[::-1]  # of several values for one place the last one stays
    return np.asarray(smallest[label])


def _let_in(groups: Sequence[Sequence[int]], *, most: int) -> list[bool]:
    """Union by key in the order given; a key that would make a person of more than `most` customers stays out. Only what is too large comes here."""
    parent: dict[int, int] = {}
    size: dict[int, int] = {}
    kept = []
    for group in groups:
        roots = set()
        for node in group:
            root = node
            while (above := parent.get(root, root)) != root:
                parent[root] = root = parent.get(above, above)
            roots.add(root)
        kept.append(sum(size.get(root, 1) for root in roots) <= most)
        if kept[-1]:
            head = min(roots)
            size[head] = sum(size.get(root, 1) for root in roots)
            parent.update(dict.fromkeys(roots, head))
    return kept


def _weak(told: pl.DataFrame) -> pl.DataFrame:
    rows = told.filter(pl.col("why").is_in(_WEAK)).with_columns(pl.col("kind", "why").cast(pl.String), value=pl.col("key").fill_null(pl.col("plain")))
    table = rows.select(*_WHO, "kind", "value", "why").unique().group_by("kind", "value", "why").agg(customers=pl.len())
    return table.sort("customers", "kind", "value", descending=[True, False, False]).select("kind", "value", "customers", "why")


def _refused(told: pl.DataFrame) -> pl.DataFrame:
    rows = told.filter(pl.col("why").is_in(_REFUSED)).select(*_WHO, pl.col("kind", "why").cast(pl.String), "value_norm").unique()
    return rows.group_by("kind", "why").agg(n=pl.len(), example=pl.col("value_norm").min()).sort("kind", "why")


def _cut(dropped: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    said = pl.format("{} {}", pl.col("kind").cast(pl.String), "key")
    widest = dropped.sort("held", "kind", "key", descending=[True, False, False])
    cut = widest.group_by("node", maintain_order=True).agg(pl.col("customers").first(), keys=said).sort("node")
    return cut.select(names.gather(cut["node"]).alias("person"), pl.col("customers").cast(pl.UInt32), "keys")
