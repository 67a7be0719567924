"""Read: Zendesk."""

from fcrlib.intake.zendesk.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
