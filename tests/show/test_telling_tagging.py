"""Do the sentences on what people read say what is known and no more?"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.show.telling.tagging import caution, checked, instructions, lines, tables
from fcrlib.signs.tagging import Marks

MODES = Taxonomy.shipped()
DRAWN = "customer_7d 064d; taxonomy 1 aaaaaaaa; 2026-08-10 to 2026-09-23; seed 0; demo to 2026-09-30T23:59:59+00:00; 40 of 400 failed contacts"


def marks(said: dict[str, list[str | None]], *, taxonomy: str = "1 aaaaaaaa") -> Marks:
    """Forty contacts, twenty that the rules call wrongly routed and twenty unexplained, out of 300 and 100."""
    ids = [f"{place:02}" for place in range(40)]
    sample = pl.DataFrame({"contact_id": ids, "stratum": ["wrong-routing"] * 20 + [UNEXPLAINED] * 20, "stratum_size": [300] * 20 + [100] * 20})
    raw = pl.concat(
        pl.DataFrame({"contact_id": ids, "mode": pl.Series(modes, dtype=pl.String)}).with_columns(tagger=pl.lit(who)) for who, modes in said.items()
    )
    same = {"source": pl.lit("demo"), "drawn": pl.lit(DRAWN)}
    rest = {"second_mode": pl.lit(None, pl.String), "note": pl.lit(None, pl.String), "settles": pl.lit(False), "taxonomy": pl.lit("1 aaaaaaaa")}
    return Marks(raw.with_columns(**same, **rest), sample.with_columns(**same), MODES.slugs, taxonomy)


ALIKE = ["wrong-routing"] * 20 + [UNEXPLAINED] * 20
FEWER = ["wrong-routing"] * 8 + ["knowledge-gap"] * 12 + [UNEXPLAINED] * 20


def test_where_nobody_has_read_that_is_said() -> None:
    assert "fcr tag export failures" in checked(None, taxonomy=MODES)
    assert tables(None, taxonomy=MODES) == []
    assert caution(None, taxonomy=MODES)[0].role == "care"


def test_rules_that_people_confirm_are_not_called_wrong() -> None:
    said = checked(marks({"Ann": ALIKE, "Bob": ALIKE}), taxonomy=MODES)
    assert said.startswith("2 people have read 40 contacts, drawn from 400 that failed. Ann and Bob call 100 % (91 to 100 %) of 40 alike;")
    assert said.endswith("No count by rule is clearly off, as far as a sample of this size can tell.")


def test_what_the_rules_count_too_often_or_too_rarely_is_named_with_both_counts() -> None:
    said = checked(marks({"Ann": FEWER}), taxonomy=MODES)
    assert said.startswith("Ann has read 40 contacts")
    assert f"The rules count too few: {MODES.mode('knowledge-gap').name} (0 by rule, " in said
    assert f"The rules count too many: {MODES.mode('wrong-routing').name} (300 by rule, " in said


def test_disputes_doubts_and_confusions_are_counted() -> None:
    doubts: list[str | None] = [*FEWER[:39], None]
    told = "\n".join(lines(marks({"Ann": [*ALIKE[:39], None], "Bob": doubts}), taxonomy=MODES))
    assert "They dispute 12; these are left out" in told
    assert "Of 1 nobody was sure." in told
    assert f"{MODES.mode('knowledge-gap').name} / {MODES.mode('wrong-routing').name} (12 of 20)" in told
    assert "kappa" in told


def test_marks_of_another_taxonomy_and_modes_that_are_gone_are_said() -> None:
    told = "\n".join(lines(marks({"Ann": ["lost-in-space"] * 3 + ALIKE[3:]}, taxonomy="2 bbbbbbbb"), taxonomy=MODES))
    assert "made under taxonomy 1 (aaaaaaaa)" in told
    assert "Modes that no longer exist: lost-in-space" in told
    assert "cannot be held against theirs" in told


def test_the_table_holds_both_counts_of_every_mode() -> None:
    table, right = tables(marks({"Ann": FEWER}), taxonomy=MODES)
    # 8 of 20 out of 300, and 20 of 20 out of 100.
    assert right.title.startswith("Rules and people name the same for 55 % of the failed contacts (")
    assert right.title.endswith(", 40 decided)")
    names = {MODES.mode("wrong-routing").name, MODES.mode("knowledge-gap").name, "none of the known ways"}
    assert set(table.numbers["name"]) == names
    assert table.numbers["adjusted"].sum() == 400
    assert table.numbers["rules"].sum() == 400


def test_people_who_are_sure_of_nothing_have_decided_nothing() -> None:
    blank = marks({"Ann": [None] * 40})
    assert "People have decided on no contact yet." in checked(blank, taxonomy=MODES)
    assert "not read" in "\n".join(lines(blank, taxonomy=MODES))
    assert len(tables(blank, taxonomy=MODES)) == 2


def test_the_instructions_name_the_files_and_how_they_come_back() -> None:
    sheet = pl.DataFrame({"contact": ["a"], "said": ["Ann: x / Bob: y"]})
    two = instructions(sheet.drop("said"), files=[Path("a.csv"), Path("b.csv")], legend=Path("m.csv"), options=" --desk d")
    assert two[-1].endswith("fcr tag import a.csv b.csv --desk d")
    assert "m.csv" in two[1]
    assert instructions(sheet, files=[Path("a.csv")], legend=Path("m.csv"))[-1].endswith("fcr tag import a.csv --settle")
