"""The invented desk, as a helpdesk would export it: `write(desk, system="zendesk", folder=...)`, and `expected` to compare what is read back."""

from fcrlib.intake.demo.dialects.door import expected, systems, write

__all__ = ["expected", "systems", "write"]
