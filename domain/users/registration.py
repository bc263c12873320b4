"""Becoming a user by oneself."""

from domain.errors import NotAllowed


class RegistrationClosed(NotAllowed):
    """Users are created by operators alone here."""

    code = "registration_closed"
    title = "Registration is closed"
