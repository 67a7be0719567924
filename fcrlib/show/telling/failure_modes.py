"""How is it told why first contacts fail, and where they change hands?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.columns import NOT_KNOWN
from fcrlib.model.finding import Change, Finding, Measure, Moved
from fcrlib.model.numbers import count, interval, money, percent, points
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.show.figure import Column
from fcrlib.show.names import slug
from fcrlib.show.quote import quote
from fcrlib.show.telling.fishbone import statements as clear_causes

if TYPE_CHECKING:
    from fcrlib.model.actions import Action

_NOTHING = "No first contact failed, so there is nothing to explain"
_NONE = "No failed contact shows a sign of any of the known ways of failing"
_NO_HOURS = "No contact has a final verdict yet, so there are no hours to compare"
_MUCH = 0.25
_FEW, _LEAST = 30, 5  # so many contacts must have failed for a ranking, and one way for a finding of its own
_READ = "Read off traces in the history and off words by rule"
UNCHECKED = f"{_READ}; nobody has checked a sample of these tags, and a tag is no proof of what went wrong."
CHECKED = f"{_READ}; people have read a sample, see how often the rules are right, and a tag is no proof of what went wrong."
_COMPARED = "A comparison as found: nothing else about these contacts is held equal, and the tags behind it are readings of signs."
_ABOUT = ("category", "subcategory", "product_area")
_CHANNELS = {
    "messaging": "contacts by messaging", "social": "contacts on social media", "in_app": "in-app contacts", "api": "contacts by API", "other": "contacts by other channels",
}  # fmt: skip
_PLACES = {
    "channel": "{} contacts", "tier": "contacts in tier {}", "language": "contacts in language {}", "priority": "contacts of priority {}",
    "first_group": "contacts that start with {}",
}  # fmt: skip
CHECK = "Look at the same share, with its interval, in the first full period after the change."
UNPRICED = "There are no cost rates in fcr.toml, so nothing here has a price"
_BY = {
    "human": "what people said", "rule": "marks and traces in the history", "text": "words", "topic": "topics", UNEXPLAINED: "no sign that is believed enough",
}  # fmt: skip


def top(ranked: pl.DataFrame) -> str:
    """One sentence on `failure_modes.rank`: the largest way of failing, and whether it stands out."""
    modes = _modes(ranked)
    if ranked.is_empty():
        return _NOTHING
    if not modes:
        return _NONE
    if (few := _too_few(ranked)) is not None:
        return few
    first = modes[0]
    said = f"{percent(first['share'])} of the failed contacts ({interval(first['low'], first['high'])}): {first['name']}"
    if first["apart"]:
        return f"{said}; no other way is named as often"
    return said if len(modes) == 1 else f"{said}; {modes[1]['name']} is not clearly rarer ({percent(modes[1]['share'])})"


def covered(ranked: pl.DataFrame) -> str:
    """One sentence on `failure_modes.rank`: how many failures the largest modes cover, and how many are unexplained."""
    modes = _modes(ranked)
    if ranked.is_empty():
        return _NOTHING
    blank = ranked.filter(pl.col("mode") == UNEXPLAINED).row(0, named=True)
    rest = f"{percent(blank['share'])} are unexplained"
    if not modes:
        return "Every failed contact is unexplained"
    several = f"The {len(modes)} most frequent ways cover" if len(modes) > 1 else "One way of failing covers"
    return f"{several} {percent(modes[-1]['cumulative'])} of the failed contacts; {rest}"


def told(
    ranked: pl.DataFrame,
    *,
    taxonomy: Taxonomy | None = None,
    most: int = 5,
    quotes: pl.DataFrame | None = None,
    currency: str = "",
    checked: bool = False,
    causes: pl.DataFrame | None = None,
    followed: pl.DataFrame | None = None,
    previous: str = "",
    actions: Sequence[Action] = (),
) -> list[Finding]:
    """One finding per large way of failing, with its owner, its remedy and what customers wrote; a caution where much is unexplained.

    `checked` says that people have read a sample of the tags; `causes` (`fishbone.causes`) adds how such contacts compare with alike ones; `followed`
    (`friction.followed`) says how many contacts came after, which is what they cost where nothing has a price; `previous` names the period before;
    `actions` are what people wrote down: one that is still to be done about a way of failing takes the place of the remedy and owner of the taxonomy.
    """
    if (few := _too_few(ranked)) is not None:
        return [Finding("failure-modes-few", "care", few, "Choose a longer period, or read these contacts one by one.")]
    known = taxonomy or Taxonomy.shipped()
    beside = {} if causes is None else {one.id.removeprefix("fishbone-"): one for one in clear_causes(causes, most=100)}
    why = CHECKED if checked else UNCHECKED
    large = [row for row in _modes(ranked)[:most] if row["n"] >= _LEAST]
    later = {} if followed is None else {row["mode"]: row for row in followed.to_dicts()}
    todo = {action.slug: action for action in actions if action.done is None}
    found = [_finding(row, known, quotes=quotes, currency=currency, why=why, beside=beside.get(row["mode"])) for row in large]
    whole = [
        replace(one, cost=_cost(row, later.get(row["mode"])), change=_change(row, previous, checked=checked))
        for one, row in zip(found, large, strict=True)
    ]
    return [_planned(one, todo.get(one.mode)) for one in whole] + _unexplained(ranked)


def _planned(found: Finding, action: Action | None) -> Finding:
    """What people agreed on comes before what the taxonomy proposes."""
    if action is None:
        return found
    check = f"On {action.check:%Y-%m-%d}, look at the same share, with its interval." if action.check else found.check
    return replace(found, action=quote(action.what), owner=quote(action.owner) or found.owner, check=check)


def _cost(row: dict[str, Any], later: dict[str, Any] | None) -> Measure | None:
    """What a way of failing costs: money where there are rates, else the contacts that came after."""
    if row.get("cost") is not None:
        return Measure(row["cost"], row["cost_low"], row["cost_high"], row["n"], "money", "down")
    return Measure(float(later["later"]), later["low"], later["high"], later["n"], "contacts", "down") if later else None


def _change(row: dict[str, Any], previous: str, *, checked: bool) -> Change | None:
    """How a way of failing moved among all first contacts; the shares of the failed ones add up to one, so that they cannot be compared."""
    if row.get("before") is None or row["rate"] is None or not previous:
        return None
    of, gap = f"of all first contacts{', by the rules alone' if checked else ''}", row["change"]
    if row["coverage_moved"]:
        return Change("not comparable", None, None, "the share of failures without a sign is another one, too", previous, of)
    label: Moved = ("up" if gap > 0 else "down") if row["change_clear"] else "within noise"
    return Change(label, row["before"], gap, "", previous, of)


def _too_few(ranked: pl.DataFrame) -> str | None:
    """That too few contacts failed to rank the ways, where this is so."""
    n = int(ranked["n"].sum())
    return f"Only {_things(n, 'first contact')} failed, too few to rank the ways of failing" if 0 < n < _FEW else None


def _unexplained(ranked: pl.DataFrame) -> list[Finding]:
    blank = ranked.filter((pl.col("mode") == UNEXPLAINED) & (pl.col("share") > _MUCH)).to_dicts()
    if not blank:
        return []
    title, said = (
        f"{percent(blank[0]['share'])} of the failed contacts are unexplained",
        "The ranking speaks only of the others, and these may be different.",
    )
    if not _modes(ranked):
        title, said = f"All {count(blank[0]['n'])} failed contacts are unexplained", "No sign of a way of failing was found that is believed enough."
    return [Finding("failure-modes-unexplained", "care", title, f"{said} Tag a sample by hand before acting on it.", lead=True)]


def _finding(row: dict[str, Any], taxonomy: Taxonomy, *, quotes: pl.DataFrame | None, currency: str, why: str, beside: Finding | None) -> Finding:
    mode, (share, low, high, n) = taxonomy.mode(row["mode"]), (row[name] for name in ("share", "low", "high", "n"))
    title = f"{percent(share)} of the failed contacts: {mode.name}"
    said = [mode.meaning]
    said += [f"{beside.title} ({interval(beside.measure.low, beside.measure.high).replace(' %', ' points')})."] if beside and beside.measure else []
    measure = Measure(share, low, high, n=n, good="down")
    details = {"name": mode.name, "bone": mode.bone, "taxonomy": taxonomy.fingerprint, "currency": currency, "cumulative": percent(row["cumulative"])}
    details |= {"moved": _moved(row)}
    return Finding(
        f"failure-mode-{mode.slug}", "mode", title, " ".join(said), measure, grade="D", why=why, action=mode.remedy, owner=mode.owner, check=CHECK,
        examples=_quoted(quotes, mode.slug), details=details, mode=mode.slug, was=tuple(f"failure-mode-{old}" for old in mode.was),
    )  # fmt: skip


def _quoted(quotes: pl.DataFrame | None, mode: str, place: str | None = None) -> tuple[tuple[str, str], ...]:
    if quotes is None:
        return ()
    its = quotes.filter((pl.col("mode") == mode) & pl.col("place").eq_missing(pl.lit(place, pl.String)))
    return tuple((ref, quote(text)) for ref, text in its.select("ref", "text").iter_rows())


def _moved(row: dict[str, Any]) -> str:
    """From where to where a way of failing went, and between which bounds; nothing where it cannot be compared."""
    if row.get("before") is None or row["rate"] is None or row["coverage_moved"]:
        return ""
    gone = f"from {percent(row['before'])} to {percent(row['rate'])}"
    if row["change_clear"]:
        return f"{gone} (95 % interval {points(row['change_low'])} to {points(row['change_high'])})"
    alone = row["change_low"] > 0 or row["change_high"] < 0
    return f"{gone}, no more than comparing so many ways brings by chance" if alone else gone


def priced(ranked: pl.DataFrame, *, currency: str = "") -> str:
    """One sentence on `failure_modes.rank`: what the contacts after the failed ones cost, or why that is not known."""
    if ranked.is_empty():
        return _NOTHING
    if ranked["cost"].null_count() == ranked.height:
        return UNPRICED
    if ranked["cost"].null_count():
        return "Some contacts come in by a channel without a cost rate in fcr.toml, so not every row has a price"
    modes = _modes(ranked)
    whole = f"What followed the failed contacts cost {money(float(ranked['cost'].sum()), currency)}"
    dearest = max(modes, key=lambda row: row["cost"], default=None)
    return whole if dearest is None else f"{whole}, the most of it by “{dearest['name']}”: {money(dearest['cost'], currency)}"


def columns(ranked: pl.DataFrame, *, currency: str = "") -> tuple[Column, ...]:
    """The columns of a ranking that have something to show: costs only where there are any, the change only where there is a period before."""
    head = (Column("name", "way of failing"), Column("n", "failed contacts", "count"))
    share = (Column("share", "share of failed", "percent"),)
    rest = (
        Column("cumulative", "with those above", "percent"),
        Column("rate", "of all first contacts", "percent"),
        Column("before", "before", "percent"),
        Column("change_clear", "clear change"),
        Column("cost", "cost of what followed", "money", currency),
        Column("cost_low", "cost from", "money", currency),
        Column("cost_high", "cost to", "money", currency),
    )
    moved = "coverage_moved" in ranked.columns and bool(ranked["coverage_moved"].any())
    shown = [one for one in rest if one.name in ranked.columns and ranked[one.name].count()]
    return (*head, *share, *(one for one in shown if not (moved and one.name == "change_clear")))


def changed(ranked: pl.DataFrame) -> str:
    """One sentence on `failure_modes.against_before`: which way of failing clearly moved."""
    if ranked.is_empty():
        return _NOTHING
    if ranked["before"].null_count() == ranked.height:
        return "No earlier period can be compared with this one"
    if not _modes(ranked):
        return _NONE
    if ranked["coverage_moved"][0]:
        return "The share of failures without a sign is another one than in the period before, so the ways of failing cannot be compared"
    clear = [row for row in _modes(ranked) if row["change_clear"]]
    if not clear:
        return "No way of failing clearly changed its share of all first contacts against the period before"
    row = max(clear, key=lambda one: abs(one["change"]))
    return f"Against the period before, “{row['name']}” went from {percent(row['before'])} to {percent(row['rate'])} of all first contacts"


def rests_on(frame: pl.DataFrame, *, missing: list[str] | None = None) -> str:
    """One sentence on `failure_modes.coverage`, and one on what the desk does not record."""
    if frame.is_empty():
        return _NOTHING
    parts = ", ".join(f"{_BY[row['by']]} {percent(row['share'], digits=0)}{_believed(row['confidence'])}" for row in frame.to_dicts())
    lacks = f". This desk does not record {'; nor '.join(missing)}, so signs of that kind are not found" if missing else ""
    return f"What the tags rest on: {parts}{lacks}"


def _believed(confidence: float | None) -> str:
    return "" if confidence is None else f" (believed to {percent(confidence, digits=0)} on average)"


def without(frame: pl.DataFrame) -> str:
    """One sentence on `failure_modes.resolvable`: FCR without what support could not have resolved."""
    whole, marked, shown = frame.to_dicts()
    if whole["share"] is None:
        return "There are too few contacts to leave any out"
    said, outside = f"{percent(whole['share'])} of all first contacts are resolved at once", "outside what support can resolve"
    if not shown["left_out"]:
        return f"{said}; none is marked as {outside}, and none shows it"
    if shown["share"] is None:
        return f"{said}; too few are left without those that are {outside}"
    n, more = marked["left_out"], shown["left_out"] - marked["left_out"]
    those = "one that is marked" if n == 1 else f"{count(n)} that are marked"
    said += f"; {percent(marked['share'])} without the {those} as {outside}" if n else f"; none is marked as {outside}"
    only = "failed one that only shows it" if more == 1 else f"{count(more)} failed ones that only show it"
    return f"{said}, and at most {percent(shown['share'])} without the {only}" if more else said


def statements(frame: pl.DataFrame, *, taxonomy: Taxonomy | None = None, most: int = 5) -> list[str]:
    """One sentence per way of failing in `failure_modes.statements`: the place with the most contacts above elsewhere, the largest first."""
    known = taxonomy or Taxonomy.shipped()
    return [_statement(row, known) for row in _first_places(frame, most=most)]


def _statement(row: dict[str, Any], taxonomy: Taxonomy) -> str:
    share = f"{percent(row['share'])} of {_contacts_of(row['by'], row['place'])} ({interval(row['low'], row['high'])})"
    return f"{share} {taxonomy.mode(row['mode']).verb}, against {percent(row['elsewhere'])} of all others"


def _contacts_of(by: str, place: str) -> str:
    """The contacts of a place, in words that can follow a number of them."""
    column = by.replace("_", " ")
    if place == NOT_KNOWN:
        return f"contacts whose {column} is not known"
    if by == "channel" and place in _CHANNELS:
        return _CHANNELS[place]
    return f"contacts about {place}" if by in _ABOUT else _PLACES.get(by, f"contacts whose {column} is {{}}").format(place)


def at_home(frame: pl.DataFrame, *, taxonomy: Taxonomy | None = None) -> str:
    """One sentence on `failure_modes.statements`: the place where one way of failing stands out most."""
    said = statements(frame, taxonomy=taxonomy, most=1)
    return said[0] if said else "At no place is a way of failing clearly more frequent than elsewhere"


def stated(frame: pl.DataFrame, *, taxonomy: Taxonomy | None = None, most: int = 3, quotes: pl.DataFrame | None = None) -> list[Finding]:
    """One finding per sentence of `statements`, with the owner and the remedy of its way of failing."""
    known = taxonomy or Taxonomy.shipped()
    return [_stated(row, known, quotes) for row in _first_places(frame, most=most)]


def _first_places(frame: pl.DataFrame, *, most: int) -> list[dict[str, Any]]:
    """Places overlap, so that one cluster of failures is only told once."""
    return frame.unique("mode", keep="first", maintain_order=True).head(most).to_dicts()


def _stated(row: dict[str, Any], taxonomy: Taxonomy, quotes: pl.DataFrame | None) -> Finding:
    mode = taxonomy.mode(row["mode"])
    beyond = (row["share"] - row["elsewhere"]) * row["n"]
    said = (
        f"{count(row['failed'])} of {count(row['n'])} first contacts there, and {percent(row['share_failed'])} of those that failed. "
        f"At the share of all others it would be about {count(beyond)} fewer."
    )
    return Finding(
        f"failure-mode-{mode.slug}-{slug(row['by'].replace('_', ' '))}-{slug(row['place'])}", "finding", _statement(row, taxonomy), said,
        Measure(row["share"], row["low"], row["high"], row["n"], good="down"), grade=row["grade"], why=_COMPARED, action=mode.remedy, owner=mode.owner,
        check=CHECK, examples=_quoted(quotes, mode.slug, row["place"]), details={"bone": mode.bone, "place": f"{row['by']}={row['place']}", "of": _contacts_of(row["by"], row["place"]), "there": row["failed"]},
        mode=mode.slug,
    )  # fmt: skip


def transfers(frame: pl.DataFrame) -> str:
    """One sentence on `hands.per_transfer`: how contacts that changed hands compare with alike ones that did not."""
    if frame.is_empty():
        return "No contact has a recorded history of teams, so there is nothing to compare"
    if frame["counted"].any():
        return "This definition takes a handover for a failure by itself, so contacts with and without one cannot be compared"
    known = frame.filter(pl.col("handovers") != "0").drop_nulls("lost").to_dicts()
    if not known:
        return "There are too few handovers to compare contacts with and without"
    row = next((row for row in known if row["clear"]), known[0])
    hands = f"Contacts that changed hands { ({'1': 'once', '2': 'twice'}.get(row['handovers'], 'three times or more')) }"
    ends = f"95 % interval {points(row['lost_low'])} to {points(row['lost_high'])}"
    if not row["clear"]:
        return f"{hands} show no clear difference to alike contacts that did not ({points(row['lost'])}, {ends})"
    side = "less" if row["lost"] < 0 else "more"
    return f"{hands} are resolved at once {side} often than alike contacts that did not ({points(row['lost'])}, {ends})"


def bounces(frame: pl.DataFrame) -> str:
    """One sentence on `hands.bounces`: what bounces most."""
    if frame.is_empty():
        return "No contact is recorded to have changed hands twice or more"
    row = frame.row(0, named=True)
    share = f"{percent(row['share'])} of all that bounce, {interval(row['low'], row['high'])}"
    return f"Most frequent bounce, of {_contacts_of('category', row['category'])}: {row['reason']} ({_things(row['n'], 'contact')}, {share})"


def pressure(frame: pl.DataFrame, *, split: str) -> str:
    """One sentence on `hands.load`: does the rate hold at every hour, or under every backlog?"""
    rows, what = frame.filter(pl.col("split") == split), {"hour": "hour of the day", "backlog": "fifth of the backlog"}[split]
    apart = rows.filter("apart").sort("share", "level")
    if rows.is_empty():
        return "No contact with a final verdict has a known first team, so there is no backlog to compare by" if split == "backlog" else _NO_HOURS
    if rows["share"].count() < 2:
        return f"There are too few contacts to compare by {what}"
    if apart.is_empty():
        return f"No {what} stands apart: none of the {rows['share'].count()} compared differs from all together by more than chance would"
    row = apart.row(0, named=True)
    names = {"hour": f"contacts that start at {row['level']}:00 to {row['level']}:59", "backlog": f"fifth {row['level']} of 5 of the backlog"}
    stands = "Stands apart" if apart.height == 1 else f"{apart.height} of {rows['share'].count()} stand apart, the lowest"
    return f"{stands}: {names[split]}, {percent(row['share'])} resolved at once ({interval(row['low'], row['high'])})"


def promised(frame: pl.DataFrame) -> str:
    """One sentence on `hands.promises`: how many promises to be in touch were followed by anything."""
    if frame.is_empty():
        return "No promise to be in touch was found in what agents wrote"
    row, n = frame.row(1, named=True), int(frame["n"].sum())
    of = f"Of {_things(n, 'contact')} in which an agent promised to be in touch"
    return f"{of}, {count(row['n'])} show{'s' if row['n'] == 1 else ''} no message or call after it ({percent(row['share'])}, {interval(row['low'], row['high'])})"


def raised(frame: pl.DataFrame) -> str:
    """One sentence on `hands.escalations`: how many came back to the team that raised them."""
    if frame.is_empty():
        return "No escalation from one team to another was recorded"
    row, n = frame.row(1, named=True), int(frame["n"].sum())
    if not row["n"]:
        return f"None of {_things(n, 'escalated contact')} was resolved by the team that had raised it"
    were = "was resolved by the very team that had raised it" if row["n"] == 1 else "were resolved by the very team that had raised them"
    return f"{count(row['n'])} of {_things(n, 'escalated contact')} ({percent(row['share'])}, {interval(row['low'], row['high'])}) {were}"


def _things(n: int, what: str) -> str:
    """So many things, one of them without an s."""
    return f"{count(n)} {what}{'' if n == 1 else 's'}"


def _modes(ranked: pl.DataFrame) -> list[dict[str, Any]]:
    return ranked.filter(pl.col("mode").is_not_null() & (pl.col("mode") != UNEXPLAINED)).to_dicts()
