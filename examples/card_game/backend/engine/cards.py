"""Cards: 52 of them, written as rank and suit: `7H`, `10S`, `QD`."""

from typing import NamedTuple

SUITS = "CDHS"
RANKS = ("A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K")
WILD_RANK = "8"


class Card(NamedTuple):
    """One card of a deck."""

    rank: str
    suit: str

    @classmethod
    def parse(cls, text: str) -> "Card":
        """The card that `text` names. Raises ValueError when there is none."""
        card = cls(text[:-1], text[-1:])
        if card.rank not in RANKS or not card.suit or card.suit not in SUITS:
            raise ValueError(f"{text!r} is no card; give rank and suit, as in 7H or 10S")
        return card

    @property
    def is_wild(self) -> bool:
        """Whether it may be played on any card."""
        return self.rank == WILD_RANK

    @property
    def points(self) -> int:
        """What it costs who still holds it when the game is over."""
        if self.is_wild:
            return 50
        if self.rank == "A":
            return 1
        return int(self.rank) if self.rank.isdigit() else 10

    def __str__(self) -> str:
        return self.rank + self.suit


def new_deck() -> list[Card]:
    """A deck in order."""
    return [Card(rank, suit) for suit in SUITS for rank in RANKS]
