"""How is it told who is who, and how well we know it?"""

from __future__ import annotations

import polars as pl

from fcrlib.model.finding import Finding
from fcrlib.model.numbers import count, interval, percent

# What a reader calls the kinds of identifiers.
KINDS = {
    "email": "e-mail address", "phone": "phone number", "account": "account number", "external": "external id", "order": "order number", "device": "device",
}  # fmt: skip
ENOUGH_KEYS = 0.95


def known(coverage: pl.DataFrame) -> str:
    """One sentence on `identities.coverage`: how many contacts name their customer, and on which channel most are clearly missing."""
    contacts, named = _sum(coverage, "share")
    if not contacts:
        return "There is no contact to ask about"
    said = f"{percent(named / contacts)} of the contacts name their customer"
    low = coverage.filter(pl.col("high") < named / contacts).sort(pl.col("n") * (pl.col("share") - 1), "channel")
    return f"{said}, on the channel {low['channel'][0]} only {percent(low['share'][0])}" if low.height else f"{said}, on every channel about as many"


def keyed(coverage: pl.DataFrame) -> str:
    """One sentence on `identities.coverage`: how many contacts come from a customer who could be found again under another name."""
    if coverage["identified"].null_count() == coverage.height:
        return "This desk holds no addresses or numbers of its customers, so nobody is found again under another name"
    contacts, found = _sum(coverage, "identified")
    return f"For {percent(found / contacts)} of the contacts the customer could be found again under another name"


def people(joined: pl.DataFrame) -> str:
    """One sentence on `identities.joined`: how many names became how many people."""
    row = joined.row(0, named=True)
    if not row["several"]:
        return f"No customer of the period goes by two names: {count(row['names'])} names, {count(row['people'])} people"
    return f"{count(row['names'])} customer names belong to {count(row['people'])} people: {_some(row['several'], 'goes', 'go')} by several names"


def missed(joined: pl.DataFrame) -> str:
    """Two sentences on `identities.joined`: whose contacts are concerned, and which repeats only joining shows."""
    row = joined.row(0, named=True)
    if not row["several"]:
        return "No repeat hangs on the joining of names."
    whose = f"{count(row['concerned'])} of {count(row['n'])} contacts ({interval(row['low'], row['high'])}) come from people with several names."
    return f"{whose} {count(row['across'])} of {count(row['repeats'])} repeats came in under another name than the first contact, and were seen only because the names were joined."


def shared(weak: pl.DataFrame) -> str:
    """One sentence on `identities.weak`: the key that most customers have."""
    if weak.is_empty():
        return "No key was set aside: none is shared by many, withheld or a role's"
    row = weak.row(0, named=True)
    who = "1 customer has" if row["customers"] == 1 else f"{count(row['customers'])} customers have"
    return f"{who} one {KINDS[row['kind']]} ({row['why']}): a key like that joins nobody"


def too_large(cut: pl.DataFrame) -> str:
    """One sentence on `identities.cut`."""
    if cut.is_empty():
        return "No group of customers was too large to be one person"
    groups = "1 group of customers was" if cut.height == 1 else f"{count(cut.height)} groups of customers were"
    return f"{groups} too large to be one person, the largest with {count(cut['customers'][0])} names; their widest keys were let go"


def damaged(refused: pl.DataFrame) -> str:
    """One sentence on `identities.refused`."""
    if refused.is_empty():
        return "No address or number was damaged"
    row = refused.row(0, named=True)
    return f"{count(int(refused['n'].sum()))} values name nobody, most often because the {KINDS[row['kind']]} is this: {row['why']}"


def crowd(crowded: pl.DataFrame, *, limit: int) -> str:
    """One sentence on `identities.crowded`."""
    if crowded.is_empty():
        return f"No customer has more than {count(limit)} contacts"
    who = "1 customer has" if crowded.height == 1 else f"{count(crowded.height)} customers have"
    return f"{who} more than {count(limit)} contacts: {percent(float(crowded['share'].sum()))} of all"


def without(rates: pl.DataFrame) -> str:
    """One sentence on `identities.without_crowds`: the rate with and without the crowd."""
    shares = [f"{percent(row['share'])} ({interval(row['low'], row['high'])})" for row in rates.to_dicts()]
    if len(shares) == 1:
        return f"There is no crowd to leave out: the rate is {shares[0]}"
    return f"With everybody the rate is {shares[0]}, without the crowded customers {shares[1]}"


def findings(coverage: pl.DataFrame, *, cut: pl.DataFrame, crowded: pl.DataFrame, limit: int) -> list[Finding]:
    """What a reader has to know about the names behind the numbers, where something stands against them."""
    told: list[Finding] = []
    contacts, found = _sum(coverage, "identified")
    if coverage["identified"].null_count() == coverage.height or found < ENOUGH_KEYS * contacts:
        text = f"{keyed(coverage)}. A person with two names looks like two people, and a repeat under the other name is not seen."
        told.append(Finding("care-identity-keys", "care", text))
    if cut.height:
        told.append(Finding("care-identity-cut", "care", f"{too_large(cut)}. Some of them may still be one person."))
    if crowded.height:
        told.append(
            Finding("care-identity-crowd", "care", f"{crowd(crowded, limit=limit)}. Behind such a name there are often many people or a machine.")
        )
    return told


def _sum(coverage: pl.DataFrame, share: str) -> tuple[int, float]:
    """All contacts of the channels with a known share, and how many of them it holds for."""
    rows = coverage.filter(pl.col(share).is_not_null())
    return int(rows["n"].sum()), float((rows["n"] * rows[share]).sum())


def _some(number: int, one: str, many: str) -> str:
    return f"1 of them {one}" if number == 1 else f"{count(number)} of them {many}"
