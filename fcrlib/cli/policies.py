"""Which definitions of 'resolved' are there, and what do they say?"""

from __future__ import annotations

from typing import Annotated

import typer

from fcrlib.cli.project import own_settings

policies = typer.Typer(help="The written definitions of 'resolved'.", no_args_is_help=True)


@policies.command("list")
def policy_list() -> None:
    """List every definition by name."""
    from fcrlib.model.policy import presets

    for name in [*own_settings().policies, *presets()]:
        print(name)


@policies.command("show")
def policy_show(name: Annotated[str | None, typer.Argument(help="[default: the project's own]", show_default=False)] = None) -> None:
    """Read a definition aloud."""
    policy = own_settings().definition(name)
    print(f"{policy.name} (version {policy.version}, fingerprint {policy.fingerprint})\n{policy.sentence()}")
