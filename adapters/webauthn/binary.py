"""What authenticators write: fixed fields, and CBOR in the canonical form of CTAP 2.

Of CBOR (RFC 8949) this reads what that form allows, and refuses the rest: tags, floats, indefinite lengths, numbers
written longer than they are, keys that come twice. The library's own reader makes dates, patterns and circles of tags.
"""

from typing import NoReturn

from application.ports.passkeys import PasskeyFault, PasskeyRefused

type Item = int | bytes | str | list[Item] | dict[int | str, Item] | None
"""A value. `None` stands for true, false and null: nobody here asks for them, and True would equal 1."""

_MAX_DEPTH = 8
_DIRECT = 24
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_SIMPLE = range(20, 23)


class BinaryReader:
    """Reads one thing after the other.

    Raises: PasskeyRefused, where there is something else.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next bytes, exactly so many."""
        end = self.position + count
        if end > len(self._content):
            _refuse()
        taken = self._content[self.position : end]
        self.position = end
        return taken

    def take_number(self, size: int) -> int:
        """The next bytes as a number, the most significant first."""
        return int.from_bytes(self.take(size))

    def take_map(self) -> dict[int | str, Item]:
        """The next item, which has to be a map."""
        item = self.take_item()
        return item if isinstance(item, dict) else _refuse()

    def take_item(self, levels_left: int = _MAX_DEPTH) -> Item:
        """The next item of CBOR."""
        if not levels_left:
            _refuse()
        kind, argument = self._head()
        match kind:
            case 0 | 1:
                return -1 - argument if kind else argument
            case 2:
                return self.take(argument)
            case 3:
                return self._text(argument)
            case 4:
                return [self.take_item(levels_left - 1) for _ in range(argument)]
            case 5:
                return self._map(argument, levels_left - 1)
            case 7 if argument in _SIMPLE:
                return None
        raise PasskeyRefused(PasskeyFault.MALFORMED)

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self.position != len(self._content):
            _refuse()

    def _head(self) -> tuple[int, int]:
        kind, argument = divmod(self.take_number(1), 32)
        if argument < _DIRECT:
            return kind, argument
        if argument not in _SIZES:
            _refuse()
        size = _SIZES[argument]
        argument = self.take_number(size)
        if argument < (_DIRECT if size == 1 else 256 ** (size // 2)):
            _refuse()
        return kind, argument

    def _text(self, length: int) -> str:
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            _refuse()

    def _map(self, length: int, levels_left: int) -> dict[int | str, Item]:
        items: dict[int | str, Item] = {}
        for _ in range(length):
            key = self.take_item(levels_left)
            if not isinstance(key, int | str) or key in items:
                _refuse()
            items[key] = self.take_item(levels_left)
        return items


def _refuse() -> NoReturn:
    raise PasskeyRefused(PasskeyFault.MALFORMED) from None
