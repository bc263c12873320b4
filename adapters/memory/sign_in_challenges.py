"""Half sign-ins in memory."""

from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State, add_row
from domain.ids import ChallengeId
from domain.mfa.sign_in_challenge import SignInChallenge


class MemorySignInChallengeRepository:
    """`SignInChallengeRepository` on a block. Challenges are immutable, so nothing is copied."""

    def __init__(self, block: Block) -> None:
        self._block = block

    async def add(self, challenge: SignInChallenge) -> None:
        def write(state: State) -> None:
            state.expect_user(challenge.user_id)
            add_row(state.sign_in_challenges, challenge.id, challenge)

        await self._block.write(write, challenge.id)

    async def find_good(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        state = self._block.state()
        challenge = state.sign_in_challenges.get(challenge_id)
        if challenge is None or not challenge.is_good(user=state.users[challenge.user_id], at=at):
            return None
        return challenge

    async def finish(self, challenge_id: ChallengeId, *, at: datetime) -> SignInChallenge | None:
        await self._block.lock(challenge_id)
        challenge = await self.find_good(challenge_id, at=at)
        if challenge is None:
            return None
        finished = replace(challenge, finished_at=at)
        await self._block.write(lambda state: state.sign_in_challenges.update({challenge_id: finished}), challenge_id)
        return finished

    async def purge(self, *, expired_before: datetime, limit: int) -> int:
        challenges = self._block.state().sign_in_challenges.values()
        expired = [row.id for row in challenges if row.expires_at < expired_before][:limit]
        return await self._block.remove(lambda state: state.sign_in_challenges, *expired)
