"""A misspelt parameter is an error, not a report made with the defaults."""

import json

import nbformat
import pytest

from fcrlib.model.errors import UsageError
from fcrlib.publish.parameters import Parameter, check, declared, fit

CELL = """\
desk: str = "data/demo"  # folder of the desk
window_days: int = 7  # days of silence that count as solved
share: float = 0.5
strict: bool = False  # a '#' in the comment
label: str | None = None"""


def test_the_parameters_cell_is_a_help_page(write) -> None:
    found = declared(write("one", "1", parameters=CELL))
    assert list(found) == ["desk", "window_days", "share", "strict", "label"]
    assert found["window_days"] == Parameter("window_days", "int", "7", "days of silence that count as solved")
    assert declared(write("two", "1")) == {}


def test_everything_wrong_is_told_at_once(write) -> None:
    notebooks = {"one": declared(write("one", "1", parameters=CELL))}
    with pytest.raises(UsageError) as error:
        check({"window_day": 30, "share": "much", "strict": "perhaps", "desk": 3}, notebooks=notebooks)
    assert "did you mean 'window_days'?" in str(error.value)
    assert "Known: desk, label, share, strict, window_days" in str(error.value)
    assert len(error.value.problems) == 4


def test_a_value_goes_to_the_notebooks_that_declare_it() -> None:
    one, other = {"a": Parameter("a", "int", "1")}, {"b": Parameter("b", "str", "''")}
    assert check({"a": "3", "b": "2026Q3"}, notebooks={"one": one, "other": other}) == {"one": {"a": 3}, "other": {"b": "2026Q3"}}


@pytest.mark.parametrize(
    ("value", "kind", "expected"), [("007", "str", "007"), ("30", "int", 30), ("true", "bool", True), (2, "float", 2.0), (None, "str | None", None)]
)
def test_text_is_read_as_the_declared_type(value, kind, expected) -> None:
    assert fit(value, type=kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"), [("1e5", "int"), ("2025_4", "bool"), ("nan", "float"), (True, "int"), (1.5, "int"), (2025, "str"), (1, "bool")]
)
def test_what_does_not_fit_is_refused(value, kind) -> None:
    with pytest.raises(ValueError, match="is not"):
        fit(value, type=kind)


def test_a_broken_notebook_is_named(tmp_path) -> None:
    (tmp_path / "bad.ipynb").write_text("{}")
    with pytest.raises(UsageError, match=r"bad\.ipynb"):
        declared(tmp_path / "bad.ipynb")
    cell = nbformat.v4.new_code_cell("x: int =", metadata={"tags": ["parameters"]})
    (tmp_path / "worse.ipynb").write_text(json.dumps(nbformat.v4.new_notebook(cells=[cell])))
    with pytest.raises(UsageError, match=r"worse\.ipynb"):
        declared(tmp_path / "worse.ipynb")
