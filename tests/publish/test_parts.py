"""The page answers in the order of a reader's questions, and what speaks of one way of failing stands together."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_page import rendered

from fcrlib.model.finding import Change, Finding, Measure
from fcrlib.publish import parts
from fcrlib.publish.exports import picture, summary
from fcrlib.show import charts
from fcrlib.show.figure import Figure, Table


def drawing(id: str, title: str = "") -> Figure:
    frame = pl.DataFrame({"a": ["x", "y"], "share": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7], "n": [10, 20]})
    return charts.rates(frame, id=id, title=title or id, by="a")


def mode(slug: str, share: float = 0.2, *, n: int = 100, cost: Measure | None = None, **more: Any) -> Finding:
    given: dict[str, Any] = {
        "statement": "It means this.", "measure": Measure(share, share - 0.02, share + 0.02, n, "share", "down"), "grade": "D", "why": "read off signs",
        "action": "Mend it", "owner": "routing team", "check": "In the next period", "cost": cost, "mode": slug,
        "details": {"name": f"failed by {slug}", "bone": "process", "cumulative": "40.0 %"},
    }  # fmt: skip
    return Finding(f"failure-mode-{slug}", "mode", f"title of {slug}", **{**given, **more})


HEAD = Finding("h", "headline", "It fell", "First sentence, 70.1 % of all. Second sentence. Third one.")


def text_of(folder: Path) -> str:
    text = (folder / "page" / "report.html").read_text()
    return text.replace("\u00a0", " ").replace("\u2060", "")


def between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.index(end)]


def test_the_first_page_names_what_to_fix_who_owns_it_and_what_it_costs(tmp_path) -> None:
    lead = Finding("why-x", "finding", "Login failed more often", lead=True)
    rendered(tmp_path, HEAD, mode("routing", cost=Measure(1200.0, 900.0, 1500.0, 100, "money", "down")), lead)
    first = between(text_of(tmp_path), "<h1>", 'id="findings"')
    assert "First sentence, 70.1 % of all.</p>" in first
    assert "What moved most: Login failed more often." in first
    assert "First to fix: failed by routing (20.0 % of the failed contacts; 1,200). Its owner is the routing team." in first
    assert "Second sentence" not in first
    row = between(first, "<tbody", "</tbody>")
    for word in ("Failed by routing", "100", "20.0 %", "18.0 to 22.0 %", "1,200", "900 to 1,500", "a lead", "routing team"):
        assert word in row
    assert "Second sentence. Third one." in between(text_of(tmp_path), 'id="method"', 'id="provenance"')


def test_the_dearest_comes_first_only_if_every_cost_is_known_in_one_unit(tmp_path) -> None:
    cheap, dear = mode("cheap", 0.3, cost=Measure(10.0, unit="money")), mode("dear", 0.2, cost=Measure(90.0, unit="money"))
    content, _ = rendered(tmp_path, cheap, dear)
    assert [card["id"] for card in parts.sorted_out(content, {})["ranked"]] == ["failure-mode-dear", "failure-mode-cheap"]
    content, _ = rendered(tmp_path, cheap, mode("dear", 0.2, cost=Measure(90.0, unit="contacts")))
    assert [card["id"] for card in parts.sorted_out(content, {})["ranked"]] == ["failure-mode-cheap", "failure-mode-dear"]


def test_what_speaks_of_one_way_stands_under_it(tmp_path) -> None:
    chain = Finding(
        "why-x", "finding", "Login: it rose", "a. b.", grade="D", mode="bug", chain=("Because of a step", "And of another"), figures=("fig",)
    )
    place = Finding("place", "finding", "9 % of billing fail so", "80 of 900", mode="bug", examples=(("zd:1", "It broke."),))
    other = Finding("other", "finding", "Something else")
    _, problems = rendered(tmp_path, drawing("fig"), mode("bug"), mode("routing"), chain, place, other)
    assert problems == []
    text = text_of(tmp_path)
    card = between(text, 'id="finding-failure-mode-bug"', 'id="finding-failure-mode-routing"')
    for word in ("Why? Login: it rose", "Because of a step", "9 % of billing fail so", "It broke.", 'id="figure-fig"', "Mend it"):
        assert word in card
    rest = between(text, 'id="others"', 'id="method"')
    assert "Something else" in rest
    assert "Login: it rose" not in rest


def test_no_more_than_five_are_ranked_and_none_is_lost(tmp_path) -> None:
    rendered(tmp_path, *(mode(f"m{place}") for place in range(7)))
    text = text_of(tmp_path)
    assert between(text, "<tbody", "</tbody>").count("<tr") == 5
    assert {f"finding-failure-mode-m{place}" for place in range(7)} <= set(re.findall(r'id="([^"]+)"', text))


def test_friction_and_actions_have_parts_of_their_own(tmp_path) -> None:
    board = Finding("board", "finding", "Most at sign-on", details={"part": "friction"})
    action = Finding("did", "finding", "Fewer failed after it", details={"part": "actions"})
    rendered(tmp_path, mode("bug"), board, action)
    text = text_of(tmp_path)
    assert "Most at sign-on" in between(text, 'id="friction"', 'id="changed"')
    assert "Fewer failed after it" in between(text, 'id="actions"', 'id="method"')
    assert "No action of an earlier period" not in text


def test_a_section_shows_its_first_drawing_and_points_to_the_rest(tmp_path) -> None:
    long = Table("long", "A long table", pl.DataFrame({"n": list(range(40))}))
    rendered(tmp_path, long, drawing("one", "The first drawing"), drawing("two", "The second drawing"), prose="# What?\n\n## Part\n\nWords.")
    text = text_of(tmp_path)
    assert 'id="figure-one"' in text
    assert 'id="figure-two"' not in text
    assert '<a href="notebooks/10_x.html#shown">The second drawing</a>' in text
    assert '<a href="notebooks/10_x.html#shown">A long table</a>' in text
    assert "The second drawing" in (tmp_path / "page" / "notebooks" / "10_x.html").read_text()


def test_a_finding_with_many_figures_loses_none(tmp_path) -> None:
    names = [f"fig{place}" for place in range(5)]
    _, problems = rendered(tmp_path, *map(drawing, names), Finding("f", "finding", "t", figures=tuple(names)))
    assert problems == []
    text = text_of(tmp_path)
    assert {f"figure-fig{place}" for place in range(3)} <= set(re.findall(r'id="([^"]+)"', text))
    assert "fig4</a>" in text


def test_only_the_first_cautions_stand_on_top_and_the_rest_is_not_lost(tmp_path) -> None:
    cares = [Finding(f"c{place}", "care", f"Caution {place}.") for place in range(6)]
    rendered(tmp_path, HEAD, *cares, Finding("late", "care", "The gravest.", lead=True))
    text = text_of(tmp_path)
    box = between(text, 'id="care"', "</aside>")
    assert "The gravest." in box
    assert "4 more under “Method”" in box
    assert "Caution 5." not in box
    assert "Caution 5." in between(text, 'id="method"', 'id="provenance"')


def test_a_comparison_inside_the_data_needs_no_earlier_report(tmp_path) -> None:
    moved = mode("bug", change=Change("up", 0.02, 0.011, "", "2026Q2", "of all first contacts"))
    rendered(tmp_path, moved, mode("level", change=Change("within noise", 0.02, 0.001, "", "2026Q2", "of all first contacts")))
    text = text_of(tmp_path)
    assert "▲ +1.1 points" in between(text, "<tbody", "</tbody>")
    assert "▲ +1.1 points of all first contacts since 2026Q2, worse" in text
    changed = between(text, 'id="changed"', 'id="actions"')
    assert changed.index("Went up") < changed.index("Failed by bug") < changed.index("No clear change") < changed.index("Failed by level")


def test_the_summary_ranks_as_the_page_does(tmp_path) -> None:
    content, _ = rendered(tmp_path, HEAD, mode("cheap", cost=Measure(10.0, unit="money")), mode("dear", cost=Measure(90.0, unit="money")))
    lines = summary(content).splitlines()
    assert "1. Failed by dear (20.0 %, 90.00). Do: Mend it. Owner: routing team." in lines
    assert any(line.startswith("2. Failed by cheap") for line in lines)


@pytest.mark.parametrize("kind", ["png", "svg", "csv", "parquet"])
def test_whatever_is_linked_is_there(tmp_path, kind) -> None:
    _, problems = rendered(tmp_path, drawing("fig"), Finding("f", "finding", "t", figures=("fig",)))
    assert problems == []
    assert next(iter((tmp_path / "page").rglob(f"fig.{kind}"))).stat().st_size > 20


def test_only_what_a_finding_shows_becomes_a_bitmap(tmp_path) -> None:
    _, problems = rendered(tmp_path, drawing("fig"), drawing("other"), Finding("f", "finding", "t", figures=("fig",)))
    assert problems == []
    assert [file.name for file in (tmp_path / "page" / "charts").glob("*.png")] == ["fig.png"]
    assert text_of(tmp_path).count("as PNG") == 1


def test_a_bitmap_is_packed_without_losing_a_pixel() -> None:
    import struct
    import zlib

    import vl_convert

    drawn = drawing("fig").svg()
    plain, packed = bytes(vl_convert.svg_to_png(drawn, scale=2)), picture(drawn)

    def chunks(png: bytes) -> dict[bytes, bytes]:
        found, at = {}, 8
        while at < len(png):
            (size,) = struct.unpack(">I", png[at : at + 4])
            kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
            assert struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0] == zlib.crc32(kind + data)
            found[kind] = found.get(kind, b"") + data
            at += 12 + size
        return found

    assert zlib.decompress(chunks(packed)[b"IDAT"]) == zlib.decompress(chunks(plain)[b"IDAT"])
    assert chunks(packed)[b"IHDR"] == chunks(plain)[b"IHDR"]
    assert list(chunks(packed))[-1] == b"IEND"
    assert len(packed) < len(plain) / 2


def test_the_place_to_begin_stands_under_its_way_and_names_the_product_team(tmp_path) -> None:
    details = {"part": "place", "where": "mostly in single sign-on (55 %)", "area": "single sign-on"}
    home = Finding("place-bug", "finding", "Mostly in single sign-on: 103 of the 188 whose verdict is final", mode="bug", details=details)
    lost = Finding("place-other", "finding", "Mostly nowhere", mode="other", details={**details, "part": "place"})
    content, problems = rendered(tmp_path, HEAD, mode("bug", owner="product team of the area"), home, lost)
    assert problems == []
    first = between(text_of(tmp_path), "<h1>", 'id="findings"')
    assert "20.0 % of the failed contacts), mostly in single sign-on (55 %). Its owner is the product team of single sign-on." in first
    assert "<small>mostly in single sign-on (55 %)</small>" in first
    assert "of the area" not in text_of(tmp_path)
    assert "Mostly nowhere" not in text_of(tmp_path)
    assert ", mostly in single sign-on (55 %)." in summary(content)


def test_a_place_of_a_statement_is_named_if_a_fifth_of_the_way_lies_there(tmp_path) -> None:
    def there(n: int) -> str:
        place = Finding("p", "finding", "It fails there", mode="bug", details={"of": "contacts in tier starter", "there": n})
        content, _ = rendered(tmp_path, mode("bug", n=100), place)
        return parts.sorted_out(content, {})["ranked"][0]["mostly"]

    assert [there(n) for n in (60, 30, 10)] == ["mostly contacts in tier starter", "often contacts in tier starter", ""]


def test_each_number_of_a_way_is_said_once_in_its_part(tmp_path) -> None:
    rendered(tmp_path, mode("bug"), mode("routing"))
    card = between(text_of(tmp_path), 'id="finding-failure-mode-bug"', 'id="finding-failure-mode-routing"')
    assert [card.count(number) for number in ("20.0 %", "18.0 to 22.0 %", "<b>100</b>")] == [1, 1, 1]
    assert "Failed by bug</h3>" in card
    assert text_of(tmp_path).count("read off signs") == 1


def test_actions_that_cannot_be_judged_yet_stand_in_one_list(tmp_path) -> None:
    given = {"part": "actions", "judged": True}
    done = Finding("action-a", "finding", "A: failures fell since", "Less.", Measure(-0.1, -0.2, -0.05, 90, "points", "down"), details=given)
    waiting = [Finding(f"action-{x}", "finding", f"{x}: not done yet", "Not yet.", owner="Billing", details={**given, "judged": False}) for x in "bc"]
    rendered(tmp_path, done, *waiting)
    section = between(text_of(tmp_path), 'id="actions"', 'id="method"')
    assert section.count("<article") == 1
    assert section.index("A: failures fell") < section.index("Not to be judged yet") < section.index("b: not done yet") < section.index("c: not done")
    assert "Owner: Billing" in section
