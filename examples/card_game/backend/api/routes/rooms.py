"""Rooms over REST: open one, look around, take a seat."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from backend.api.dependencies import NAME_PATTERN, DatabaseDep, NamePath, RoomsDep
from backend.api.services.rooms import Room
from backend.engine.game import PLAYERS_MAX, PLAYERS_MIN
from backend.game_logger import GameLogger

router = APIRouter(prefix="/rooms")
log = GameLogger(__name__)


class NewRoom(BaseModel):
    """A room to open; the same seed deals the same cards."""

    room_id: str | None = Field(default=None, pattern=NAME_PATTERN)
    seats: int = Field(default=2, ge=PLAYERS_MIN, le=PLAYERS_MAX)
    seed: int | None = None


class NewPlayer(BaseModel):
    """Who wants to play."""

    name: str = Field(pattern=NAME_PATTERN)


class RoomInfo(BaseModel):
    """What everyone may know of a room."""

    room_id: str
    seats: int
    players: list[str]
    playing: bool


class Seat(BaseModel):
    """A taken seat. The token is what the WebSocket's hello needs."""

    room_id: str
    token: str
    games_played: int


@router.post("", status_code=201)
async def create_room(new: NewRoom, rooms: RoomsDep) -> RoomInfo:
    """Open a room."""
    return _info(rooms.create(new.room_id, new.seats, new.seed))


@router.get("")
async def list_rooms(rooms: RoomsDep) -> list[RoomInfo]:
    """All rooms, oldest first."""
    return [_info(room) for room in rooms.all()]


@router.get("/{room_id}")
async def get_room(room_id: NamePath, rooms: RoomsDep) -> RoomInfo:
    """One room."""
    return _info(rooms.get(room_id))


@router.post("/{room_id}/players", status_code=201)
async def join_room(
    room_id: NamePath, new: NewPlayer, rooms: RoomsDep, database: DatabaseDep
) -> Seat:
    """Take a seat in a room."""
    token = rooms.get(room_id).join(new.name)
    record = await database.find_player(new.name)
    games_played = record.games if record else 0
    log.debug("Seat given", room=room_id, player=new.name, games_played=games_played)
    return Seat(room_id=room_id, token=token, games_played=games_played)


def _info(room: Room) -> RoomInfo:
    return RoomInfo(
        room_id=room.room_id,
        seats=room.seats,
        players=list(room.players.values()),
        playing=room.game is not None,
    )
