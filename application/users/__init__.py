"""What can be done about users."""
