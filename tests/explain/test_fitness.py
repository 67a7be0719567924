"""Are the facts about a desk true, and do the notebooks really do without what is said of them?"""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, reduce
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest

from fcrlib.explain import fitness
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.desk import Desk, Dropped
from fcrlib.model.period import Period
from fcrlib.model.policy import Policy
from fcrlib.model.tables import CAPABILITIES
from fcrlib.study import Study

DESK = redact(invent(contacts=3000))
BOOKS = Path(__file__).parents[2] / "notebooks"


def study_of(desk: Desk, *, period: str = "2026Q3", **more: Any) -> Study:
    return Study.of(desk, policy=Policy(), period=Period.parse(period), **more)


STUDY = study_of(DESK)


def with_manifest(**changes: object) -> Study:
    return study_of(replace(DESK, manifest=DESK.manifest.model_copy(update=changes)))


def lacking(*names: str) -> Study:
    return with_manifest(capabilities=DESK.manifest.capabilities - set(names))


def known(study: Study) -> dict[str, dict[str, Any]]:
    return {row["what"]: row for row in fitness.shares(study).to_dicts()}


def test_shares_are_of_the_contacts_of_the_period_and_answers_of_the_offers() -> None:
    told = known(STUDY)
    assert told["customer known"]["share"] == pytest.approx(STUDY.contacts["customer_ref"].is_not_null().mean())
    assert told["customer known"]["n"] == STUDY.contacts.height
    offered = DESK.surveys.filter(pl.col("offered_at").is_not_null()).join(STUDY.contacts, on=["source", "contact_id"], how="semi")
    assert told["survey offered"]["share"] * STUDY.contacts.height == pytest.approx(offered["contact_id"].n_unique())
    assert told["survey answered"]["of"] == "offers"
    assert told["survey answered"]["low"] < told["survey answered"]["share"] < told["survey answered"]["high"]


def test_where_offers_are_not_recorded_answers_are_of_the_contacts() -> None:
    told = known(study_of(replace(DESK, surveys=DESK.surveys.with_columns(offered_at=pl.lit(None, DESK.surveys.schema["offered_at"])))))
    assert (told["survey offered"]["n"], told["survey offered"]["share"]) == (0, None)
    assert (told["survey answered"]["of"], told["survey answered"]["n"]) == ("contacts", STUDY.contacts.height)


def test_what_the_desk_does_not_record_is_not_known_and_not_nought() -> None:
    told = known(lacking("has_text", "has_survey"))
    assert [told[what]["share"] for what in ("opening text", "survey answered")] == [None, None]


def test_the_clock_is_read_in_the_zone_of_the_study() -> None:
    here = fitness.clock(STUDY).row(0, named=True)
    assert (here["odd"], here["zone"]) == (False, DESK.manifest.time_zone)
    assert 9 < here["middle"] < 18
    there = fitness.clock(study_of(DESK, time_zone="Pacific/Auckland")).row(0, named=True)
    assert there["odd"]
    assert there["named"] == here["zone"]


def test_history_is_counted_from_the_start_of_the_data_to_the_period() -> None:
    told = fitness.depth(STUDY).row(0, named=True)
    assert told["before"] == pytest.approx(365, abs=1)
    assert (told["blind"], told["window"]) == (0, 7.0)
    first = fitness.depth(study_of(DESK, period="2025-07")).row(0, named=True)
    assert first["blind"] > 0
    assert first["share"] == pytest.approx(first["blind"] / first["n"])
    endless = replace(STUDY, policy=STUDY.policy.revised(window=None))
    assert fitness.depth(endless)["window"].to_list() == [None]


def test_the_newest_contact_is_held_against_the_data_end_and_not_against_what_lies_after_it() -> None:
    end = DESK.manifest.data_end
    cut = replace(DESK, contacts=DESK.contacts.filter(pl.col("opened_at") < end - timedelta(days=9)))
    told = fitness.newest(study_of(cut)).row(0, named=True)
    assert told["quiet"] == pytest.approx(9, abs=0.5)
    assert told["per_day"] > 1
    later = DESK.contacts.with_columns(opened_at=pl.when(pl.int_range(pl.len()) < 3).then(end + timedelta(days=2)).otherwise("opened_at"))
    assert fitness.newest(study_of(replace(DESK, contacts=later)))["later"].to_list() == [3]


def test_only_what_came_twice_is_doubled() -> None:
    dropped = (Dropped(what="tickets", count=6, why="the same record again"), Dropped(what="events", count=2, why="without a time"), Dropped(what="rows", count=0, why="exact duplicates"))  # fmt: skip
    assert fitness.doubled(with_manifest(dropped=dropped)).rows() == [("tickets", 6, "the same record again")]


# --- notebooks ------------------------------------------------------------------------------------------------------------------


def allowed(study: Study) -> dict[str, dict[str, str]]:
    return {row["notebook"]: row for row in fitness.notebooks(study).to_dicts()}


def test_the_demo_runs_every_notebook_fully() -> None:
    assert {row["runs"] for row in allowed(STUDY).values()} == {"fully"}


def test_what_is_missing_is_named_where_it_is_missed() -> None:
    told = allowed(lacking("has_survey", "has_text"))
    assert (told["05_csat"]["runs"], told["05_csat"]["without"]) == ("not", "surveys")
    assert told["01_baseline"]["off"] == "What customers say (no surveys)"
    assert told["02_failure_modes"]["without"] == "texts"
    assert told["00_data_quality"]["runs"] == "fully"


def test_every_capability_has_a_short_word() -> None:
    assert set(fitness.IN_SHORT) == set(CAPABILITIES)


def cells(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((BOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return found


def test_every_notebook_is_declared_with_its_question_and_headings_that_it_has() -> None:
    assert sorted(path.stem for path in BOOKS.glob("*.ipynb")) == sorted(fitness.NOTEBOOKS)
    for name, one in fitness.NOTEBOOKS.items():
        words = ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "markdown"]
        assert words[0].strip() == f"# {one.question}"
        headings = [text.splitlines()[0].lstrip("# ") for text in words]
        assert set(one.sections) <= set(headings), name


NOTHING_OF = {
    "has_customer": {"contacts": ("customer_ref",)},
    "has_category": {"contacts": ("category", "subcategory", "product_area")},
    "has_text": {"contacts": ("subject", "body"), "events": ("text",), "surveys": ("comment",)},
    "has_cost": {"contacts": ("cost", "currency")},
    "has_handle_time": {"contacts": ("handle_seconds",)},
}
KINDS = {
    "has_status_history": ["status"],
    "has_messages": ["message", "note"],
    "has_public_flag": ["note"],
    "has_group_history": ["assignment", "transfer", "escalation"],
}
GONE = {"has_survey": ("surveys",), "has_retention": ("customers",), "has_events": ("events",), "has_customer": ("identifiers", "customers")}
WITH_IT = {"has_events": {"has_status_history", "has_messages", "has_public_flag", "has_group_history"}, "has_messages": {"has_public_flag"}, "has_customer": {"has_retention"}}  # fmt: skip


def stripped(desk: Desk, capability: str) -> Desk:
    """The desk as if it never recorded this."""
    tables = desk.tables()
    for table, columns in NOTHING_OF.get(capability, {}).items():
        tables[table] = tables[table].with_columns(pl.lit(None, dtype=tables[table].schema[name]).alias(name) for name in columns)
    if capability in KINDS:
        tables["events"] = tables["events"].filter(~pl.col("kind").is_in(KINDS[capability]))
    for table in GONE.get(capability, ()):
        tables[table] = tables[table].clear()
    left = desk.manifest.capabilities - {capability} - WITH_IT.get(capability, set())
    return Desk(desk.manifest.model_copy(update={"capabilities": frozenset(left)}), **tables)


class Shown:
    """What the cells of a notebook show: per cell the words and the numbers, and how many rows each figure and table has."""

    def __init__(self, name: str, desk: Path) -> None:
        self.rows: dict[str, int] = {}
        self.said: dict[str, list[str]] = {}
        names: dict[str, Any] = {"display": self.take, "print": lambda *words, **_: self.take(*words)}
        for cell in cells(name):
            if cell["cell_type"] == "code":
                self.here = cell["id"]
                self.run("".join(cell["source"]), names)
                if cell["id"] == "parameters":
                    names |= {"desk": str(desk), "period": "2026Q3"}

    def run(self, source: str, names: dict[str, Any]) -> None:
        tree = ast.parse(source)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, self.here, "exec"), names)
        if isinstance(last, ast.Expr) and (value := eval(compile(ast.Expression(last.value), self.here, "eval"), names)) is not None:
            self.take(value)

    def take(self, *things: Any) -> None:
        for thing in things:
            numbers = getattr(thing, "numbers", None)
            if numbers is not None:
                self.rows[thing.id] = numbers.height
            words = [str(thing)] if isinstance(thing, str) else [getattr(thing, part, "") for part in ("title", "note", "statement")]
            self.said.setdefault(self.here, []).append(
                f"{words} {numbers.select(cs.numeric().cast(pl.Float64).round(9)).rows() if numbers is not None else ''}"
            )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a notebook shows on the demo desk without some capabilities."""
    folder = tmp_path_factory.mktemp("desks")
    # Large enough for what moves few contacts to show.
    large = redact(invent(contacts=5000))

    @lru_cache
    def look(name: str, *without: str) -> Shown:
        place = folder / ("-".join(without) or "all")
        if not place.exists():
            reduce(stripped, without, large).save(place)
        return Shown(name, place)

    return look


SECTIONS = [(name, figure, need) for name, one in fitness.NOTEBOOKS.items() for figure, needs in one.sections.values() for need in needs]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "figure", "need"), SECTIONS)
def test_a_section_is_empty_exactly_where_it_is_said_to_be(name: str, figure: str, need: str, shown: Any) -> None:
    assert shown(name).rows[figure] > 0
    assert shown(name, need).rows[figure] == 0


def _read(one: fitness.Notebook) -> set[str]:
    sections = {need for _, needs in one.sections.values() for need in needs}
    return {*one.needs, *one.counts, *sections}


def unread(one: fitness.Notebook) -> tuple[str, ...]:
    return tuple(name for name in CAPABILITIES if name not in _read(one) and name not in WITH_IT)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in fitness.NOTEBOOKS if name != "00_data_quality"])
def test_what_a_notebook_is_not_said_to_read_changes_nothing_in_it(name: str, shown: Any) -> None:
    without = unread(fitness.NOTEBOOKS[name])
    assert without
    assert shown(name, *without).said == shown(name).said


COUNTED = [(name, capability) for name, one in fitness.NOTEBOOKS.items() for capability in (*one.counts, *one.needs)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "capability"), COUNTED)
def test_what_a_notebook_is_said_to_count_moves_something_in_it(name: str, capability: str, shown: Any) -> None:
    assert shown(name, capability).said != shown(name).said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "capability"), [(name, need) for name, one in fitness.NOTEBOOKS.items() for need in one.needs])
def test_a_notebook_whose_question_has_no_answer_shows_fewer_than_half_of_its_tables(name: str, capability: str, shown: Any) -> None:
    full = [figure for figure, rows in shown(name).rows.items() if rows]
    left = [figure for figure in full if shown(name, capability).rows.get(figure)]
    assert len(left) < 0.5 * len(full)
