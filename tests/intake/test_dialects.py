"""Does what a system exports read back as the desk it was written from?"""

import importlib

import polars as pl
import pytest

from fcrlib.intake.demo import CANARIES, invent
from fcrlib.intake.demo.dialects import expected, systems, write
from fcrlib.intake.demo.dialects.door import carried
from fcrlib.intake.systems import available
from fcrlib.model.desk import Desk
from fcrlib.model.errors import DataError, UsageError
from fcrlib.model.tables import TABLES


@pytest.fixture(scope="module")
def invented() -> Desk:
    return invent(seed=3, contacts=1_200)


@pytest.fixture(scope="module", params=systems())
def read_back(request, invented, tmp_path_factory) -> tuple[str, Desk]:
    folder = write(invented, system=request.param, folder=tmp_path_factory.mktemp("exports") / request.param)
    return request.param, reader(request.param).read(folder, **_asked(request.param, invented))


def reader(system: str):
    return importlib.import_module(f"fcrlib.intake.{system}")


def _asked(system: str, desk: Desk) -> dict[str, object]:
    """What the reader must be told because its system does not say it."""
    room = importlib.import_module(f"fcrlib.intake.demo.dialects.{system}")
    return getattr(room, "asked", lambda desk: {})(desk)


def test_every_dialect_has_a_reader():
    assert set(systems()) <= {*available(), "csv"}


@pytest.mark.parametrize("table", TABLES)
def test_a_dialect_reads_back_as_the_desk_it_was_written_from(read_back, invented, table):
    system, desk = read_back
    want = getattr(expected(invented, system=system), table)
    got = carried(getattr(desk, table), table=table, carries=reader(system).CARRIES)
    assert got.columns == want.columns
    assert got.height == want.height
    differing = {name: [(a, b) for a, b in zip(got[name].to_list(), want[name].to_list(), strict=True) if a != b][:3] for name in want.columns}
    assert {name: pairs for name, pairs in differing.items() if pairs} == {}


def test_what_a_system_is_said_not_to_carry_it_does_not_carry(read_back, invented):
    """A column that comes back whole has no place among those that cannot."""
    system, desk = read_back
    carries = reader(system).CARRIES
    dialect = importlib.import_module(f"fcrlib.intake.demo.dialects.{system}")
    known = dialect.respelled(invented)
    whole = []
    for place in carries.without:
        table, _, column = place.partition(".")
        want, got = (getattr(one, table) for one in (known, desk))
        if column and column != "seq" and want.height == got.height and want[column].count() and want[column].equals(got[column], null_equal=True):
            whole.append(place)
    assert whole == []


def test_no_personal_data_gets_through_a_dialect(read_back):
    _, desk = read_back
    for frame in desk.tables().values():
        for name, dtype in frame.schema.items():
            if dtype == pl.String:
                assert not frame[name].str.contains(f"(?i){CANARIES.pattern}").any(), name


def test_a_foreign_export_is_refused_by_every_reader(read_back, invented, tmp_path):
    system, _ = read_back
    (tmp_path / "export.json").write_text('{"animals": [{"species": "cat", "legs": 4}]}', encoding="utf-8")
    with pytest.raises(DataError):
        reader(system).read(tmp_path, data_end=invented.manifest.data_end)


def test_an_unknown_dialect_is_refused_with_those_that_are_there(invented, tmp_path):
    with pytest.raises(UsageError, match=r"there is no dialect 'paper'; there are .*zendesk"):
        write(invented, system="paper", folder=tmp_path)
