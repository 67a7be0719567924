"""Read: phone systems."""

from fcrlib.intake.calls.reader import CARRIES, SOURCE, read

__all__ = ["CARRIES", "SOURCE", "read"]
