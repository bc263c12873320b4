"""Whatever comes is taken or refused, and nothing else happens (incident 11)."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.memory.passkeys import MemoryAuthenticator, MemoryPasskeys
from adapters.webauthn.binary import BinaryReader
from application.ports.passkeys import PasskeyRefused, Passkeys
from tests.authenticator import Authenticator, SoftwareAuthenticator, encoded
from tests.unit.passkeys.ceremonies import CHALLENGE, PASSKEYS, USER

MEMORY = MemoryPasskeys()
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TEXTS = st.text(max_size=20) | st.binary(max_size=80).map(encoded)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "id",
        "rawId",
        "type",
        "response",
        "clientDataJSON",
        "attestationObject",
        "authenticatorData",
        "signature",
        "userHandle",
        "transports",
        "challenge",
        "signCount",
        "key",
    ]
)


def asked(passkeys: Passkeys, authenticator: Authenticator) -> tuple[dict[str, Any], dict[str, Any]]:
    options = passkeys.creation_options(challenge=CHALLENGE, user_handle=USER, name="a", display_name="A", exclude=[])
    made = authenticator.create(options)
    return made, authenticator.get(passkeys.request_options(challenge=CHALLENGE, user_verification=True))


GENUINE: dict[str, tuple[Passkeys, tuple[dict[str, Any], dict[str, Any]]]] = {
    "memory": (MEMORY, asked(MEMORY, MemoryAuthenticator())),
    "webauthn": (PASSKEYS, asked(PASSKEYS, SoftwareAuthenticator())),
}


def check_all(name: str, answer: Any) -> None:
    passkeys, (made, _) = GENUINE[name]
    passkey = passkeys.verify_creation(made, challenge=CHALLENGE)
    assert isinstance(passkeys.credential_id(answer), bytes | None)
    with suppress(PasskeyRefused):
        passkeys.verify_creation(answer, challenge=CHALLENGE)
    with suppress(PasskeyRefused):
        passkeys.verify_assertion(
            answer, challenge=CHALLENGE, of=passkey, user_handle=USER, discovered=True, user_verification=True
        )


@pytest.mark.parametrize("name", GENUINE)
@UNHURRIED
@given(answer=VALUES | st.dictionaries(MEMBERS, VALUES | st.dictionaries(MEMBERS, VALUES)))
@example(answer={"id": "A", "rawId": "A", "type": "public-key", "response": {"userHandle": "A"}})
def test_any_answer_is_taken_or_refused(name: str, answer: Any) -> None:
    check_all(name, answer)


@pytest.mark.parametrize("name", GENUINE)
@UNHURRIED
@given(which=st.sampled_from([0, 1]), member=MEMBERS, value=VALUES, data=st.data())
def test_any_member_of_a_genuine_answer_may_be_anything(
    name: str, which: int, member: str, value: Any, data: st.DataObject
) -> None:
    answer = deepcopy(GENUINE[name][1][which])
    holder = answer["response"] if member in answer["response"] else answer
    mutations: list[Callable[[Any], Any]] = [lambda _: value]
    if isinstance(holder.get(member), str):
        cut = data.draw(st.integers(0, len(holder[member])))
        mutations += [lambda text: text[:cut], lambda text: text[cut:], lambda text: text[:cut] + "A" + text[cut:]]
    holder[member] = data.draw(st.sampled_from(mutations))(holder.get(member))
    check_all(name, answer)


@UNHURRIED
@given(data=st.binary(max_size=64), attestation=st.binary(max_size=64), client_data=st.binary(max_size=64))
@example(data=b"", attestation=b"\x9f" * 30_000, client_data=b"")
@example(data=b"", attestation=b"\x81" * 12_000, client_data=b"[" * 4096)
@example(data=b"", attestation=bytes.fromhex("bbffffffffffffffff"), client_data=b"{}")
def test_any_bytes_within_an_answer_are_taken_or_refused(data: bytes, attestation: bytes, client_data: bytes) -> None:
    made, got = deepcopy(GENUINE["webauthn"][1])
    made["response"] |= {"attestationObject": encoded(attestation)}
    check_all("webauthn", made)
    got["response"] |= {"authenticatorData": encoded(data)}
    check_all("webauthn", got)
    got["response"] |= {"clientDataJSON": encoded(client_data)}
    check_all("webauthn", got)


@UNHURRIED
@given(content=st.binary(max_size=64))
def test_any_bytes_are_an_item_or_none(content: bytes) -> None:
    reader = BinaryReader(content)
    with suppress(PasskeyRefused):
        reader.take_item()
    assert reader.position <= len(content)
