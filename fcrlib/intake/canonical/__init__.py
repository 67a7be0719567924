"""Agree: what every reader needs to bring an export's words, times and steps into canonical tables."""
