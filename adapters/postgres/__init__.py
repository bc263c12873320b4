"""The core's data in PostgreSQL 16 and later: SQLAlchemy Core on asyncpg."""
