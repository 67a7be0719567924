"""Decide: the label of every contact, and the rates that follow from the labels."""
