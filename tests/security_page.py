"""The page that says what is held and by which tests: `uv run python -m tests.security_page > docs/security.md`.

What has to hold is in `docs/security.toml`, each rule under an id. Tests cite the ids of what they prove: at the
beginning of their names, or in the docstring of the test, of its class or of its module.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
RULES = TESTS.parent / "docs" / "security.toml"
PAGE = TESTS.parent / "docs" / "security.md"

_MOST_SHOWN = 3
_INTRODUCTION = """\
# What is held, and by which tests

Written by `uv run python -m tests.security_page > docs/security.md` from `docs/security.toml` and from the ids that
tests cite; a test sees to it that these agree. Paths are below `tests/`, so that `uv run pytest tests/PATH::NAME` runs
what a row names; a path alone means all of its tests. **In part** says what those tests leave out, **open** what has no
test yet or is still to come ([in this order](roadmap.md)), **does not apply** why there is nothing to test.
"""
_IN_NAME = re.compile(r"(?:([a-z]{2})_(\d{2})|(fault|incident)s?_(\d+(?:_(?:and|to)_\d+)*))(?:_|$)")
_IN_TEXT = re.compile(r"\b([A-Z]{2})-(\d{2})\b(?: to \1-(\d{2})\b)?")
_NUMBERED = re.compile(r"\b(fault|incident)s? (\d+(?:(?:,|,? and| to) \d+)*)\b", re.IGNORECASE)
_NUMBERS = re.compile(r"(\d+)(?: to (\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What has to hold. `partly` is what the tests that cite it leave out; the others stand in place of tests."""

    id: str
    rule: str
    partly: str | None = None
    open: str | None = None
    not_applicable: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Rules about one thing."""

    title: str
    rules: Sequence[Rule]


def load(text: str) -> list[Section]:
    """The rules, in the order of the file."""
    return [
        Section(section.pop("title"), [Rule(id=name, **fields) for name, fields in section.items()])
        for section in tomllib.loads(text).values()
    ]


def cited_in_name(name: str) -> list[str]:
    """The ids that a test's name begins with."""
    found, rest = [], name.removeprefix("test_")
    while match := _IN_NAME.match(rest):
        prefix, number, kind, numbers = match.groups()
        found += [f"{prefix.upper()}-{number}"] if prefix else _numbered(kind, numbers.replace("_", " "))
        rest = rest[match.end() :]
    return found


def cited_in_text(text: str | None) -> list[str]:
    """The ids in a docstring: `LG-04`, `LG-04 to LG-07`, `fault 34`, `incidents 5, 6 and 9 to 11`."""
    text = " ".join((text or "").split())
    found = []
    for prefix, first, last in _IN_TEXT.findall(text):
        found += [f"{prefix}-{number:02}" for number in _range(first, last)]
    for kind, numbers in _NUMBERED.findall(text):
        found += _numbered(kind.lower(), numbers)
    return found


def _numbered(kind: str, numbers: str) -> list[str]:
    return [f"{kind} {number}" for first, last in _NUMBERS.findall(numbers) for number in _range(first, last)]


def _range(first: str, last: str) -> range:
    found = range(int(first), int(last or first) + 1)
    if not found:
        message = f"{first} to {last} is no range"
        raise ValueError(message)
    return found


def citations(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """Where each id is cited, by path and line; a whole module or class only where none of its tests cites it."""
    cited: dict[str, list[str]] = {}
    for path, source in sorted(sources.items()):
        found = [(place, name) for place, names in _places(path, ast.parse(source)) for name in dict.fromkeys(names)]
        for place, name in found:
            if not any(other.startswith(f"{place}::") for other, cites in found if cites == name):
                cited.setdefault(name, []).append(place)
    return cited


def _places(place: str, node: ast.Module | ast.ClassDef) -> Iterator[tuple[str, list[str]]]:
    yield place, cited_in_text(ast.get_docstring(node))
    for inner in node.body:
        if isinstance(inner, ast.ClassDef) and inner.name.startswith("Test"):
            yield from _places(f"{place}::{inner.name}", inner)
        elif isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name.startswith("test_"):
            yield f"{place}::{inner.name}", cited_in_name(inner.name) + cited_in_text(ast.get_docstring(inner))


def sources() -> dict[str, str]:
    """The tests, by their paths below `tests`."""
    return {path.relative_to(TESTS).as_posix(): path.read_text("utf-8") for path in TESTS.rglob("test_*.py")}


def problems(sections: Sequence[Section], cited: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong between rules and tests, a line each."""
    rules = [rule for section in sections for rule in section.rules]
    known = {rule.id for rule in rules}
    found = [f"{name} is cited by {places[0]} and is no rule" for name, places in cited.items() if name not in known]
    for rule in rules:
        excuses = [excuse for excuse in (rule.open, rule.not_applicable) if excuse is not None]
        if rule.id in cited and excuses:
            found.append(f"{rule.id} is cited by {cited[rule.id][0]}, and is marked as if no test held it")
        elif rule.id not in cited and len(excuses) != 1:
            found.append(f"{rule.id} is cited by no test, and must say one of: open, not_applicable")
        elif rule.id not in cited and rule.partly is not None:
            found.append(f"{rule.id} is cited by no test, not even in part")
    return found


def render(sections: Sequence[Section], cited: Mapping[str, Sequence[str]]) -> str:
    """The page."""
    rules = [rule for section in sections for rule in section.rules]
    held = [rule for rule in rules if rule.id in cited]
    counts = {
        "are held": sum(rule.partly is None for rule in held),
        "in part": sum(rule.partly is not None for rule in held),
        "are open": sum(rule.open is not None for rule in rules),
        "do not apply": sum(rule.not_applicable is not None for rule in rules),
    }
    lines = [
        *_INTRODUCTION.splitlines(),
        "",
        f"Of {len(rules)} rules {', '.join(f'{count} {word}' for word, count in counts.items())}.",
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", "| id | what holds | by |", "|---|---|---|"]
        lines += [
            f"| {rule.id.replace(' ', '&nbsp;')} | {rule.rule} | {_by(rule, cited.get(rule.id, ()))} |"
            for rule in section.rules
        ]
    return "\n".join(lines) + "\n"


def _by(rule: Rule, places: Sequence[str]) -> str:
    shown = [f"`{place}`" for place in places[:_MOST_SHOWN]]
    if len(places) > _MOST_SHOWN:
        shown.append(f"and {len(places) - _MOST_SHOWN} more")
    excuses = {"in part": rule.partly, "open": rule.open, "does not apply": rule.not_applicable}
    return "<br>".join([*shown, *(f"**{word}:** {excuse}" for word, excuse in excuses.items() if excuse is not None)])


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(render(load(RULES.read_text("utf-8")), citations(sources())))
