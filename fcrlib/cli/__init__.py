"""The `fcr` command: what can be done from a terminal?

stdout carries results, stderr carries progress and errors; a user's mistake prints a sentence and a list, never a traceback.
Everything heavy is imported inside the command that needs it, so `fcr --help` is instant.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fcrlib import __version__
from fcrlib.cli import checks, desks, notebooks, policies, reports, tags, topics
from fcrlib.model.errors import FcrError

HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    help="Root-cause research for first contact resolution.", no_args_is_help=True, pretty_exceptions_enable=False, context_settings=HELP
)
for command in (desks.demo, checks.check, desks.trace):
    app.command()(command)
groups = {
    "import": desks.imports,
    "report": reports.reports,
    "notebooks": notebooks.notebooks,
    "policy": policies.policies,
    "tag": tags.tags,
    "topics": topics.topics,
}
for name, group in groups.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command; a mistake of the user's ends with its own exit code."""
    try:
        app()
    except FcrError as error:
        print(f"fcr: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        print(f"fcr: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        raise SystemExit(3) from None


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit
