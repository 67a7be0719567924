"""Does the reader that is shown to newcomers read?"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
NAMES = """
from pathlib import Path
from typing import Unpack
import polars as pl
from fcrlib.intake.canonical import flags, reading, typed, words
from fcrlib.intake.canonical.carries import Carries
from fcrlib.intake.canonical.reading import Asked, Reading, Tables
from fcrlib.intake.export.kinds import Export, Kind, Paging
from fcrlib.model.desk import Desk
STATUSES = {"working": "open", "done": "solved"}
"""
CASES = {
    "total": 1,
    "cases": [
        {
            "id": 7,
            "created_at": "2026-03-02T08:00:00Z",
            "state": {"name": "Done"},
            "labels": ["a", "b"],
            "user": {"id": 12},
            "log": [
                {"time": "2026-03-02T09:00:00Z", "type": "state", "to": "Working", "by": 3},
                {"time": "2026-03-02T10:00:00Z", "type": "state", "to": "Done", "by": 3},
                {"time": "2026-03-02T11:00:00Z", "type": "view", "to": "Done", "by": 3},
            ],
        }
    ],
}


def test_the_reader_of_the_page_reads_an_export(tmp_path):
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(NAMES + next(one for one in shown if "def _tables" in one), names)
    (tmp_path / "cases.json").write_text(json.dumps(CASES), encoding="utf-8")
    desk = names["read"](tmp_path, data_end=datetime(2026, 4, 1, tzinfo=UTC))  # type: ignore[operator]
    contact = desk.contacts.row(0, named=True)
    assert (contact["contact_id"], contact["status"], contact["customer_ref"], contact["tags"]) == ("7", "solved", "12", ["a", "b"])
    assert contact["first_resolved_at"] == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert desk.events.select("status_from", "status_to").rows() == [("new", "open"), ("open", "solved")]
