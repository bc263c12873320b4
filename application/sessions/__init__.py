"""What can be done about sessions."""
