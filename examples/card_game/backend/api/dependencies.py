"""What routes ask FastAPI for: the services of the running app, and checked names."""

from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import HTTPConnection

from backend.api.services.database import Database
from backend.api.services.rooms import RoomRegistry

NAME_PATTERN = r"^[A-Za-z0-9_-]{1,32}$"
"""Of rooms and players: nothing that could forge a log line."""


def _database(connection: HTTPConnection) -> Database:
    database: Database = connection.app.state.database
    return database


def _rooms(connection: HTTPConnection) -> RoomRegistry:
    rooms: RoomRegistry = connection.app.state.rooms
    return rooms


DatabaseDep = Annotated[Database, Depends(_database)]
RoomsDep = Annotated[RoomRegistry, Depends(_rooms)]
NamePath = Annotated[str, Path(pattern=NAME_PATTERN)]
