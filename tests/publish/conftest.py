"""A small desk and small notebooks to publish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from fcrlib.model.desk import Desk, Manifest
from fcrlib.publish.run import RunResult, run

SHOWN = """\
import polars as pl
from IPython.display import display
from fcrlib.model.finding import Finding, Measure
from fcrlib.show import charts
from fcrlib.show.figure import Table
from fcrlib.show.quote import Quote"""
FIGURES = """\
frame = pl.DataFrame({"channel": ["email", "chat"], "share": [0.74, 0.66], "low": [0.73, 0.64], "high": [0.75, 0.68], "n": [1200, 800]})
display(charts.rates(frame, id="by-channel", title="Chat resolves least", by="channel", reference=0.7))
display(Table("lonely", "A table no finding names", frame))"""
FINDINGS = """\
display(Finding("head", "headline", "First contact resolution fell to 71.4 %", "Chat is the reason."))
display(Finding("fcr", "kpi", "FCR", measure=Measure(VALUE, VALUE - 0.005, VALUE + 0.005, 31204, "share", "up")))
display(Finding("care-survey", "care", "Few answered.", "The survey rests on 6 % of contacts."))
display(Finding("chat", "finding", "Chat resolves least", "Two in three.", Measure(0.66, 0.64, 0.68, 800, "share", "up"), "C", "an association",
                "Train the desk", "Chat team", "2026Q4, +2 points", ("by-channel",), (("zd-1", "I was told it was paid."),)))"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A saved desk that spans the third quarter of 2026."""
    opened = datetime(2026, 7, 1, 8, tzinfo=UTC)
    contacts = pl.DataFrame(
        {
            "source": ["t"] * 3,
            "contact_id": ["a", "b", "c"],
            "opened_at": [opened, opened + timedelta(days=30), opened + timedelta(days=80)],
            "status": ["solved"] * 3,
            "channel": ["email"] * 3,
            "initiated_by": ["customer"] * 3,
            "resolved_by": ["human"] * 3,
        }
    )
    manifest = Manifest(
        source="test",
        reader="test",
        reader_version="1",
        data_start=datetime(2026, 4, 1, tzinfo=UTC),
        data_end=datetime(2026, 9, 30, 23, tzinfo=UTC),
        redacted=True,
    )
    return Desk.build(manifest, contacts=contacts).save(tmp_path / "desk")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a notebook of code cells into tmp_path/notebooks."""
    folder = tmp_path / "notebooks"
    folder.mkdir(exist_ok=True)
    return partial(notebook, folder)


def notebook(folder: Path, name: str, *cells: str, parameters: str = "", title: str = "What happened?") -> Path:
    """A notebook with a heading, a parameters cell if there is one to have, and code cells c0, c1, ..."""
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    book.cells = [nbformat.v4.new_markdown_cell(f"# {title}", id="title")]
    if parameters:
        book.cells.append(nbformat.v4.new_code_cell(parameters, id="parameters", metadata={"tags": ["parameters"]}))
    book.cells += [nbformat.v4.new_code_cell(source, id=f"c{place}") for place, source in enumerate(cells)]
    nbformat.write(book, folder / f"{name}.ipynb")
    return folder / f"{name}.ipynb"


@pytest.fixture
def publish(desk: Path, tmp_path: Path) -> Callable[..., RunResult]:
    """Run tmp_path/notebooks into tmp_path/reports."""

    def go(period: str = "2026Q3", **changes: Any) -> RunResult:
        folders = {"desk": desk, "notebooks": tmp_path / "notebooks", "reports": tmp_path / "reports"}
        return run(period, **{**folders, "cell_timeout": timedelta(seconds=20), **changes})

    return go


@pytest.fixture
def shown() -> Callable[[float], Sequence[str]]:
    """Cells that show a figure, a table and one finding of each kind, for a given FCR."""
    return lambda fcr: (SHOWN, FIGURES, FINDINGS.replace("VALUE", str(fcr)))
