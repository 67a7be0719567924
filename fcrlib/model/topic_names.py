"""What do the analyst's names for topics look like in a file?

One table `[[topic]]` per name, with the fingerprint of the topic and the name.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fcrlib.model.errors import UsageError
from fcrlib.model.own_files import checked, content, tables
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
        return checked(cls, tables(text, name=name), name=name)

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
    return Names.parse(content(file), name=file.name)


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


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
