"""What does `python -m fcrlib.cli` do? The same as `fcr`."""

from fcrlib.cli import main

main()
