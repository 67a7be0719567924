"""Which parameters does a notebook take, and do the given values fit?

Read from the cell tagged `parameters`: annotated assignments, each with a comment that explains it. Everything wrong is told at once,
because a misspelt parameter that is only warned about gives a report made with the defaults.
"""

from __future__ import annotations

import ast
import difflib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcrlib.model.errors import UsageError

YES, NO = ("true", "yes", "1"), ("false", "no", "0")
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a parameters cell."""

    name: str
    type: str
    default: str
    help: str = ""


def declared(notebook: Path) -> dict[str, Parameter]:
    """Read what a notebook takes, by name, in the notebook's order; empty when it has no `parameters` cell.

    Raises
    ------
    UsageError
        If the notebook or its parameters cell cannot be read.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
        source = "".join(tagged[0]["source"]) if tagged else ""
        found = [_parameter(node, source.splitlines()) for node in ast.parse(source).body]
    except (OSError, ValueError, KeyError, TypeError, SyntaxError) as error:
        raise UsageError(f"notebook {notebook.name} cannot be read: {error}") from None
    return {parameter.name: parameter for parameter in found if parameter}


def _parameter(node: ast.stmt, lines: list[str]) -> Parameter | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        name, kind, value = node.target.id, ast.unparse(node.annotation), node.value
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant):
        name, kind, value = node.targets[0].id, type(node.value.value).__name__, node.value
    else:
        return None
    rest = lines[(value.end_lineno or 1) - 1].encode()[value.end_col_offset :].decode()
    return Parameter(name, kind, ast.unparse(value), rest.partition("#")[2].strip())


def read_file(file: Path) -> dict[str, object]:
    """Read values from a file: YAML, TOML or JSON, by its ending, one `name: value` (or `name = value`) for each parameter.

    A plain YAML value is taken as it is written, so that `no`, `007` and `2025_4` mean what the parameter's declared type says they mean.

    Raises
    ------
    UsageError
        If the file cannot be read or holds something else.
    """
    readers: dict[str, Callable[[str], Any]] = {".yaml": _yaml, ".yml": _yaml, ".toml": tomllib.loads, ".json": json.loads}
    if file.suffix not in readers:
        raise UsageError(f"{file} is no file of parameters", [f"its name ends in one of {', '.join(readers)}"])
    try:
        found = readers[file.suffix](file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise UsageError(f"{file} holds no parameters", ["write one `name: value` in each line"])
    return {name: value if isinstance(value, str | int | float | list | dict | None) else str(value) for name, value in found.items()}


def _yaml(text: str) -> object:
    import yaml  # type: ignore[import-untyped]

    try:
        written, meant = yaml.load(text, Loader=yaml.BaseLoader), yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    if not isinstance(written, dict) or not isinstance(meant, dict):
        return meant or {}
    # Both read the same lines in the same order; only the names of numbers and dates differ.
    pairs = zip(written.items(), meant.values(), strict=True)
    return {name: value if isinstance(value, str) and sense is not None else sense for (name, value), sense in pairs}


def check(given: Mapping[str, object], *, notebooks: Mapping[str, Mapping[str, Parameter]]) -> dict[str, dict[str, object]]:
    """Deal the given values out to the notebooks that declare them, each in the declared type.

    Parameters
    ----------
    given
        Values by parameter; text (from a command line) is read as the declared type.
    notebooks
        What each notebook declares, from `declared`.

    Returns
    -------
    dict
        Values by notebook, then by parameter.

    Raises
    ------
    UsageError
        With every unknown parameter and every value that does not fit.
    """
    known = {name for parameters in notebooks.values() for name in parameters}
    problems = [_unknown(name, sorted(known)) for name in given if name not in known]
    dealt: dict[str, dict[str, object]] = {notebook: {} for notebook in notebooks}
    for notebook, parameters in notebooks.items():
        for name in (name for name in given if name in parameters):
            try:
                dealt[notebook][name] = fit(given[name], type=parameters[name].type)
            except ValueError as error:
                problems.append(f"{name}: {error} (notebook {notebook})")
    if problems:
        raise UsageError("the parameters have mistakes; nothing was run:", list(dict.fromkeys(problems)))
    return dealt


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f", did you mean '{near[0]}'?" if near else "."
    return f"{name}: no notebook has this parameter{hint} Known: {', '.join(known) or 'none'}"


def fit(value: object, *, type: str) -> object:
    """Return a value in its declared type.

    Examples
    --------
    >>> fit("30", type="int"), fit("no", type="bool"), fit("2025_4", type="str"), fit(3, type="float")
    (30, False, '2025_4', 3.0)

    Raises
    ------
    ValueError
        If it does not fit.
    """
    kinds = [kind.strip().partition("[")[0] for kind in type.split("|")]
    if "None" in kinds and (value is None or value in ("none", "None", "null")):
        return None
    for kind in kinds:
        read = _read(value, kind)
        if read is not None:
            return read
    raise ValueError(f"{value!r} is not {_spell(kinds)}")


def _read(value: object, kind: str) -> object | None:
    if kind == "bool" and isinstance(value, str):
        return True if value.lower() in YES else False if value.lower() in NO else None
    if kind in ("int", "float") and isinstance(value, str | int | float) and not isinstance(value, bool):
        return _number(value, kind)
    expected = _TYPES.get(kind)
    exact = expected is not None and isinstance(value, expected) and (kind == "bool" or not isinstance(value, bool))
    return value if exact or (expected is None and kind != "None") else None


def _number(value: str | float, kind: str) -> int | float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    if number != number or abs(number) == float("inf"):
        return None
    return number if kind == "float" else int(number) if number.is_integer() and "e" not in str(value).lower() else None


def _spell(kinds: list[str]) -> str:
    words = {"str": "text (put it in quotes)", "int": "a whole number", "float": "a number", "bool": "true or false", "None": "none"}
    return " or ".join(words.get(kind, kind) for kind in kinds)
