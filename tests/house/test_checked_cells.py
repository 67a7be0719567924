"""Does the comparison of kept outputs compare anything, or could it be green over nothing?

The comparison passes over a cell without an execution count, without outputs, or with a mark that says so: each of them has to be red here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from configparser import ConfigParser
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHECKED = "nbval-check-output"
PASSED_OVER = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception", "skip-execution"}
TOLD = ("text/plain", "application/json", "application/vnd.fcr.finding+json", "application/vnd.fcr.figure+json", "application/vnd.fcr.table+json")
Cell = dict[str, Any]


def tags(cell: Cell) -> set[str]:
    return set(cell["metadata"].get("tags", []))


def said(output: Cell) -> str:
    """The words of an output that the comparison reads: nothing of stderr, of errors and of bitmaps."""
    if output["output_type"] == "stream":
        return "".join(output["text"]) if output["name"] == "stdout" else ""
    data = output.get("data", {})
    return " ".join(json.dumps(data[kind]) for kind in TOLD if kind in data)


def hollow(book: Cell) -> list[str]:
    """Why the checked cells of a notebook check nothing; empty where each of them compares at least one number."""
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    checked = [cell for cell in code if CHECKED in tags(cell)]
    problems = [] if checked else ["no cell is checked"]
    for cell in checked:
        source, words = "".join(cell["source"]), " ".join(map(said, cell["outputs"]))
        told = {
            "was never run": not cell["execution_count"],
            "has no output": not cell["outputs"],
            "says no number": not re.search(r"\d", words),
            "ended in an error": any(output["output_type"] == "error" for output in cell["outputs"]),
            "is passed over": bool(tags(cell) & PASSED_OVER) or "NBVAL_" in source or "PYTEST_VALIDATE" in source,
            "is empty": not source.strip(),
        }
        problems += [f"{cell['id']} {what}" for what, so in told.items() if so]
    problems += [f"{cell['id']} keeps an output that nobody checks" for cell in code if cell not in checked and cell["outputs"]]
    problems += [
        f"{cell['id']} is passed over" for cell in code if cell not in checked and (tags(cell) & PASSED_OVER or "NBVAL_" in "".join(cell["source"]))
    ]
    parameters = sum("parameters" in tags(cell) for cell in code)
    problems += [] if parameters == 1 else [f"{parameters} cells are tagged parameters"]
    kernel = book["metadata"].get("kernelspec", {}).get("name")
    return [*problems, *([] if kernel == "python3" else [f"the kernel is {kernel}"])]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_compares_a_number(notebook: Path) -> None:
    assert hollow(json.loads(notebook.read_text(encoding="utf-8"))) == []


def test_what_is_left_out_of_the_comparison_is_an_address_and_nothing_else() -> None:
    rules = ConfigParser(interpolation=None)
    rules.read(ROOT / "tests" / "nbval.cfg", encoding="utf-8")
    assert {rules[name]["regex"] for name in rules.sections()} == {"0x[0-9a-f]+"}


def test_the_comparison_is_asked_for_by_everybody_who_runs_the_tests() -> None:
    asked = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "--nbval" in line]
    assert len(asked) == 1
    assert "--nbval-lax" in asked[0]
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def book() -> Cell:
    stream = {"output_type": "stream", "name": "stdout", "text": ['{"fcr": 0.71}\n']}
    cells = [
        {
            "cell_type": "code",
            "id": "parameters",
            "metadata": {"tags": ["parameters"]},
            "source": ["a: int = 1"],
            "outputs": [],
            "execution_count": None,
        },
        {"cell_type": "code", "id": "key", "metadata": {"tags": [CHECKED]}, "source": ["print(1)"], "outputs": [stream], "execution_count": 3},
    ]
    return {"metadata": {"kernelspec": {"name": "python3"}}, "cells": cells}


def test_a_notebook_that_compares_a_number_has_nothing_wrong() -> None:
    assert hollow(book()) == []


def key(change: Cell) -> Callable[[Cell], None]:
    return lambda found: found["cells"][1].update(deepcopy(change))


def stream(name: str, text: str) -> Cell:
    return {"outputs": [{"output_type": "stream", "name": name, "text": [text]}]}


FOOLED: dict[str, tuple[Callable[[Cell], None], str]] = {
    "stripped": (key({"outputs": [], "execution_count": None}), "was never run"),
    "no count": (key({"execution_count": None}), "was never run"),
    "no output": (key({"outputs": []}), "has no output"),
    "an empty output": (key(stream("stdout", "")), "says no number"),
    "stderr alone": (key(stream("stderr", "12 warnings")), "says no number"),
    "words alone": (key(stream("stdout", "all is well")), "says no number"),
    "a bitmap alone": (key({"outputs": [{"output_type": "display_data", "data": {"image/png": "iVBOR0"}, "metadata": {}}]}), "says no number"),
    "an error": (key({"outputs": [{"output_type": "error", "ename": "E1", "evalue": "1", "traceback": []}]}), "ended in an error"),
    "another tag": (key({"metadata": {"tags": [CHECKED, "nbval-ignore-output"]}}), "is passed over"),
    "a comment": (key({"source": ["# NBVAL_IGNORE_OUTPUT\n", "print(1)"]}), "is passed over"),
    "the tag is gone": (key({"metadata": {}, "outputs": []}), "no cell is checked"),
    "an output nobody checks": (lambda found: found["cells"][0].update(stream("stdout", "1")), "that nobody checks"),
    "the parameters are skipped": (lambda found: found["cells"][0]["metadata"]["tags"].append("nbval-skip"), "is passed over"),
    "no parameters": (lambda found: found["cells"].pop(0), "0 cells are tagged parameters"),
    "another kernel": (lambda found: found["metadata"]["kernelspec"].update(name="conda-env"), "the kernel is conda-env"),
}


@pytest.mark.parametrize(("change", "what"), FOOLED.values(), ids=FOOLED)
def test_a_comparison_of_nothing_is_seen(change: Callable[[Cell], None], what: str) -> None:
    fooled = book()
    change(fooled)
    assert any(what in problem for problem in hollow(fooled)), hollow(fooled)
