"""How is a number spelled for people?

Shares are 0..1 everywhere else; only here do they become percent. A number nobody knows is spelled out, never left blank.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fcrlib.model.finding import Measure

UNKNOWN = "not known"
TOO_FEW = "too few"
MINUS = "−"
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
Kind = Literal["text", "percent", "points", "count", "hours", "money", "number", "date"]


def number(value: float | None, *, digits: int = 1) -> str:
    """A plain number with grouped thousands and a true minus sign.

    Examples
    --------
    >>> number(-1234.56), number(None)
    ('−1,234.6', 'not known')
    """
    if value is None or value != value:
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def percent(share: float | None, *, digits: int = 1) -> str:
    """A share as percent.

    Examples
    --------
    >>> percent(0.714), percent(None)
    ('71.4 %', 'not known')
    """
    return UNKNOWN if share is None or share != share else f"{number(100 * share, digits=digits)} %"


def points(difference: float | None, *, digits: int = 1) -> str:
    """A difference of two shares, with its sign.

    Examples
    --------
    >>> points(-0.019), points(0.0001), points(0.01)
    ('−1.9 points', '0.0 points', '+1.0 point')
    """
    if difference is None or difference != difference:
        return UNKNOWN
    text = signed(100 * difference, digits=digits)
    return f"{text} point{'' if text.strip('+' + MINUS) == number(1, digits=digits) else 's'}"


def magnitude(difference: float) -> str:
    """How large a difference of two shares is, whichever way it points.

    Examples
    --------
    >>> magnitude(-0.019), magnitude(0.01)
    ('1.9 points', '1.0 point')
    """
    return points(abs(difference)).lstrip("+")


def signed(value: float, *, digits: int = 1) -> str:
    """A number with its sign, and none when it rounds to zero.

    Examples
    --------
    >>> signed(2.0), signed(-0.04)
    ('+2.0', '0.0')
    """
    text = number(value, digits=digits)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def interval(low: float | None, high: float | None, *, digits: int = 1) -> str:
    """The 95 % interval of a share.

    Examples
    --------
    >>> interval(0.709, 0.719), interval(None, 0.7)
    ('70.9 to 71.9 %', 'not known')
    """
    if low is None or high is None:
        return UNKNOWN
    return f"{number(100 * low, digits=digits)} to {number(100 * high, digits=digits)} %"


def count(value: float | None) -> str:
    """A whole number of things.

    Examples
    --------
    >>> count(31204)
    '31,204'
    """
    return number(value, digits=0)


def duration(hours: float | None) -> str:
    """Hours in the unit people would use.

    Examples
    --------
    >>> duration(0.5), duration(1), duration(30), duration(100)
    ('30 minutes', '1.0 hours', '30.0 hours', '4.2 days')
    """
    if hours is None or hours != hours:
        return UNKNOWN
    if abs(hours) < 1:
        return f"{number(60 * hours, digits=0)} minutes"
    return f"{number(hours)} hours" if abs(hours) < 48 else f"{number(hours / 24)} days"


def money(value: float | None, currency: str = "") -> str:
    """An amount with its currency, rounded as far as a reader needs.

    Examples
    --------
    >>> money(182_340, "EUR"), money(12.5, "EUR"), money(2_400_000, "CHF"), money(-40.0)
    ('€182k', '€12.50', 'CHF 2.4m', '−40.00')
    """
    if value is None or value != value:
        return UNKNOWN
    sign = SYMBOLS.get(currency, f"{currency} " if currency else "")
    return f"{MINUS if value < 0 else ''}{sign}{_amount(abs(value))}"


def _amount(size: float) -> str:
    if size >= 999_500:
        return f"{size / 1e6:,.1f}m"
    return f"{size / 1e3:,.0f}k" if size >= 10_000 else f"{size:,.0f}" if size >= 100 else f"{size:,.2f}"


def spell(measure: Measure | None, *, currency: str = "") -> str:
    """The value of a measure in its unit.

    Examples
    --------
    >>> spell(Measure(0.714)), spell(Measure(31204, unit="contacts")), spell(Measure(None))
    ('71.4 %', '31,204', 'not known')
    """
    return UNKNOWN if measure is None else _unit(measure.value, measure.unit, currency)


def spell_interval(measure: Measure, *, currency: str = "") -> str:
    """The interval of a measure in its unit, or nothing where there is none.

    Examples
    --------
    >>> spell_interval(Measure(0.714, 0.709, 0.719)), spell_interval(Measure(3.0, 2.5, 3.5, unit="score")), spell_interval(Measure(1.0))
    ('70.9 to 71.9 %', '2.50 to 3.50', '')
    """
    if measure.low is None or measure.high is None:
        return ""
    if measure.unit == "share":
        return interval(measure.low, measure.high)
    return f"{_unit(measure.low, measure.unit, currency)} to {_unit(measure.high, measure.unit, currency)}"


def spell_change(now: float, before: float, *, unit: str, currency: str = "") -> str:
    """How far a value moved, in the measure's unit.

    Examples
    --------
    >>> spell_change(0.714, 0.733, unit="share"), spell_change(120, 100, unit="contacts")
    ('−1.9 points', '+20')
    """
    delta = now - before
    if unit in ("share", "points"):
        return points(delta)
    if unit == "contacts":
        return signed(delta, digits=0)
    if unit == "score":
        return signed(delta, digits=2)
    return ("+" if delta > 0 else "") + _unit(delta, unit, currency)


def cell(value: object, *, kind: Kind = "text", currency: str = "") -> str:
    """One cell of a table, spelled by the kind of its column.

    Examples
    --------
    >>> from datetime import date
    >>> cell(0.5, kind="percent"), cell(None), cell(date(2026, 9, 30)), cell(True), cell(3)
    ('50.0 %', 'not known', '2026-09-30', 'yes', '3')
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, int | float) and kind not in ("text", "date"):
        return _kind(value, kind, currency)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(value: float, kind: Kind, currency: str) -> str:
    if kind == "money":
        return money(value, currency)
    spellings: dict[str, Callable[[float | None], str]] = {"percent": percent, "points": points, "count": count, "hours": duration}
    return spellings.get(kind, _plain)(value)


def _plain(value: float | None) -> str:
    return number(value, digits=2)


def _unit(value: float | None, unit: str, currency: str) -> str:
    kinds: dict[str, Kind] = {"share": "percent", "contacts": "count", "points": "points", "hours": "hours", "money": "money"}
    return UNKNOWN if value is None else _kind(value, kinds.get(unit, "number"), currency)
