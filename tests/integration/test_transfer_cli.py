"""Moving in and out by the command line."""

import json
import stat
from pathlib import Path

from tests.integration.test_cli import Cli, cli
from tests.transfers import ndjson

__all__ = ["cli"]

BCRYPT = "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW"


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_users_move_in_and_out_by_the_command_line(cli: Cli, tmp_path: Path) -> None:
    source, report, out, again = (tmp_path / name for name in ("users.CSV", "report", "out", "again"))
    source.write_text(f"email,source_id,password_hash\nada@example.com,1,{BCRYPT}\nbob@example.com,2,\ncanary,3,\n")
    report.touch(mode=0o644)

    tried = cli("users", "import", str(source), "--dry-run")
    assert tried.code == 3
    assert tried.out.splitlines() == [
        "3 row(s), nobody was taken in: a dry run.",
        "  accepted          2  bcrypt 1, without a password 1",
        "  exists            0",
        "  invalid           1  invalid_email 1",
    ]
    assert "--resume" in tried.err
    assert cli("users", "list").out == "There are no such users.\n"

    done = cli("users", "import", str(source), "--report", str(report), "--json")
    assert done.code == 3
    result = json.loads(done.out)
    assert (result["state"], result["accepted"], result["exists"], result["invalid"]) == ("finished", 2, 0, 1)
    rows = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(row["number"], row["line"], row["verdict"], row["code"]) for row in rows] == [
        (1, 2, "accepted", None),
        (2, 3, "accepted", None),
        (3, 4, "invalid", "invalid_email"),
    ]
    assert "canary" not in report.read_text() + done.out + done.err
    assert mode_of(report) == 0o600

    over = cli("users", "import", str(source), "--resume", result["id"])
    assert (over.code, "This import is over" in over.err) == (1, True)

    assert cli("users", "export", str(out), "--with-hashes").err == "2 user(s) written.\n"
    assert mode_of(out) == 0o600
    users = {row["email"]: row for row in map(json.loads, out.read_text().splitlines())}
    assert users["ada@example.com"]["password_hash"] == BCRYPT
    assert cli("users", "import", str(out)).out.splitlines()[2] == "  exists            2  already_imported 2"
    assert cli("users", "export", str(again)).code == 0
    assert "password_hash" not in again.read_text()


def test_what_cannot_move_is_said_in_a_sentence(cli: Cli, home: Path) -> None:
    (home / "users.ndjson").write_bytes(ndjson({"email": "ada@example.com"}))
    nothing = "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"
    for arguments, code, said in (
        (["import", "absent"], 2, "cannot be read"),
        (["import", "users.ndjson", "--report", "absent/report"], 2, "cannot be written"),
        (["export", "absent/users"], 2, "cannot be written"),
        (["import", "users.ndjson", "--format", "csv"], 1, "The first line names the fields"),
        (["import", "users.ndjson", "--resume", nothing, "--dry-run"], 2, "leave out"),
        (["import", "users.ndjson", "--resume", nothing], 1, "There is no such import"),
    ):
        failed = cli("users", *arguments)
        assert failed.code == code
        assert said in failed.err
        assert "Traceback" not in failed.err
    assert cli("users", "list").out == "There are no such users.\n"
