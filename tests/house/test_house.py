"""Is the house in order: floors, homes, notebooks, and no word that does not belong?"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLOORS = ("model", "intake", "link", "judge", "signs", "texts", "search", "fits", "study", "explain", "show", "publish", "cli")
HOMES = {
    "altair": "show",
    "statsmodels": ("fits", "explain"),
    "bertopic": "explain",
    "papermill": "publish",
    "jinja2": ("publish", "show"),
    "typer": "cli",
}
ROOMS = sorted(path for path in (ROOT / "fcrlib").rglob("*.py") if path.name != "__init__.py")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def floor_of(module: str) -> str:
    return module.split(".")[1]


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names if node.module == "fcrlib"]
    return found


def here(path: Path) -> str:
    return path.relative_to(ROOT / "fcrlib").parts[0].removesuffix(".py")


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_its_own_floor_and_below(room: Path) -> None:
    mine = FLOORS.index(here(room))
    rooms = [name for name in imports(room) if name.startswith("fcrlib.") and floor_of(name) in FLOORS]
    above = [name for name in rooms if FLOORS.index(floor_of(name)) > mine]
    assert above == []


@pytest.mark.parametrize("room", [path for path in ROOMS if here(path) == "explain"], ids=lambda path: path.name)
def test_rooms_on_the_explain_floor_meet_only_in_notebooks(room: Path) -> None:
    assert [name for name in imports(room) if name.startswith("fcrlib.explain")] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_heavy_library_has_one_home(room: Path) -> None:
    strays = [
        name for name in imports(room) if (home := HOMES.get(name.split(".")[0])) and here(room) not in ([home] if isinstance(home, str) else home)
    ]
    assert strays == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_says_what_it_answers_and_stays_small(room: Path) -> None:
    text = room.read_text(encoding="utf-8")
    assert (ast.get_docstring(ast.parse(text)) or "").strip()
    assert len(text.splitlines()) <= (550 if room.name == "themes.py" else 420), "two questions in one room? (the themes are words, not code)"


def test_importing_the_package_and_asking_for_help_is_light() -> None:
    heavy = ("polars", "altair", "statsmodels", "papermill", "pandas", "scipy", "jinja2")
    code = f"import sys, fcrlib.cli; print([name for name in {heavy} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_shape_of_a_notebook(notebook: Path) -> None:
    book = json.loads(notebook.read_text(encoding="utf-8"))
    cells = book["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    words = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    assert words[0].startswith("# ")
    assert words[0].rstrip().endswith("?")
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in cells) == 1
    for heading in ("## What we checked", "## What this cannot say", "## For the product team"):
        assert any(text.startswith(heading) for text in words)
    for cell in code:
        source = "".join(cell["source"])
        assert len(source.splitlines()) <= 12
        assert not re.search(r"^\s*(def|class|for|if|while|try)\b|lambda", source, flags=re.M)
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", cell["id"]) for cell in cells)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_tracked_file_names_a_package_registry() -> None:
    hosts = ("pypi" + ".org", "python" + "hosted", "npm" + "js", "conda" + ".anaconda", "file:" + "///")
    named = [f"{path.name}: {host}" for path in tracked() for host in hosts if host in path.read_text(encoding="utf-8", errors="ignore")]
    assert named == []


def test_every_locked_package_is_pinned_and_hashed() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    packages = [place for place, line in enumerate(lines) if re.match(r"[a-z0-9]", line)]
    assert len(packages) > 50
    assert all("==" in lines[place] and "--hash=sha256:" in lines[place + 1] for place in packages)
    assert not any(lines[place].startswith(("torch==", "nvidia")) for place in packages)
