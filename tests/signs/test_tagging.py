"""Do worksheets of failed contacts go out fair and blind, and does what comes back count for what it is?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from fcrlib.explain.failure_modes import tag
from fcrlib.intake.demo import invent
from fcrlib.intake.redact import redact
from fcrlib.intake.tables.worksheet import write
from fcrlib.judge.outcomes import judge
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.policy import Policy
from fcrlib.model.taxonomy import UNEXPLAINED, Taxonomy
from fcrlib.signs import tagging
from fcrlib.signs.tag_sheet import SHOWN, shown

KEY = ["source", "contact_id"]
POLICY, MODES = Policy(), Taxonomy.shipped()
DESK = redact(invent(contacts=4000))
OUTCOMES = judge(DESK, policy=POLICY)
TAGS = tag(DESK, OUTCOMES, taxonomy=MODES)
ANY = pl.lit(True)


def drawn(**given: object) -> pl.DataFrame:
    return tagging.sample(DESK, OUTCOMES, tags=TAGS, taxonomy=MODES, policy=POLICY, **{"within": ANY, **given})  # type: ignore[arg-type]


SAMPLE = drawn()


def sheet(folder: Path, said: pl.Series | str, *, who: str | None = "Ann", name: str = "sheet.csv", frame: pl.DataFrame = SAMPLE) -> Path:
    """A worksheet as it comes back."""
    file = write(frame, folder / name, key="contact", blank=tagging.BLANK)
    back = pl.read_csv(file, infer_schema=False)
    answers = pl.lit(said) if isinstance(said, str) else said
    back.with_columns(mode=answers, tagger=pl.lit(who, pl.String)).write_csv(file, separator=";")
    return file


def back(*files: Path, taxonomy: Taxonomy = MODES, **given: object) -> tagging.Marks:
    sheets = [tagging.read_sheet(file, desk=DESK, taxonomy=taxonomy) for file in files]
    return tagging.conclude(sheets, taxonomy=taxonomy, **given)  # type: ignore[arg-type]


def by_rule(frame: pl.DataFrame = SAMPLE) -> pl.Series:
    named = TAGS.filter("primary").select(contact=pl.format("contact {} ({})", "contact_id", "source"), rule="mode")
    return frame.select("contact").join(named, on="contact", how="left", maintain_order="left")["rule"].alias("mode")


def test_the_sample_is_the_same_for_the_same_seed_whatever_the_order_of_rows() -> None:
    shuffled = replace(DESK, contacts=DESK.contacts.sample(fraction=1, shuffle=True, seed=1))
    again = tagging.sample(shuffled, OUTCOMES.reverse(), tags=TAGS.reverse(), taxonomy=MODES, policy=POLICY, within=ANY)
    assert SAMPLE.equals(again)
    assert set(drawn(seed=1)["contact"]) != set(SAMPLE["contact"])


def test_every_way_of_failing_is_drawn_and_the_strata_add_up() -> None:
    rules = by_rule().value_counts(name="n")
    assert set(rules["mode"]) == set(TAGS.filter("primary")["mode"])
    assert rules["n"].min() >= 4
    assert SAMPLE.height == SAMPLE["contact"].n_unique() == 100
    of = int(SAMPLE["drawn"][0].split(" of ")[-1].split()[0])
    assert SAMPLE.unique("stratum")["stratum_size"].sum() == of


def test_a_worksheet_does_not_tell_what_the_rules_think() -> None:
    codes = SAMPLE.select("stratum", by_rule()).unique()
    assert codes["stratum"].n_unique() == codes["mode"].n_unique() == codes.height
    text = SAMPLE.select("stratum", "stratum_size", "drawn").write_csv()
    assert not [slug for slug in (*MODES.slugs, UNEXPLAINED) if slug in text]
    assert not {"evidence", "confidence", "rule", "by"} & set(SAMPLE.columns)
    assert SAMPLE.columns[-3:] == ["stratum", "stratum_size", "drawn"]


def test_only_final_failures_of_the_last_days_are_drawn() -> None:
    recent = tagging.sample(DESK, OUTCOMES, tags=TAGS, taxonomy=MODES, policy=POLICY, days=60)
    started = recent["started"].str.to_date()
    end = DESK.manifest.data_end.date()
    assert (end - started.min()).days <= 60 + 7
    assert (end - started.max()).days >= 7
    failed = OUTCOMES.filter(pl.col("label") == "failed").select(contact=pl.format("contact {} ({})", "contact_id", "source"))
    assert recent.join(failed, on="contact", how="anti").is_empty()
    late = OUTCOMES.with_columns(horizon_at=pl.lit(DESK.manifest.data_end) + pl.duration(days=1))
    only = tagging.sample(DESK, late, tags=TAGS, taxonomy=MODES, policy=POLICY, within=ANY)
    assert set(only["failed_how"]) == {"never resolved"}


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(UsageError, match="50 to 200"):
        drawn(n=20)
    with pytest.raises(UsageError, match="30 to 60"):
        drawn(days=7, within=None)
    with pytest.raises(DataError, match="nothing to read"):
        drawn(within=pl.lit(False))
    many = TAGS.with_columns(mode=pl.col("contact_id"))
    with pytest.raises(UsageError, match="too few for"):
        tagging.sample(DESK, OUTCOMES, tags=many, taxonomy=MODES, policy=POLICY, within=ANY)


def test_two_taggers_read_the_same_contacts_in_another_order() -> None:
    one, two = tagging.for_taggers(SAMPLE, taggers=2, seed=5)
    assert one.sort("contact").equals(two.sort("contact"))
    places = one.with_row_index("first").join(two.with_row_index("second"), on="contact")
    assert abs(places.select(pl.corr("first", "second")).item()) < 0.3
    assert len(tagging.for_taggers(SAMPLE, taggers=1)) == 1


def test_a_reader_sees_the_opening_the_answer_and_the_words_on_coming_back() -> None:
    asked = OUTCOMES.filter(pl.col("label") == "failed").select(KEY)
    told = shown(DESK, OUTCOMES, asked=asked)
    assert told.columns == [*KEY, *SHOWN]
    assert told.select(KEY).equals(asked)
    reopened = told.filter(pl.col("failed_how") == "reopened after it was resolved")
    assert reopened["came_back_with"].null_count() < 0.05 * reopened.height
    own = DESK.events.filter(pl.col("kind") == "message", pl.col("actor") == "customer").group_by(KEY).agg(said=pl.col("text"))
    row = reopened.drop_nulls("came_back_with").join(own, on=KEY).row(0, named=True)
    assert row["came_back_with"].split(" / ")[0] in row["said"][1:]
    assert told["history"].str.contains("handed over (once|twice|3 times)").any()


def test_a_mode_may_be_written_by_slug_or_name_in_any_spelling(tmp_path: Path) -> None:
    wanted = MODES.modes[0]
    words = pl.Series(
        [wanted.name.upper(), f" {wanted.slug} ", wanted.slug.replace("-", "_"), wanted.slug.replace("-", " "), "?", "None", None] + [None] * 93
    )
    marks = back(sheet(tmp_path, words))
    assert marks.raw["mode"].to_list() == [wanted.slug] * 4 + [None, UNEXPLAINED]
    assert sorted(marks.modes["mode"]) == [wanted.slug] * 4 + [UNEXPLAINED]
    assert marks.sample.height == 100
    assert marks.volumes()["adjusted"].null_count() > 0


def test_what_the_rules_said_is_known_again_when_it_comes_back(tmp_path: Path) -> None:
    marks = back(sheet(tmp_path, by_rule()))
    known = marks.sample.join(TAGS.filter("primary"), on=KEY)
    assert known.height == 100
    assert (known["stratum"] == known["mode"]).all()
    assert marks.quality()["precision"].drop_nulls().to_list() == pytest.approx([1.0] * marks.quality().height)
    assert marks.volumes()["adjusted"].to_list() == pytest.approx(marks.volumes()["rules"].to_list())


def test_every_mistake_of_a_worksheet_is_told_at_once(tmp_path: Path) -> None:
    words = by_rule().scatter([0, 1], ["wrong-ruoting", "zzzz"])
    file = sheet(tmp_path, words)
    frame = pl.read_csv(file, separator=";", infer_schema=False)
    spoilt = frame.with_columns(
        tagger=pl.when(pl.int_range(pl.len()) == 3).then(None).when(pl.int_range(pl.len()) == 4).then(pl.lit("Bob")).otherwise("tagger"),
        second_mode=pl.when(pl.int_range(pl.len()) == 5).then(pl.lit("undocumented bugs")),
        contact=pl.when(pl.int_range(pl.len()) == 6).then(pl.lit("contact 1 (elsewhere)")).otherwise("contact"),
    )
    spoilt.write_csv(file)
    with pytest.raises(DataError) as told:
        back(file)
    assert told.value.problems == (
        "row 8: 'contact 1 (elsewhere)' there is no such contact",
        "row 2: 'wrong-ruoting' is no answer; did you mean wrong-routing?",
        "row 3: 'zzzz' is no answer",
        "row 7: 'undocumented bugs' is no answer; did you mean undocumented-bug?",
        "rows 5: several people marked this worksheet, so every mark needs its tagger",
    )


def test_a_worksheet_without_a_name_or_with_one_name_in_one_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="write your name into it"):
        back(sheet(tmp_path, by_rule(), who=None))
    file = sheet(tmp_path, by_rule())
    once = pl.read_csv(file, separator=";", infer_schema=False)
    once.with_columns(tagger=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("Ann"))).write_csv(file)
    assert back(file).raw["tagger"].unique().to_list() == ["Ann"]


def test_two_worksheets_under_one_name_or_of_two_samples_are_refused(tmp_path: Path) -> None:
    one, two = sheet(tmp_path, by_rule(), name="a.csv"), sheet(tmp_path, by_rule(), who="ann", name="b.csv")
    with pytest.raises(DataError) as told:
        back(one, two)
    assert "the name 'ann'" in told.value.problems[0]
    other = drawn(seed=1)
    with pytest.raises(UsageError, match="2 samples"):
        back(one, sheet(tmp_path, by_rule(other), who="Bob", name="c.csv", frame=other))


def test_a_worksheet_of_another_desk_or_with_spoilt_strata_is_refused(tmp_path: Path) -> None:
    away = SAMPLE.with_columns(pl.col("drawn").str.replace("; demo to", "; acme to"))
    with pytest.raises(UsageError, match="was not made for this desk"):
        back(sheet(tmp_path, by_rule(), frame=away))
    odd = SAMPLE.with_columns(stratum_size=pl.when(pl.int_range(pl.len()) == 0).then(-1).otherwise("stratum_size"))
    with pytest.raises(DataError, match="cannot be put together"):
        back(sheet(tmp_path, by_rule(), frame=odd))


def test_marks_survive_their_file_and_are_joined_not_replaced(tmp_path: Path) -> None:
    folder = DESK.save(tmp_path / "data" / "desk")
    assert tagging.load(folder, MODES) is None
    first = back(sheet(tmp_path, by_rule()))
    (file,) = first.save(folder)
    assert file.parent == tmp_path / "data" / "tags" / "desk"
    kept = tagging.load(folder, MODES)
    assert kept is not None
    assert kept.raw.equals(first.raw)
    assert kept.sample.equals(first.sample)
    second = back(sheet(tmp_path, "wrong-routing", who="Bob"), before=kept)
    second.save(folder)
    both = tagging.load(folder, MODES)
    assert both is not None
    assert both.raw["tagger"].unique().sort().to_list() == ["Ann", "Bob"]
    assert both.verdicts["disputed"].sum() == (by_rule() != "wrong-routing").sum()
    again = back(sheet(tmp_path, by_rule(), who="Bob"), before=both)
    assert again.raw.height == 200
    assert not again.verdicts["disputed"].any()
    file.write_text(file.read_text().replace("; demo to", "; acme to"))
    assert tagging.load(folder, MODES) is None
    file.write_text(json.dumps({"drawn": "x"}))
    with pytest.raises(DataError, match="damaged"):
        tagging.load(folder, MODES)


def test_a_second_sample_adds_to_the_first_and_is_the_one_that_is_weighed(tmp_path: Path) -> None:
    folder = DESK.save(tmp_path / "data" / "desk")
    later = drawn(seed=9)
    back(sheet(tmp_path, by_rule())).save(folder)
    back(sheet(tmp_path, by_rule(later), frame=later), before=tagging.load(folder, MODES)).save(folder)
    marks = tagging.load(folder, MODES)
    assert marks is not None
    assert len(marks.drawings) == 2
    assert marks.modes.height > marks.of().modes.height
    assert marks.of().sample.height == 100


def test_disputes_go_to_one_more_person_and_are_settled_by_that(tmp_path: Path) -> None:
    words = by_rule().scatter(list(range(10)), ["tool-limitation"] * 10)
    marks = back(sheet(tmp_path, by_rule(), name="a.csv"), sheet(tmp_path, words, who="Bob", name="b.csv"))
    open_ones = marks.verdicts["disputed"].sum()
    assert 0 < open_ones <= 10
    assert marks.modes.join(marks.verdicts.filter("disputed"), on=KEY).is_empty()
    asked = tagging.disputed(marks, desk=DESK, outcomes=OUTCOMES, taxonomy=MODES)
    assert asked.height == open_ones
    assert asked["said"].str.contains("Ann: .* / Bob: tool-limitation").all()
    settled = back(sheet(tmp_path, "wrong-routing", who="Cyd", frame=asked), before=marks, settles=True)
    assert not settled.verdicts["disputed"].any()
    assert settled.sample.equals(marks.sample)
    # Only those who read them all count as taggers; who settled is none.
    assert settled.agreement().equals(marks.agreement())
    assert settled.modes.join(asked.select(contact_id=pl.col("contact").str.extract(r"contact (\S+)")), on="contact_id")[
        "mode"
    ].unique().to_list() == ["wrong-routing"]


def test_there_is_nothing_to_settle_before_anybody_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to settle"):
        back(sheet(tmp_path, by_rule()), settles=True)


def test_marks_under_an_older_taxonomy_are_kept_and_only_modes_that_are_gone_are_left_out(tmp_path: Path) -> None:
    folder = DESK.save(tmp_path / "data" / "desk")
    file = sheet(tmp_path, by_rule())
    back(file).save(folder)
    fewer = MODES.model_copy(update={"version": 2, "modes": tuple(mode for mode in MODES.modes if mode.slug != "wrong-routing")})
    marks = tagging.load(folder, fewer)
    assert marks is not None
    assert marks.gone == ["wrong-routing"]
    assert marks.versions == [f"{MODES.version} {MODES.fingerprint}"]
    assert set(marks.modes["mode"]) == set(by_rule()) - {"wrong-routing"}
    assert marks.raw.height == 100
    late = back(file, taxonomy=fewer)
    assert late.gone == ["wrong-routing"]
    assert late.sample["stratum"].str.starts_with("gone-").sum() == (by_rule() == "wrong-routing").sum()


def test_a_typing_error_under_an_older_taxonomy_is_no_mode_that_is_gone(tmp_path: Path) -> None:
    other = MODES.model_copy(update={"version": 2})
    with pytest.raises(DataError) as told:
        back(sheet(tmp_path, by_rule().scatter(0, "wrong-ruoting")), taxonomy=other)
    assert told.value.problems == ("row 2: 'wrong-ruoting' is no answer; did you mean wrong-routing?",)


def test_what_people_agree_on_is_taken_by_the_tags(tmp_path: Path) -> None:
    marks = back(sheet(tmp_path, by_rule().fill_null("unsure").replace({UNEXPLAINED: "wrong-routing"})))
    human = tag(DESK, OUTCOMES, taxonomy=MODES, human=marks.modes).filter("primary", pl.col("by") == "human")
    assert human.height == 100


def test_the_list_of_modes_says_everything_that_may_be_written() -> None:
    words = tagging.legend(MODES)
    assert words["mode"].to_list() == [*MODES.slugs, UNEXPLAINED, "unsure"]
    assert set(words["mode"]) == set(tagging.allowed(MODES))
    assert words.select("name", "meaning").null_count().row(0) == (0, 0)
