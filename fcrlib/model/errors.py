"""What went wrong, where, how often, one example, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from fcrlib.model.letters import visible


class FcrError(Exception):
    """A mistake the user can mend. It prints as a sentence and a list, never as a traceback.

    Parameters
    ----------
    what
        One sentence: what cannot be done, naming the file, table or key.
    problems
        Everything that is wrong, one line each, all at once.
    """

    exit_code = 2

    def __init__(self, what: str, problems: Sequence[str] = ()) -> None:
        self.what = _printed(what)
        self.problems = tuple(map(_printed, problems))
        super().__init__("\n".join([self.what, *(f"  - {problem}" for problem in self.problems)]))


def _printed(text: str) -> str:
    """What may go to a terminal: the example that a message quotes may hold letters that steer it."""
    return "\n".join(visible(line) for line in text.split("\n"))


class UsageError(FcrError):
    """A parameter, policy, period or setting that is not understood (exit code 2)."""


class LibraryError(UsageError):
    """A library that not everybody installs, and that is not there (exit code 2)."""


class DataError(FcrError):
    """Data that is missing, unreadable or too little for the question (exit code 3)."""

    exit_code = 3


class TableError(DataError):
    """A canonical table that breaks its own rules (exit code 3)."""
