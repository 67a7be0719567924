"""A change is called one only when it is more than noise, and only when both periods mean the same."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.finding import Finding, Measure
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.publish import findings


def content(*shown: Finding, policy: str = "customer_7d") -> dict[str, Any]:
    harvest = findings.Harvest(tuple(findings.Found(finding, "10", "c") for finding in shown), (), ())
    rule = findings.definitions(Policy.named(policy))
    return findings.content(harvest, period=Period.parse("2026Q3"), definitions=rule, organisation="", data={"invented": False})


def measured(id: str, value: float | None, **more: Any) -> Finding:
    return Finding(id, "finding", id, measure=Measure(value, **more))


@pytest.mark.parametrize(
    ("before", "now", "label"),
    [
        (measured("a", 0.70, n=30000), measured("a", 0.72, n=30000), "up"),
        (measured("a", 0.72, n=30000), measured("a", 0.70, n=30000), "down"),
        (measured("a", 0.70, n=100), measured("a", 0.72, n=100), "within noise"),
        (measured("a", 0.70, low=0.6, high=0.8, n=30000), measured("a", 0.72, low=0.6, high=0.8, n=30000), "within noise"),
        (measured("a", 4.0, low=3.9, high=4.1, unit="score"), measured("a", 4.5, low=4.4, high=4.6, unit="score"), "up"),
        (measured("a", 100, unit="contacts"), measured("a", 110, unit="contacts"), "within noise"),
        (measured("a", 100, unit="contacts"), measured("a", 200, unit="contacts"), "up"),
        (measured("a", 1.0, unit="hours"), measured("a", 2.0, unit="hours"), "not comparable"),
        (measured("a", None), measured("a", 0.5, n=9), "not comparable"),
        (measured("a", 0.0, n=50), measured("a", 0.0, n=50), "within noise"),
        (measured("b", 0.5), measured("a", 0.5), "new"),
    ],
)
def test_a_change_is_named_by_what_chance_allows(before, now, label) -> None:
    assert findings.compare(content(now), content(before))["a"].label == label


def test_what_is_missing_now_is_gone() -> None:
    changes = findings.compare(content(), content(measured("a", 0.5)))
    assert changes["a"].label == "gone"
    assert findings.compared(content(), content(measured("a", 0.5)))["gone"] == [{"id": "a", "role": "finding", "title": "a"}]


def test_another_definition_is_never_taken_for_movement() -> None:
    changes = findings.compare(content(measured("a", 0.9, n=9999)), content(measured("a", 0.5, n=9999), policy="customer_30d"))
    assert (changes["a"].label, changes["a"].why, changes["a"].delta) == ("not comparable", "definition changed", None)


def test_without_an_earlier_report_nothing_changed() -> None:
    now = content(measured("a", 0.5))
    assert findings.compare(now, None) == {}
    assert findings.compared(now, None)["findings"][0]["change"] is None


def test_one_id_is_one_thing(tmp_path) -> None:
    for name, value in (("1", 0.5), ("2", 0.6)):
        output = nbformat.v4.new_output("display_data", measured("a", value)._repr_mimebundle_())
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", id="x", outputs=[output])])
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(book))
    assert len(findings.harvest([tmp_path / "1.ipynb", tmp_path / "1.ipynb"]).findings) == 1
    with pytest.raises(UsageError, match="'a' is shown twice"):
        findings.harvest([tmp_path / "1.ipynb", tmp_path / "2.ipynb"])


def test_a_damaged_or_foreign_file_is_refused(tmp_path) -> None:
    file = tmp_path / "findings.json"
    assert findings.read(file) is None
    for text in ("{", "{}", '{"schema": 99}'):
        file.write_text(text)
        with pytest.raises(DataError):
            findings.read(file)
