"""Text, as far as it can be kept."""


def is_storable(text: str) -> bool:
    """No NUL and no lone surrogate, which neither UTF-8 nor PostgreSQL can hold."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
