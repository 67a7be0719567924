"""Read: Jira Service Management."""

from fcrlib.intake.jira.reader import CARRIES, EXPORT, SOURCE, read

__all__ = ["CARRIES", "EXPORT", "SOURCE", "read"]
