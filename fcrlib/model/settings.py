"""What has this project decided once and for all? The settings of one commented `fcr.toml`."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fcrlib.model.actions import FILE as ACTIONS
from fcrlib.model.actions import Actions
from fcrlib.model.costs import FILE as PRICES
from fcrlib.model.costs import Rates
from fcrlib.model.desk import MANIFEST
from fcrlib.model.errors import FcrError, UsageError
from fcrlib.model.identity import Rules
from fcrlib.model.pins import Pins
from fcrlib.model.policy import Policy, presets, spell
from fcrlib.model.redaction import Redaction
from fcrlib.model.taxonomy import Taxonomy
from fcrlib.model.topic_names import Names, read_names

FILE = "fcr.toml"
CHOSEN = "FCR_SETTINGS"
"""Environment variable that names the settings file for a process that works elsewhere; empty means the defaults."""
CHECKOUT = Path(__file__).resolve().parents[2]


def _home() -> Path:
    """The checkout the package was installed from; the working folder where it was installed without one."""
    return CHECKOUT if (CHECKOUT / "notebooks").is_dir() else Path.cwd()


class Settings(BaseModel):
    """The settings of a project; every field has a default, so a project without `fcr.toml` works too.

    Parameters
    ----------
    organisation
        Whose desk it is; it heads the report.
    desk, reports, notebooks
        Folders, relative to the file. Without `desk`: `data/desk` if there is one, else the demo. Without `notebooks`: those beside the
        file, else the ones that came with the package.
    policy
        Name of a preset or of one of `policies`.
    policies
        The project's own definitions by name: any field of `Policy`.
    time_zone
        Zone in which a day of the period begins; the desk's own where it is not set.
    exclude_tags
        Contacts that carry one of these tags are left out as tests; matched exactly.
    categories
        Categories to be read as others, `{"Billing Issue": "billing"}`: labels that mean the same thing.
    identity
        By which rules two customers are one person: the table `[identity]`.
    redaction
        What is personal in the project's texts beyond what everybody knows: the table `[redaction]`.
    taxonomy
        File with the project's own ways of failing, relative to the file; those that came with the package where it is not set.
    costs
        What a contact costs: the table `[costs]`; without it `costs.toml` beside the desk's tables. Without either nothing is given a price.
    pins
        File in which the analyst keeps, passes over or annotates steps of the chain of whys, relative to the file.
    topic_names
        File with the analyst's names for topics, relative to the file.
    actions
        File in which people write what was done about the findings, relative to the file; without it `actions.toml` beside the desk's tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    root: Path = Field(default_factory=_home, exclude=True)
    file: Path | None = Field(default=None, exclude=True)
    organisation: str = ""
    desk: Path | None = None
    reports: Path = Path("reports")
    notebooks: Path | None = None
    policy: str = "customer_7d"
    policies: dict[str, dict[str, Any]] = {}
    time_zone: str | None = None
    exclude_tags: tuple[str, ...] = ()
    categories: dict[str, str] = {}
    identity: Rules = Rules()
    redaction: Redaction = Redaction()
    taxonomy: Path | None = None
    costs: Rates = Rates()
    pins: Path | None = None
    topic_names: Path | None = None
    actions: Path | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError("is not a time zone: write e.g. 'Europe/Berlin'")
        return zone if zone is None else ZoneInfo(zone).key

    @classmethod
    def find(cls, start: Path | None = None) -> Self:
        """Read the nearest `fcr.toml` at or above a folder; the defaults of this checkout where there is none.

        A notebook that a report runs lies beside other settings than the project's, so it is told which to read (`FCR_SETTINGS`).

        Raises
        ------
        UsageError
            With every mistake at once, naming the key.
        """
        if start is None and (chosen := os.environ.get(CHOSEN)) is not None:
            return cls.read(Path(chosen)) if chosen else cls()
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / FILE).is_file():
                return cls.read(folder / FILE)
        return cls()

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read one settings file.

        Raises
        ------
        UsageError
            If the file is not TOML, or with every mistake at once.
        """
        try:
            fields = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{file.name} cannot be read: {error}") from None
        problems = [f"{key}: {fields.pop(key)!r}: there is no such key" for key in ("root", "file") if key in fields]
        try:
            settings = cls.model_validate({**fields, "root": file.resolve().parent, "file": file.resolve()})
        except ValidationError as error:
            raise UsageError(f"{file.name} has mistakes:", problems + spell(error) + _policy_mistakes(fields)) from None
        if problems := problems + _policy_mistakes(fields):
            raise UsageError(f"{file.name} has mistakes:", problems)
        return settings

    def definition(self, name: str | None = None) -> Policy:
        """The policy of that name, or the project's own choice.

        Raises
        ------
        UsageError
            If there is none; the message lists those there are.
        """
        wanted = name or self.policy
        if wanted in self.policies:
            return Policy.read({"name": wanted, **self.policies[wanted]})
        if wanted not in presets():
            raise UsageError(f"policy '{wanted}' is unknown", [f"known policies: {', '.join([*self.policies, *presets()])}"])
        return Policy.named(wanted)

    def modes(self) -> Taxonomy:
        """The ways of failing that this project tells apart: its own, or those that came with the package.

        Raises
        ------
        UsageError
            If the project's file cannot be read, or with every mistake in it at once.
        """
        return Taxonomy.shipped() if self.taxonomy is None else Taxonomy.read(self.path(self.taxonomy))

    def decided(self) -> Pins:
        """What the analyst decided about the chain of whys; nothing where no file is named.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake in it at once.
        """
        return Pins() if self.pins is None else Pins.read(self.path(self.pins))

    def names(self) -> Names:
        """What the analyst calls topics; nothing where no file is named or it is not there yet.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake in it at once.
        """
        return Names() if self.topic_names is None else read_names(self.path(self.topic_names))

    def acted(self, desk: Path) -> Actions:
        """What was done about the findings of a desk; nothing where no file says so.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake in it at once.
        """
        beside = desk / ACTIONS
        file = self.path(self.actions) if self.actions is not None else beside
        return Actions.read(file) if self.actions is not None or beside.is_file() else Actions()

    def priced(self, desk: Path) -> Rates:
        """What a contact of a desk costs; nothing is known where no file says so.

        Raises
        ------
        UsageError
            If the file cannot be read, or with every mistake in it at once.
        """
        beside = desk / PRICES
        return self.costs if "costs" in self.model_fields_set or not beside.is_file() else Rates.read(beside)

    @property
    def desk_folder(self) -> Path:
        """The desk to work on: the one named, else the imported one, else the demo."""
        if self.desk is not None:
            return self.path(self.desk)
        own = self.path("data/desk")
        return own if (own / MANIFEST).is_file() else self.path("data/demo")

    @property
    def notebook_folder(self) -> Path:
        """The notebooks to run: the ones named, else those beside the settings, else the checkout's."""
        if self.notebooks is not None:
            return self.path(self.notebooks)
        own = self.path("notebooks")
        return own if own.is_dir() else CHECKOUT / "notebooks"

    def path(self, path: Path | str) -> Path:
        """A path as the project means it: relative ones start at the folder of `fcr.toml`, or at the checkout."""
        return (self.root / path).resolve()


def _policy_mistakes(fields: dict[str, Any]) -> list[str]:
    """What is wrong with the project's own policies and with its choice among them."""
    own, chosen = fields.get("policies", {}), fields.get("policy")
    mistakes = []
    for name, policy in own.items() if isinstance(own, dict) else ():
        try:
            Policy.read({"name": name, **policy} if isinstance(policy, dict) else {"name": name})
        except FcrError as error:
            mistakes += [f"policies.{name}.{problem}" for problem in error.problems]
    if isinstance(chosen, str) and chosen not in own and chosen not in presets():
        mistakes.append(f"policy: '{chosen}' is unknown; known policies: {', '.join([*own, *presets()])}")
    return mistakes
