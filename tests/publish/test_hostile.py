"""Nothing that a customer, an agent or an export writes ever runs, loads, links or leaves its place."""

from __future__ import annotations

import ast
import csv
import io
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mistune
import nbformat
import polars as pl
import pytest
from browser import MISSING, Browser, Listener, listening, opened
from hostile import FIRED, PERSONAL, desk_of, export, own_files, payloads

import fcrlib
from fcrlib.intake import csv as reader
from fcrlib.intake.redact import leaks
from fcrlib.model.errors import FcrError, UsageError
from fcrlib.model.finding import Finding
from fcrlib.publish import evidence, exports, findings
from fcrlib.publish.gates import Page
from fcrlib.publish.page import redirect
from fcrlib.publish.rebuild import build
from fcrlib.publish.run import RunResult, run
from fcrlib.show import charts
from fcrlib.show.figure import TABLE, Table
from fcrlib.show.quote import Quote
from fcrlib.show.svg import harden

NOTEBOOKS = Path(fcrlib.__file__).parents[1] / "notebooks"
WORDS = payloads()
OURS = {"table", "caption", "thead", "tbody", "tr", "th", "td", "p", "blockquote", "cite"}
SUMMARY = {"p", "strong", "ul", "ol", "li"}
RUNS = "=+-@＝＋－＠"
PICKLES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


class Tags(HTMLParser):
    """The tags of a piece of markup, and the attributes on them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def frame(*words: str) -> pl.DataFrame:
    rows = len(words)
    return pl.DataFrame({"team": list(words), "share": [0.5] * rows, "low": [0.4] * rows, "high": [0.6] * rows, "n": [10] * rows})


def steers(text: str) -> list[str]:
    """The letters of a text that steer a screen, hide or reorder others."""
    return [letter for letter in text if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter not in "\n\t\u2060\u200c\u200d\u00ad"]


def formulas(text: str) -> list[str]:
    """The cells of a CSV that a spreadsheet would run, whatever it takes for the delimiter."""
    # A line is one cell for a spreadsheet that waits for another delimiter; one that begins with a number is no formula.
    commas = [(cell, RUNS) for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    others = [
        (cell, "=@＝＠") for line in re.split(r"[\r\n]+", text) for delimiter in ";\t" for cell in next(csv.reader([line], delimiter=delimiter), [])
    ]
    bare = [(cell.lstrip(' "\ufeff\u200b\u2060'), runs) for cell, runs in (*commas, *others)]
    return [cell for cell, runs in bare if cell[:1] and cell[0] in f"{runs}\t\r" and not _is_number(cell)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", WORDS)
def test_a_quote_is_one_line_of_words(name) -> None:
    shown = Quote(WORDS[name], ref=WORDS[name])._repr_mimebundle_()
    tags = Tags(shown["text/html"])
    assert tags.names <= {"blockquote", "cite"}
    assert not tags.attributes
    assert not steers(Quote(WORDS[name]).text)


def test_a_table_has_no_tag_but_its_own_and_no_letter_that_steers() -> None:
    for name, word in WORDS.items():
        shown = Table("t", word, frame(*WORDS.values()).rename({"team": word}), note=word)._repr_mimebundle_()
        tags = Tags(shown["text/html"])
        assert tags.names <= OURS, name
        assert tags.attributes <= {"scope", "class"}, name
        assert not steers(shown["text/html"]), name


def test_a_finding_has_no_letter_that_steers() -> None:
    for name, word in WORDS.items():
        found = Finding("f", "finding", word, word, why=word, action=word, owner=word, check=word, chain=(word,))
        assert not steers("".join((found.title, found.statement, found.why, found.action, found.owner, found.check, *found.chain))), name


def test_a_drawing_of_hostile_names_is_drawn_and_harmless() -> None:
    figure = charts.rates(frame(*WORDS.values()), id="drawn", title=WORDS["null"], by="team", note=WORDS["script"], alt=WORDS["terminal"])
    # The drawing engine ends the whole process at a control character: look before it is asked.
    assert not re.search(r"\\u(?:00[01].|007f|200b|202e|feff|fff[ef])", json.dumps(figure.spec()))
    drawn = figure.svg()
    page = Page()
    page.feed(drawn)
    assert page.problems == []
    assert "script" not in Tags(drawn).names
    assert not {name for name in Tags(drawn).attributes if name.startswith("on") or name.endswith("href")}
    assert any(FIRED in word for word in page.words)


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        '<g onload="1"/>',
        '<a href="javascript:1"><path d="M1 1"/></a>',
        '<image href="http://a.example/x"/>',
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><img src="x" onerror="1"/></body></foreignObject>',
        "<style>@import url(http://a.example)</style>",
        '<use href="http://a.example/#x"/>',
        '<path d="M1 1" style="fill:url(http://a.example)"/>',
        '<path d="M1 1" fill="url(http://a.example/#a)"/>',
        '<animate attributeName="href" to="javascript:1"/>',
        '<set attributeName="onload" to="1"/>',
    ],
)
def test_a_drawing_that_was_tampered_with_is_cleaned(inside) -> None:
    svg = harden(f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{inside}<rect width="1"/></svg>', id="x", title="t", alt="a")
    tags = Tags(svg)
    assert tags.names <= {"svg", "title", "desc", "rect", "g", "path"}
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("href", "style")}
    assert "a.example" not in svg
    assert "javascript" not in svg


def test_a_drawing_with_entities_is_refused() -> None:
    with pytest.raises(UsageError, match="entities"):
        harden('<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>', id="x", title="t", alt="a")


@pytest.mark.parametrize("name", WORDS)
def test_a_cell_never_runs_whatever_the_delimiter_is(name) -> None:
    text = exports.table({"columns": [{"name": WORDS[name]}, {"name": "b"}], "rows": [[WORDS[name], -0.5], ["x", WORDS[name]]]})
    assert formulas(text) == []
    assert text.endswith("\r\n")


def test_the_look_for_formulas_finds_one() -> None:
    assert {"=1", "@x,1", "\t2,1"} <= set(formulas('a,b\r\n=1,-0.5\r\ntea;@x,1\r\n"\t2",1\r\n'))
    assert formulas("a,b\r\n'=1,-0.5\r\n") == []


def told(words: str) -> str:
    """A summary that says these words everywhere."""
    measure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9, "unit": "share", "good": "up"}
    shown = [
        Finding("h", "headline", words, words),
        Finding("f", "finding", words, words, grade="C", why=words, action=words, owner=words, check=words),
    ]
    place = {"evidence": {"notebook": "10_x", "cell": "c"}}
    content = {
        "period": {"label": "2026Q3"},
        "data": {"invented": False},
        "previous": None,
        "chapters": [],
        "gone": [],
        "kpis": [{**Finding("k", "kpi", words).as_json(), "measure": measure, **place}],
        "findings": [{**found.as_json(), **place} for found in shown],
    }
    return exports.summary(content)


@pytest.mark.parametrize("name", WORDS)
def test_a_summary_has_no_markup_no_link_and_calls_nobody(name) -> None:
    text = told(WORDS[name])
    render = mistune.create_markdown(escape=False, plugins=["url", "table", "strikethrough", "task_lists"])
    tags = Tags(str(render(text)))
    assert tags.names <= SUMMARY
    assert not tags.attributes
    assert not re.search(r"@\w|\w://|\bwww\.|\b(?:javascript|data|mailto|tel):\S", text)
    assert not steers(text)


@pytest.mark.parametrize("name", WORDS)
def test_prose_of_a_notebook_has_nothing_that_runs_or_is_clicked(name) -> None:
    for words in (
        WORDS[name],
        f"# {WORDS[name]}",
        f"```\n{WORDS[name]}\n```",
        f"```mermaid\n{WORDS[name]}\n```",
        f"- ~~~ mermaid\n  {WORDS[name]}\n  ~~~",
    ):
        tags, links = Tags(str(evidence.prose(words))), re.findall(r'(?:href|src)="([^"]*)"', str(evidence.prose(words)))
        assert not tags.names & {"script", "style", "svg", "iframe", "base", "meta", "details", "title", "textarea", "select", "b"}, words
        assert not {attribute for attribute in tags.attributes if attribute.startswith("on")}, words
        assert not [link for link in links if re.match(r"\s*(?:javascript|data|vbscript):", link, re.IGNORECASE)], words


def executed(folder: Path, **data: Any) -> Path:
    """An executed notebook that shows one thing of this data."""
    output = nbformat.v4.new_output("display_data", {"text/plain": "", **data})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="c", outputs=[output])])
    (folder / "10_x.ipynb").write_text(json.dumps(book), encoding="utf-8")
    return folder / "10_x.ipynb"


@pytest.mark.parametrize("id", ["../../evil", "/etc/passwd", "a/b", "C:evil", "", "a" * 101, "A", "x\n", "..", 'x"onload="1'])
def test_the_id_of_a_figure_never_leads_out_of_its_folder(tmp_path, id) -> None:
    shown = {"id": id, "title": "t", "note": "", "columns": [], "rows": []}
    with pytest.raises(UsageError, match="name a file"):
        findings.harvest([executed(tmp_path, **{TABLE: shown})])


@pytest.mark.parametrize("id", ["../../evil", "a/b", "", "x\n", 'x"onload="1'])
def test_the_id_of_a_finding_is_a_slug(id) -> None:
    with pytest.raises(UsageError, match="slug"):
        Finding(id, "finding", "t")


def test_words_that_look_like_the_place_of_a_kernel_do_not_break_the_evidence(tmp_path) -> None:
    shown = Finding("f", "finding", "t", details={"said": WORDS["kernel-path"]})._repr_mimebundle_()
    clean = json.loads(evidence.scrubbed(executed(tmp_path, **shown), places={}))
    assert "see\ncell line 0x0" in json.dumps(clean).replace("\\n", "\n")


def test_the_page_that_leads_to_the_newest_report_has_a_policy(tmp_path) -> None:
    (tmp_path / "latest.html").write_text(redirect('2026Q3/"><script>1</script>'), encoding="utf-8")
    page = Page.read(tmp_path / "latest.html")
    assert "default-src 'none'" in page.policy
    assert page.problems == []


def test_an_export_with_hostile_names_is_read_and_named_in_words(tmp_path) -> None:
    words = [word for name, word in WORDS.items() if name not in ("null", "return", "heading", "reference", "mermaid")]
    file = export(tmp_path / "a <img src=x onerror=alert(1)> {{7*7}}.csv", words)
    desk = reader.read(file, data_end=datetime(2026, 12, 31, tzinfo=UTC), time_zone="UTC")
    assert desk.contacts.height == max(len(words), 40)
    assert not steers(" ".join(desk.manifest.notes)), desk.manifest.notes
    assert {file.name for file in tmp_path.iterdir()} == {file.name}


def test_a_mistake_in_a_hostile_export_does_not_steer_the_terminal(tmp_path) -> None:
    file = tmp_path / "export.csv"
    file.write_text(f"ticket id,created at,{WORDS['terminal']}\n1,{WORDS['terminal']},x\n2,{WORDS['terminal']},x\n", encoding="utf-8")
    with pytest.raises(FcrError) as error:
        reader.read(file, data_end=datetime(2026, 12, 31, tzinfo=UTC))
    assert not steers(str(error.value))


def test_personal_data_leaves_every_text(tmp_path) -> None:
    desk = desk_of(list(PERSONAL.values()), contacts=400)
    texts = [*desk.contacts["subject"], *desk.contacts["body"], *desk.events["text"], *desk.surveys["comment"]]
    assert leaks("\n".join(text for text in texts if text)) == {}
    assert leaks("\n".join(PERSONAL.values())).keys() == PERSONAL.keys()


def test_nothing_reads_or_writes_pickles() -> None:
    for file in Path(fcrlib.__file__).parent.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        named = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name.partition(".")[0] for name in named} & PICKLES, file
        assert "allow_pickle=True" not in text, file
        assert "read_pickle" not in text, file


@dataclass(frozen=True, slots=True)
class Published:
    """A report of a desk full of hostile words, still and with drawings that answer; who was called while it was made and looked at."""

    result: RunResult
    still: Path
    live: Path
    root: Path
    words: dict[str, str]
    heard: Listener
    called: tuple[str, ...]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    root = tmp_path_factory.mktemp("hostile")
    with listening() as heard:
        words = payloads(heard.port)
        desk = desk_of(list(words.values()))
        folder = desk.save(root / "desk <img src=x onerror=alert(1)>'{{7*7}}")
        contact = desk.contacts.filter(pl.col("opened_at") > datetime(2026, 8, 1, tzinfo=UTC), pl.col("contact_id").str.contains("onerror"))[
            "contact_id"
        ][0]
        result = run(
            "2026Q3",
            desk=folder,
            notebooks=NOTEBOOKS,
            reports=root / "still",
            parameters={"contact": contact},
            organisation=words["onerror"],
            settings=own_files(root, list(words.values())),
            jobs=2,
        )
        if result.status == "published":
            shutil.copytree(root / "still", root / "live")
            assert build("2026Q3", reports=root / "live", drawings="interactive").status == "published"
            shutil.rmtree(root / "live" / ".old")
        yield Published(result, root / "still", root / "live", root, words, heard, tuple(heard.hits))


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if MISSING:
        pytest.skip(MISSING)
    with opened(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def pages(folder: Path) -> list[Path]:
    """Everything that a browser opens."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".svg") and ".staging" not in path.parts)


def flat(text: str) -> str:
    return "".join(letter for letter in text if unicodedata.category(letter)[0] not in "CZ")


@pytest.mark.slow
def test_a_hostile_desk_gives_a_whole_report_that_shows_the_words_as_words(published) -> None:
    assert published.result.status == "published", (published.result.message, published.result.gates)
    assert published.called == ()
    parts = [published.still / "2026Q3" / "report.html", *(published.still / "2026Q3" / "notebooks").glob("*.html")]
    said = flat(" ".join(word for page in parts for word in Page.read(page).words))
    shown = {name for name, word in published.words.items() if flat(word)[:30] in said}
    assert len(shown) >= 40, sorted(set(published.words) - shown)
    assert {"script", "onerror", "svg-onload", "end-script", "jinja", "link-script"} <= shown


@pytest.mark.slow
def test_the_ways_of_failing_are_named_in_hostile_words_and_shown_as_words(published) -> None:
    content = json.loads((published.still / "2026Q3" / "findings.json").read_text(encoding="utf-8"))
    modes = [fields for fields in content["findings"] if fields["mode"]]
    hostile = {flat(word.strip()) for word in published.words.values()}
    assert len({flat(fields["owner"]) for fields in modes} & hostile) >= 5
    assert len({flat(fields["action"]) for fields in modes} & hostile) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("which", ["still", "live"])
def test_nothing_fires_in_a_browser(published, driven, which) -> None:
    published.heard.hits.clear()
    looked = pages(getattr(published, which))
    assert len(looked) > 30
    for page in looked:
        seen = driven.open(page, settle=0.1)
        assert (seen.dialogs, seen.outside, seen.said) == ([], [], []), page
        assert seen.state["title"] != FIRED, page
        assert (seen.state["handlers"], seen.state["frames"]) == (0, 0), page
        assert seen.state["policy"] or page.suffix == ".svg", page
        assert not [link for link in seen.state["links"] if not link.startswith(("file:", "https:"))], page
        assert seen.state["scripts"] == 0 or (which == "live" and page.name in ("report.html", "latest.html")), page
    assert published.heard.hits == []


@pytest.mark.slow
def test_drawings_that_answer_are_drawn_in_the_browser(published, driven) -> None:
    seen = driven.open(published.live / "2026Q3" / "report.html", settle=2)
    assert seen.state["drawn"] > 3
    assert (seen.dialogs, seen.outside, seen.said, seen.state["frames"], seen.state["title"] == FIRED) == ([], [], [], 0, False)


@pytest.mark.slow
def test_the_policy_stops_what_would_fire_without_it(published, driven, tmp_path) -> None:
    text = (published.still / "2026Q3" / "report.html").read_text(encoding="utf-8")
    bait = f"<img src='http://127.0.0.1:{published.heard.port}/bait' onerror=\"document.title='{FIRED}'\"><script>alert(1)</script></body>"
    for name, page in (("with", text), ("without", re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text))):
        (tmp_path / f"{name}.html").write_text(page.replace("</body>", bait), encoding="utf-8")
    published.heard.hits.clear()
    held = driven.open(tmp_path / "with.html")
    assert (held.state["title"] == FIRED, held.dialogs, published.heard.hits) == (False, [], [])
    loose = driven.open(tmp_path / "without.html")
    assert (loose.state["title"], loose.dialogs) == (FIRED, ["1"])
    assert published.heard.hits == ["/bait"]


@pytest.mark.slow
def test_executed_notebooks_carry_no_markup_but_our_own(published) -> None:
    books = sorted((published.still / "2026Q3" / "evidence").glob("*.ipynb"))
    assert len(books) == len(list(NOTEBOOKS.glob("*.ipynb")))
    outputs = [output for book in books for cell in json.loads(book.read_text(encoding="utf-8"))["cells"] for output in cell.get("outputs", [])]
    data = [output["data"] for output in outputs if "data" in output]
    assert len(data) > 50
    for one in data:
        assert not one.keys() & {"text/markdown", "text/latex", "application/javascript", "application/x-httpd-php"}
        tags = Tags("".join(one.get("text/html", "")))
        assert tags.names <= OURS
        assert tags.attributes <= {"scope", "class"}
        drawn = Page()
        drawn.feed("".join(one.get("image/svg+xml", "")))
        assert drawn.problems == []
        for kind in (kind for kind in one if "vegalite" in kind):
            assert not _reaching(one[kind])


def _reaching(spec: Any) -> list[str]:
    """What in a drawing is computed, linked or loaded, and says a hostile word or an address."""
    found = []
    if isinstance(spec, dict):
        for key, value in spec.items():
            strange = key in ("href", "url", "expr", "signal", "calculate", "filter", "image") and re.search(rf"{FIRED}|//|<", str(value))
            found += [f"{key}: {value}"] if strange else _reaching(value)
    elif isinstance(spec, list):
        found += [line for value in spec for line in _reaching(value)]
    return found


@pytest.mark.slow
def test_no_table_holds_a_formula_and_the_summary_no_markup(published) -> None:
    tables = sorted((published.still / "2026Q3" / "tables").glob("*.csv"))
    assert len(tables) > 30
    assert {table.name: cells for table in tables if (cells := formulas(table.read_text(encoding="utf-8")))} == {}
    assert not [path for path in published.still.rglob("*") if path.suffix in (".xlsx", ".xls", ".pkl", ".pickle", ".joblib")]
    summary = (published.still / "2026Q3" / "summary.md").read_text(encoding="utf-8")
    assert Tags(str(mistune.create_markdown(escape=False, plugins=["url"])(summary))).names <= SUMMARY


@pytest.mark.slow
def test_files_are_named_by_us_and_lie_where_they_belong(published) -> None:
    files = [path.relative_to(published.still).as_posix() for path in published.still.rglob("*") if path.is_file()]
    assert [name for name in files if not re.fullmatch(r"[\w./-]+", name)] == []
    assert {path.name for path in published.root.iterdir()} == {
        *(".cache", "still", "live", "topics.toml", "whys.toml", "actions.toml", "modes.toml", "fcr.toml"),
        "desk <img src=x onerror=alert(1)>'{{7*7}}",
    }
    assert not (NOTEBOOKS / "evil").exists()
    assert not Path("evil").exists()


@pytest.mark.slow
def test_no_file_is_a_pickle(published) -> None:
    for path in (path for path in published.root.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            head = file.read(2)
            file.seek(max(os.path.getsize(path) - 1, 0))
            # A pickle of any protocol since 2 begins with PROTO and ends with STOP.
            assert not (head[:1] == b"\x80" and file.read(1) == b"."), path
