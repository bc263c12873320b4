"""What somebody shows as a second factor."""

from dataclasses import dataclass, field
from typing import ClassVar

from application.ports.passkeys import BrowserAnswer
from domain.ids import CeremonyId
from domain.mfa.factor import FactorKind


@dataclass(frozen=True, slots=True)
class CodeProof:
    """A code as it was typed, and of what kind it is meant to be."""

    kind: FactorKind
    typed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """What a browser answered in a ceremony."""

    kind: ClassVar[FactorKind] = FactorKind.PASSKEY

    ceremony_id: CeremonyId
    answer: BrowserAnswer = field(repr=False)


type FactorProof = CodeProof | PasskeyAnswer
