"""Rooms: where players meet, and the game they play there.

A room lives from its creation until the last of its connections is gone.
"""

import asyncio
import random
import secrets
from dataclasses import dataclass, field

from starlette.websockets import WebSocket

from backend.engine.game import Game
from backend.game_logger import GameLogger

ROOMS_MAX = 1_000

log = GameLogger(__name__)


class RoomError(Exception):
    """Something a room does not allow; `code` is for programs."""

    code = "room_error"


class RoomNotFound(RoomError):
    """No room has that id, or not any more."""

    code = "room_not_found"


class RoomExists(RoomError):
    """The id is taken."""

    code = "room_exists"


class RoomFull(RoomError):
    """All seats are taken, or connected."""

    code = "room_full"


class NameTaken(RoomError):
    """Another player in the room has that name."""

    code = "name_taken"


class TooManyRooms(RoomError):
    """ROOMS_MAX are open."""

    code = "too_many_rooms"


@dataclass
class Room:
    """A table with a fixed number of seats."""

    room_id: str
    seats: int
    rng: random.Random
    players: dict[str, str] = field(default_factory=dict)
    """Name by token, in the order of joining."""
    sockets: dict[str, WebSocket] = field(default_factory=dict)
    """Connection by name, of the players who have said who they are."""
    connections: int = 0
    """Admitted connections, whether or not they have said who they are."""
    game: Game | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held from a change of the game until all players have been sent it, so that no client
    gets an older state after a newer one."""

    def join(self, name: str) -> str:
        """Take a seat; the token that proves it. Raises RoomFull or NameTaken."""
        if name in self.players.values():
            raise NameTaken(f"there is a {name} in room {self.room_id}")
        if len(self.players) == self.seats:
            raise RoomFull(f"all {self.seats} seats of room {self.room_id} are taken")
        token = secrets.token_urlsafe(16)
        self.players[token] = name
        log.info("Player joined room %s", self.room_id, player=name, token=token)
        return token

    def start_when_complete(self) -> Game | None:
        """Deal, once everyone is connected. The game, if it starts just now."""
        if self.game is not None or len(self.sockets) < self.seats:
            return None
        self.game = Game(self.room_id, list(self.players.values()), self.rng)
        return self.game


class RoomRegistry:
    """All rooms, at most ROOMS_MAX."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def all(self) -> list[Room]:
        """The rooms, oldest first."""
        return list(self._rooms.values())

    def get(self, room_id: str) -> Room:
        """Raises RoomNotFound."""
        try:
            return self._rooms[room_id]
        except KeyError:
            raise RoomNotFound(f"there is no room {room_id}") from None

    def create(self, room_id: str | None, seats: int, seed: int | None) -> Room:
        """Open a room; its id is made up unless given. Raises RoomExists or TooManyRooms."""
        room_id = room_id or secrets.token_hex(3)
        if room_id in self._rooms:
            raise RoomExists(f"there is a room {room_id} already")
        if len(self._rooms) >= ROOMS_MAX:
            raise TooManyRooms(f"there are {ROOMS_MAX} rooms already")
        room = self._rooms[room_id] = Room(room_id, seats, random.Random(seed))
        log.info("Room %s opened", room_id, seats=seats)
        return room

    def admit(self, room_id: str) -> Room:
        """Let one more connection into a room. Raises RoomNotFound or RoomFull."""
        room = self.get(room_id)
        if room.connections >= room.seats:
            raise RoomFull(f"all {room.seats} seats of room {room_id} are connected")
        room.connections += 1
        return room

    def release(self, room: Room) -> None:
        """Undo an `admit`; the last one out closes the room."""
        room.connections -= 1
        if room.connections == 0:
            del self._rooms[room.room_id]
            log.info("Room %s closed", room.room_id)
