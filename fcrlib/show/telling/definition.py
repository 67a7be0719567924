"""How is it told what hangs on the definition?"""

from __future__ import annotations

from typing import Any

import polars as pl

from fcrlib.model.numbers import count, interval, magnitude, percent, signed
from fcrlib.show.telling.headline import REASONS

RULES = {
    "deleted": "deleted in the helpdesk",
    "spam": "spam",
    "merged": "merged into another contact",
    "internal": "opened by staff for themselves",
    "test": "test",
    "side_conversation": "side conversation with a third party",
    "company_initiated": "outreach that nobody answered",
    "abandoned": "given up before anybody answered",
    "duplicate_submission": "the same thing sent twice",
    "no_response": "closed without an answer",
    "auto_closed": "closed by the system for inactivity",
    "thanks": "reopened by a thank-you or the system: not held against it",
}


def range_of(definitions: pl.DataFrame) -> str:
    """One sentence on how much hangs on the definition."""
    known, house = definitions.drop_nulls("share").sort("share"), definitions.filter("house").drop_nulls("share")
    if known.is_empty():
        return "No definition can be judged on this desk yet"
    ours = f"; ours gives {percent(house['share'][0])}" if house.height else ""
    low, high = known["share"][0], known["share"][-1]
    return f"The same contacts give {percent(low)} to {percent(high)}, depending on the definition{ours}"


def choices(moved: pl.DataFrame) -> str:
    """One sentence on the choice that moves the number most."""
    if moved.is_empty():
        return "Only one definition can be judged on this desk"
    top = moved.row(0, named=True)
    way = "higher" if top["moves"] > 0 else "lower"
    return f"No choice moves the number more than the {top['choice']}: with '{top['to']}' it would read {magnitude(top['moves'])} {way}"


def ranking(definitions: pl.DataFrame) -> str:
    """One sentence on whether the definitions agree on which category is worst."""
    known = definitions.drop_nulls("tau").sort("tau")
    if known.is_empty():
        return "There are too few categories of enough size to compare their order between definitions"
    worst = known.row(0, named=True)
    alike = known.filter(pl.col("tau") >= 0.8).height
    return (
        f"{count(alike)} of {count(known.height)} definitions rank the categories much as ours does (Kendall's tau 0.8 or more); "
        f"least so '{worst['definition']}, {worst['window']}' (tau {worst['tau']:.2f})"
    )


def screens(presets: pl.DataFrame) -> str:
    """One sentence on what other people's screens would say."""
    known = presets.drop_nulls("share").sort("share")
    lacking = presets.filter(~pl.col("supported")).height
    lost = f"; {count(lacking)} cannot be supported by this desk's data" if lacking else ""
    if known.height < 2:
        return f"This desk cannot rebuild other people's numbers{lost}"
    low, high = known.row(0, named=True), known.row(-1, named=True)
    return f"On other people's screens these contacts would read {percent(low['share'])} ({low['name']}) to {percent(high['share'])} ({high['name']}){lost}"


def in_words(presets: pl.DataFrame) -> pl.DataFrame:
    """`name`, `share`, `interval`, `n`, `against` (points against ours) and `why` (in one line) for a table of presets."""
    rows = [{"name": row["name"], "share": row["share"], "n": row["n"], "against": _against(row), "why": _why(row)} for row in presets.to_dicts()]
    return pl.DataFrame(rows, schema={"name": pl.String, "share": pl.Float64, "n": pl.Int64, "against": pl.String, "why": pl.String})


def _against(row: dict[str, Any]) -> str:
    if not row["supported"]:
        return "cannot be supported"
    return "" if row["against_ours"] is None else f"{signed(row['against_ours'] * 100)}\u00a0points"


def _why(row: dict[str, Any]) -> str:
    if not row["supported"]:
        return f"This desk does not record {row['missing'].replace('; ', '; nor ')}."
    sides = (("only_theirs", "ours_says", "It calls {n} contacts resolved that ours failed, mostly because the contact {why}."),
             ("only_ours", "theirs_says", "It fails {n} that ours calls resolved, mostly because the contact {why}."))  # fmt: skip
    said = [text.format(n=count(row[n]), why=REASONS.get(row[why], row[why])) for n, why, text in sides if row[n]]
    return " ".join([row["why"], *said]).strip() or "This is the definition of this report."


def rules(exclusions: pl.DataFrame) -> pl.DataFrame:
    """Spell the column `rule` for people."""
    return exclusions.with_columns(pl.col("rule").replace(RULES))


def left_out(exclusions: pl.DataFrame) -> str:
    """One sentence on what is not counted."""
    out = exclusions.filter(pl.col("rule") != "thanks")
    total = int(out["n"].sum())
    if not total:
        return "No contact of the period is left out"
    top = out.sort(pl.col("n") * -1).row(0, named=True)
    return f"{count(total)} contacts ({percent(float(out['share'].sum()))}) are left out of the rate, most of them {RULES[top['rule']]} ({count(top['n'])})"


def treatments(treated: pl.DataFrame) -> str:
    """One sentence on how far the treatment of silence can move the rate."""
    known = treated.drop_nulls("share")
    if known.is_empty():
        return "Nothing can be judged yet" if treated.height else "This desk records no silence that could be treated otherwise"
    low, high = known["share"].min(), known["share"].max()
    return f"Treating silence otherwise would move the rate between {percent(float(str(low)))} and {percent(float(str(high)))}"


def units(counted: pl.DataFrame) -> str:
    """One sentence on the unit that is counted."""
    by = {row["unit"]: row for row in counted.to_dicts()}
    words = (("contact", "contacts"), ("issue", "issues"), ("customer", "customers"))
    parts = [f"{percent(by[unit]['share'])} of {word}" for unit, word in words if by[unit]["share"] is not None]
    if not parts:
        return "Nothing can be counted yet"
    return f"One and done: {', '.join(parts)}"


def per_issue(sizes: pl.DataFrame) -> str:
    """One sentence on how many contacts an issue takes."""
    if sizes.is_empty() or sizes["mean"][0] is None:
        return "No issue of the period can be followed"
    return f"An issue took {sizes['mean'][0]:.2f} contacts on average so far; {percent(sizes['share'][0])} took one"


def across(crossed: dict[str, int]) -> str:
    """One sentence on issues that went over several channels."""
    if not crossed["several"]:
        return "No issue of the period took more than one contact"
    part = percent(crossed["crossed"] / crossed["several"])
    return f"Of {count(crossed['several'])} issues that took several contacts, {count(crossed['crossed'])} ({part}) went over more than one channel"


def after_switch(held: pl.DataFrame) -> str:
    """One sentence on whether a repeat on another channel ends the matter more often."""
    by = {row["came_back_by"]: row for row in held.drop_nulls("share").to_dicts()}
    if len(by) < 2:
        return "Too few repeats changed the channel to compare"
    other, same = by["another channel"], by["the same channel"]
    both = f"A repeat on another channel was the end of it in {percent(other['share'])} ({interval(other['low'], other['high'])}), on the same in {percent(same['share'])}"
    apart = other["low"] > same["high"] or other["high"] < same["low"]
    return both if apart else f"{both}: no clear difference"
