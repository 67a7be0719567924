"""What does a contact cost this project?"""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from fcrlib.model.own_files import OwnFile

FILE = "costs.toml"
"""The rates are looked for beside the desk where the settings hold none."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Channel = Literal["email", "web", "chat", "messaging", "phone", "social", "in_app", "api", "other"]
_CURRENCY = re.compile(r"[A-Z]{3}")


class Rates(OwnFile):
    """The rates of a project: the table `[costs]` of `fcr.toml`. What is not set is not known, and nothing is made up for it.

    Parameters
    ----------
    currency
        Three letters (ISO 4217) in which the amounts are given.
    contact
        What a contact costs on a channel that has no rate of its own.
    channels
        What a contact costs by channel.
    hour
        What an hour of an agent costs; it is used before the other rates where the working time of a contact is known.

    Examples
    --------
    >>> Rates().known, Rates(contact=6.0, channels={"phone": 8.5}).known
    (False, True)
    >>> Rates(contact=6.0, channels={"phone": 8.5}).of("phone"), Rates(channels={"phone": 8.5}).of("email")
    (8.5, None)
    """

    currency: str = "EUR"
    contact: Amount | None = None
    channels: dict[Channel, Amount] = Field(default_factory=dict)
    hour: Amount | None = None

    @field_validator("currency")
    @classmethod
    def _three_letters(cls, currency: str) -> str:
        if not _CURRENCY.fullmatch(currency):
            raise ValueError("must be three capital letters of ISO 4217, e.g. 'EUR'")
        return currency

    @property
    def known(self) -> bool:
        """Is there any rate at all?"""
        return self.contact is not None or self.hour is not None or bool(self.channels)

    def of(self, channel: str) -> float | None:
        """What a contact of that channel costs when its working time is not known; None where no rate says so."""
        rates: dict[str, float] = {str(name): rate for name, rate in self.channels.items()}
        return rates.get(channel, self.contact)

    @property
    def by_channel(self) -> dict[str, float | None]:
        """The rate of every channel there can be."""
        return {channel: self.of(channel) for channel in get_args(Channel)}
