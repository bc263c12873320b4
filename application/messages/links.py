"""Where links in mails lead."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.recovery.one_time_token import OneTimeTokenSecret, Purpose

_PATHS: Mapping[Purpose, str] = MappingProxyType(
    {
        Purpose.VERIFY_EMAIL: "verify-email",
        Purpose.RESET_PASSWORD: "reset-password",
        Purpose.CONFIRM_EMAIL_CHANGE: "confirm-email-change",
        Purpose.REVERT_EMAIL_CHANGE: "revert-email-change",
        Purpose.ACCEPT_INVITATION: "accept-invitation",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPolicy:
    """Where links in mails lead: to pages below `base_url`, one for each purpose.

    It comes from the settings and never from a request (RC-05). The token is in the fragment, which no server and no
    log along the way gets to see.
    """

    base_url: str

    def link(self, purpose: Purpose, secret: OneTimeTokenSecret) -> str:
        """The link that a person follows."""
        return f"{self.base_url}/{_PATHS[purpose]}#{secret.text}"
