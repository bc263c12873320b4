"""Which keys passkeys may have (L3 §5.8.5): exactly what an algorithm needs, and nothing beside it (§6.5.1)."""

from collections.abc import Mapping

from adapters.webauthn.binary import Item
from application.ports.passkeys import PasskeyFault, PasskeyRefused

ES256 = -7
EDDSA = -8
RS256 = -257
# The one that we like best comes first.
ALGORITHMS = (ES256, EDDSA, RS256)

_COORDINATE = 32
_BITS_OF_RSA = range(2048, 4096 + 1)
# What all of them have. With another one checking a signature could take as long as making it.
_EXPONENT = (65537).to_bytes(3)


def expect_public_key(members: Mapping[int | str, Item]) -> None:
    """Raises: PasskeyRefused. Whether a point is on its curve is left to the library."""
    if members.get(3) not in ALGORITHMS:
        raise PasskeyRefused(PasskeyFault.ALGORITHM)
    if not _is_public_key(members):
        raise PasskeyRefused(PasskeyFault.PUBLIC_KEY)


def _is_public_key(members: Mapping[int | str, Item]) -> bool:
    """By RFC 9053 §7 and RFC 8230 §4: 1 is the kind of key, 3 its algorithm, the others are the kind's own."""
    match members:
        case {1: 2, 3: -7, -1: 1, -2: bytes(x), -3: bytes(y)}:
            return members.keys() == {1, 3, -1, -2, -3} and len(x) == len(y) == _COORDINATE
        case {1: 1, 3: -8, -1: 6, -2: bytes(x)}:
            return members.keys() == {1, 3, -1, -2} and len(x) == _COORDINATE
        case {1: 3, 3: -257, -1: bytes(modulus), -2: bytes(exponent)}:
            number = int.from_bytes(modulus)
            return (
                members.keys() == {1, 3, -1, -2}
                and number.bit_length() in _BITS_OF_RSA
                and modulus[0] != 0
                and exponent == _EXPONENT
            )
    return False
