"""What does the analyst call this topic?

A name that an analyst gave stays with the topic over refits and periods. It is kept under the topic's fingerprint in a TOML file, one table
`[[topic]]` per name.
"""

from __future__ import annotations

import json
import tomllib
import unicodedata
from pathlib import Path
from typing import Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fcrlib.model.columns import known
from fcrlib.model.errors import UsageError
from fcrlib.model.policy import spell

LONGEST = 80  # letters of a name


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Part):
    """What an analyst calls a topic.

    Parameters
    ----------
    fingerprint
        The topic's fingerprint.
    name
        One line of at most 80 letters.
    """

    fingerprint: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=LONGEST)

    @field_validator("fingerprint", "name")
    @classmethod
    def _is_one_line(cls, text: str) -> str:
        if text != text.strip() or any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in text):
            raise ValueError("must be one line of plain letters, without space around it")
        return text


class Names(_Part):
    """All names, in the order of the file."""

    topics: tuple[Name, ...] = Field(default=(), alias="topic")

    @field_validator("topics")
    @classmethod
    def _distinct(cls, topics: tuple[Name, ...]) -> tuple[Name, ...]:
        marks = [topic.fingerprint for topic in topics]
        if twice := sorted({mark for mark in marks if marks.count(mark) > 1}):
            raise ValueError(f"these fingerprints are there more than once: {', '.join(twice)}")
        return topics

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """Read names from TOML.

        Raises
        ------
        UsageError
            If it is not TOML, or with every mistake at once, naming the key.

        Examples
        --------
        >>> Names.parse('[[topic]]\\nfingerprint = "5f3a"\\nname = "Wrong amount"', name="topics.toml").known
        {'5f3a': 'Wrong amount'}
        """
        try:
            return cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{name} cannot be read: {error}") from None
        except ValidationError as error:
            raise UsageError(f"{name} has mistakes:", spell(error)) from None

    @classmethod
    def of(cls, names: dict[str, str]) -> Self:
        """Names by fingerprint.

        Raises
        ------
        UsageError
            With every name that cannot be one, at once.
        """
        try:
            return cls.model_validate({"topic": [{"fingerprint": mark, "name": name} for mark, name in names.items()]})
        except ValidationError as error:
            raise UsageError("these names cannot be kept:", spell(error)) from None

    @property
    def known(self) -> dict[str, str]:
        """Fingerprint and name."""
        return {topic.fingerprint: topic.name for topic in self.topics}

    def text(self) -> str:
        """The names as TOML, as `parse` reads it."""
        # A JSON string is a TOML string, as long as nothing in it is a control character: `Name` has seen to that.
        rows = [f"[[topic]]\nfingerprint = {_quoted(topic.fingerprint)}\nname = {_quoted(topic.name)}\n" for topic in self.topics]
        return "\n".join(rows)


def read_names(file: Path) -> Names:
    """Read the analyst's names from a file; a file that is not there holds none.

    Raises
    ------
    UsageError
        If the file cannot be read, or with every mistake at once, naming the key.
    """
    if not file.exists():
        return Names()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.name} cannot be read: {error}") from None
    return Names.parse(text, name=file.name)


def write_names(file: Path, *, names: Names) -> None:
    """Write the names; what stood in the file is replaced at once or not at all.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    partial = file.with_name(f"{file.name}.partial")
    try:
        partial.write_text(names.text(), encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        raise UsageError(f"{file.name} cannot be written: {error}") from None


def renamed(topics: pl.DataFrame, *, names: Names, carried: pl.DataFrame | None = None, before: pl.DataFrame | None = None) -> pl.DataFrame:
    """Give each topic the name an analyst gave it, now or to the same topic of the last period.

    Parameters
    ----------
    topics
        `topic`, `fingerprint`, `label` (the name that was found).
    carried
        The frame of `carried`, and
    before
        the topics of the last period (`topic`, `fingerprint`); without both only the topics' own fingerprints are looked up.

    Returns
    -------
    pl.DataFrame
        The frame with `name` and `named_by`: analyst (under this fingerprint), carried (the same topic of the last period was named so; of two that
        would carry one name, nobody does), found (nobody named it: the label).
    """
    known(topics, ["topic", "fingerprint", "label"])
    given = pl.DataFrame(
        {"fingerprint": list(names.known), "given": list(names.known.values())}, schema={"fingerprint": pl.String, "given": pl.String}
    )
    table = topics.join(given, on="fingerprint", how="left", maintain_order="left")
    if carried is None or before is None:
        table = table.with_columns(passed=pl.lit(None, pl.String))
    else:
        same = carried.filter(pl.col("kind") == "same").select("topic", was=pl.col("of").list.first())
        old = before.select(was="topic", fingerprint="fingerprint").join(given, on="fingerprint").select("was", passed="given")
        table = table.join(same.join(old, on="was").select("topic", "passed"), on="topic", how="left", maintain_order="left")
    passed = pl.when(~pl.col("passed").is_duplicated() & ~pl.col("passed").is_in(pl.col("given").drop_nulls().implode())).then("passed")
    by = pl.when(pl.col("given").is_not_null()).then(pl.lit("analyst")).when(passed.is_not_null()).then(pl.lit("carried")).otherwise(pl.lit("found"))
    return table.with_columns(name=pl.coalesce("given", passed, "label"), named_by=by).drop("given", "passed")


def kept(names: Names, *, renamed: pl.DataFrame) -> Names:
    """The names with those that were carried, under their new fingerprints, to be written before the next period; none is dropped.

    Parameters
    ----------
    renamed
        The frame of `renamed`.
    """
    moved = renamed.filter(pl.col("named_by") == "carried")
    return Names.of({**names.known, **dict(zip(moved["fingerprint"], moved["name"], strict=True))})


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
