"""What can be done with a mailbox: getting back in, and proving that it is one's own."""
