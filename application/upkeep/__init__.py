"""What is done by itself, on schedule."""
