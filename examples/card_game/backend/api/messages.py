"""What clients say over the WebSocket, as JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter


class Hello(BaseModel):
    """The first message: who is there. Not in the URL, where access logs would keep the token."""

    type: Literal["hello"]
    token: str = Field(max_length=64)


class Play(BaseModel):
    """Play a card; an eight names the suit to follow."""

    type: Literal["play"]
    card: str = Field(max_length=3)
    suit: str | None = Field(default=None, max_length=1)
    version: int


class Draw(BaseModel):
    """Take a card."""

    type: Literal["draw"]
    version: int


Move = Annotated[Play | Draw, Field(discriminator="type")]
MOVE: TypeAdapter[Move] = TypeAdapter(Move)
