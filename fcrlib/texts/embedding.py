"""What does a text look like as numbers?

Texts that mean alike get vectors that point alike. What comes out does not depend on the number of threads, nor on which other texts are asked.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from fcrlib.model.errors import LibraryError, UsageError
from fcrlib.texts.readable import LONGEST

Floats = npt.NDArray[np.float32]
DEFAULT, FOLDER = "wordllama", "sentence-transformers"
_AT_ONCE = 8_192


@runtime_checkable
class Embedder(Protocol):
    """Anything that has a name and turns texts into rows of unit length (or of zeros, where a text says nothing)."""

    @property
    def name(self) -> str:
        """What `embedder` is asked for to get the same one again."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row for each text."""


@dataclass(frozen=True)
class WordLlama:
    """The mean of the vectors of a text's word parts, which need no download: they come with the package `wordllama`.

    Small and capital letters are the same. The language is English before all; others are told apart, and less finely.

    Examples
    --------
    >>> WordLlama().name
    'wordllama'
    """

    name: str = DEFAULT

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row of 256 numbers for each text.

        Raises
        ------
        UsageError
            If the package is not installed.
        """
        pieces, vectors = _word_parts()
        rows = [self._some(pieces, vectors, texts[at : at + _AT_ONCE]) for at in range(0, len(texts), _AT_ONCE)]
        return unit(np.concatenate(rows)) if rows else np.zeros((0, vectors.shape[1]), np.float32)

    def _some(self, pieces: Any, vectors: Floats, texts: Sequence[str]) -> Floats:
        from scipy.sparse import csr_array

        found = pieces.encode_batch_fast([_shortened(text) for text in texts], add_special_tokens=False)
        ids = [np.asarray(one.ids, np.int32) for one in found]
        ends = np.cumsum([0, *map(len, ids)])
        flat = np.minimum(np.concatenate(ids), len(vectors) - 1)
        # A sparse product adds up the vectors of a text in their order, on one thread.
        counts = csr_array((np.ones(len(flat), np.float32), flat, ends), shape=(len(ids), len(vectors)))
        return np.asarray(counts @ vectors, np.float32)


@dataclass(frozen=True)
class SentenceTransformers:
    """A model of the library `sentence-transformers` that lies in a folder of yours; on a GPU where there is one. Nothing is downloaded.

    Parameters
    ----------
    folder
        Where the model was saved.
    """

    folder: Path
    at_once: int = field(default=64, repr=False)

    @property
    def name(self) -> str:
        """The word for it, with the folder."""
        return f"{FOLDER}:{self.folder}"

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row for each text, as wide as the model makes it."""
        found = self._model.encode(
            [_shortened(text, lower=False) for text in texts], batch_size=self.at_once, normalize_embeddings=True, show_progress_bar=False
        )
        return unit(np.asarray(found, np.float32))

    @cached_property
    def _model(self) -> Any:
        return library(FOLDER, of="sentence_transformers").SentenceTransformer(str(self.folder), local_files_only=True)


def embedder(name: str | Embedder = DEFAULT) -> Embedder:
    """The embedder of a name: `wordllama`, or `sentence-transformers:FOLDER` for a model of your own.

    Raises
    ------
    UsageError
        For another word, a folder that is not there, or a library that is not installed.

    Examples
    --------
    >>> embedder("wordllama")
    WordLlama(name='wordllama')
    >>> embedder("glove")
    Traceback (most recent call last):
    fcrlib.model.errors.UsageError: texts are turned into numbers by 'wordllama' or 'sentence-transformers:FOLDER', not by 'glove'
    """
    if not isinstance(name, str):
        return name
    kind, _, folder = name.partition(":")
    if name == DEFAULT:
        installed(DEFAULT)
        return WordLlama()
    if kind != FOLDER or not folder:
        raise UsageError(f"texts are turned into numbers by '{DEFAULT}' or '{FOLDER}:FOLDER', not by '{name}'")
    if not Path(folder).is_dir():
        raise UsageError(f"there is no folder '{folder}' with a model for {FOLDER}: save one there first, with its `save`")
    installed(FOLDER, of="sentence_transformers")
    return SentenceTransformers(Path(folder))


def installed(name: str, *, of: str = "") -> None:
    """Make sure of a library that not everybody installs; its module is `of` where that is called otherwise.

    Raises
    ------
    LibraryError
        If it is not installed, with what to do.
    """
    if importlib.util.find_spec((of or name).split(".")[0]) is None:
        raise LibraryError(f"this needs the library '{name}', which is not installed here: `pip install {name}`")


def library(name: str, *, of: str = "") -> Any:
    """A library that not everybody installs, as in `installed`, or a part of it."""
    installed(name, of=of)
    return importlib.import_module(of or name)


def unit(rows: Floats) -> Floats:
    """Rows of length one; a row of zeros stays one."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def _shortened(text: str, *, lower: bool = True) -> str:
    start = text[:LONGEST]
    return start.lower() if lower else start


@lru_cache(maxsize=1)
def _word_parts() -> tuple[Any, Floats]:
    """The tokenizer and the vectors that lie in the package, read as files."""
    installed(DEFAULT)
    # The vectors are two files: importing the package that they come with would set up logging for the whole program.
    found = importlib.util.find_spec(DEFAULT)
    folder = Path(str(found and found.origin)).parent
    files = [*folder.glob("tokenizers/l2_supercat_tokenizer_config.json"), *folder.glob("weights/l2_supercat_256.safetensors")]
    if len(files) != 2:
        raise UsageError(f"the package '{DEFAULT}' that is installed here comes without its vectors: `pip install 'wordllama>=0.4,<1'`")
    pieces = library("tokenizers").Tokenizer.from_file(str(files[0]))
    pieces.no_padding()
    pieces.no_truncation()
    (vectors,) = library("safetensors.numpy").load_file(files[1]).values()
    return pieces, np.ascontiguousarray(vectors, np.float32)
