"""The tests that docs/testing.md shows do what it says, as they stand there."""

import re
from importlib import import_module
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
FILES = dict(re.findall(r'^```python title="(\w+)\.py"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
TESTS = [
    (name, test) for name, text in FILES.items() for test in re.findall(r"^async def (test_\w+)\(", text, re.MULTILINE)
]


@pytest.mark.parametrize(("name", "test"), TESTS)
async def test_every_test_on_the_page_passes(
    name: str, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text(FILES[name])
    monkeypatch.syspath_prepend(tmp_path)
    await getattr(import_module(name), test)()


def test_every_example_has_tests() -> None:
    assert {name for name, _ in TESTS} == FILES.keys()
    assert len(TESTS) >= 6
