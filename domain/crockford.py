"""Text that people read out and type over: Crockford's base32, in groups of four.

Without letters that look like digits, and without U.
"""

from collections.abc import Iterator

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUP = 4
_BITS_PER_CHARACTER = 5
_HEARD_AS = str.maketrans("OIL", "011", "- ")


def written(random: bytes, *, characters: int) -> str:
    """So many characters of the first bits, without groups.

    Raises: ValueError where there are too few bits.
    """
    superfluous = 8 * len(random) - characters * _BITS_PER_CHARACTER
    if superfluous < 0:
        message = f"{characters} characters are made of more than {len(random)} bytes"
        raise ValueError(message)
    number = int.from_bytes(random) >> superfluous
    places = reversed(range(characters))
    return "".join(ALPHABET[number >> _BITS_PER_CHARACTER * place & 31] for place in places)


def grouped(characters: str) -> str:
    """With a dash between every four."""
    return "-".join(_groups(characters))


def heard(text: str, *, characters: int) -> str | None:
    """So many characters as people say and write them, without groups; None where it is something else.

    In either case, with dashes and blanks or without, and O for 0, I or L for 1.
    """
    found = text.upper().translate(_HEARD_AS)
    return found if len(found) == characters and set(found) <= set(ALPHABET) else None


def _groups(characters: str) -> Iterator[str]:
    return (characters[start : start + GROUP] for start in range(0, len(characters), GROUP))
