"""How is a file that a project wrote itself read, with every mistake told at once?"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from fcrlib.model.errors import UsageError
from fcrlib.model.policy import spell

Words = TypeVar("Words", bound=BaseModel)


def tables(text: str, *, name: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises
    ------
    UsageError
        If it is not TOML; `name` is what the file is called in the message.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} cannot be read: {error}") from None


def checked(kind: type[Words], fields: dict[str, Any], *, name: str) -> Words:
    """Make checked words of tables.

    Raises
    ------
    UsageError
        With every mistake at once, naming the key.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise UsageError(f"{name} has mistakes:", spell(error)) from None


def content(file: Path) -> str:
    """The text of a file.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{file} cannot be read: {reason}") from None


class OwnFile(BaseModel):
    """What stands in a file that a project wrote itself; nothing else may stand there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, text: str, *, name: str) -> Self:
        """Read it from TOML; `name` is what the file is called in a message.

        Raises
        ------
        UsageError
            If it is not TOML, or with every mistake at once, naming the key.
        """
        return checked(cls, tables(text, name=name), name=name)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read it from a file.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake at once, naming the key.
        """
        return cls.parse(content(file), name=file.name)
