"""Do texts that mean alike look alike as numbers, and does it not matter what else is asked?"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.texts.embedding import embedder, library, unit

pytestmark = pytest.mark.skipif(find_spec("wordllama") is None, reason="the word vectors are not installed")
SAID = ["My card has not arrived", "Where is the card that you sent?", "The export gives an empty file", "THE EXPORT GIVES AN EMPTY FILE", ""]


def test_what_means_alike_lies_close_and_what_does_not_lies_apart() -> None:
    rows = embedder().embed(SAID)
    near = rows @ rows.T
    assert near[0, 1] > near[0, 2] + 0.2
    assert near[2, 3] == pytest.approx(1, abs=1e-6)


def test_every_row_has_length_one_and_a_text_without_words_has_zeros() -> None:
    rows = embedder("wordllama").embed(SAID)
    assert rows.shape == (5, 256)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 1, 1, 0], abs=1e-6)
    assert embedder().embed([]).shape == (0, 256)


def test_a_text_gets_the_same_numbers_whatever_stands_beside_it() -> None:
    many = embedder().embed([*SAID, *(f"filler number {at} of many" for at in range(500))])
    assert np.array_equal(many[:5], embedder().embed(SAID))


def test_a_megabyte_of_text_is_read_from_its_beginning() -> None:
    start = "my card has not arrived " * 400
    long, longer = embedder().embed([start, start + "the export is empty " * 50_000])
    assert np.array_equal(long, longer)


def test_embedding_loads_no_package_that_changes_the_logging_of_the_program() -> None:
    code = "import sys, logging; from fcrlib.texts.embedding import WordLlama; WordLlama().embed(['hello']); print(logging.root.handlers, 'wordllama' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[] False"


@pytest.mark.parametrize("name", ["glove", "", "sentence-transformers", "sentence-transformers:"])
def test_a_name_nobody_knows_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UsageError, match="'wordllama' or 'sentence-transformers:FOLDER'"):
        embedder(name)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*nowhere"):
        embedder(f"sentence-transformers:{tmp_path / 'nowhere'}")


def test_a_library_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(UsageError, match="`pip install no-such-library`"):
        library("no-such-library", of="no_such_library")


def test_an_object_that_embeds_is_taken_as_it_is() -> None:
    class Mine:
        name = "mine"

        def embed(self, texts: list[str]) -> np.ndarray:
            return unit(np.ones((len(texts), 2), np.float32))

    mine = Mine()
    assert embedder(mine) is mine
