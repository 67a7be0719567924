"""Read: Salesforce Service Cloud."""

from fcrlib.intake.salesforce.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
