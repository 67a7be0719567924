"""Which customers are the same person?

Two customers are one person when they share a key that only one person has: a telephone, an e-mail address, an external id, an order, a device.
What many people share (a role address, a front-desk phone, a withheld number) joins nobody, and a person that grows too large is cut, because
one false key is likelier than one customer with fifty names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from fcrlib.intake.keys import REFUSED, WEAK, WHO, WHY, keys
from fcrlib.model.columns import named
from fcrlib.model.desk import Desk
from fcrlib.model.errors import UsageError
from fcrlib.model.identity import MOST_CUSTOMERS, SHARED_PHONE, Rules, is_country


@dataclass(frozen=True, slots=True)
class Customers:
    """Who is who, and why not.

    `people`: `source`, `customer_ref`, `person`, one row per customer, sorted. `person` is `source:customer_ref` of the smallest member, so it
    depends on nothing but the members. `known`: the customers that have at least one strong key, `source`, `customer_ref`, sorted.
    `weak`: keys that joined nobody: `kind`, `value`, `customers` (how many have it), `why` (role address, anonymous, own, shared phone, front
    desk), widest first.
    `refused`: values that are no identifier: `kind`, `why`, `n` (distinct customers and values), `example`.
    `cut`: persons too large to be one: `person` (as it would have been), `customers`, `keys` (what was dropped, as `kind value`, widest first).
    """

    people: pl.DataFrame
    known: pl.DataFrame
    weak: pl.DataFrame
    refused: pl.DataFrame
    cut: pl.DataFrame


def customers_of(desk: Desk, *, rules: Rules) -> Customers:
    """Find the people behind the customers of a desk, over all its sources: whoever has the same number in two exports is one person.

    Examples
    --------
    >>> from fcrlib.intake.demo import Truth, invent
    >>> found = customers_of(invent(contacts=500, truth=Truth.nothing()), rules=Rules())
    >>> found.people.height == found.people["person"].n_unique()
    True
    """
    told = desk.identifiers
    if rules.accounts == "company":
        # Who works for whom also stands in the contacts; it joins nobody, but tells a front desk from a person.
        colleagues = desk.contacts.select(*WHO, kind=pl.lit("account"), value_norm="account_ref").drop_nulls().unique(maintain_order=True)
        told = pl.concat([told.with_columns(pl.col("kind").cast(pl.String)), colleagues])
    return customers(told, weak=rules.own, **rules.model_dump(exclude={"own"}))


def joined(desk: Desk, *, found: Customers) -> Desk:
    """Give every contact the name of its person.

    Parameters
    ----------
    found
        The answer of `customers_of`; it may be asked once and looked at afterwards.

    Returns
    -------
    Desk
        With `contacts.person`: the name of the person's smallest member, also for customers without identifiers. Who is not known stays null.
    """
    names = desk.contacts.select(WHO).join(found.people, on=WHO, how="left", maintain_order="left")
    person = pl.when(pl.col("customer_ref").is_not_null()).then(pl.coalesce("person", named("customer_ref")))
    return replace(desk, contacts=desk.contacts.with_columns(names.select(person.alias("person"))))


def customers(
    identifiers: pl.DataFrame,
    *,
    most: int = MOST_CUSTOMERS,
    weak: Collection[str] = (),
    plus_tags: Literal["keep", "strip"] = "keep",
    country: str | None = None,
    shared_phone: int = SHARED_PHONE,
    accounts: Literal["join", "company"] = "join",
) -> Customers:
    """Find the people behind the customers: connected components over shared strong keys.

    E-mail addresses are compared in lower case, phones in E.164 (a number without a country code joins only within its source, unless `country` is
    given), hashed values as they are. Neither row order nor duplicate rows matter.

    A phone of several customers who carry one account number and each an e-mail address that none of the others has is the company's phone:
    it joins nobody. Two customers count as one here if an e-mail address, an external id, an order or a device joins them.

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
    accounts
        `join`: an account number is one person's, a key like the others. `company`: colleagues share it, and it joins nobody.

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
    _understand(most=most, weak=weak, plus_tags=plus_tags, country=country, shared_phone=shared_phone, accounts=accounts)
    told = keys(identifiers, own=weak, plus_tags=plus_tags, country=country, accounts=accounts)
    told = told.with_columns(why=_unless(_is_shared_phone(told, above=shared_phone), "shared phone"))
    everyone = _everyone(told)
    shared = _shared_keys(told.filter(pl.col("why").is_null()), everyone)
    desks = _front_desks(shared, told, everyone)
    if len(desks):
        at_desk = (pl.col("kind") == "phone") & pl.col("key").is_in(desks.implode())
        told, shared = told.with_columns(why=_unless(at_desk, "front desk")), shared.filter(~at_desk)
        everyone = _everyone(told)
    person, dropped = _persons(shared, count=everyone.height, most=most)
    names = everyone.select(named("customer_ref")).to_series()
    people, known = everyone.select(*WHO, person=names.gather(person)), everyone.filter("strong").select(WHO)
    return Customers(people, known, _weak(told), _refused(told), _cut(dropped, names))


def _everyone(told: pl.DataFrame) -> pl.DataFrame:
    """Every customer once, numbered in order (`node`), and whether they have a `strong` key."""
    return told.group_by(WHO).agg(strong=pl.col("why").is_null().any()).sort(WHO).with_row_index("node")


def _unless(holds: pl.Expr, why: str) -> pl.Expr:
    """The reason known so far, or this one where there is none."""
    return pl.when(pl.col("why").is_null() & holds).then(pl.lit(why, dtype=WHY)).otherwise("why")


def _understand(*, most: int, weak: Collection[str], plus_tags: str, country: str | None, shared_phone: int, accounts: str) -> None:
    numbers = {"most": most, "shared_phone": shared_phone}
    problems = [f"{name}: {value!r} must be a whole number, at least 1" for name, value in numbers.items() if not isinstance(value, int) or value < 1]
    if isinstance(weak, str) or not isinstance(weak, Collection):
        problems.append(f"weak: {weak!r} must be a list of numbers, addresses and domains, e.g. ['+44 20 7946 0000', 'example.com']")
    if plus_tags not in ("keep", "strip"):
        problems.append(f"plus_tags: {plus_tags!r} must be 'keep' or 'strip'")
    if accounts not in ("join", "company"):
        problems.append(f"accounts: {accounts!r} must be 'join' or 'company'")
    if country is not None and not is_country(country):
        problems.append(f"country: {country!r} must be two capital letters of ISO 3166, e.g. 'GB' or 'DE'")
    if problems:
        raise UsageError("customers cannot be joined:", problems)


def _is_shared_phone(told: pl.DataFrame, *, above: int) -> pl.Expr:
    phones = told.lazy().filter((pl.col("kind") == "phone") & pl.col("why").is_null()).select(*WHO, "key")
    often = phones.group_by("key").len().filter(pl.col("len") > above)
    spread = phones.join(often, on="key", how="semi").unique().group_by("key").len().filter(pl.col("len") > above)
    return (pl.col("kind") == "phone") & pl.col("why").is_null() & pl.col("key").is_in(spread.collect()["key"].to_list())


def _front_desks(shared: pl.DataFrame, told: pl.DataFrame, everyone: pl.DataFrame) -> pl.Series:
    """The phones that several people of one account have, each with an e-mail address of their own."""
    holders = shared.filter(pl.col("kind") == "phone").select("key", node="nodes").explode("node")
    usable = pl.col("kind").is_in(["account", "email"]) & (pl.col("why").is_null() | (pl.col("why") == "account"))
    who = everyone.join(holders, on="node", how="semi")
    rows = told.lazy().filter(usable).select(*WHO, "kind", account="key").join(who.lazy(), on=WHO).select("node", "kind", "account").collect()
    accounts, reached = (rows.filter(pl.col("kind") == kind).drop("kind").unique() for kind in ("account", "email"))
    colleagues = holders.join(reached, on="node", how="semi").join(accounts, on="node")
    colleagues = colleagues.filter(pl.col("node").n_unique().over("key", "account") > 1)
    if colleagues.is_empty():
        return pl.Series(dtype=pl.String)
    # Who shares an address or an order is one person with two records, and may well have one phone.
    person = _smallest_member(shared.filter(~pl.col("kind").is_in(["phone", "account"])), count=everyone.height)
    several = colleagues.with_columns(person=pl.Series(person).gather(colleagues["node"])).group_by("key", "account").agg(pl.col("person").n_unique())
    return several.filter(pl.col("person") > 1)["key"].unique().sort()


def _shared_keys(strong: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    """`kind`, `key`, `nodes` (its customers, ascending) of the keys that more than one customer has."""
    told = strong.lazy().select(*WHO, "kind", "key")
    shared = told.join(told.group_by("kind", "key").len().filter(pl.col("len") > 1), on=["kind", "key"], how="semi")
    nodes = shared.join(everyone.lazy(), on=WHO).group_by("kind", "key").agg(nodes=pl.col("node").unique())
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
    rows = told.filter(pl.col("why").is_in(WEAK)).with_columns(pl.col("kind", "why").cast(pl.String), value=pl.col("key").fill_null(pl.col("plain")))
    table = rows.select(*WHO, "kind", "value", "why").unique().group_by("kind", "value", "why").agg(customers=pl.len())
    return table.sort("customers", "kind", "value", descending=[True, False, False]).select("kind", "value", "customers", "why")


def _refused(told: pl.DataFrame) -> pl.DataFrame:
    rows = told.filter(pl.col("why").is_in(REFUSED)).select(*WHO, pl.col("kind", "why").cast(pl.String), "value_norm").unique()
    return rows.group_by("kind", "why").agg(n=pl.len(), example=pl.col("value_norm").min()).sort("kind", "why")


def _cut(dropped: pl.DataFrame, names: pl.Series) -> pl.DataFrame:
    said = pl.format("{} {}", pl.col("kind").cast(pl.String), "key")
    widest = dropped.sort("held", "kind", "key", descending=[True, False, False])
    cut = widest.group_by("node", maintain_order=True).agg(pl.col("customers").first(), keys=said).sort("node")
    return cut.select(names.gather(cut["node"]).alias("person"), pl.col("customers").cast(pl.UInt32), "keys")
