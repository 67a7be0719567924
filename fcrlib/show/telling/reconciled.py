"""How is it put into words why the helpdesk's screen shows another number?"""

from __future__ import annotations

import re

import polars as pl

from fcrlib.model.finding import Finding
from fcrlib.model.numbers import count, duration, percent

_SHIFT = re.compile(r"exactly ([^;]+?) (later|earlier): is the time zone right\? \(([\d,]+)\)")


def largest_gap(reconciled: pl.DataFrame) -> str:
    """One sentence on the figure on which the helpdesk and we agree least."""
    if reconciled.is_empty() or not reconciled["n"].sum():
        return "Nothing can be compared with the helpdesk's own screen"
    worst = reconciled.filter(pl.col("n") > 0).sort("share", pl.col("n") * -1, "figure").row(0, named=True)
    if worst["agree"] == worst["n"]:
        return f"The helpdesk's figures and ours agree on every contact ({', '.join(_compared(reconciled))})"
    return f"Largest gap: {worst['figure']}, the same on {percent(worst['share'])} of {count(worst['n'])} contacts; {_follows(worst)}"


def _compared(reconciled: pl.DataFrame) -> list[str]:
    return reconciled.filter(pl.col("n") > 0)["figure"].unique(maintain_order=True).to_list()


def _follows(row: dict[str, int]) -> str:
    """How many of those that differ are explained."""
    differ, explained = row["n"] - row["agree"], row["explained"]
    if explained == differ:
        return f"another way of counting explains {'the one that differs' if differ == 1 else f'all {count(differ)} that differ'}"
    return f"another way of counting explains {count(explained) if explained else 'none'} of the {count(differ)} that differ"


def told(reconciled: pl.DataFrame) -> pl.DataFrame:
    """The comparison as a table to read.

    Returns
    -------
    pl.DataFrame
        `source`, `figure`, `n`, `share`, `low`, `high`, `vendor` and `ours` (as text; an instant has neither), `explained` (of those that differ), `why`
        (the rules with their counts; how far instants lie apart; or why nothing can be compared).
    """
    spelled = {name: pl.Series(name, [_sum(one) for one in reconciled[name]], dtype=pl.String) for name in ("vendor", "ours")}
    why = pl.Series("why", [_why(row) for row in reconciled.to_dicts()], dtype=pl.String)
    shown = reconciled.with_columns(*spelled.values(), why, explained=pl.when(pl.col("n") > 0).then("explained"))
    return shown.select("source", "figure", "n", "share", "low", "high", "vendor", "ours", "explained", "why")


def _sum(value: int | None) -> str:
    return "" if value is None else count(value)


def _why(row: dict[str, object]) -> str:
    if row["missing"]:
        return f"not comparable: {row['missing']}"
    differ = int(str(row["n"])) - int(str(row["agree"]))
    unexplained = differ - int(str(row["explained"]))
    parts = [str(row["reason"])] if row["reason"] else []
    parts += [f"{count(unexplained)} follow{'s' if unexplained == 1 else ''} no rule that we know"] if unexplained else []
    parts += (
        [f"half of those that differ lie {duration(abs(float(str(row['apart']))))} or more apart"] if row["apart"] is not None and unexplained else []
    )
    parts += [f"{count(float(str(row['blind'])))} more could not be compared: their history is not in the export"] if row["blind"] else []
    return "; ".join(parts)


def differing(reconciled: pl.DataFrame) -> str:
    """One sentence on how many contacts differ in anything, and how many of these gaps no rule explains."""
    gaps = reconciled.filter(pl.col("n") > 0).select(
        gap=pl.col("n") - pl.col("agree"), unexplained=pl.col("n") - pl.col("agree") - pl.col("explained")
    )
    if not reconciled["n"].sum():
        return "No figure could be compared, so no contact differs"
    if not gaps["gap"].sum():
        return "No contact differs in any figure"
    return f"{count(int(gaps['gap'].sum()))} figures of single contacts differ; {count(int(gaps['unexplained'].sum()))} of them follow no rule that we know"


def lines(reconciled: pl.DataFrame) -> list[tuple[str, str]]:
    """The comparison for a terminal: what and what is said of it; figures that the export does not bring stand together in the last line."""
    single = reconciled["source"].n_unique() <= 1
    rows = reconciled.to_dicts()
    said = [(_named(row, single), _line(row)) for row in rows if not row["missing"] or "brings no such figure" not in row["missing"]]
    absent = [_named(row, single) for row in rows if row["missing"] and "brings no such figure" in row["missing"]]
    return [*said, ("not there", f"the export brings no figure of the helpdesk's own for {_listed(absent)}")] if absent else said


def _named(row: dict[str, object], single: bool) -> str:
    return str(row["figure"]) if single else f"{row['source']}: {row['figure']}"


def _line(row: dict[str, object]) -> str:
    why = _why(row)
    if row["missing"]:
        return why
    n = float(str(row["n"]))
    sums = f" (helpdesk {count(float(str(row['vendor'])))}, ours {count(float(str(row['ours'])))})" if row["vendor"] is not None else ""
    return f"the same on {percent(float(str(row['share'])))} of {count(n)}{sums}{f': {why}' if why else ''}"


def findings(reconciled: pl.DataFrame, *, figure: str) -> list[Finding]:
    """A caution for times that lie whole hours apart, which moves every resolution of the report; nothing else here is a fault of the data."""
    shifted = reconciled.filter(pl.col("reason").str.contains(_SHIFT.pattern))
    return [_zone(row, figure) for row in shifted.to_dicts()]


def _zone(row: dict[str, object], figure: str) -> Finding:
    apart, way, hit = next(iter(_SHIFT.findall(str(row["reason"]))))
    n = int(str(row["n"]))
    where = f"{percent(int(hit.replace(',', '')) / n)} of {count(n)} contacts of {row['source']}"
    title = f"On {where} the helpdesk's resolution stands exactly {apart} {way} than ours: is the time zone right?"
    statement = "Times of two zones may have been mixed; every duration and every day in this report would then be moved."
    action = "Check in which time zone the export gives its times, and import it again with --time-zone."
    return Finding(f"care-time-zone-{_slug(str(row['source']))}", "care", title, statement, figures=(figure,), action=action)


def _slug(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower()).strip("-") or "source"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
