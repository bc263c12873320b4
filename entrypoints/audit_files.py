"""What people bring along to verify the audit log: public keys, and checkpoints that they kept elsewhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.crypto.jose_checkpoints import key_id_of, read_checkpoint
from domain.audit.checkpoint import Checkpoint, CheckpointClaims
from domain.audit.verification import KnownCheckpoint
from domain.ids import KeyId
from entrypoints.startup import StartupProblem

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """JSON Web Keys by their ids, as JSON text."""

    by_id: Mapping[str, str]

    def is_signed(self, checkpoint: Checkpoint) -> bool | None:
        """Whether its statement vouches for what is told of it; None where its key is not there to tell.

        Keys follow one another: what is published today did not sign the checkpoints of last year. Whoever makes one
        up for a key that nobody has might as well have left it out.
        """
        key_id = key_id_of(checkpoint.statement)
        if key_id is None:
            return False
        jwk = self.by_id.get(key_id)
        return read_checkpoint(checkpoint.statement, jwk) == checkpoint.claims if jwk is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCheckpoints:
    """Checkpoints, and the keys that came with them."""

    checkpoints: list[KnownCheckpoint]
    keys: PublicKeys


def public_keys(file: Path) -> PublicKeys:
    """The keys in a file as of `/.well-known/jwks.json`.

    Raises: StartupProblem.
    """
    try:
        return PublicKeys({str(key["kid"]): json.dumps(key) for key in _read(file)["keys"]})
    except (KeyError, TypeError):
        raise _malformed(file, "a set of public keys, as of /.well-known/jwks.json") from None


def kept_checkpoints(files: Sequence[Path], keys: PublicKeys | None) -> KeptCheckpoints:
    """The checkpoints in files as `hallporter audit checkpoint` prints them, held against these keys or their own.

    Raises: StartupProblem.
    """
    own: dict[str, str] = {}
    found: list[Checkpoint] = []
    for file in files:
        try:
            value = _read(file)
            claims = CheckpointClaims(
                issuer=str(value["issuer"]),
                position=int(value["position"]),
                sequence=int(value["sequence"]),
                chain_hash=str(value["chain_hash"]),
                made_at=datetime.fromisoformat(value["made_at"]),
                entries=int(value["entries"]),
            )
            found.append(Checkpoint(claims=claims, key_id=KeyId(value["key_id"]), statement=str(value["statement"])))
            own[str(value["jwk"]["kid"])] = json.dumps(value["jwk"])
        except (KeyError, TypeError, ValueError):
            raise _malformed(file, "a checkpoint, as `hallporter audit checkpoint` prints it") from None
    believed = keys or PublicKeys(own)
    return KeptCheckpoints(
        # These are what all else is held against: one of an unknown key is none.
        checkpoints=[KnownCheckpoint(claims=one.claims, is_signed=believed.is_signed(one) is True) for one in found],
        keys=PublicKeys(own),
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as source:
            value = json.loads(source.read(_MOST_BYTES))
    except OSError as error:
        message = f"{file} cannot be read ({error.strerror or error})."
        raise StartupProblem(message) from error
    except (ValueError, RecursionError):
        raise _malformed(file, "JSON") from None
    if not isinstance(value, dict):
        raise _malformed(file, "a JSON object")
    return value


def _malformed(file: Path, what: str) -> StartupProblem:
    return StartupProblem(f"{file} is not {what}.")
