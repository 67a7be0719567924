"""Read: HubSpot tickets."""

from fcrlib.intake.hubspot.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
