"""What was done about what earlier reports found?

People write it down, by the slug of the finding, so that a later report can look whether it worked. The file is TOML: one table `[[action]]` per action.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fcrlib.model.own_files import OwnFile

FILE = "actions.toml"
"""The file is looked for beside the desk where the settings name none."""
AND = " and "


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Action(_Part):
    """One thing that somebody does, or has done.

    Parameters
    ----------
    slug
        What it is about: the slug of a way of failing, or the id of another finding.
    what
        What is done, in one sentence.
    owner
        Who does it.
    where
        The contacts it touches, each condition as `dimension=value`, all of which must hold; an empty list is the whole desk.
    done
        The first day it was in force; none while it has not been done.
    check
        The day to look at it again.
    expected
        By how much fewer first contacts were to fail, a share in 0..1 (0.05 = five of a hundred).
    chosen_for
        `standing-out`: it was chosen because it did badly, as what a report ranks first is; some of that would have passed by itself, and is
        taken off. `other-reasons`: it was decided before anybody looked at the numbers.
    """

    slug: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    what: Annotated[str, Field(min_length=1)]
    owner: str = ""
    where: tuple[str, ...] = ()
    done: date | None = None
    check: date | None = None
    expected: Annotated[float | None, Field(gt=0, le=1)] = None
    chosen_for: Annotated[str, Field(pattern=r"^(standing-out|other-reasons)$")] = "standing-out"

    @field_validator("where")
    @classmethod
    def _are_conditions(cls, where: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [word for word in where if not all(part.strip() for part in word.partition("="))]:
            raise ValueError(f"must be written 'dimension=value': {', '.join(wrong)}")
        return where

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.done and self.check and self.check <= self.done:
            raise ValueError(f"is to be checked on {self.check}, before it can have done anything: it is in force since {self.done}")
        return self

    @property
    def place(self) -> str:
        """The contacts it touches, in one line; empty for the whole desk."""
        return AND.join(self.where)


class Actions(OwnFile):
    """Everything that was done or is to be done, in the order of the file.

    Examples
    --------
    >>> done = Actions.parse('[[action]]\\nslug = "knowledge-gap"\\nwhat = "Rewrite the article"\\ndone = 2026-07-01', name="actions.toml")
    >>> done.actions[0].slug, done.actions[0].done
    ('knowledge-gap', datetime.date(2026, 7, 1))
    """

    actions: tuple[Action, ...] = Field(default=(), alias="action")

    @field_validator("actions")
    @classmethod
    def _distinct(cls, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        names = [(action.slug, action.place, action.what) for action in actions]
        if twice := sorted({f"{slug}: {what}" for slug, place, what in names if names.count((slug, place, what)) > 1}):
            raise ValueError(f"these actions are there more than once: {'; '.join(twice)}")
        return actions

    def about(self, slug: str) -> list[Action]:
        """The actions about one finding, in the order of the file."""
        return [action for action in self.actions if action.slug == slug]
