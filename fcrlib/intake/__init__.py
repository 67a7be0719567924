"""Read: one file and one verb per source, `read(path, ...) -> Desk`."""
