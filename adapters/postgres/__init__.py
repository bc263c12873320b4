"""The core's data in PostgreSQL 16 and later: SQLAlchemy Core on asyncpg.

- Each port of a block has its module, called as the port's; `unit_of_work` opens the block, `statements` sends what
  they ask, `errors` says in the core's words what PostgreSQL refuses. `models` are the tables.
- On the hot path statements are `prepared`; what an event leaves behind is `recorded` by the statement that causes it.
- `database` opens the engine (`urls`, `servers`, `driver`, `counted_pool`); `replica` reads where it may be behind.
- `schema` migrates (`turns`, `roles`, `indexes`); `rehearsal` tries it on a copy (`copying`).
- `embedded` is a server of our own (`own_server`, `unprivileged`).
- `examination` and `vital_signs` tell operators how it is.
"""
