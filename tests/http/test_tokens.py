"""Hostile access tokens (ST-08 to ST-12): all of them open nothing, and none is an accident."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey
from jwt import PyJWKSet

from adapters.crypto.jose_signer import JoseTokenSigner
from adapters.crypto.sealing import Sealer
from application.signing.key_ring import KeyRing
from application.signing.rotate_signing_key import RotateSigningKey
from domain.ids import KeyId
from domain.signing.signing_key import KeyState, SigningKey
from tests.http.conftest import ORIGIN, register, sign_in
from tests.world import World, make_signing_key


@pytest.fixture
def world(postgres_world: World) -> World:
    """The real signer; memory's could be forged by design."""
    return postgres_world


class Forge:
    """Makes tokens from a good one, with our key where the signature is to be right."""

    def __init__(self, token: str, key: SigningKey) -> None:
        self.token = token
        self.segments = token.split(".")
        self.header: dict[str, Any] = json.loads(decode(self.segments[0]))
        self.claims: dict[str, Any] = json.loads(decode(self.segments[1]))
        self.public = json.loads(key.public_key)
        private = Sealer(b"root key of the tests").open(key.sealed_private_key, purpose="signing key", owner=key.id)
        self.key = ECKey.import_key(json.loads(private))

    def signed(self, header: dict[str, Any] | None = None, claims: Any = None, *, text: str | None = None) -> str:
        """A token that our own key signed, whatever it says."""
        payload = text if text is not None else json.dumps(self.claims if claims is None else claims)
        head = encode(json.dumps(self.header | (header or {})).encode())
        signing_input = f"{head}.{encode(payload.encode())}"
        signature = jws.JWSRegistry.algorithms["ES256"].sign(signing_input.encode(), self.key)
        return f"{signing_input}.{encode(signature)}"

    def unsigned(self, header: dict[str, Any], signature: str = "") -> str:
        return f"{encode(json.dumps(self.header | header).encode())}.{self.segments[1]}.{signature}"

    def with_hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        signing_input = f"{encode(json.dumps(self.header | {'alg': algorithm}).encode())}.{self.segments[1]}"
        return f"{signing_input}.{encode(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@pytest.fixture
async def forge(client: httpx.AsyncClient, world: World) -> Forge:
    await register(client)
    token = (await sign_in(client)).json()["access_token"]
    return Forge(token, await world.container.resolve(KeyRing).active())


async def status_with(client: httpx.AsyncClient, token: str) -> int:
    answer = await client.get("/v1/users/me", headers=[(b"Authorization", b"Bearer " + token.encode())])
    return answer.status_code


async def test_the_forge_can_make_a_good_token(client: httpx.AsyncClient, forge: Forge) -> None:
    assert await status_with(client, forge.token) == 200
    assert await status_with(client, forge.signed()) == 200
    assert forge.header == {"alg": "ES256", "typ": "at+jwt", "kid": forge.header["kid"]}


async def test_a_second_library_verifies_a_token_with_the_published_keys_alone(
    client: httpx.AsyncClient, forge: Forge
) -> None:
    answer = await client.get("/.well-known/jwks.json")
    keys = PyJWKSet.from_dict(answer.json())
    claims = jwt.decode(
        forge.token,
        keys[forge.header["kid"]],
        algorithms=["ES256"],
        audience=ORIGIN,
        issuer=ORIGIN,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"], "verify_exp": False},
    )
    assert claims == forge.claims
    assert claims["exp"] - claims["iat"] == 600
    for segment in range(3):
        damaged = list(forge.segments)
        damaged[segment] = damaged[segment][:-2] + ("AA" if damaged[segment][-2:] != "AA" else "BB")
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(".".join(damaged), keys[forge.header["kid"]], algorithms=["ES256"], audience=ORIGIN)


async def test_the_published_keys_show_nothing_private_and_may_be_kept_for_a_while(client: httpx.AsyncClient) -> None:
    """OP-09."""
    answer = await client.get("/.well-known/jwks.json")
    keys = answer.json()["keys"]
    assert len(keys) == 2  # the one that signs, and the one that will
    for key in keys:
        assert set(key) == {"kid", "alg", "use", "kty", "crv", "x", "y"}
        assert (key["alg"], key["crv"], key["use"]) == ("ES256", "P-256", "sig")
    assert answer.headers["cache-control"] == "public, max-age=300"
    again = await client.get("/.well-known/jwks.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_fault_27_five_rotations_under_load_fail_no_token_at_us_or_at_a_verifier_with_old_keys(
    client: httpx.AsyncClient, world: World
) -> None:
    await register(client)
    await sign_in(client)
    world.clock.advance(timedelta(minutes=5))
    signed_by = set()
    for _ in range(5):
        tokens = [(await sign_in(client)).json()["access_token"] for _ in range(3)]
        world.clock.advance(timedelta(minutes=8))
        # The verifier asks for our keys before the rotation, and not again.
        kept = PyJWKSet.from_dict((await client.get("/.well-known/jwks.json")).json())
        world.clock.advance(timedelta(minutes=2) - timedelta(seconds=5))
        under_load = asyncio.gather(*(status_with(client, token) for token in tokens * 20))
        await asyncio.sleep(0)
        await world.container.resolve(RotateSigningKey).execute()
        assert set(await under_load) == {200}
        world.clock.advance(timedelta(minutes=1))
        tokens = [(await sign_in(client)).json()["access_token"] for _ in range(3)]
        for token in tokens:
            assert await status_with(client, token) == 200
            key_id = jwt.get_unverified_header(token)["kid"]
            jwt.decode(token, kept[key_id], algorithms=["ES256"], audience=ORIGIN, options={"verify_exp": False})
            signed_by.add(key_id)
    assert len(signed_by) == 5


async def test_keys_that_are_not_believed_are_not_published(client: httpx.AsyncClient, world: World) -> None:
    """SK-03."""
    signer = JoseTokenSigner(Sealer(b"root key of the tests"))
    before = (await client.get("/.well-known/jwks.json")).json()["keys"]
    async with world.unit_of_work.begin() as tx:
        for name, state in (("0a0a0a0a", KeyState.NEXT), ("0b0b0b0b", KeyState.REVOKED)):
            await tx.signing_keys.add(make_signing_key(signer, name, state, at=world.clock.now()))
    world.clock.advance(timedelta(seconds=60))
    after = (await client.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["kid"] for key in after} == {key["kid"] for key in before} | {"0a0a0a0a"}


async def test_st_08_st_09_hostile_headers_open_nothing(client: httpx.AsyncClient, forge: Forge) -> None:
    """Incident 52."""
    other = ECKey.generate_key("P-256")
    jwk = other.as_dict(private=False)
    hostile = {
        "none": forge.unsigned({"alg": "none"}),
        "None with signature": forge.unsigned({"alg": "None"}, forge.segments[2]),
        "empty signature": forge.unsigned({}),
        "hmac with the public key as JSON": forge.with_hmac(json.dumps(forge.public).encode()),
        "hmac with the public key as PEM": forge.with_hmac(forge.key.as_pem(private=False)),
        "hmac with nothing": forge.with_hmac(b""),
        "another algorithm, our signature": forge.signed({"alg": "ES384"}),
        "RS256 with our signature": forge.signed({"alg": "RS256"}),
        "algorithm in lower case": forge.signed({"alg": "es256"}),
        "algorithm missing": forge.signed({"alg": None}),
        "no typ": forge.signed({"typ": None}),
        "typ JWT": forge.signed({"typ": "JWT"}),
        "typ id token": forge.signed({"typ": "id+jwt"}),
        "typ in capitals": forge.signed({"typ": "AT+JWT"}),
        "jwk in the header": forge.signed({"jwk": jwk}),
        "jku": forge.signed({"jku": "http://127.0.0.1/keys"}),
        "x5u": forge.signed({"x5u": "http://127.0.0.1/keys"}),
        "x5c": forge.signed({"x5c": ["MIIB"]}),
        "crit": forge.signed({"crit": ["exp"]}),
        "unknown header": forge.signed({"x": 1}),
        "b64 false": forge.signed({"b64": False, "crit": ["b64"]}),
        "compressed": forge.signed({"zip": "DEF"}),
        "kid of SQL": forge.signed({"kid": "' OR 1=1 --"}),
        "kid of a path": forge.signed({"kid": "../../../../dev/null"}),
        "kid unknown": forge.signed({"kid": "0" * 32}),
        "kid a number": forge.signed({"kid": 7}),
        "kid a list": forge.signed({"kid": [forge.header["kid"]]}),
        "kid missing": forge.signed({"kid": None}),
        "kid with a NUL": forge.signed({"kid": "\0"}),
    }
    assert {name: await status_with(client, token) for name, token in hostile.items()} == dict.fromkeys(hostile, 401)


async def test_st_10_hostile_claims_open_nothing_though_our_key_signed_them(
    client: httpx.AsyncClient, forge: Forge
) -> None:
    claims = forge.claims
    changes: dict[str, object] = {}
    for name in claims:
        changes[f"without {name}"] = {key: value for key, value in claims.items() if key != name}
        value: object
        for value in (None, True, 1.5, "1", [claims[name]], {}, -1, 10**30):
            changes[f"{name} is {value!r}"[:60]] = claims | {name: value}
    changes |= {
        "issuer with a slash": claims | {"iss": claims["iss"] + "/"},
        "audience with more": claims | {"aud": [claims["aud"], "https://evil.example.com"]},
        "expired": claims | {"exp": claims["iat"]},
        "from tomorrow": claims | {"iat": claims["iat"] + 86_400},
        "another user": claims | {"sub": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"},
        "another session": claims | {"sid": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d"},
        "unknown method": claims | {"amr": ["magic"]},
        "a role that is none": claims | {"roles": "admin"},
        "roles that are none": claims | {"roles": [1]},
        "a list": [claims],
        "a string": "claims",
    }
    # What is right by chance, or says nothing that we check, stays good.
    harmless = {"jti is '1'"}
    statuses = {name: await status_with(client, forge.signed(claims=change)) for name, change in changes.items()}
    assert {name for name, status in statuses.items() if status == 200} <= harmless
    assert set(statuses.values()) <= {200, 401}
    assert len(changes) > 80


@pytest.mark.parametrize("text", ["{", "null", '{"exp": NaN}', '{"exp": 1e400}', '{"sub": "\\ud800"}', "[" * 3_000, ""])
async def test_st_12_payloads_that_are_no_json_open_nothing(client: httpx.AsyncClient, forge: Forge, text: str) -> None:
    assert await status_with(client, forge.signed(text=text)) == 401


async def test_claims_named_twice_open_nothing(client: httpx.AsyncClient, forge: Forge) -> None:
    good = json.dumps(forge.claims)
    assert await status_with(client, forge.signed(text=good)) == 200
    assert await status_with(client, forge.signed(text=f'{{"sub": "x", {good[1:]}')) == 401


async def test_st_12_other_spellings_of_a_good_token_open_nothing(client: httpx.AsyncClient, forge: Forge) -> None:
    """Incidents 51 and 53."""
    head, payload, signature = forge.segments
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # The last character of 64 bytes in base64 has four bits that nobody needs.
    unused_bits = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert decode(unused_bits) == decode(signature)
    hostile = [
        f"{head}.{payload}.{unused_bits}",
        f"{head}.{payload}.{signature}=",
        f"{head}.{payload}.{signature}==",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}.{signature}\u00e9",
        f"{head}.{payload}.{signature}.",
        f"{head}.{payload}",
        f".{payload}.{signature}",
        f"{head}..{signature}",
        f"{head}.{payload}.{signature} {signature}",
        f"{head}.{payload}.{'A' * 9_000}",
        f"{head}.{encode(b' ' * 9_000)}.{signature}",
        f"{head}.{payload}.{encode(decode(signature)[:63])}",
        f"{head}.{payload}.{encode(bytes(64))}",
        json.dumps({"protected": head, "payload": payload, "signature": signature}),
        json.dumps({"payload": payload, "signatures": []}),
    ]
    assert [await status_with(client, token) for token in hostile] == [401] * len(hostile)


async def test_a_token_of_a_key_that_is_not_ours_opens_nothing(
    client: httpx.AsyncClient, forge: Forge, world: World
) -> None:
    signer = JoseTokenSigner(Sealer(b"root key of the tests"))
    material = signer.generate(KeyId(forge.header["kid"]))
    forge.key = ECKey.import_key(
        json.loads(
            Sealer(b"root key of the tests").open(
                material.sealed_private_key, purpose="signing key", owner=forge.header["kid"]
            )
        )
    )
    assert await status_with(client, forge.signed()) == 401


async def test_st_11_a_refresh_token_is_no_access_token(client: httpx.AsyncClient) -> None:
    await register(client)
    assert await status_with(client, (await sign_in(client)).json()["refresh_token"]) == 401


async def test_st_04_a_token_dies_at_its_time(client: httpx.AsyncClient, forge: Forge, world: World) -> None:
    world.clock.advance(timedelta(seconds=599))
    assert await status_with(client, forge.token) == 200
    world.clock.advance(timedelta(seconds=1))
    assert await status_with(client, forge.token) == 401


async def test_st_12_no_authorization_header_is_an_accident(client: httpx.AsyncClient) -> None:
    """Fault 42."""
    headers: list[bytes] = []

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=200))
    def collect(value: bytes) -> None:
        headers.append(value)

    collect()
    for value in headers:
        for scheme in (b"Bearer ", b""):
            answer = await client.get("/v1/users/me", headers=[(b"Authorization", scheme + value)])
            assert answer.status_code == 401


async def test_pr_04_a_token_holds_what_it_needs_and_nothing_of_the_person(forge: Forge) -> None:
    needed = {"iss", "aud", "sub", "sid", "client_id", "jti", "iat", "exp", "auth_time", "amr", "roles"}
    assert set(forge.claims) == needed
    assert "ada" not in json.dumps(forge.claims).lower()
