"""Lay out: plain tables of any origin, as rows and named columns."""
