"""Does everything this repository says claim no more than it can?"""

import json
from pathlib import Path

import pytest

from fcrlib.show.wording import lint_notebook, lint_report, lint_text

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "DECISIONS.md", "CHANGELOG.md", "data/README.md")


@pytest.mark.parametrize("notebook", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_claims_no_more_than_it_can(notebook: Path) -> None:
    assert [f"{slip}" for slip in lint_notebook(notebook)] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_manual_claims_no_more_than_it_can(page: str) -> None:
    assert [f"{slip}" for slip in lint_text((ROOT / page).read_text(encoding="utf-8"))] == []


def test_the_committed_sample_claims_no_more_than_it_can() -> None:
    assert lint_report(json.loads((ROOT / "reports" / "sample" / "findings.json").read_text(encoding="utf-8"))) == []
