"""Getting back in, and proving whose mailbox it is."""
