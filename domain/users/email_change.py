"""Moving to another address."""

from dataclasses import dataclass
from datetime import datetime

from domain.events import Event
from domain.ids import EmailChangeId, SessionId, UserId
from domain.users.email_address import EmailAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChangeRequested(Event):
    """A user wants to get mail elsewhere. Nothing has changed yet."""

    name = "user.email_change_requested"
    change_id: EmailChangeId


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChanged(Event):
    """A user has proven another mailbox, and gets mail there from now on."""

    name = "user.email_changed"
    change_id: EmailChangeId


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChangeReverted(Event):
    """Whoever has the mailbox of before took the user back to it; the password and every session ended with that."""

    name = "user.email_change_reverted"
    change_id: EmailChangeId


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailChange:
    """A wish to move, from where to where, and the session that it came from (EM-03). Its tokens say how far it got.

    Without a session, it is what an operator did.

    It is good in the security epoch in which it was made, and until another one follows.
    `old_is_verified` is whether the old address had been verified: a stranger who merely has the mailbox that somebody
    mistyped gets neither notice nor the power to revert.
    """

    id: EmailChangeId
    user_id: UserId
    session_id: SessionId | None
    security_epoch: int
    old: EmailAddress
    old_is_verified: bool
    new: EmailAddress
    requested_at: datetime

    @property
    def moves(self) -> bool:
        """Whether it leads anywhere else."""
        return self.new != self.old

    def may_be_confirmed(self, *, security_epoch: int, email_verified: bool) -> bool:
        """Whether the new mailbox may still be asked, given how the user stands now.

        Not once anything that guards the user has changed; nor once the old mailbox has come to be verified, which
        would go unheard: whoever still wants it asks again.
        """
        return self.moves and self.security_epoch == security_epoch and self.old_is_verified == email_verified

    @property
    def concerns_old_mailbox(self) -> bool:
        """Whether the old mailbox is told, and gets a way back."""
        return self.moves and self.old_is_verified
