"""Passkeys as browsers and authenticators speak of them: Web Authentication Level 3."""
