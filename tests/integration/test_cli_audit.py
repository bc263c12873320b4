"""`hallporter audit`: what it says, and how it ends (LA-05)."""

import json
import stat
from pathlib import Path

import pytest

from entrypoints.cli import main
from tests.integration.test_cli import Cli, cli
from tests.world import PASSWORD

__all__ = ["cli"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Where others keep what we give them."""
    made = tmp_path / "elsewhere"
    made.mkdir()
    return made


def test_operators_read_sign_take_elsewhere_and_verify_the_log(cli: Cli, elsewhere: Path) -> None:
    assert cli("users", "create", "ada@example.com", "--admin", typed=PASSWORD).code == 0
    (registered,) = json.loads(cli("audit", "list", "--event", "user.registered", "--json").out)
    assert (registered["source"], registered["actor_id"], registered["outcome"]) == ("cli", None, "success")
    told = cli("audit", "list").out
    assert "user.registered" in told
    assert "audit.read" in told
    assert registered["subject_id"] in told
    assert cli("audit", "list", "--event", "no.such").out == "There are no such entries.\n"
    assert cli("audit", "list", "--outcome", "perhaps").code == 2

    kept = elsewhere / "checkpoint.json"
    kept.write_text(cli("audit", "checkpoint").out)
    assert set(json.loads(kept.read_text())["jwk"]) == {"kid", "alg", "use", "kty", "crv", "x", "y"}
    verified = cli("audit", "verify", "--checkpoint", str(kept))
    assert (verified.code, verified.err) == (0, "")
    assert "are what they were, held against 2 checkpoint(s)." in verified.out

    export = elsewhere / "audit.ndjson"
    assert cli("audit", "export", str(export)).code == 0
    assert stat.S_IMODE(export.stat().st_mode) == 0o600
    assert cli("audit", "export", "-", "--without-personal").out.count("\n") == export.read_text().count("\n") + 1
    jwks = elsewhere / "jwks.json"
    jwks.write_text(json.dumps({"keys": [json.loads(kept.read_text())["jwk"]]}))
    # Without the settings, and a database, that a file does not need.
    nothing = {"ENVIRONMENT": "production", "SECRET_KEY": "short"}
    report = cli("audit", "verify", str(export), "--keys", str(jwks), "--json", **nothing)
    found = json.loads(report.out)
    assert (report.code, found["problem"], found["checkpoints"], found["unsigned_checkpoints"]) == (0, None, 1, 0)
    unsigned = cli("audit", "verify", str(export), **nothing)
    assert (unsigned.code, "signatures of 1 checkpoint(s) were not checked" in unsigned.out) == (0, True)

    text = export.read_text()
    export.write_text(text.replace("user.registered", "user.invented"))
    wrong = cli("audit", "verify", str(export), **nothing)
    assert wrong.code == 1
    assert "NOT what it was: edited at position" in wrong.out
    assert f"(sequence {registered['sequence']})" in wrong.out
    export.write_text("".join(text.splitlines(keepends=True)[:3]))
    cut = cli("audit", "verify", str(export), "--checkpoint", str(kept), **nothing)
    assert (cut.code, "NOT what it was: truncated" in cut.out) == (1, True)


def test_sk_03_checkpoints_of_keys_that_were_rotated_out_are_no_reason_to_doubt_the_log(
    cli: Cli, elsewhere: Path
) -> None:
    """Keys follow one another, and those of before are published no longer: nobody has all of them at hand."""
    kept, export, jwks = (elsewhere / name for name in ("checkpoint.json", "audit.ndjson", "jwks.json"))
    assert cli("audit", "checkpoint").code == 0
    assert cli("keys", "rotate", "--now").code == 0
    kept.write_text(cli("audit", "checkpoint").out)
    assert cli("audit", "export", str(export)).code == 0
    jwks.write_text(json.dumps({"keys": [json.loads(kept.read_text())["jwk"]]}))
    for known in (("--checkpoint", str(kept)), ("--keys", str(jwks))):
        verified = cli("audit", "verify", str(export), *known)
        assert (verified.code, verified.err) == (0, "")
        assert "The signatures of 1 checkpoint(s) were not checked" in verified.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("{folder}/none",), "cannot be read (No such file or directory)."),
        (("{folder}",), "cannot be read (Is a directory)."),
        (("{garbage}",), "cannot be verified: Line 1 is not a line of an export of the audit log."),
        (("{garbage}", "--keys", "{garbage}"), "is not JSON."),
        (("{garbage}", "--keys", "{object}"), "is not a set of public keys, as of /.well-known/jwks.json."),
        (("{garbage}", "--keys", "{list}"), "is not a JSON object."),
        (("--checkpoint", "{object}"), "is not a checkpoint, as `hallporter audit checkpoint` prints it."),
        (("--checkpoint", "{folder}/none"), "cannot be read (No such file or directory)."),
    ],
)
def test_fault_40_what_cannot_be_verified_is_said_in_a_sentence(
    arguments: tuple[str, ...],
    sentence: str,
    elsewhere: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = {"garbage": "x\n", "object": "{}", "list": "[]"}
    for name, text in files.items():
        (elsewhere / name).write_text(text)
    places = {name: str(elsewhere / name) for name in files} | {"folder": str(elsewhere)}
    asked = [argument.format(**places) for argument in arguments]
    monkeypatch.setattr("sys.argv", ["hallporter", "audit", "verify", *asked])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert capsys.readouterr().err.endswith(f"{sentence}\n")
