"""Becoming a user by oneself."""

from domain.errors import Conflict, NotAllowed


class RegistrationClosed(NotAllowed):
    """Users are created by operators alone here."""

    code = "registration_closed"
    title = "Registration is closed"


class EmailAlreadyRegistered(Conflict):
    """Another user has this address."""

    code = "email_already_registered"
    title = "Email already registered"
