"""The list of common passwords (PW-04), as a compact file.

`common_passwords.bin` holds the first five bytes of the SHA-256 of each, sorted. At 200,000 entries one in five million
other passwords is refused by mistake, and whoever meets that chooses another. `common_passwords.md` says where the
list comes from, and how to build the file.
"""

import gzip
import hashlib
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path

from domain.users.password_policy import MIN_LENGTH_FLOOR

_FILE = Path(__file__).with_suffix(".bin")
_PREFIX_BYTES = 5


class CommonPasswords(Sequence[bytes]):
    """The hash prefixes of a list of passwords, sorted."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    @classmethod
    def shipped(cls) -> "CommonPasswords":
        """The list that comes with Hallporter."""
        return cls(_FILE.read_bytes())

    @classmethod
    def of(cls, passwords: Iterable[str]) -> "CommonPasswords":
        """A list of one's own. Shorter ones than any policy admits are left out."""
        normal = (unicodedata.normalize("NFC", password) for password in passwords)
        prefixes = {_prefix(password) for password in normal if len(password) >= MIN_LENGTH_FLOOR}
        return cls(b"".join(sorted(prefixes)))

    def includes(self, password: str) -> bool:
        """Whether this password, to the letter, is on the list."""
        prefix = _prefix(password)
        index = bisect_left(self, prefix)
        return index < len(self) and self[index] == prefix

    def __len__(self) -> int:
        return len(self._content) // _PREFIX_BYTES

    def __getitem__(self, index: int) -> bytes:  # type: ignore[override]  # slices are not needed
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self._content[index * _PREFIX_BYTES : (index + 1) * _PREFIX_BYTES]

    def __bytes__(self) -> bytes:
        return self._content


def _prefix(password: str) -> bytes:
    return hashlib.sha256(password.encode(errors="surrogatepass")).digest()[:_PREFIX_BYTES]


if __name__ == "__main__":
    with gzip.open(sys.argv[1], "rt", encoding="utf-8") as lines:
        _FILE.write_bytes(bytes(CommonPasswords.of(line.rstrip("\n") for line in lines)))
