"""The words: policy, tables, desk, period, finding, and the errors that explain themselves."""
