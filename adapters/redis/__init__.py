"""What many processes share without asking PostgreSQL for it."""
