"""What has the analyst decided about the chain of whys?

The analyst may keep a step that the data do not single out, pass one over, or leave a note at it. The file is TOML: one table `[[step]]` per step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fcrlib.model.own_files import OwnFile


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pin(_Part):
    """One decision.

    Parameters
    ----------
    at
        The place, as `dimension=value`; an empty list is the whole desk. Without it, a way of failing or an attribute is meant in every place.
    mode
        The way of failing, by its slug: the step from the place to it.
    attribute
        The attribute, as `name=value`: the step from the way of failing to it.
    pin, prune
        Keep the step, or pass it over.
    note
        Shown beside the step.
    """

    at: tuple[str, ...] | None = None
    mode: str | None = Field(None, min_length=1)
    attribute: str | None = None
    pin: bool = False
    prune: bool = False
    note: str = ""

    @field_validator("at")
    @classmethod
    def _are_conditions(cls, at: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if wrong := [word for word in at or () if not _is_condition(word)]:
            raise ValueError(f"must be written 'dimension=value': {', '.join(wrong)}")
        return at

    @field_validator("attribute")
    @classmethod
    def _is_value(cls, attribute: str | None) -> str | None:
        if attribute is not None and not _is_condition(attribute):
            raise ValueError("must be written 'name=value'")
        return attribute

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at is None and self.mode is None and self.attribute is None:
            raise ValueError("names no step: give at, mode or attribute")
        if self.pin and self.prune:
            raise ValueError("cannot be both pinned and pruned")
        if not (self.pin or self.prune or self.note):
            raise ValueError("decides nothing: give pin = true, prune = true or a note")
        return self

    @property
    def step(self) -> str:
        """The step it speaks of, in words."""
        where = None if self.at is None else " and ".join(self.at) or "the whole desk"
        return ", ".join(word for word in (where, self.mode, self.attribute) if word)

    def speaks_of(self, where: Sequence[str], *, mode: str | None = None, attribute: str | None = None) -> bool:
        """Is this the step it speaks of?"""
        place = self.at is None or set(self.at) == set(where)
        way = self.mode == mode if attribute is None else self.mode in (None, mode)
        return place and way and self.attribute == attribute


class Pins(OwnFile):
    """All decisions, in the order of the file.

    Examples
    --------
    >>> pins = Pins.parse('[[step]]\\nat = ["category=login"]\\nprune = true', name="pins.toml")
    >>> pins.steps[0].step, pins.steps[0].prune
    ('category=login', True)
    """

    steps: tuple[Pin, ...] = Field(default=(), alias="step")

    @field_validator("steps")
    @classmethod
    def _distinct(cls, steps: tuple[Pin, ...]) -> tuple[Pin, ...]:
        names = [(None if pin.at is None else frozenset(pin.at), pin.mode, pin.attribute) for pin in steps]
        if twice := sorted({pin.step for pin, name in zip(steps, names, strict=True) if names.count(name) > 1}):
            raise ValueError(f"these steps are there more than once: {'; '.join(twice)}")
        return steps

    def about(self, where: Sequence[str], *, mode: str | None = None, attribute: str | None = None) -> list[Pin]:
        """The decisions about a step, in the order of the file."""
        return [pin for pin in self.steps if pin.speaks_of(where, mode=mode, attribute=attribute)]


def _is_condition(word: str) -> bool:
    name, sign, _ = word.partition("=")
    return bool(name.strip()) and bool(sign)
