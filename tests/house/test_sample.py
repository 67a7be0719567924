"""Is the committed sample report one that the product would publish today?"""

import json
from pathlib import Path

from fcrlib.model.policy import Policy
from fcrlib.publish import gates
from fcrlib.publish.shelf import listing

ROOT = Path(__file__).parents[2]


def test_the_sample_passes_the_gates() -> None:
    assert gates.check(ROOT / "reports" / "sample") == []


def test_the_sample_was_made_under_todays_definition_and_its_notebooks() -> None:
    content = json.loads((ROOT / "reports" / "sample" / "findings.json").read_text(encoding="utf-8"))
    assert content["definitions"]["fingerprint"] == Policy().fingerprint
    assert {chapter["name"] for chapter in content["chapters"]} == {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}


def test_the_sample_is_on_no_shelf() -> None:
    assert all(report.folder.name != "sample" for report in listing(ROOT / "reports"))
