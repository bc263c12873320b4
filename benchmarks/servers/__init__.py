"""The limit: what the same work takes with nothing around it."""
