"""Where half sign-ins are kept."""

from datetime import datetime
from typing import Protocol

from domain.ids import ChallengeId
from domain.mfa.sign_in_challenge import SignInChallenge


class SignInChallengeRepository(Protocol):
    """All challenges.

    Wherever it says good, `SignInChallenge.is_good` holds for the user as they stand then, in the same statement.
    """

    async def add(self, challenge: SignInChallenge) -> None:
        """Keep a new one of an existing user.

        Raises: UserNotFound.
        """
        ...

    async def find_good(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        """The good challenge with this id. It is as good afterwards."""
        ...

    async def finish(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        """As `find_good`, and nobody else's from then on: of all who try at once, one gets it. One statement."""
        ...

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        """Forget at most `limit` that expired before that moment; how many."""
        ...
