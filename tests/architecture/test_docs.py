"""Pages of the documentation are where others say they are, and those that are made are up to date."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from entrypoints.settings import Settings
from entrypoints.shown_settings import shown_settings
from tests.reference import FOLDER, rendered

TOP = Path(__file__).parents[2]
DOCS = TOP / "docs"
PAGES = [*sorted(TOP.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(page: Path) -> str:
    """What is no code."""
    return _FENCED.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What headings are called in addresses."""
    headings = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in _HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> Iterator[str]:
    for link in _LINK.findall(prose(page)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


def pages_in(entries: list[object]) -> Iterator[str]:
    """Every page of a part of the navigation."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for below in entry.values():
                yield from pages_in(below if isinstance(below, list) else [below])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [*dead_links(page)] == []


def test_dead_links_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page, and `more`\n[one](page.md#a-page-and-more) [two](#nowhere) [three](nowhere.md) [four](https://a.example)\n"
        "```sh\n[five](nowhere.md)\n```\n"
    )
    assert [*dead_links(page)] == ["#nowhere", "nowhere.md"]


def test_the_site_has_every_page_once() -> None:
    site = tomllib.loads((TOP / "zensical.toml").read_text("utf-8"))["project"]
    listed = [*pages_in(site["nav"])]
    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("name", ["api.md", "cli.md", "events.md", "problems.md"])
def test_the_committed_reference_is_what_there_is(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == rendered()[name], "run: uv run python -m tests.reference"


def test_the_page_of_settings_has_each_of_them_once_with_its_default() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.+?) \|", (DOCS / "settings.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(name for name, _ in rows) == sorted(name.upper() for name in Settings.model_fields)
    defaults = {shown.name: shown.value for shown in shown_settings(Settings.model_construct())}
    # What is left out follows from others, and is said in words.
    plain = {name for name in defaults if Settings.model_fields[name.lower()].default not in {None, ()}}
    assert len(plain) > 30
    assert {name: default for name, default in rows if name in plain and f"`{defaults[name]}`" not in default} == {}


def test_there_is_no_other_page_in_the_reference() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(rendered())
