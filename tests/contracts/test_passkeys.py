"""What passkeys promise, and what answers are refused for, whoever checks them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from adapters.memory.passkeys import MemoryAuthenticator, MemoryPasskeys
from adapters.webauthn.passkeys import WebAuthnPasskeys
from application.ports.passkeys import PasskeyFault, PasskeyProof, PasskeyRefused, Passkeys
from domain.mfa.passkey import PasskeyPublicKey
from tests.authenticator import EDDSA, ES256, ORIGIN, RS256, Authenticator, SoftwareAuthenticator, encoded, key_pair

CHALLENGE = bytes(range(32))
OTHER_CHALLENGE = bytes(32)
USER = b"the handle of Ada"

PAIRS: dict[str, tuple[type[MemoryAuthenticator | SoftwareAuthenticator], dict[str, Any]]] = {
    "memory": (MemoryAuthenticator, {}),
    "es256": (SoftwareAuthenticator, {"key": key_pair(ES256)}),
    "eddsa": (SoftwareAuthenticator, {"key": key_pair(EDDSA)}),
    "rs256": (SoftwareAuthenticator, {"key": key_pair(RS256)}),
}


@pytest.fixture(params=PAIRS)
def authenticator(request: pytest.FixtureRequest) -> Authenticator:
    make, arguments = PAIRS[request.param]
    return make(**arguments)


@pytest.fixture
def passkeys(authenticator: Authenticator) -> Passkeys:
    if isinstance(authenticator, MemoryAuthenticator):
        return MemoryPasskeys()
    return WebAuthnPasskeys(rp_id="example.com", rp_name="Example", origins=["https://example.com", ORIGIN])


def creation(passkeys: Passkeys, *exclude: PasskeyPublicKey) -> dict[str, Any]:
    return passkeys.creation_options(
        challenge=CHALLENGE, user_handle=USER, name="ada@example.com", display_name="Ada", exclude=exclude
    )


def request(passkeys: Passkeys, *allow: PasskeyPublicKey) -> dict[str, Any]:
    return passkeys.request_options(challenge=CHALLENGE, allow=allow, user_verification=True)


def registered(passkeys: Passkeys, authenticator: Authenticator) -> PasskeyPublicKey:
    return passkeys.verify_creation(authenticator.create(creation(passkeys)), challenge=CHALLENGE)


def proved(passkeys: Passkeys, answer: Mapping[str, object], of: PasskeyPublicKey, **asked: Any) -> PasskeyProof:
    usual: dict[str, Any] = {"challenge": CHALLENGE, "user_handle": USER, "discovered": True, "user_verification": True}
    return passkeys.verify_assertion(answer, of=of, **(usual | asked))


def test_what_is_made_answers(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = registered(passkeys, authenticator)
    assert passkey.credential_id == authenticator.credential_id
    assert (passkey.backup_eligible, passkey.backed_up, passkey.user_verified) == (True, True, True)
    answer = authenticator.get(request(passkeys))
    assert passkeys.credential_id(answer) == passkey.credential_id
    assert proved(passkeys, answer, passkey) == PasskeyProof(sign_count=0, backed_up=True, user_verified=True)


def test_options_say_what_is_asked_and_of_whom(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = replace(registered(passkeys, authenticator), transports=("internal",))
    descriptor = {"type": "public-key", "id": encoded(passkey.credential_id), "transports": ["internal"]}
    made = creation(passkeys, passkey)
    assert made["challenge"] == encoded(CHALLENGE)
    assert made["user"] == {"id": encoded(USER), "name": "ada@example.com", "displayName": "Ada"}
    assert made["excludeCredentials"] == [descriptor]
    assert creation(passkeys)["excludeCredentials"] == request(passkeys)["allowCredentials"] == []
    assert request(passkeys, passkey)["allowCredentials"] == [descriptor]
    assert request(passkeys)["challenge"] == encoded(CHALLENGE)
    assert request(passkeys)["userVerification"] == "required"
    unverified = passkeys.request_options(challenge=CHALLENGE, user_verification=False)
    assert unverified["userVerification"] == "preferred"


def test_an_answer_to_another_challenge_is_refused(passkeys: Passkeys, authenticator: Authenticator) -> None:
    made = authenticator.create(creation(passkeys))
    with pytest.raises(PasskeyRefused, match=PasskeyFault.CHALLENGE):
        passkeys.verify_creation(made, challenge=OTHER_CHALLENGE)
    passkey = passkeys.verify_creation(made, challenge=CHALLENGE)
    with pytest.raises(PasskeyRefused, match=PasskeyFault.CHALLENGE):
        proved(passkeys, authenticator.get(request(passkeys)), passkey, challenge=OTHER_CHALLENGE)


def test_no_answer_does_for_the_other_ceremony(passkeys: Passkeys, authenticator: Authenticator) -> None:
    made = authenticator.create(creation(passkeys))
    passkey = passkeys.verify_creation(made, challenge=CHALLENGE)
    with pytest.raises(PasskeyRefused):
        proved(passkeys, made, passkey)
    with pytest.raises(PasskeyRefused):
        passkeys.verify_creation(authenticator.get(request(passkeys)), challenge=CHALLENGE)


def test_pk_03_another_passkey_is_refused(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = registered(passkeys, authenticator)
    authenticator.credential_id = b"the passkey of Eve"
    with pytest.raises(PasskeyRefused, match=PasskeyFault.OTHER_PASSKEY):
        proved(passkeys, authenticator.get(request(passkeys, passkey)), passkey, discovered=False)


@pytest.mark.parametrize("discovered", [True, False])
def test_pk_03_an_answer_that_names_somebody_else_is_refused(
    passkeys: Passkeys, authenticator: Authenticator, *, discovered: bool
) -> None:
    passkey = registered(passkeys, authenticator)
    authenticator.user_handle = b"the handle of Eve"
    with pytest.raises(PasskeyRefused, match=PasskeyFault.USER_HANDLE):
        proved(passkeys, authenticator.get(request(passkeys)), passkey, discovered=discovered)


def test_pk_03_who_was_not_asked_for_by_name_has_to_give_it(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = registered(passkeys, authenticator)
    authenticator.user_handle = None
    answer = authenticator.get(request(passkeys, passkey))
    assert proved(passkeys, answer, passkey, discovered=False).user_verified
    with pytest.raises(PasskeyRefused, match=PasskeyFault.USER_HANDLE):
        proved(passkeys, answer, passkey, discovered=True)


def test_pk_05_a_holder_is_verified_or_said_not_to_be(passkeys: Passkeys, authenticator: Authenticator) -> None:
    authenticator.user_verified = False
    passkey = registered(passkeys, authenticator)
    assert not passkey.user_verified
    answer = authenticator.get(request(passkeys))
    assert not proved(passkeys, answer, passkey, user_verification=False).user_verified
    with pytest.raises(PasskeyRefused, match=PasskeyFault.USER_NOT_VERIFIED):
        proved(passkeys, answer, passkey, user_verification=True)


@pytest.mark.parametrize(
    ("before", "after", "moved_on"),
    [(0, 0, True), (0, 1, True), (7, 8, True), (7, 2**32 - 1, True), (7, 7, False), (7, 6, False), (7, 0, False)],
)
def test_pk_06_a_counter_moves_on_or_is_none(
    passkeys: Passkeys, authenticator: Authenticator, before: int, after: int, *, moved_on: bool
) -> None:
    authenticator.sign_count = before
    passkey = registered(passkeys, authenticator)
    assert passkey.sign_count == before
    authenticator.sign_count = after
    answer = authenticator.get(request(passkeys))
    if moved_on:
        assert proved(passkeys, answer, passkey).sign_count == after
    else:
        with pytest.raises(PasskeyRefused, match=PasskeyFault.COUNTER):
            proved(passkeys, answer, passkey)


@pytest.mark.parametrize("eligible", [True, False])
def test_pk_06_what_can_be_backed_up_never_changes(
    passkeys: Passkeys, authenticator: Authenticator, *, eligible: bool
) -> None:
    authenticator.backup_eligible, authenticator.backed_up = eligible, False
    passkey = registered(passkeys, authenticator)
    authenticator.backup_eligible = not eligible
    with pytest.raises(PasskeyRefused, match=PasskeyFault.BACKUP_CHANGED):
        proved(passkeys, authenticator.get(request(passkeys)), passkey)


def test_whether_it_is_backed_up_may_change(passkeys: Passkeys, authenticator: Authenticator) -> None:
    authenticator.backed_up = False
    passkey = registered(passkeys, authenticator)
    assert not passkey.backed_up
    authenticator.backed_up = True
    assert proved(passkeys, authenticator.get(request(passkeys)), passkey).backed_up


def test_what_cannot_be_backed_up_is_not(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = registered(passkeys, authenticator)
    authenticator.backup_eligible = False
    with pytest.raises(PasskeyRefused, match=PasskeyFault.BACKUP_STATE):
        registered(passkeys, authenticator)
    with pytest.raises(PasskeyRefused, match=PasskeyFault.BACKUP_STATE):
        proved(passkeys, authenticator.get(request(passkeys)), passkey)


def test_incident_61_a_signature_by_another_key_is_refused(passkeys: Passkeys, authenticator: Authenticator) -> None:
    passkey = registered(passkeys, authenticator)
    other: Authenticator
    if isinstance(authenticator, MemoryAuthenticator):
        other = replace(authenticator, key="key of Eve")
    else:
        assert isinstance(authenticator, SoftwareAuthenticator)
        other = replace(authenticator, key=key_pair(authenticator.key.cose[3], 1))
    with pytest.raises(PasskeyRefused, match=PasskeyFault.SIGNATURE):
        proved(passkeys, other.get(request(passkeys)), passkey)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": None},
        {"id": 1, "response": []},
        {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}},
        {"response": {"userHandle": 1}},
    ],
)
def test_incident_11_nothing_in_hand_is_refused(passkeys: Passkeys, authenticator: Authenticator, answer: Any) -> None:
    passkey = registered(passkeys, authenticator)
    assert passkeys.credential_id(answer) in {None, b"\0\0\0"}
    with pytest.raises(PasskeyRefused, match=PasskeyFault.MALFORMED):
        passkeys.verify_creation(answer, challenge=CHALLENGE)
    with pytest.raises(PasskeyRefused):
        proved(passkeys, answer, passkey)
