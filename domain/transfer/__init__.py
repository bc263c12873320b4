"""Users who come from elsewhere, and who are taken elsewhere."""
