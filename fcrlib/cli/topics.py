"""Which topics does a period have, and what do people call them?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fcrlib.cli.project import DeskFolder, PolicyName, own_settings, study_of, tell
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

topics = typer.Typer(help="Topics of a period, and the names that people give them.", no_args_is_help=True)
PeriodName = Annotated[str, typer.Argument(help="2026Q3, 2026-09, last-quarter, ...", show_default=False)]


@topics.command("list")
def topics_list(period: PeriodName, policy: PolicyName = None, desk: DeskFolder = None) -> None:
    """List the topics of a period, the largest first: fingerprint, contacts, name, and who named it."""
    for row in _named(period, policy=policy, desk=desk).sort("n", "topic", descending=[True, False]).to_dicts():
        print(f"{row['fingerprint']}  {row['n']:>6,}  {_line(row['name'])}  ({row['named_by']})")


@topics.command("name")
def topics_name(
    fingerprint: Annotated[str, typer.Argument(help="of the topic, as `fcr topics list` and the report show it", show_default=False)],
    name: Annotated[str, typer.Argument(help="what to call it, at most 80 letters", show_default=False)],
) -> None:
    """Give a topic a name; it stays with the topic from then on."""
    from fcrlib.model.topic_names import Names, read_names, write_names

    file = _file()
    write_names(file, names=Names.of({**read_names(file).known, fingerprint: name}))
    print(file)


@topics.command("keep")
def topics_keep(period: PeriodName, policy: PolicyName = None, desk: DeskFolder = None) -> None:
    """Write the names that were carried over into a period under the fingerprints of that period, so that the next one finds them."""
    from fcrlib.model.topic_names import read_names, write_names
    from fcrlib.texts.renames import kept

    file = _file()
    before = read_names(file)
    after = kept(before, renamed=_named(period, policy=policy, desk=desk))
    write_names(file, names=after)
    print(file)
    tell(f"{len(after.known) - len(before.known)} of {len(before.known)} names were carried over to {period}")


def _named(period: str, *, policy: str | None, desk: Path | None) -> pl.DataFrame:
    from fcrlib.explain.topics import named, of_study

    study = study_of(desk, policy, period)
    found = of_study(study)
    for note in found.notes:
        tell(note)
    return named(study, found)


def _file() -> Path:
    settings = own_settings()
    if settings.topic_names is None:
        raise UsageError("fcr.toml names no file for the names of topics", ['add a line such as: topic_names = "topics.toml"'])
    return settings.path(settings.topic_names)


def _line(name: str) -> str:
    from fcrlib.show.quote import quote

    return quote(name, limit=80)
