"""Look into a wheel: everything that is needed to run is in it, and nothing else (SC-04)."""

import sys
import zipfile
from collections.abc import Iterator, Sequence

PACKAGES = {"domain", "application", "adapters", "entrypoints"}
NEEDED = {
    "adapters/postgres/migrations/env.py",
    "adapters/crypto/common_passwords.bin",
    "adapters/http/pages/link.js",
    "adapters/mail/layouts/message.html",
    "adapters/mail/locales/de.toml",
    "entrypoints/cli/__init__.py",
}
_OF_TESTS = {"tests", "test", "testing", "fixtures", "conftest.py"}


def problems(names: Sequence[str]) -> Iterator[str]:
    """What is wrong with a wheel of these files."""
    code = [name for name in names if ".dist-info/" not in name]
    tops = {name.split("/")[0] for name in code}
    if tops != PACKAGES:
        yield f"The wheel holds {sorted(tops)} and not {sorted(PACKAGES)}"
    if missing := NEEDED - set(names):
        yield f"The wheel lacks {sorted(missing)}"
    if not any(name.startswith("adapters/postgres/migrations/versions/") for name in names):
        yield "The wheel lacks the migrations"
    if stray := [name for name in code if _is_stray(name)]:
        yield f"The wheel holds {stray}"


def _is_stray(name: str) -> bool:
    """Whether it is for tests, hidden, or left behind by a run."""
    parts = name.split("/")
    return (
        bool(_OF_TESTS.intersection(parts))
        or any(part.startswith((".", "test_")) or part == "__pycache__" for part in parts)
        or name.endswith(("_test.py", ".pyc", ".log"))
    )


if __name__ == "__main__":
    names = zipfile.ZipFile(sys.argv[1]).namelist()
    if found := [*problems(names)]:
        sys.exit("\n".join(found))
    print(f"{len(names)} files in order")  # noqa: T201  (a command)
