"""Asking for an operator."""

from domain.sessions.principal import Principal
from domain.users.roles import AdminRequired


class ExpectAdmin:
    """Let only operators go on."""

    async def execute(self, *, principal: Principal) -> None:
        """Return if the principal has the role admin.

        Raises: AdminRequired.
        """
        if not principal.user.is_admin:
            raise AdminRequired
