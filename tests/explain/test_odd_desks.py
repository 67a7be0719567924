"""A desk where nothing failed, or with hundreds of categories, is explained as far as it can be, and never ends the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from fcrlib.explain import drivers, failure_modes, fishbone, friction
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.model.columns import OTHERS
from fcrlib.model.desk import Desk
from fcrlib.study import Study

DESK = redact(invent(seed=3, contacts=1500))


def opened(desk: Desk, folder: Path) -> Study:
    return Study.open(desk.save(folder), period="2026-01-01..2026-09-30", policy="customer_7d")


def test_where_nothing_failed_there_is_no_why(tmp_path: Path) -> None:
    resolved = opened(DESK, tmp_path / "all").everything.filter(pl.col("label") == "resolved").select("source", "contact_id")
    kept = {name: getattr(DESK, name).join(resolved, on=["source", "contact_id"], how="semi") for name in ("contacts", "events", "surveys")}
    study = opened(replace(DESK, **kept), tmp_path / "resolved")
    tags = failure_modes.tagged(study)
    assert tags.is_empty()
    assert study.headline["failed"] == 0
    assert drivers.whys(study, tags=tags).branches == ()


@pytest.mark.parametrize("values", [299, 400])
def test_many_categories_are_lumped_where_alike_contacts_are_looked_for(tmp_path: Path, values: int) -> None:
    named = pl.format("category {}", pl.int_range(pl.len()) % values)
    study = opened(replace(DESK, contacts=DESK.contacts.with_columns(category=named)), tmp_path / "many")
    causes = fishbone.of_study(study, tags=failure_modes.tagged(study))
    assert causes.height > 3
    assert causes["n"].sum() > 0


def test_of_many_categories_the_largest_stay_themselves() -> None:
    names = [f"c{place:03}" for place in range(400)] + ["c399"] * 5
    frame = pl.DataFrame({"category": [*names, None]})
    lumped = frame.select(fishbone._lumped(frame, "category"))["category"]
    assert lumped.n_unique() == 300
    assert (lumped == "c399").sum() == 6
    assert lumped.null_count() == 1
    assert (lumped == OTHERS).sum() == 400 - 298


def test_many_areas_make_a_board_that_fits_a_page() -> None:
    board = pl.DataFrame({"area": [f"{k:0120}" for k in range(400)], "mode": "bug", "name": "a fault", "outside": True, "n": 1})
    assert friction.grid(board)["area"].n_unique() == 12
