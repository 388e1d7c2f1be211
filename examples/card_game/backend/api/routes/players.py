"""Players over all their games: records and the leaderboard."""

from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from backend.api.dependencies import DatabaseDep, NamePath
from backend.api.services.database import PlayerRecord

router = APIRouter()


class Rank(BaseModel):
    """One line of the leaderboard."""

    name: str
    wins: int


@router.get("/players/{name}")
async def get_player(name: NamePath, database: DatabaseDep) -> PlayerRecord:
    """The record of one player."""
    record = await database.find_player(name)
    if record is None:
        raise HTTPException(404, f"no finished game of {name} is known")
    return record


@router.get("/leaderboard")
async def get_leaderboard(
    database: DatabaseDep, period: Literal["recent", "all"] = "recent"
) -> list[Rank]:
    """Who has won most, best first."""
    ranking = await database.leaderboard(all_time=period == "all")
    return [Rank(name=name, wins=wins) for name, wins in ranking]
