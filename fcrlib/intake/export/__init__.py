"""Unpack: the records of a helpdesk's export as tables of text, however it was cut into files."""
