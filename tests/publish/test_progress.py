"""On a terminal one line is rewritten; in a log there is a line only where there is something to say."""

from __future__ import annotations

import io
import re

from fcrlib.publish.progress import Logged, Rewritten, Several, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_has_a_time_and_no_line_for_a_quick_cell() -> None:
    stream = io.StringIO()
    told = progress(stream)
    told.cell("10", 0, 3)
    told.took("10", "c0", 9.9)
    told.took("10", "c1", 12.34)
    told.say("10: 22 s\nand more", notebook="10")
    lines = stream.getvalue().splitlines()
    assert isinstance(told, Logged)
    assert [line[21:] for line in lines] == ["10: cell 'c1' took 12.3 s", "10: 22 s and more"]
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in lines)


def test_a_terminal_names_what_is_running_and_keeps_what_is_said() -> None:
    stream = Terminal()
    told = progress(stream)
    told.cell("10", 0, 3)
    told.cell("20", 1, 4)
    told.took("10", "c0", 60)
    told.say("10: 3 s", notebook="10")
    last = stream.getvalue().split("\r\x1b[2K")
    assert isinstance(told, Rewritten)
    assert last == ["", "10: cell 1 of 3", "10: cell 1 of 3 · 20: cell 2 of 4", "10: 3 s\n", "20: cell 2 of 4"]


def test_every_cell_is_told_where_that_is_asked_for_and_to_all() -> None:
    streams = (io.StringIO(), io.StringIO())
    told = Several([Logged(streams[0], says="every cell"), Logged(streams[1])])
    told.took("10", "c0", 0.01)
    assert "cell 'c0' took 0.0 s" in streams[0].getvalue()
    assert streams[1].getvalue() == ""
