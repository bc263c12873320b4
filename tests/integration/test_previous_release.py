"""The check that the release before works on the present schema: it finds what breaks it, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.made_up import Release
from tests.previous_release import run_tests, server_of_this_release

TOP = Path(__file__).parents[2]
ONE = "tests/http/test_users.py"


@pytest.mark.parametrize(
    ("does", "works"),
    [
        ('op.add_column("users", sa.Column("shoe_size", sa.Integer(), server_default="0", nullable=False))', True),
        ('op.drop_column("users", "display_name")', False),
    ],
    ids=["expands", "contracts"],
)
def test_fault_29_what_the_release_before_still_uses_is_missed(
    release: Release, home: Path, does: str, *, works: bool
) -> None:
    release.add(does)
    with server_of_this_release(home) as url:
        ran = run_tests(TOP, Path(sys.executable), url, ["-n0", "-x", "-p", "no:cacheprovider", ONE])
    assert ran.returncode == (0 if works else 1), ran.stdout
    assert works or "display_name" in ran.stdout
    assert " passed" in ran.stdout or not works


def test_a_clone_without_the_history_says_so(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "init", "--quiet", clone], check=True)  # noqa: S607  (the system's own)
    (clone / ".ci").mkdir()
    for name in ("previous", "previous-release"):
        (clone / ".ci" / name).write_bytes((TOP / ".ci" / name).read_bytes())
    ran = subprocess.run(
        ["bash", clone / ".ci" / "previous-release"],  # noqa: S607  (the system's own)
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout.startswith("SKIPPED: ")) == (0, True)
