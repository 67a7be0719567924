"""What can a notebook be asked?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fcrlib.cli.project import own_settings
from fcrlib.model.errors import UsageError

notebooks = typer.Typer(help="The notebooks that make the report.", no_args_is_help=True)


@notebooks.command("params")
def notebook_params(
    notebook: Annotated[str | None, typer.Argument(help="name or file of a notebook [default: all of the project]", show_default=False)] = None,
) -> None:
    """List what a notebook takes: name, type, default and what it means."""
    from fcrlib.publish.parameters import declared

    for file in _files(notebook):
        print(file.stem)
        for parameter in declared(file).values():
            line = f"  {parameter.name}: {parameter.type} = {parameter.default}"
            print(f"{line}  # {parameter.help}" if parameter.help else line)


@notebooks.command("list")
def notebook_list() -> None:
    """List the project's notebooks in the order in which they run."""
    for file in _files(None):
        print(file.stem)


def _files(given: str | None) -> list[Path]:
    folder = own_settings().notebook_folder
    known = sorted(path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    if given is None:
        return known
    found = [Path(given)] if Path(given).is_file() else [path for path in known if given in (path.stem, path.name)]
    if not found:
        raise UsageError(f"there is no notebook '{given}'", [f"there are: {', '.join(path.stem for path in known) or 'none'}"])
    return found
