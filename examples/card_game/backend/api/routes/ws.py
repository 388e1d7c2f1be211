"""The game over a WebSocket::

    client  {"type": "hello", "token": ...}      first, within HELLO_TIMEOUT_S
    server  {"type": "state", ...}               to everyone, when all are there, after each move
    client  {"type": "play", "card": "8H", "suit": "S", "version": 7}   or
            {"type": "draw", "version": 7}
    server  {"type": "error", "code": ...}       and the state again, to catch up with
    server  {"type": "over", "winner": ...}      null when a player has left; then it closes

A room that does not exist, or is full, refuses the connection with HTTP 403.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from backend.api.dependencies import DatabaseDep, NamePath, RoomsDep
from backend.api.messages import MOVE, Hello, Move, Play
from backend.api.services.database import Database, PoolExhausted
from backend.api.services.rooms import Room, RoomError
from backend.engine.cards import Card
from backend.engine.game import Game, GameError
from backend.game_logger import GameLogger

HELLO_TIMEOUT_S = 5.0
SEND_TIMEOUT_S = 5.0

NORMAL = 1000
POLICY_VIOLATION = 1008

router = APIRouter()
log = GameLogger(__name__)


@router.websocket("/ws/{room_id}")
async def websocket_endpoint(
    websocket: WebSocket, room_id: NamePath, rooms: RoomsDep, database: DatabaseDep
) -> None:
    """One player's connection to a room."""
    try:
        room = rooms.admit(room_id)
    except RoomError as refusal:
        log.error("WebSocket connection refused for room %s", room_id, reason=refusal.code)
        await websocket.close(POLICY_VIOLATION, str(refusal))
        return
    try:
        await websocket.accept()
        await _take_part(websocket, room, database)
    except WebSocketDisconnect as gone:
        log.debug("WebSocket disconnected", room=room_id, code=gone.code)
    finally:
        rooms.release(room)


async def _take_part(websocket: WebSocket, room: Room, database: Database) -> None:
    """From the hello until the game is over or the player has left."""
    player = await _identify(websocket, room)
    if player is None:
        log.warning("WebSocket client did not say who it is", room=room.room_id)
        await websocket.close(POLICY_VIOLATION, "say hello with a token that is not in use")
        return
    room.sockets[player] = websocket
    log.info("Player %s connected", player, room=room.room_id)
    try:
        async with room.lock:
            if game := room.start_when_complete():
                await _broadcast_state(room, game)
        while True:
            await _handle(await _receive(websocket), room, player, database)
    finally:
        del room.sockets[player]
        async with room.lock:
            await _leave(room, player)


async def _identify(websocket: WebSocket, room: Room) -> str | None:
    """The name of the player whose token the client sends; None when it does not send one."""
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            hello = Hello.model_validate_json(await _receive(websocket))
    except (TimeoutError, ValidationError):
        return None
    player = room.players.get(hello.token)
    return None if player in room.sockets else player


async def _handle(text: str | bytes, room: Room, player: str, database: Database) -> None:
    """Make the move a client asks for, and tell everyone; or tell the client why not."""
    async with room.lock:
        game = room.game
        try:
            if game is None:
                raise GameError("the game has not started")
            _apply(MOVE.validate_json(text), game, player)
        except GameError as error:
            log.debug("Move rejected", room=room.room_id, player=player, reason=error)
            await _reject(room, player, error.code, str(error))
            return
        except ValidationError as error:
            problems = "; ".join(problem["msg"] for problem in error.errors())
            await _reject(room, player, "bad_message", problems)
            return
        if game.winner is None:
            await _broadcast_state(room, game)
        else:
            await _finish(room, game, game.winner, database)


def _apply(move: Move, game: Game, player: str) -> None:
    if not isinstance(move, Play):
        game.draw(player, move.version)
        return
    try:
        card = Card.parse(move.card)
    except ValueError as error:
        raise GameError(str(error)) from error
    game.play(player, card, move.suit, move.version)


async def _finish(room: Room, game: Game, winner: str, database: Database) -> None:
    """Keep the result, then say goodbye to everyone."""
    try:
        await database.save_result(winner, {name: game.points_of(name) for name in game.players})
    except PoolExhausted:
        log.exception("Result of the game in room %s is lost", room.room_id)
    await _say_over(room, winner)


async def _leave(room: Room, player: str) -> None:
    """A game without one of its players is over for the others too."""
    log.info("Player %s left", player, room=room.room_id)
    if room.game is not None and room.game.winner is None:
        room.game = None
        log.info("Game in room %s abandoned", room.room_id, left_by=player)
        await _say_over(room, None)


async def _say_over(room: Room, winner: str | None) -> None:
    for player, websocket in list(room.sockets.items()):
        await _send(room, player, {"type": "over", "winner": winner})
        with suppress(WebSocketDisconnect, RuntimeError):  # it may be gone already
            await websocket.close(NORMAL)


async def _reject(room: Room, player: str, code: str, detail: str) -> None:
    await _send(room, player, {"type": "error", "code": code, "detail": detail})
    if room.game is not None:
        await _send_state(room, room.game, player)


async def _broadcast_state(room: Room, game: Game) -> None:
    for player in list(room.sockets):
        await _send_state(room, game, player)


async def _send_state(room: Room, game: Game, player: str) -> None:
    await _send(room, player, {"type": "state", **game.view_for(player)})


async def _send(room: Room, player: str, message: Mapping[str, object]) -> None:
    """Send to who may be gone or stuck: that is for the player's own connection to notice."""
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await room.sockets[player].send_json(message)
    except (KeyError, RuntimeError, TimeoutError, WebSocketDisconnect):
        log.debug("Message not delivered", room=room.room_id, player=player, type=message["type"])


async def _receive(websocket: WebSocket) -> str | bytes:
    """The next message, text or binary. Raises WebSocketDisconnect."""
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"], message.get("reason"))
    payload: str | bytes = message.get("text") or message.get("bytes") or b""
    return payload
