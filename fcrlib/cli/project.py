"""On which project, desk and definition does a command work?"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fcrlib.model.settings import Settings
    from fcrlib.study import Study

DeskFolder = Annotated[Path | None, typer.Option("--desk", "--data", help="folder of the desk [default: from fcr.toml]", show_default=False)]
PolicyName = Annotated[str | None, typer.Option("--policy", help="definition to judge by [default: from fcr.toml]", show_default=False)]


def study_of(desk: Path | None, policy: str | None, period: str | None) -> Study:
    """The desk judged under a definition; all its days where no period is given."""
    from fcrlib.model.desk import read_manifest
    from fcrlib.study import Study

    settings = own_settings()
    folder = desk_folder(settings, desk)
    manifest = read_manifest(folder)
    days = period or f"{manifest.data_start.date()}..{manifest.data_end.date()}"
    return Study.open(folder, period=days, policy=policy or settings.policy)


def own_settings() -> Settings:
    """The settings of the project that the command is called in."""
    from fcrlib.model.settings import Settings

    return Settings.find()


def desk_folder(settings: Settings, given: Path | None) -> Path:
    """The folder of the desk that was named, else the project's."""
    return given.absolute() if given else settings.desk_folder


def everything(desk: Path) -> str:
    """All the days that the desk covers, as a period."""
    from fcrlib.model.desk import read_manifest

    manifest = read_manifest(desk)
    return f"{manifest.data_start.date()}..{(manifest.data_end - timedelta(microseconds=1)).date()}"


def tell(line: str) -> None:
    """A word on the side, that is no result."""
    print(line, file=sys.stderr)
