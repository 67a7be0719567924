"""How is it put into words what a desk is fit for, for somebody who sees it for the first time in a terminal?

Every line is a word and what is said of it. Nothing here knows how wide the terminal is, or whether there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from fcrlib.model.numbers import count, duration, interval, number, percent
from fcrlib.show.names import capital
from fcrlib.show.quote import quote
from fcrlib.show.telling import reconciled as tell_reconciled

Line = tuple[str, str]
Sections = list[tuple[str, list[Line]]]
_MOST, _REASONS = 5, 3
_BLANK = "not recorded: "
_LONG_SILENCE = 20
"""Contacts that would usually have come in: a silence this long is no chance."""


def headline(word: str, reasons: list[str], questions: pl.DataFrame) -> str:
    """The verdict in one line: what it is, for how many questions, and what stands against it."""
    counts = {told: int((questions["verdict"] == told).sum()) for told in ("fit", "fit with care", "not fit")}
    parts = ", ".join(f"{n} {told}" for told, n in counts.items() if n)
    more = f"; and {len(reasons) - _REASONS} more, below" if len(reasons) > _REASONS else ""
    against = f". What stands against it: {_plainly('; '.join(reasons[:_REASONS]))}{more}" if reasons else ", and no check weakens a number"
    return f"{capital(word)}: of {questions.height} questions {parts}{against}"


def sections(found: Mapping[str, Any]) -> Sections:
    """All that is told of a desk, section by section; `found` holds the frames of `fcr check` by name."""
    parts: Sections = [
        ("What came in", came_in(found)),
        ("How much is known", known(found["shares"], found["channels"])),
        ("Time", times(found["clock"].row(0, named=True), found["depth"].row(0, named=True), found["newest"].row(0, named=True))),
        ("Which slices bear a rate", volume(found["slices"])),
        ("Labels", labels(found["labels"])),
        ("The helpdesk's own figures beside ours", tell_reconciled.lines(found["reconciled"])),
        ("Questions", [(row["verdict"], _because(row["question"], row["why"])) for row in found["questions"].to_dicts()]),
        ("What looks wrong", wrong(found["checks"])),
        ("Notebooks", [(row["notebook"], runs(row)) for row in found["notebooks"].to_dicts()]),
    ]
    return [(heading, lines) for heading, lines in parts if lines]


def _because(what: str, why: str) -> str:
    return f"{what} ({_plainly(why)})" if why else what


def _plainly(why: str) -> str:
    """Reasons without what a terminal has no room for: the explanations in brackets, and the same two words again and again."""
    reasons = [reason for reason in why.split("; ") if reason]
    blank = [reason.removeprefix(_BLANK).partition(" (")[0] for reason in reasons if reason.startswith(_BLANK)]
    return "; ".join([*([f"{_BLANK}{', '.join(blank)}"] if blank else []), *(reason for reason in reasons if not reason.startswith(_BLANK))])


def came_in(found: Mapping[str, Any]) -> list[Line]:
    """The tables, and what the reader left out with its reason."""
    manifest, tables = found["manifest"], found["tables"].filter(pl.col("rows") > 0)
    span = f"{manifest.data_start:%Y-%m-%d} to {manifest.data_end:%Y-%m-%d %H:%M} UTC, read by {manifest.reader}"
    rows = ", ".join(f"{count(row['rows'])} {row['table'] if row['rows'] > 1 else row['table'].removesuffix('s')}" for row in tables.to_dicts())
    twice = int(found["doubled"]["count"].sum())
    out = [("left out", f"{count(row['count'])} {row['what']} ({row['why']})") for row in found["left_out"].to_dicts() if row["count"]]
    doubled = ("came twice", f"{count(twice)} rows or values, left out once" if twice else "nothing that the reader saw")
    return [(manifest.source, span), ("rows", rows), doubled, *(out or [("left out", "nothing")])]


def known(shares: pl.DataFrame, channels: pl.DataFrame) -> list[Line]:
    """Identity, category, text and survey, and the channel that knows its customers least."""
    lines = [(row["what"], _share(row)) for row in shares.to_dicts()]
    seen = channels.drop_nulls("share") if shares["share"][0] is not None else channels.clear()
    worst = seen.sort("share", "channel").head(1).to_dicts()
    least = [("least known on", f"{row['channel']}: {_share(row | {'of': 'contacts'})}") for row in worst if row["share"] < 1 and channels.height > 1]
    return [*lines[:1], *least, *lines[1:]]


def _share(row: Mapping[str, Any]) -> str:
    if not row["n"] or row["share"] is None:
        return "not recorded"
    between = interval(row["low"], row["high"])
    return f"{percent(row['share'])} of {count(row['n'])} {row['of']} ({between})"


def times(clock: Mapping[str, Any], depth: Mapping[str, Any], newest: Mapping[str, Any]) -> list[Line]:
    """The zone and what speaks for it, how far the data reach back, and whether the newest days are there."""
    return [("time zone", _zone(clock)), ("history", _history(depth)), ("newest", _newest(newest))]


def _zone(clock: Mapping[str, Any]) -> str:
    named = f"days are cut in {clock['zone']}" + (f", the import named {clock['named']}" if clock["named"] != clock["zone"] else "")
    if clock["middle"] is None:
        return f"{named}; too few contacts with a time of day to tell whether that is right"
    seen = f"the middle of the day's contacts is {round(clock['middle']) % 24}:00, {percent(clock['night'])} come between midnight and six"
    return f"{named}; {seen}: {'that is no working day, so the zone may be wrong' if clock['odd'] else 'that looks like a working day'}"


def _history(depth: Mapping[str, Any]) -> str:
    back = f"{number(depth['before'], digits=0)} days before the {number(depth['days'], digits=0)} days looked at"
    if not depth["before"]:
        back = f"{number(depth['days'], digits=0)} days, all of them looked at"
    if depth["window"] is None or not depth["n"]:
        return back
    blind = f"{count(depth['blind'])} of {count(depth['n'])} first contacts ({percent(depth['share'])}) are so early that a previous one could not be seen"
    return f"{back}; {blind}"


def _newest(newest: Mapping[str, Any]) -> str:
    quiet, usual = newest["quiet"], newest["per_day"]
    back = f"{newest['over']} days" if newest["over"] > 1 else "day"
    said = f"the last contact was opened {duration(quiet * 24)} before the data end; {number(usual)} a day in the {back} up to it"
    if quiet >= 1 and quiet * usual >= _LONG_SILENCE:
        said += "; so long a silence is unusual: is part of the export missing, or the data end wrong?"
    return f"{said}; {count(newest['later'])} opened after the data end are not looked at" if newest["later"] else said


def volume(slices: pl.DataFrame) -> list[Line]:
    """Which columns hold enough contacts for a weekly rate, which for a quarterly one, and which for none."""
    words = {"slice by week": "by week", "slice by quarter": "by quarter", "do not slice": "do not slice", "only one level": "only one level", "not recorded": "not recorded"}  # fmt: skip
    groups = {told: slices.filter(pl.col("advice") == advice) for advice, told in words.items()}
    return [(told, ", ".join(_sliced(row) for row in rows.to_dicts())) for told, rows in groups.items() if rows.height]


def _sliced(row: Mapping[str, Any]) -> str:
    if row["weekly"] is None or row["advice"] == "only one level":
        return str(row["slice"])
    return f"{row['slice']} ({number(row['weekly'])} a week at the middle of {count(row['levels'])})"


def labels(pairs: pl.DataFrame) -> list[Line]:
    """Pairs of labels that look like one."""
    if pairs.is_empty():
        return [("alike", "no two categories look like one")]
    lines = [("alike", _pair(row)) for row in pairs.head(_MOST).to_dicts()]
    return [*lines, ("alike", f"and {pairs.height - _MOST} pairs more")] if pairs.height > _MOST else lines


def _pair(row: Mapping[str, Any]) -> str:
    both = f"'{quote(row['label'], limit=60)}' ({count(row['n'])}) and '{quote(row['variant'], limit=60)}' ({count(row['variant_n'])})"
    return f"{both}, {count(row['lost'])} repeats are not seen between them" if row["lost"] else both


def wrong(checks: pl.DataFrame) -> list[Line]:
    """The checks that stop or weaken a question, with what to do."""
    grave = checks.filter(pl.col("severity").is_in(["stops", "weakens"]))
    return [(row["severity"], f"{row['check']}: {count(row['found'])} of {count(row['of'])}: {row['so']}; {row['do']}") for row in grave.to_dicts()]


def runs(row: Mapping[str, str]) -> str:
    """Whether a notebook runs, and what is not in it."""
    if row["runs"] == "fully":
        return "runs fully"
    if row["runs"] == "not":
        return f"has no answer here: {row['without']} are not recorded"
    off = [f"these sections stay empty: {row['off']}"] if row["off"] else []
    without = [f"its numbers go without {row['without']}"] if row["without"] else []
    return f"runs, but {'; '.join([*off, *without])}"


def notebooks(allowed: pl.DataFrame) -> str:
    """One sentence on how many notebooks run."""
    counts = {word: int((allowed["runs"] == word).sum()) for word in ("fully", "in part", "not")}
    if counts["fully"] == allowed.height:
        return f"All {allowed.height} notebooks run fully on this desk"
    parts = [f"{counts['fully']} run fully", f"{counts['in part']} with less" if counts["in part"] else "", f"{counts['not']} have no answer" if counts["not"] else ""]  # fmt: skip
    return f"Of {allowed.height} notebooks {', '.join(part for part in parts if part)}"
