"""What happened in the house."""
