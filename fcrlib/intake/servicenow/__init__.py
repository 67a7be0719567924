"""Read: ServiceNow."""

from fcrlib.intake.servicenow.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
