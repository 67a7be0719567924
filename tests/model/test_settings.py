"""Does `fcr.toml` say everything that is wrong with it at once?"""

from pathlib import Path

import pytest

from fcrlib.model.errors import UsageError
from fcrlib.model.settings import Settings


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
