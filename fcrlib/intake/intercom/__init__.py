"""Read: Intercom."""

from fcrlib.intake.intercom.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
