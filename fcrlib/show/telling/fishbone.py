"""How is it told which causes hang on the fishbone, and how big they are?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from fcrlib.model.finding import Finding, Measure
from fcrlib.model.numbers import count, interval, magnitude, number, percent
from fcrlib.model.taxonomy import BONES
from fcrlib.show.figure import Column, Table
from fcrlib.show.names import capital

if TYPE_CHECKING:
    from fcrlib.study import Study

_NOTHING = "No first contact failed, so no cause hangs on any bone"
_MOSTLY = 0.95


def effect(study: Study) -> str:
    """What the head of the fishbone says: how many first contacts fail."""
    share = study.headline["share"]
    return "First contacts that fail" if share is None else f"{percent(1 - share)} of first contacts fail"


def title(causes: pl.DataFrame) -> str:
    """One sentence on `fishbone.causes`: the bone with most failures, and how many of the compared causes go with clearly more failures."""
    if causes.is_empty():
        return _NOTHING
    modes = causes.filter(pl.col("kind") == "mode")
    bones = modes.group_by("bone").agg(pl.col("n").sum()).sort(pl.col("n") * -1, pl.col("bone").cast(pl.Enum(BONES)))
    everything = int(causes.filter(pl.col("kind") != "attribute")["n"].sum())
    if bones.is_empty() or not bones["n"][0]:
        return "No failed contact shows a sign of any of the known ways of failing"
    first = f"{percent(bones['n'][0] / everything)} of the failed contacts first show a sign on the bone “{bones['bone'][0]}”"
    return f"{first}; {_compared(causes)}"


def _compared(causes: pl.DataFrame) -> str:
    compared = causes["difference"].count()
    clear = _clear(causes).height
    if not compared:
        return "no cause can be compared with alike contacts"
    if compared == 1:
        return f"the one cause that can be compared {'goes' if clear else 'does not go'} with clearly more failures"
    return f"{count(clear) if clear else 'none'} of {count(compared)} causes that can be compared {'goes' if clear == 1 else 'go'} with clearly more failures"


def statements(causes: pl.DataFrame, *, most: int = 8) -> list[Finding]:
    """One finding per cause that goes with clearly more failures than alike contacts have.

    The largest number of failures beyond those of alike contacts first. The same contacts may stand behind several of them.
    """
    ordered = _clear(causes).sort(pl.col("attributable") * -1, "cause").head(most)
    return [_compared_finding(row) if row["grade"] == "C" else _observed(row) for row in ordered.to_dicts()]


def clearest(causes: pl.DataFrame, *, id: str = "clear-causes", most: int = 8) -> Table:
    """The statements as a table: `claim`, `evidence`, `grade`."""
    found = statements(causes, most=most)
    schema = {"claim": pl.String, "evidence": pl.String, "grade": pl.String}
    rows = pl.DataFrame([(one.title, one.statement, one.grade) for one in found], schema=schema, orient="row")
    heads = (Column("claim", "what goes with more failures"), Column("evidence", "evidence"), Column("grade", "grade"))
    left = _clear(causes).height - len(found)
    more = f" {count(left)} more with fewer such failures {'is' if left == 1 else 'are'} not shown." if left else ""
    note = f"The same contacts may stand behind several rows.{more}" if found else ""
    return Table(id, capital(_compared(causes)), rows, heads, note=note)


def blind(causes: pl.DataFrame) -> list[Finding]:
    """A caution on the ways of failing that cannot be compared with alike contacts; none where all can."""
    blank = causes.filter((pl.col("kind") == "mode") & pl.col("difference").is_null() & (pl.col("n") > 0))
    if blank.is_empty():
        return []
    names = ", ".join(f"“{name}”" for name in blank.sort(pl.col("n") * -1, "cause")["name"].head(3))
    several = f"{count(blank.height)} ways of failing" if blank.height > 1 else "One way of failing"
    which = f"the largest of them ({names})" if blank.height > 3 else names
    said = f"For {which} the share says how many failed contacts show it, not how much more often such contacts fail."
    return [Finding("fishbone-not-compared", "care", f"{several} cannot be compared with alike contacts", said)]


def _clear(causes: pl.DataFrame) -> pl.DataFrame:
    return causes.filter(pl.col("clear") & (pl.col("difference") > 0))


def _compared_finding(row: dict[str, Any]) -> Finding:
    gap = magnitude(row["difference"])
    n = round(row["n_exposed"] * row["overlap"])
    who, alike = _who(row)
    rest = f" {percent(1 - row['overlap'])} of these contacts have no alike ones and are left out." if row["overlap"] < _MOSTLY else ""
    said = (
        f"{percent(row['risk'])} of {count(n)} such contacts failed, against {percent(row['alike'])} of alike contacts {row['against']}: "
        f"{gap} more (95 % interval {interval(row['difference_low'], row['difference_high']).replace(' %', ' points')}), "
        f"which is {_failures(row['attributable'])} beyond those of alike contacts.{rest} {_sturdy(row)}"
    )
    return Finding(
        f"fishbone-{row['cause']}",
        "finding",
        f"{who} failed {gap} more often than {alike}",
        said,
        _measure(row, n=n),
        grade="C",
        why=f"{capital(row['why'])}.",
        details={"bone": row["bone"]},
    )


def _observed(row: dict[str, Any]) -> Finding:
    who = f"“{row['name']}” was observed with {count(row['n'])} failed contacts"
    said = f"{percent(row['share'])} of the failed contacts ({interval(row['low'], row['high'])}) have it in common."
    measure = Measure(row["share"], row["low"], row["high"], n=row["n"], good="down")
    return Finding(f"fishbone-{row['cause']}", "finding", who, said, measure, grade="D", why=f"{capital(row['why'])}.", details={"bone": row["bone"]})


def _failures(n: float) -> str:
    text = count(n)
    return f"{text} failure{'' if text == '1' else 's'}"


def _who(row: dict[str, Any]) -> tuple[str, str]:
    """Whose failures, and who alike contacts are."""
    if row["kind"] == "attribute":
        return f"Contacts {row['name']}", f"alike contacts {row['against']}"
    return f"Contacts with the sign “{row['name']}”", "alike contacts without it"


def _sturdy(row: dict[str, Any]) -> str:
    """The E-value in plain words."""
    least = row["e_value_limit"]
    if least is None or least <= 1:
        return "Something unseen that goes with both only weakly could explain it (E-value 1.0)."
    return (
        "Something that these data do not show could explain all of it only if it went with such contacts, and with failing, "
        f"by a factor of at least {number(least)} each (E-value)."
    )


def _measure(row: dict[str, Any], *, n: int) -> Measure:
    return Measure(row["difference"], row["difference_low"], row["difference_high"], n=n, unit="points", good="down")
