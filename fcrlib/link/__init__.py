"""Join: which contacts belong to one customer, and to one issue."""
