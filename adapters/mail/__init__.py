"""Everything about electronic mail."""
