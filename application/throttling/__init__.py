"""What is too much."""
