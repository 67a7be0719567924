"""Do the first notebooks really do without what is said of them?"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from books import Shown, looker, unread

from fcrlib.explain import fitness

HERE = {name: one for name, one in fitness.NOTEBOOKS.items() if name < "02_z"}
SECTIONS = [(name, figure, need) for name, one in HERE.items() for figure, needs in one.sections.values() for need in needs]
COUNTED = [(name, capability) for name, one in HERE.items() for capability in (*one.counts, *one.needs)]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Shown]:
    return looker(tmp_path_factory.mktemp("desks"))


@pytest.mark.parametrize(("name", "figure", "need"), SECTIONS)
def test_a_section_is_empty_exactly_where_it_is_said_to_be(name: str, figure: str, need: str, shown: Callable[..., Shown]) -> None:
    assert shown(name).rows[figure] > 0
    assert shown(name, need).rows[figure] == 0


@pytest.mark.parametrize("name", [name for name in HERE if name != "00_data_quality"])
def test_what_a_notebook_is_not_said_to_read_changes_nothing_in_it(name: str, shown: Callable[..., Shown]) -> None:
    without = unread(HERE[name])
    assert without
    assert shown(name, *without).said == shown(name).said


@pytest.mark.parametrize(("name", "capability"), COUNTED)
def test_what_a_notebook_is_said_to_count_moves_something_in_it(name: str, capability: str, shown: Callable[..., Shown]) -> None:
    assert shown(name, capability).said != shown(name).said
