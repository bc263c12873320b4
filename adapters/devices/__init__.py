"""What browsers and other clients say about themselves."""
