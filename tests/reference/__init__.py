"""Pages of the reference, made from what there is: `uv run python -m tests.reference` writes them anew."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def page(title: str, introduction: str, *parts: Sequence[str]) -> str:
    """A page that says how it came to be."""
    made = "Made by `uv run python -m tests.reference`; a test sees to it that it is up to date."
    return "\n\n".join([f"# {title}", introduction, made, *("\n".join(part) for part in parts)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Each row a line."""
    lines = (f"| {' | '.join(cell(text) for text in row)} |" for row in rows)
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines]


def cell(text: str) -> str:
    """A text that fits into a table."""
    return " ".join(text.replace("|", "\\|").split())


def code(text: str) -> str:
    """As it is typed."""
    return f"`{text}`"


@cache
def rendered() -> Mapping[str, str]:
    """Every page, by the name of its file."""
    from tests.reference import api, cli, events, problems  # noqa: PLC0415  (they are made of what is above)

    return {
        "api.md": api.render(),
        "cli.md": cli.render(),
        "events.md": events.render(),
        "problems.md": problems.render(),
    }
