"""Times database queries and says which ones are too slow."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from backend.game_logger import GameLogger

SLOW_QUERY_S = 1.0

log = GameLogger(__name__)


class PerformanceService:
    """Watches how long things take."""

    @contextmanager
    def measure_query(self, query: str) -> Iterator[None]:
        """Log how long the body took: a warning from SLOW_QUERY_S on, whether it failed or not."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._report(query, time.perf_counter() - started)

    def _report(self, query: str, seconds: float) -> None:
        duration_ms = round(seconds * 1000)
        if seconds >= SLOW_QUERY_S:
            log.warning(
                "Database query took %.1fs - consider optimization (slow query: %s)",
                seconds,
                query,
                duration_ms=duration_ms,
            )
        else:
            log.debug("Database query %s finished", query, duration_ms=duration_ms)
