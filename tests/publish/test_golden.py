"""Do the notebooks still find on a small desk what they found when somebody last looked, whatever the order of its rows?

`pytest tests/publish/test_golden.py --update-golden` writes `golden.json` anew; what moved is then read in its diff.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk
from fcrlib.publish.run import run

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("golden.json")
TOLERANCE = 1e-9
"""Relative; sums of floats are added in another order on another machine."""
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def stated(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a report states, by the path of each value: roles, grades, the numbers in titles, measures, costs; in the order of the report."""
    kept: dict[str, Any] = {
        "kpis": [one["id"] for one in content["kpis"]],
        "findings": [one["id"] for one in content["findings"]],
        "figures": {one["id"]: NUMBER.findall(one["title"]) for one in content["figures"]},
    }
    for one in (*content["kpis"], *content["findings"]):
        said = {"role": one["role"], "grade": one["grade"], "numbers": NUMBER.findall(f"{one['title']} {one['statement']}")}
        kept[one["id"]] = {**said, "measure": one["measure"], "cost": one["cost"], "evidence": one["evidence"]}
    return kept


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        yield f"{path}/#", len(value)
        for place, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{place}")
    else:
        yield path, value


def same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return bool(one == pytest.approx(other, rel=TOLERANCE, abs=TOLERANCE))
    return bool(one == other)


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs, in words, in the order of the report."""
    was, now = dict(leaves(before)), dict(leaves(after))
    paths = dict.fromkeys((*was, *now))
    return [f"{path}: was {was.get(path)!r}, is {now.get(path)!r}" for path in paths if not same(was.get(path), now.get(path))]


@pytest.fixture(scope="module")
def small() -> Desk:
    return redact(invent(seed=11, contacts=4_000))


def found(desk: Desk, folder: Path) -> dict[str, Any]:
    """What the notebooks find on a desk; what tells the two desks of this test apart is left out."""
    ran = run("2026Q3", desk=desk.save(folder / "desk"), notebooks=ROOT / "notebooks", reports=folder / "reports", settings=settings(folder), jobs=2)
    assert ran.status == "published", (ran.message, ran.gates)
    content: dict[str, Any] = json.loads((ran.folder / "findings.json").read_text(encoding="utf-8"))
    del content["data"]["fingerprint"]
    return content


def settings(folder: Path) -> Path:
    """Settings that say nothing: the project's own may name other topics and costs."""
    (folder / "fcr.toml").write_text("", encoding="utf-8")
    return folder / "fcr.toml"


@pytest.fixture(scope="module")
def content(small: Desk, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return found(small, tmp_path_factory.mktemp("golden"))


@pytest.mark.slow
def test_the_notebooks_find_what_they_found(content: dict[str, Any], request: pytest.FixtureRequest) -> None:
    now = stated(content)
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    differences = moved(json.loads(GOLDEN.read_text(encoding="utf-8")), now)
    assert differences == [], f"{len(differences)} values moved; if that is meant, write them anew with --update-golden"


@pytest.mark.slow
def test_the_order_of_rows_and_the_number_of_threads_change_no_letter(
    small: Desk, content: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=3) for name, frame in small.tables().items()}
    assert not shuffled["contacts"].equals(small.contacts)
    threads = pl.thread_pool_size()
    monkeypatch.setenv("POLARS_MAX_THREADS", "1" if threads > 1 else "3")
    again = found(Desk.build(small.manifest, **shuffled), tmp_path)
    assert os.environ["POLARS_MAX_THREADS"] != str(threads)
    assert moved(content, again) == []
    assert json.dumps(again) == json.dumps(content)


def test_what_moved_is_told_by_its_path() -> None:
    was = {"fcr": {"measure": {"value": 0.7, "n": 10}, "numbers": ["70.0"]}, "gone": {"role": "finding"}}
    now = {"fcr": {"measure": {"value": 0.7 + 1e-8, "n": 10}, "numbers": ["70.0", "9"]}}
    assert [line.partition(":")[0] for line in moved(was, now)] == ["/fcr/measure/value", "/fcr/numbers/#", "/gone/role", "/fcr/numbers/1"]
    assert moved(was, {**was, "fcr": {**was["fcr"], "measure": {"value": 0.7 + 1e-11, "n": 10}}}) == []
    assert moved({"a": None}, {"a": 0.0}) == ["/a: was None, is 0.0"]
    assert moved({"a": 0.5}, {"a": None}) == ["/a: was 0.5, is None"]
