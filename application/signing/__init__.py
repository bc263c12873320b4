"""What can be done with signing keys."""
