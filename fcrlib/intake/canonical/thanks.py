"""Is this message a thank-you that asks for nothing?

A thank-you reopens a contact in many helpdesks and is no new contact. A message is one if it holds a word of thanks, asks nothing, and is
otherwise made of words that go with thanks, and of names. What is not clear is none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import polars as pl

from fcrlib.model.errors import UsageError

LONGEST = 300
"""Characters of the longest thank-you, without what it quotes."""
_NAMES = 2
_QUOTED = r"(?m)^[ \t]*>.*$"
_WORD = r"[\p{L}][\p{L}'’]*"
_TOKEN = r"\[[a-z_]+\]"

Lexicon = Mapping[str, Sequence[str]]


def lexicon(*own: Path | str) -> dict[str, tuple[str, ...]]:
    """The words of all languages, `thanks` and `between`, with those of further files beside them.

    Raises
    ------
    UsageError
        If a file is not of that form.
    """
    texts = [(files("fcrlib.intake.canonical") / "thanks.toml").read_text(encoding="utf-8"), *(_text(Path(file)) for file in own)]
    words: dict[str, list[str]] = {"thanks": [], "between": []}
    for text, name in zip(texts, ["thanks.toml", *map(str, own)], strict=True):
        for language, section in _parsed(text, name).items():
            if not isinstance(section, dict) or not section.keys() <= words.keys() or not all(map(_listed, section.values())):
                raise UsageError(f"{name}: [{language}] may hold `thanks` and `between`, each a list of words")
            for part, some in section.items():
                words[part] += [word.lower() for word in some]
    return {part: tuple(dict.fromkeys(some)) for part, some in words.items()}


def is_ack(text: pl.Expr, *, words: Lexicon) -> pl.Expr:
    """Yes or no for every text, null where there is none.

    Parameters
    ----------
    text
        What the customer wrote, as they wrote it.
    words
        From `lexicon`.

    Examples
    --------
    >>> frame = pl.DataFrame({"text": ["Thanks Anna, works now!", "Thanks, but the export still fails", "Danke!", "Thank you. Which form?", None]})
    >>> frame.select(is_ack(pl.col("text"), words=lexicon()))["text"].to_list()
    [True, False, True, False, None]
    """
    said = text.str.replace_all(_QUOTED, "").str.replace_all(_TOKEN, " ").str.replace_all("’", "'", literal=True)
    # Words are looked at in short texts only: those of all texts would need many times their room.
    short = said.str.len_chars() <= LONGEST
    said = pl.when(short).then(said)
    found = said.str.extract_all(_WORD)
    known = [*words["thanks"], *words["between"]]
    strange = found.list.eval(pl.element().filter(~pl.element().str.to_lowercase().is_in(known)))
    named = strange.list.eval(pl.element().str.contains(r"^\p{Lu}")).list.all()
    thanked = found.list.eval(pl.element().str.to_lowercase().is_in(list(words["thanks"]))).list.any()
    asks = said.str.contains(r"[?¿]|\d{3,}")
    return pl.when(short).then(thanked & ~asks & named & (strange.list.len() <= _NAMES)).when(short.is_not_null()).then(pl.lit(False))


def _listed(words: object) -> bool:
    return isinstance(words, list) and all(isinstance(word, str) for word in words)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None


def _parsed(text: str, name: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is not understood: {error}") from None
