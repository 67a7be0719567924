"""Does a taxonomy say everything that is wrong with it, and does the shipped one keep its own rules?"""

from __future__ import annotations

from pathlib import Path

import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.taxonomy import BONES, TRACES, Mode, Taxonomy, strange
from fcrlib.signs.words import says

SHIPPED = Taxonomy.shipped()
OWN = """
version = 3
promises = ['will call']
[[mode]]
slug = "late"
name = "too late"
meaning = "It took too long."
bone = "process"
[[mode.trace]]
name = "hold_hours"
at_least = 4
confidence = 0.9
[[mode.phrase]]
voice = "customer"
says = "too late"
weight = 0.8
patterns = ['too late', 'zu spät']
"""


def test_every_shipped_mode_can_be_found_told_and_acted_upon() -> None:
    assert len(SHIPPED.modes) == 12
    for mode in SHIPPED.modes:
        assert mode.traces or mode.phrases
        assert mode.bone in BONES
        assert all((mode.name, mode.meaning, mode.owner, mode.remedy, mode.said))
        assert len(mode.examples) >= 6


def test_no_phrase_of_another_mode_stands_in_a_shipped_example() -> None:
    import polars as pl

    examples = pl.DataFrame([(mode.slug, text.lower()) for mode in SHIPPED.modes for text in mode.examples], schema=["mode", "text"], orient="row")
    read = [(mode.slug, phrase) for mode in SHIPPED.modes for phrase in mode.phrases if phrase.voice != "agent"]
    strays = [examples.filter((pl.col("mode") != slug) & says(pl.col("text"), phrase.patterns)) for slug, phrase in read]
    assert pl.concat(strays).is_empty()


def test_ordinary_sentences_carry_no_phrase() -> None:
    import polars as pl

    text = pl.DataFrame({"text": SHIPPED.ordinary}).select(pl.col("text").str.to_lowercase())
    assert not any(
        text.select(says(pl.col("text"), phrase.patterns).any()).item()
        for mode in SHIPPED.modes
        for phrase in mode.phrases
        if phrase.voice != "agent"
    )


def test_a_mode_without_a_verb_is_told_by_its_name() -> None:
    assert Mode(slug="late", name="too late", meaning="It took long.", bone="process").verb == "fail with the sign “too late”"
    assert SHIPPED.mode("approval-wait").verb == "fail after waiting for an approval"


def test_a_project_brings_its_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, encoding="utf-8")
    own = Taxonomy.read(file)
    assert (own.version, own.slugs, own.mode("late").traces[0].at_least) == (3, ("late",), 4)
    assert own.mode("late").phrases[0].patterns == ("too late", "zu spät")


def test_every_mistake_is_told_at_once() -> None:
    broken = OWN.replace("version = 3", "version = 0").replace('bone = "process"', 'bone = "weather"').replace("hold_hours", "mood")
    broken = broken.replace("'zu spät'", "'Zu spät', 'too.*late', 'too (late', '(?:late)?'") + "\ncolour = 'red'\n"
    with pytest.raises(UsageError) as told:
        Taxonomy.parse(broken, name="own.toml")
    text = str(told.value)
    assert text.startswith("own.toml has mistakes:")
    for said in (
        "version",
        "weather",
        "there is no such trace",
        "capital letters",
        "no bound",
        "no regular expression",
        "matches an empty text",
        "colour",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("at_least = 4", "at_least = 4\nat_most = 5"), "one threshold"),
        (("at_least = 4\n", ""), "one threshold"),
        (("confidence = 0.9", "confidence = 9"), "confidence"),
        (('slug = "late"', 'slug = "unexplained"'), "is kept for"),
        (('slug = "late"', 'slug = "Too Late"'), "must be a slug"),
        (("['will call']", "['will.+call']"), "promise 1: 'will.\\+call': has no bound"),
        (("patterns = ['too late', 'zu spät']", "patterns = []"), "patterns"),
    ],
)
def test_a_mistake_names_its_key(change: tuple[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Taxonomy.parse(OWN.replace(*change), name="own.toml")


def test_two_modes_must_not_share_a_slug() -> None:
    with pytest.raises(UsageError, match="more than once: late"):
        Taxonomy.parse(OWN + OWN.split("['will call']")[1], name="own.toml")


def test_what_is_no_toml_and_what_is_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"own.toml cannot be read"):
        Taxonomy.parse("version =", name="own.toml")
    with pytest.raises(UsageError, match=r"gone.toml cannot be read"):
        Taxonomy.read(tmp_path / "gone.toml")
    with pytest.raises(UsageError, match="mode"):
        Taxonomy.parse("version = 1\nmode = 'late'", name="own.toml")


def test_the_fingerprint_changes_with_every_letter() -> None:
    one, other = (Taxonomy.parse(text, name="own.toml") for text in (OWN, OWN.replace("too late'", "much too late'")))
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint == Taxonomy.parse(OWN, name="another.toml").fingerprint


def test_an_unknown_mode_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="wrong-routing"):
        SHIPPED.mode("bad-weather")


def test_every_trace_has_a_meaning_and_a_letter_of_a_class_is_no_capital() -> None:
    assert all(meaning for meaning in TRACES.values())
    assert strange(r"late\S{1,3}\W") == strange(r"late\p{L}{1,3}") == ""
    assert Mode.model_fields["bone"].annotation is not None
