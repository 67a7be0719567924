"""Does `fcr.toml` say everything that is wrong with it at once?"""

from pathlib import Path

import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.settings import CHECKOUT, Settings
from fcrlib.model.taxonomy import Taxonomy


def written(folder: Path, text: str) -> Path:
    file = folder / "fcr.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_three_mistakes_are_three_lines(tmp_path: Path) -> None:
    file = written(tmp_path, 'organization = "x"\ntime_zone = "Mars/Olympus"\npolicy = "costumer_7d"\n')
    with pytest.raises(UsageError) as told:
        Settings.read(file)
    assert len(told.value.problems) == 3
    assert told.value.exit_code == 2
    for key in ("organization", "time_zone", "costumer_7d"):
        assert key in str(told.value)


def test_a_policy_of_ones_own_is_found_by_name_and_checked(tmp_path: Path) -> None:
    settings = Settings.read(written(tmp_path, 'policy = "house"\n[policies.house]\nwindow = "10d"\ntransfer = "any"\n'))
    assert settings.definition().window.days == 10
    assert settings.definition("strict").transfer == "any"
    with pytest.raises(UsageError, match=r"policies\.house\.window"):
        Settings.read(written(tmp_path, '[policies.house]\nwindow = "soon"\n'))


def test_broken_toml_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Settings.read(written(tmp_path, "policy = \n"))


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    settings = Settings.read(written(tmp_path, 'desk = "my/desk"\n'))
    assert settings.desk_folder == tmp_path / "my" / "desk"


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    written(tmp_path, 'organisation = "Example GmbH"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert Settings.find(inner).organisation == "Example GmbH"


def test_accounts_are_companies_unless_the_project_says_otherwise(tmp_path: Path) -> None:
    assert Settings().identity == Rules(accounts="company")
    settings = Settings.read(written(tmp_path, '[identity]\ncountry = "DE"\nown = ["030 23125 000", "example.com"]\naccounts = "join"\n'))
    assert settings.identity == Rules(country="DE", own=("030 23125 000", "example.com"), accounts="join")


def test_every_mistake_about_identity_is_a_line(tmp_path: Path) -> None:
    text = '[identity]\ncountry = "UK"\nown = ["frontdesk"]\nplus_tags = "drop"\nshared_phone = "5"\nmost = 0\naccounts = "people"\ncolour = "red"\n'
    with pytest.raises(UsageError) as told:
        Settings.read(written(tmp_path, text))
    assert [problem.split(":")[0] for problem in told.value.problems] == [
        f"identity.{key}" for key in ("country", "own", "plus_tags", "shared_phone", "most", "accounts", "colour")
    ]
    assert "'frontdesk' is no number, address or domain" in str(told.value)


@pytest.mark.parametrize(("own", "said"), [('"example.com"', "must be a list"), ('["030 23125 000"]', "has no country code")])
def test_what_is_ones_own_is_a_list_that_can_be_read(tmp_path: Path, own: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Settings.read(written(tmp_path, f"[identity]\nown = {own}\n"))


def test_the_commented_settings_are_right_when_the_hash_is_taken_away(tmp_path: Path) -> None:
    lines = (CHECKOUT / "fcr.toml").read_text(encoding="utf-8").split("\n\n")
    identity = next(block for block in lines if block.startswith("# [identity]"))
    settings = Settings.read(written(tmp_path, "\n".join(line.removeprefix("# ") for line in identity.splitlines())))
    assert settings.identity == Rules(country="DE", own=("+49 30 23125 0", "example.com"), plus_tags="strip", accounts="join")


def test_a_process_that_works_elsewhere_is_told_which_settings_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fcr.toml").write_text('organisation = "Ours"\n', encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "fcr.toml").write_text('organisation = "Theirs"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path / "other")
    assert Settings.find().organisation == "Theirs"
    monkeypatch.setenv("FCR_SETTINGS", str(tmp_path / "fcr.toml"))
    assert Settings.find().organisation == "Ours"
    monkeypatch.setenv("FCR_SETTINGS", "")
    assert Settings.find().organisation == ""


def test_costs_and_the_projects_own_ways_of_failing_are_settings(tmp_path: Path) -> None:
    own = 'version = 1\n[[mode]]\nslug = "late"\nname = "too late"\nmeaning = "It took too long."\nbone = "process"\n'
    (tmp_path / "failure-modes.toml").write_text(own, encoding="utf-8")
    text = 'taxonomy = "failure-modes.toml"\n[costs]\ncontact = 6.0\nchannels = {phone = 8.5, email = 5}\nhour = 40\n'
    settings = Settings.read(written(tmp_path, text))
    assert settings.modes().slugs == ("late",)
    assert (settings.costs.currency, settings.costs.of("phone"), settings.costs.of("email"), settings.costs.of("chat")) == ("EUR", 8.5, 5.0, 6.0)
    assert Settings().modes() == Taxonomy.shipped()
    assert not Settings().costs.known


def test_every_mistake_about_costs_is_a_line(tmp_path: Path) -> None:
    text = '[costs]\ncurrency = "euro"\ncontact = -1\nchannels = {fax = 3.0, phone = -2.0}\nhour = inf\nminute = 1\n'
    with pytest.raises(UsageError) as told:
        Settings.read(written(tmp_path, text))
    keys = sorted(problem.split(":")[0] for problem in told.value.problems)
    assert keys == ["costs.channels.fax.[key]", "costs.channels.phone", "costs.contact", "costs.currency", "costs.hour", "costs.minute"]


def test_a_taxonomy_that_is_not_there_is_said_when_it_is_wanted(tmp_path: Path) -> None:
    settings = Settings.read(written(tmp_path, 'taxonomy = "gone.toml"\n'))
    with pytest.raises(UsageError, match=r"gone.toml cannot be read"):
        settings.modes()


def test_rates_beside_the_desk_are_read_unless_the_settings_hold_some(tmp_path: Path) -> None:
    (tmp_path / "costs.toml").write_text('currency = "USD"\ncontact = 4\n')
    assert Settings().priced(tmp_path).contact == 4
    assert Settings.model_validate({"costs": {"contact": 6}}).priced(tmp_path).currency == "EUR"
    assert not Settings().priced(tmp_path / "elsewhere").known
    (tmp_path / "costs.toml").write_text("contact = -1\ncolour = 2\n")
    with pytest.raises(UsageError, match=r"costs\.toml has mistakes") as error:
        Settings().priced(tmp_path)
    assert len(error.value.problems) == 2
