"""What was done is read from a file that people write: every mistake in it is told at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fcrlib.model.actions import Actions
from fcrlib.model.errors import UsageError
from fcrlib.model.settings import Settings

GOOD = """
[[action]]
slug = "undocumented-bug"
what = "Mend the redirect"
owner = "Identity"
where = ["category=login", "product_area=single sign-on"]
done = 2026-08-10
check = 2026-10-01
expected = 0.1
"""


def test_an_action_is_read_with_its_days_and_its_place() -> None:
    (action,) = Actions.parse(GOOD, name="actions.toml").actions
    assert (action.place, action.done, action.check) == ("category=login and product_area=single sign-on", date(2026, 8, 10), date(2026, 10, 1))
    assert action.chosen_for == "standing-out"


def test_every_mistake_is_told_at_once() -> None:
    wrong = '[[action]]\nslug = "No slug"\nwhat = ""\nwhere = ["login"]\nexpected = 5\ncolour = "red"\n[[action]]\nslug = "b"\nwhat = "x"\ndone = 2026-08-10\ncheck = 2026-08-01\n'
    with pytest.raises(UsageError) as error:
        Actions.parse(wrong, name="actions.toml")
    told = str(error.value)
    assert all(word in told for word in ("slug", "what", "dimension=value", "expected", "colour", "2026-08-01"))


def test_the_same_action_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="more than once: undocumented-bug: Mend the redirect"):
        Actions.parse(GOOD + GOOD, name="actions.toml")


def test_a_file_that_is_no_toml_or_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"actions\.toml cannot be read"):
        Actions.parse("[[action]", name="actions.toml")
    with pytest.raises(UsageError, match=r"gone\.toml cannot be read"):
        Actions.read(tmp_path / "gone.toml")


def test_the_file_beside_the_desk_is_found_and_the_one_named_in_the_settings_comes_before_it(tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    desk.mkdir()
    assert Settings(root=tmp_path).acted(desk) == Actions()
    (desk / "actions.toml").write_text(GOOD)
    assert len(Settings(root=tmp_path).acted(desk).actions) == 1
    (tmp_path / "ours.toml").write_text("")
    assert Settings.model_validate({"root": tmp_path, "actions": "ours.toml"}).acted(desk) == Actions()
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        Settings.model_validate({"root": tmp_path, "actions": "none.toml"}).acted(desk)
