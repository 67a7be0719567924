"""Into which ways of failing are failed contacts sorted, and by which signs?

A taxonomy is data: each way of failing has a meaning, a bone of the fishbone, an owner, a remedy, and the signs it is known by. Signs are
traces in the history (`TRACES`, with a threshold) and phrases (word patterns, with who must have written them). A project may bring its own file.
"""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fcrlib.model.errors import UsageError
from fcrlib.model.own_files import content, tables
from fcrlib.model.policy import spell

BONES = ("process", "people", "systems", "product", "policy", "data")
UNEXPLAINED, NON_RESOLVABLE = "unexplained", "non-resolvable"
TRACES = {
    "handovers": "how often it changed hands between people before it was resolved; a wait in another team and back is none",
    "returns": "how often it went back to the team that it had just come from; a wait in another team and back is none",
    "quick_handover_minutes": "minutes until the first team handed it on for good",
    "silent_handovers": "how often it changed hands before anybody had written an internal note, on a desk that writes them",
    "asked_again": "questions to the customer after it had changed hands",
    "away_hours": "hours that it waited on hold in another team before it came back",
    "hold_hours": "hours on hold",
    "escalated_hold_hours": "hours on hold after it had been escalated",
    "unowned_hours": "hours until somebody took it",
    "broken_promises": "promises to be in touch that no message or call followed",
    "stale_article_days": "age in days of the oldest article that was sent",
}
VOICES = ("customer", "note", "agent")
LONGEST = 400
_REACH = re.compile(r"(?<!\\)\.[*+]|\{\d*,\}")
_LISTED = re.compile(r"\b(mode|trace|phrase|pattern|promise|example)s\.(\d+)")
_CLASS = re.compile(r"\\[pP]\{\w+\}|\\[A-Za-z]")
_SLUG = re.compile(r"[a-z][a-z0-9-]*")


def _bounded(pattern: str) -> str:
    if problem := strange(pattern):
        raise ValueError(problem)
    return pattern


Pattern = Annotated[str, AfterValidator(_bounded)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trace(_Part):
    """A sign in the history: one of `TRACES`, from a threshold on or up to one.

    Parameters
    ----------
    at_least, at_most
        The threshold, in the trace's own unit; one of the two.
    confidence
        How far the sign is believed, 0..1. Below 0.5 it is only a hint, which yields to words.
    """

    name: str
    at_least: float | None = None
    at_most: float | None = None
    confidence: float = Field(ge=0, le=1)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in TRACES:
            raise ValueError(f"there is no such trace; known: {', '.join(TRACES)}")
        return name

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("needs one threshold: at_least or at_most")
        return self


class Phrase(_Part):
    """A sign in the words: patterns of which one is enough.

    Parameters
    ----------
    voice
        Who wrote it: the customer (after the opening message, or on coming back), an agent in public, an internal note, or any of them.
    says
        What it amounts to, in two or three words; this is what a reader sees, never the text itself.
    patterns
        Regular expressions in small letters, without `.*`: write `.{0,40}` to reach across a few words.
    weight
        How far it is believed, 0..1.
    """

    voice: Literal["customer", "note", "agent", "any"]
    says: str = Field(min_length=1)
    patterns: tuple[Pattern, ...] = Field(min_length=1)
    weight: float = Field(gt=0, le=1)


class Mode(_Part):
    """One way of failing.

    Parameters
    ----------
    said
        What its contacts do, to be read after "of the contacts about refunds": `fail after waiting for an approval`.
    examples
        Sentences as customers write them or agents note them; what reads much like one of them shows this way.
    was
        Slugs that it had before, so that a new name does not look like a new way of failing in the next report.
    """

    slug: str
    name: str = Field(min_length=1)
    meaning: str = Field(min_length=1)
    bone: Literal["process", "people", "systems", "product", "policy", "data"]
    owner: str = ""
    remedy: str = ""
    said: str = ""
    examples: tuple[str, ...] = ()
    was: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    phrases: tuple[Phrase, ...] = ()

    @property
    def verb(self) -> str:
        """What its contacts do, in words that can follow a number of them."""
        return self.said or f"fail with the sign “{self.name}”"

    @field_validator("slug")
    @classmethod
    def _is_slug(cls, slug: str) -> str:
        if not _SLUG.fullmatch(slug):
            raise ValueError("must be a slug: small letters, digits and '-'")
        if slug == UNEXPLAINED:
            raise ValueError("is kept for the contacts that no sign explains")
        return slug


class Taxonomy(_Part):
    """Ways of failing, in the order in which they are preferred where two are equally likely.

    Parameters
    ----------
    version
        Raised by whoever changes the meaning of a mode; `fingerprint` changes with every letter.
    promises
        Patterns of what an agent writes to promise to be in touch; the trace `broken_promises` reads them.
    ordinary
        Sentences that show no way of failing; what reads more like one of them than like the examples of the modes shows nothing.

    Examples
    --------
    >>> shipped = Taxonomy.shipped()
    >>> len(shipped.modes), shipped.mode("wrong-routing").bone
    (12, 'process')
    """

    version: int = Field(ge=1)
    promises: tuple[Pattern, ...] = ()
    ordinary: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = Field(min_length=1)

    @field_validator("modes")
    @classmethod
    def _distinct(cls, modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
        if twice := _twice([mode.slug for mode in modes]):
            raise ValueError(twice)
        return modes

    @classmethod
    def shipped(cls) -> Self:
        """The taxonomy that comes with the package."""
        return cls.parse(files("fcrlib.model").joinpath("taxonomy.toml").read_text(encoding="utf-8"), name="taxonomy.toml")

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read a project's own taxonomy.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake at once, naming the key.
        """
        return cls.parse(content(file), name=file.name)

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """Read a taxonomy from TOML: `version`, `promises`, and tables `[[mode]]` with `[[mode.trace]]` and `[[mode.phrase]]`.

        Raises
        ------
        UsageError
            If it is not TOML, or with every mistake at once, naming the key.
        """
        fields = tables(text, name=name)
        try:
            return cls.model_validate(_plural(fields))
        except ValidationError as error:
            raise UsageError(f"{name} has mistakes:", _told(error, fields)) from None

    @property
    def fingerprint(self) -> str:
        """Eight letters that change whenever anything in the taxonomy does but the names it once had."""
        said = self.model_dump_json(exclude={"modes": {"__all__": {"was"}}})
        return hashlib.sha256(said.encode()).hexdigest()[:8]

    @property
    def slugs(self) -> tuple[str, ...]:
        """The modes' slugs, in order."""
        return tuple(mode.slug for mode in self.modes)

    def mode(self, slug: str) -> Mode:
        """The mode of that slug.

        Raises
        ------
        UsageError
            If there is none; the message lists those there are.
        """
        for mode in self.modes:
            if mode.slug == slug:
                return mode
        raise UsageError(f"failure mode '{slug}' is unknown", [f"known modes: {', '.join(self.slugs)}"])


def strange(pattern: str) -> str:
    """What is wrong with a word pattern, or nothing.

    Examples
    --------
    >>> strange("passed (?:around|on)"), strange("a.*b")
    ('', 'has no bound: write .{0,40} instead of .*')
    """
    import polars as pl

    if len(pattern) > LONGEST:
        return f"is longer than {LONGEST} letters"
    if _REACH.search(pattern):
        return "has no bound: write .{0,40} instead of .*"
    letters = _CLASS.sub("", pattern)
    if letters != letters.lower():
        return "has capital letters, but it is held against text in small letters"
    try:
        matches_nothing = pl.select(pl.lit("").str.contains(pattern)).item()
    except pl.exceptions.ComputeError:
        return "is no regular expression that can be read (no look-around, no back-references, no large counts)"
    return "matches an empty text" if matches_nothing else ""


def _twice(slugs: list[str]) -> str:
    """That some slugs are there more than once, or nothing."""
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    return f"these slugs are there more than once: {', '.join(twice)}" if twice else ""


def _told(error: ValidationError, fields: dict[str, Any]) -> list[str]:
    """Every mistake, at its place as it stands in the file; slugs are compared though something else is wrong with a mode."""
    modes = fields.get("mode", [])
    slugs = [str(mode["slug"]) for mode in modes if isinstance(mode, dict) and "slug" in mode] if isinstance(modes, list) else []
    lines = [_at_home(*line.partition(": ")) for line in spell(error) if "more than once" not in line]
    twice = _twice(slugs)
    return [*lines, f"mode: {twice}"] if twice else lines


def _at_home(key: str, sign: str, mistake: str) -> str:
    """A mistake with its place counted as people count the tables of a file: `mode 2, phrase 1, pattern 3`."""
    place = _LISTED.sub(lambda found: f"{found[1]} {int(found[2]) + 1}, ", key).removesuffix(", ").replace(", .", ", ")
    return f"{place}{sign}{mistake}"


def _plural(fields: dict[str, Any]) -> dict[str, Any]:
    """The tables of the file under the names of the fields; what is no table is left for the check to complain about."""
    modes = fields.get("mode", [])
    many = {"trace": "traces", "phrase": "phrases"}
    if isinstance(modes, list):
        modes = [{many.get(key, key): value for key, value in mode.items()} if isinstance(mode, dict) else mode for mode in modes]
    return {**{key: value for key, value in fields.items() if key != "mode"}, "modes": modes}
