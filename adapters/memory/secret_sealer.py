"""Sealing secrets without cryptography."""

import itertools

from application.ports.secret_sealer import SecretSealer


class MemorySecretSealer:
    """Writes on the envelope for what and whom it is, and believes it. For tests.

    `root` stands for the root key: what was sealed under another one does not open.
    """

    def __init__(self, root: str = "root") -> None:
        self._root = root
        self._numbers = itertools.count()

    def seal(self, text: str, *, purpose: str, owner: str) -> str:
        return f"{self._envelope(purpose, owner)}{next(self._numbers)}:{text}"

    def open(self, sealed: str, *, purpose: str, owner: str) -> str | None:
        envelope = self._envelope(purpose, owner)
        return sealed.removeprefix(envelope).partition(":")[2] if sealed.startswith(envelope) else None

    def _envelope(self, purpose: str, owner: str) -> str:
        return f"{(self._root, purpose, owner)!r}:"


def _is_secret_sealer(memory: MemorySecretSealer) -> SecretSealer:
    return memory
