"""Work after the commit, on PgQueuer. The queue itself is opened by whoever keeps it: PostgreSQL, or memory."""
