"""A pool of connections that knows how often somebody had to wait."""

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection


class CountedPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool. `waits` found every connection taken, and of these `timeouts` got none in time."""

    waits = 0
    timeouts = 0

    @property
    def taken(self) -> int:
        """Connections that somebody has just now."""
        return self.checkedout()

    @property
    def most(self) -> int:
        """Connections that there may be."""
        return self.size()

    def connect(self) -> PoolProxiedConnection:
        if self.checkedout() >= self.size():
            self.waits += 1
        try:
            return super().connect()
        except PoolTimeout:
            self.timeouts += 1
            raise
