"""How do worksheets go out to people, and what came back?"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fcrlib.cli.project import DeskFolder, PolicyName, desk_folder, own_settings, study_of, tell
from fcrlib.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from fcrlib.study import Study

tags = typer.Typer(help="Worksheets that people fill in.", no_args_is_help=True)
exports = typer.Typer(help="Write a worksheet to fill in.", no_args_is_help=True)
tags.add_typer(exports, name="export")

Force = Annotated[bool, typer.Option("--force", help="overwrite a worksheet that has marks in it")]


@exports.command("repeats")
def tag_export_repeats(
    n: Annotated[int, typer.Option("--n", min=10, max=500, help="how many pairs; 50 to 100 are usual")] = 80,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same pairs")] = 0,
    policy: PolicyName = None,
    period: Annotated[str | None, typer.Option(help="only repeats that started in it, e.g. 2026Q3 [default: all]", show_default=False)] = None,
    desk: DeskFolder = None,
    to: Annotated[Path | None, typer.Option("--to", help="file to write [default: repeats-POLICY.csv]", show_default=False)] = None,
    force: Force = False,
) -> None:
    """Draw repeats for people to read: are they about the same issue?"""
    import polars as pl

    from fcrlib.intake.tables.worksheet import write
    from fcrlib.judge.audit import BLANK, KEY, sample
    from fcrlib.show.telling.audit import instructions

    study = study_of(desk, policy, period)
    file = to or Path(f"repeats-{re.sub('[^A-Za-z0-9_-]+', '-', study.policy.name)}.csv")
    _spare([file], blank=BLANK, force=force)
    within = study.period.covers(pl.col("start_at"), time_zone=study.time_zone) if period else None
    drawn = sample(study.desk, study.outcomes, policy=study.policy, n=n, seed=seed, within=within)
    print(write(drawn, file, key=KEY, blank=BLANK))
    for line in instructions(drawn, file=file, options=_options(policy=policy, desk=desk)):
        tell(line)


@exports.command("failures")
def tag_export_failures(
    period: Annotated[
        str | None, typer.Argument(help="only failures that started in it, e.g. 2026Q3 [default: the last DAYS]", show_default=False)
    ] = None,
    n: Annotated[int, typer.Option("--n", min=50, max=200, help="how many failed contacts")] = 100,
    days: Annotated[int, typer.Option(min=30, max=60, help="without a period: from how many of the last days whose window has closed")] = 45,
    taggers: Annotated[int, typer.Option(min=1, max=2, help="how many people read them, each alone")] = 2,
    disputed: Annotated[bool, typer.Option("--disputed", help="instead: the contacts that the taggers dispute, for one more person")] = False,
    seed: Annotated[int, typer.Option(min=0, help="same seed, same contacts")] = 0,
    policy: PolicyName = None,
    desk: DeskFolder = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="file to write, -a and -b is put to its name for two taggers [default: failures.csv]", show_default=False),
    ] = None,
    force: Force = False,
) -> None:
    """Draw failed contacts for people to read: why did they fail?"""
    from fcrlib.intake.tables.worksheet import write
    from fcrlib.show.telling.tagging import instructions
    from fcrlib.signs.tagging import BLANK, CONTACT, for_taggers, legend

    study = study_of(desk, policy, period)
    modes = own_settings().modes()
    base = to or Path("failures-disputed.csv" if disputed else "failures.csv")
    people = 1 if disputed else taggers
    files = [base] if people == 1 else [base.with_stem(f"{base.stem}-{letter}") for letter in "ab"]
    _spare(files, blank=BLANK, force=force)
    drawn = _disputed(study, desk) if disputed else _drawn(study, n=n, seed=seed, days=days, within_period=period is not None)
    words = base.with_stem(f"{base.stem}-modes")
    if words.exists() and not force:
        _spare_other(words)
    for file, one in zip(files, for_taggers(drawn, taggers=people, seed=seed), strict=True):
        print(write(one, file, key=CONTACT, blank=BLANK, limit=700))
    print(write(legend(modes), words, key="mode", blank=[], limit=700))
    for line in instructions(drawn, files=files, legend=words, options=_options(policy=policy, desk=desk)):
        tell(line)


@tags.command("import")
def tag_import(
    files: Annotated[list[Path], typer.Argument(help="the worksheets, filled in: one of repeats, or all of failures", show_default=False)],
    settle: Annotated[bool, typer.Option("--settle", help="failures: they settle what the taggers dispute")] = False,
    policy: PolicyName = None,
    desk: DeskFolder = None,
) -> None:
    """Read worksheets that were filled in, and say what came of them."""
    from fcrlib.intake.tables.worksheet import opened, read_all
    from fcrlib.judge.audit import KEY
    from fcrlib.signs.tagging import CONTACT

    columns = {file: set(frame.columns) for file, frame in zip(files, read_all(files, opened), strict=True)}
    repeats = [file for file, names in columns.items() if KEY in names]
    failures = [file for file, names in columns.items() if CONTACT in names and KEY not in names]
    others = [file for file, names in columns.items() if not {KEY, CONTACT} & names and not {"mode", "meaning"} <= names]
    if others or not (repeats or failures):
        known = "`fcr tag export repeats` writes a column pair, `fcr tag export failures` a column contact"
        raise UsageError(f"{', '.join(str(file) for file in others or files)} is no worksheet of ours", [known])
    if failures and repeats:
        raise UsageError("repeats and failures are different worksheets: import them one after the other")
    if len(repeats) > 1:
        raise UsageError("worksheets of repeats are imported one at a time, the last one counts")
    if settle and repeats:
        raise UsageError("--settle is for worksheets of failures")
    if repeats:
        _import_repeats(repeats[0], policy=policy, desk=desk)
    else:
        _import_failures(failures, settle=settle, policy=policy, desk=desk)


def _import_repeats(file: Path, *, policy: str | None, desk: Path | None) -> None:
    from fcrlib.intake.tables.worksheet import read
    from fcrlib.judge.audit import ANSWER, CARRIED, KEY, conclude, repeats
    from fcrlib.show.telling.audit import calibration, checked

    study = study_of(desk, policy, None)
    stamp, purpose = ("drawn", study.policy.fingerprint), f"the definition {study.policy.name} ({study.policy.fingerprint})"
    filled = read(file, key=KEY, answer=ANSWER, known=repeats(study.outcomes)[KEY], stamp=stamp, purpose=purpose, needs=CARRIED)
    audit = conclude(filled, desk=study.desk, outcomes=study.outcomes, policy=study.policy)
    kept = audit.save(desk_folder(own_settings(), desk))
    print(checked(audit, policy=study.policy))
    if study.policy.same_issue == "text":
        print(calibration(audit.thresholds))
    tell(f"kept in {kept}")


def _import_failures(files: list[Path], *, settle: bool, policy: str | None, desk: Path | None) -> None:
    from fcrlib.intake.tables.worksheet import read_all
    from fcrlib.show.telling.tagging import lines
    from fcrlib.signs.tagging import conclude, load, read_sheet

    study = study_of(desk, policy, None)
    modes, folder = own_settings().modes(), desk_folder(own_settings(), desk)
    sheets = read_all(files, lambda file: read_sheet(file, desk=study.desk, taxonomy=modes))
    marks = conclude(sheets, taxonomy=modes, before=load(folder, modes), settles=settle)
    kept = marks.save(folder)
    print("\n".join(lines(marks, taxonomy=modes)))
    if marks.verdicts["disputed"].any():
        tell(f"to settle what they dispute: fcr tag export failures --disputed{_options(policy=policy, desk=desk)}")
    tell(f"kept in {', '.join(str(file) for file in kept)}")


def _drawn(study: Study, *, n: int, seed: int, days: int, within_period: bool) -> pl.DataFrame:
    import polars as pl

    from fcrlib.explain.failure_modes import tag
    from fcrlib.signs.tagging import sample

    modes = own_settings().modes()
    said = tag(study.desk, study.outcomes, taxonomy=modes)
    within = study.period.covers(pl.col("start_at"), time_zone=study.time_zone) if within_period else None
    return sample(study.desk, study.outcomes, tags=said, taxonomy=modes, policy=study.policy, n=n, seed=seed, days=days, within=within)


def _disputed(study: Study, desk: Path | None) -> pl.DataFrame:
    from fcrlib.signs.tagging import disputed, load

    modes = own_settings().modes()
    marks = load(desk_folder(own_settings(), desk), modes)
    if marks is None or not marks.of().verdicts["disputed"].any():
        raise UsageError("nothing is disputed", ["import the taggers' worksheets first: fcr tag import FILE FILE"] if marks is None else [])
    return disputed(marks, desk=study.desk, outcomes=study.outcomes, taxonomy=modes)


def _spare(files: list[Path], *, blank: tuple[str, ...], force: bool) -> None:
    """Refuse to overwrite anybody's work."""
    from fcrlib.intake.tables.worksheet import has_marks

    taken = [file for file in files if file.exists() and not force and has_marks(file, blank=blank)]
    if taken:
        names = ", ".join(str(file) for file in taken)
        what = "holds" if len(taken) == 1 else "hold"
        raise UsageError(
            f"{names} {what} something already and would be overwritten", ["choose another file with --to, or overwrite it with --force"]
        )


def _spare_other(file: Path) -> None:
    """Refuse to overwrite a file that is no list of modes."""
    from fcrlib.intake.tables.worksheet import opened
    from fcrlib.model.errors import DataError

    try:
        ours = opened(file).columns[:3] == ["mode", "name", "meaning"]
    except DataError:
        ours = False
    if not ours:
        raise UsageError(f"{file} holds something else and would be overwritten", ["choose another file with --to, or overwrite it with --force"])


def _options(**given: object) -> str:
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in given.items() if value)
