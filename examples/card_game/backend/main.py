"""The card game backend. From examples/card_game::

    uvicorn backend.main:app --port 8000

Its log goes to stderr.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from backend.api.routes import health, players, rooms, ws
from backend.api.services.database import Database, PoolExhausted
from backend.api.services.performance import PerformanceService
from backend.api.services.rooms import RoomError, RoomNotFound, RoomRegistry, TooManyRooms
from backend.game_logger import GameLogger, configure_logging

log = GameLogger(__name__)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Make the services the routes share."""
    app.state.database = Database(PerformanceService())
    app.state.rooms = RoomRegistry()
    log.info("Card game backend startup complete")
    yield
    log.info("Card game backend shutdown")


async def room_error(_request: Request, error: Exception) -> JSONResponse:
    """Tell the client which rule of a room was in the way."""
    assert isinstance(error, RoomError)
    match error:
        case RoomNotFound():
            status = 404
        case TooManyRooms():
            status = 503
        case _:
            status = 409
    return JSONResponse({"error": error.code, "detail": str(error)}, status)


async def pool_exhausted(_request: Request, error: Exception) -> JSONResponse:
    """Ask the client to come back later."""
    body = {"error": "overloaded", "detail": str(error)}
    return JSONResponse(body, 503, headers={"Retry-After": "1"})


def create_app() -> FastAPI:
    """The application, not started yet."""
    configure_logging()
    app = FastAPI(title="Crazy eights", lifespan=lifespan)
    app.add_exception_handler(RoomError, room_error)
    app.add_exception_handler(PoolExhausted, pool_exhausted)
    for route in (health, rooms, players, ws):
        app.include_router(route.router)
    return app


app = create_app()
