"""How much may a finding claim, given how it was come by?

A grade says what the words of a finding may be: an experiment may say that a change raised a rate, a comparison as found may only
say what was seen together. The grade follows from the design alone, never from how large or how clear the difference is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["A", "B", "C", "D"]
GRADES: tuple[Grade, ...] = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Design:
    """How a difference was come by, in yes and no. What is not known is no.

    Parameters
    ----------
    randomised
        Chance decided who got what.
    concurrent_control
        A change was rolled out in steps, and those still without it were measured over the same time.
    pre_trend_ok
        Before the change, those with it and those without moved alike, and this was looked at.
    before_after
        The same places were measured before and after a change.
    comparison
        Others without the change were measured before and after it too.
    selected_on_worst
        The places were chosen because they did badly, so that some of them would have done better anyway.
    rtm_corrected
        That return to the usual was taken off.
    adjusted
        What arrived was held equal.
    weighted
        Answers are weighted for who answers; or nobody had to be asked.
    sensitivity_reported
        It is said how strong something unseen would have to be to explain it.
    timing_known
        What is compared came before what it is compared on.
    response_known
        It is known who was asked and who answered; or nobody had to be asked.
    """

    randomised: bool = False
    concurrent_control: bool = False
    pre_trend_ok: bool = False
    before_after: bool = False
    comparison: bool = False
    selected_on_worst: bool = False
    rtm_corrected: bool = False
    adjusted: bool = False
    weighted: bool = False
    sensitivity_reported: bool = False
    timing_known: bool = False
    response_known: bool = False


def grade(design: Design) -> tuple[Grade, str]:
    """The grade of a design, and the reason for it in words.

    Returns
    -------
    tuple
        A: by chance, or in steps with a control over the same time and alike before. B: before and after, with a comparison, and either
        not chosen for doing badly or corrected for it. C: adjusted, weighted, its sensitivity reported, and timing and answers known.
        D: everything else; the reason then names all that is missing for C.

    Examples
    --------
    >>> grade(Design(randomised=True))
    ('A', 'chance decided who got the change')
    >>> grade(Design(before_after=True, comparison=True))[0], grade(Design(before_after=True, comparison=True, selected_on_worst=True))[0]
    ('B', 'D')
    >>> grade(Design(adjusted=True, weighted=True, timing_known=True, response_known=True))
    ('D', 'it is not said how strong something unseen would have to be')
    """
    if design.randomised:
        return "A", "chance decided who got the change"
    if design.concurrent_control and design.pre_trend_ok:
        return "A", "rolled out in steps, measured against those still without the change, who moved alike before it"
    if design.before_after and (design.comparison or design.concurrent_control) and (design.rtm_corrected or not design.selected_on_worst):
        return "B", "before and after a change, compared with others over the same time; who got the change was not left to chance"
    missing = _missing(design)
    return ("D", "; ".join(missing)) if missing else ("C", "what is known about the contacts is held equal; something not recorded may still differ")


def _missing(design: Design) -> list[str]:
    """What keeps an observed difference from grade C."""
    needed = {
        "what arrived may have differed and is not held equal": design.adjusted,
        "answers are not weighted for who answers": design.weighted,
        "it is not said how strong something unseen would have to be": design.sensitivity_reported,
        "it is not known what came first": design.timing_known,
        "it is not known who was asked and who answered": design.response_known,
    }
    return [reason for reason, met in needed.items() if not met]
