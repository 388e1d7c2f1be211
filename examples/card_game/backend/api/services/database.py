"""The database: tables in this process, with the query times and the pool of a real one.

Each query holds one of POOL_SIZE connections for as long as the real one would take. When all
are held for longer than ACQUIRE_TIMEOUT_S, the next query fails with PoolExhausted.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from backend.api.services.performance import PerformanceService
from backend.game_logger import GameLogger

POOL_SIZE = 4
ACQUIRE_TIMEOUT_S = 0.5
PLAYERS_MAX = 10_000
RECENT_RESULTS_MAX = 1_000
LEADERBOARD_SIZE = 10

Row = Mapping[str, str | int]

log = GameLogger(__name__)


class PoolExhausted(Exception):
    """No connection became free in time."""


class CorruptRecord(Exception):
    """A stored row is not what the code expects."""


@dataclass(frozen=True)
class Query:
    """A query and how long it takes, in seconds."""

    name: str
    seconds: float


FIND_PLAYER = Query("find_player", 0.004)
SAVE_RESULT = Query("save_result", 0.012)
RECENT_LEADERBOARD = Query("recent_leaderboard", 0.035)
# Nobody has given the wins an index yet: it reads the whole table.
ALL_TIME_LEADERBOARD = Query("all_time_leaderboard", 2.28)


@dataclass(frozen=True)
class PlayerRecord:
    """What is known of a player over all games."""

    name: str
    games: int
    wins: int
    points: int

    @classmethod
    def from_row(cls, row: Row) -> "PlayerRecord":
        """Raises CorruptRecord when a column is missing."""
        try:
            return cls(
                name=str(row["name"]),
                games=int(row["games"]),
                wins=int(row["wins"]),
                points=int(row["points"]),
            )
        except KeyError as error:
            raise CorruptRecord(f"player {row['name']!r} has no column {error}") from error


class Database:
    """Players and the results of their games."""

    def __init__(self, performance: PerformanceService) -> None:
        self._performance = performance
        self._pool = asyncio.Semaphore(POOL_SIZE)
        # grandpa_joe last played before there were points; the migration has missed the row.
        self._players: dict[str, Row] = {
            "grandpa_joe": {"name": "grandpa_joe", "games": 12, "wins": 5}
        }
        self._recent_winners: deque[str] = deque(maxlen=RECENT_RESULTS_MAX)
        log.info("Database connected", pool_size=POOL_SIZE)

    async def find_player(self, name: str) -> PlayerRecord | None:
        """The record of a player, None for who has never finished a game."""
        async with self._execute(FIND_PLAYER):
            row = self._players.get(name)
        return PlayerRecord.from_row(row) if row is not None else None

    async def save_result(self, winner: str, points: Mapping[str, int]) -> None:
        """Record a finished game: `points` has what each player was left with."""
        async with self._execute(SAVE_RESULT):
            self._recent_winners.append(winner)
            for name, lost in points.items():
                self._add_game(name, won=name == winner, points=lost)

    async def leaderboard(self, *, all_time: bool) -> list[tuple[str, int]]:
        """The LEADERBOARD_SIZE players with the most wins, and their wins, best first."""
        async with self._execute(ALL_TIME_LEADERBOARD if all_time else RECENT_LEADERBOARD):
            if all_time:
                wins = Counter({name: int(row["wins"]) for name, row in self._players.items()})
            else:
                wins = Counter(self._recent_winners)
        return wins.most_common(LEADERBOARD_SIZE)

    def _add_game(self, name: str, *, won: bool, points: int) -> None:
        old = self._players.pop(name, {})
        if len(self._players) >= PLAYERS_MAX:
            del self._players[next(iter(self._players))]
        self._players[name] = {
            "name": name,
            "games": int(old.get("games", 0)) + 1,
            "wins": int(old.get("wins", 0)) + won,
            "points": int(old.get("points", 0)) + points,
        }

    @asynccontextmanager
    async def _execute(self, query: Query) -> AsyncIterator[None]:
        """Hold a connection for the time `query` takes; its effect is the body."""
        await self._acquire(query)
        try:
            with self._performance.measure_query(query.name):
                await asyncio.sleep(query.seconds)
                yield
        finally:
            self._pool.release()

    async def _acquire(self, query: Query) -> None:
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                await self._pool.acquire()
        except TimeoutError:
            log.critical(
                "Database pool exhausted",
                query=query.name,
                pool_size=POOL_SIZE,
                waited_s=ACQUIRE_TIMEOUT_S,
            )
            raise PoolExhausted(f"no connection within {ACQUIRE_TIMEOUT_S} s") from None
