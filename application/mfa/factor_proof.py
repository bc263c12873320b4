"""What somebody shows as a second factor."""

from dataclasses import dataclass, field

from domain.mfa.factor import FactorKind


@dataclass(frozen=True, slots=True)
class FactorProof:
    """A code as it was typed, and of what kind it is meant to be."""

    kind: FactorKind
    typed: str = field(repr=False)
