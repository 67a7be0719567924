"""Read: Freshdesk and Freshservice."""

from fcrlib.intake.freshdesk.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
