"""Crazy eights: get rid of your cards.

Whose turn it is plays a card that matches the top of the discard pile in rank or suit, or an
eight, which matches anything and names the suit to follow; who cannot or does not want to
draws one card instead, which ends the turn. The first empty hand wins. When nobody can draw
and a whole round has passed without a card, the hand worth the fewest points wins.

Each move carries the version of the state it was made on. A client that missed an update, and
so plays by a table that is no longer there, is told so instead of being half obeyed.
"""

import random
from typing import TypedDict

from backend.engine.cards import SUITS, Card, new_deck
from backend.game_logger import GameLogger

PLAYERS_MIN = 2
PLAYERS_MAX = 5

log = GameLogger(__name__)


class GameError(Exception):
    """A move that cannot be made. The state is as it was."""

    code = "illegal_move"


class StaleState(GameError):
    """A move made on a state that is no longer the current one."""

    code = "stale_state"


class View(TypedDict):
    """What one player may see of a game."""

    version: int
    turn: str
    top: str
    suit: str
    hand: list[str]
    playable: list[str]
    cards_held: dict[str, int]
    draw_pile: int


class Game:
    """One game, from the deal to the winner."""

    def __init__(self, room_id: str, players: list[str], rng: random.Random) -> None:
        if not PLAYERS_MIN <= len(players) <= PLAYERS_MAX:
            raise ValueError(f"{len(players)} players; give {PLAYERS_MIN} to {PLAYERS_MAX}")
        self.room_id = room_id
        self.players = players
        self.version = 1
        self.winner: str | None = None
        self._rng = rng
        self._log = log.bind(room=room_id)
        self._turn = 0
        self._passes = 0

        deck = new_deck()
        rng.shuffle(deck)
        hand_size = 7 if len(players) == 2 else 5
        self.hands = {player: [deck.pop() for _ in range(hand_size)] for player in players}
        first = next(index for index, card in enumerate(deck) if not card.is_wild)
        self.discard_pile = [deck.pop(first)]
        self.draw_pile = deck
        self.suit = self.top.suit
        self._log.info("Game started", players=",".join(players), top=self.top)

    @property
    def top(self) -> Card:
        """The card to match."""
        return self.discard_pile[-1]

    @property
    def current_player(self) -> str:
        """Whose turn it is."""
        return self.players[self._turn]

    def can_play(self, card: Card) -> bool:
        """Whether `card` may be played now, by whoever holds it."""
        return card.is_wild or card.suit == self.suit or card.rank == self.top.rank

    def play(self, player: str, card: Card, suit: str | None, version: int) -> None:
        """Play `card`; an eight names the `suit` to follow. Raises GameError."""
        self._check_turn(player, version)
        if card not in self.hands[player]:
            raise GameError(f"{player} does not hold {card}")
        if not self.can_play(card):
            raise GameError(f"{card} does not go on {self.top}, suit {self.suit}")
        if card.is_wild and (not suit or suit not in SUITS):
            raise GameError(f"an eight names a suit, one of {SUITS}")
        self.hands[player].remove(card)
        self.discard_pile.append(card)
        self.suit = suit if card.is_wild and suit else card.suit
        self._passes = 0
        self._log.debug("%s plays %s", player, card, suit=self.suit, left=len(self.hands[player]))
        self._end_turn(player)

    def draw(self, player: str, version: int) -> None:
        """Take a card from the draw pile, or pass when there is none. Raises GameError."""
        self._check_turn(player, version)
        if not self.draw_pile:
            self._turn_discards_over()
        if self.draw_pile:
            self.hands[player].append(self.draw_pile.pop())
            self._passes = 0
            self._log.debug("%s draws", player, left=len(self.hands[player]))
        else:
            self._passes += 1
            self._log.debug("%s passes", player, left=len(self.hands[player]))
        self._end_turn(player)

    def validate_state(self, player: str, version: int) -> None:
        """Raises StaleState when `player` moves on another version than the current one."""
        if version != self.version:
            log.warning(
                "Player state mismatch detected in room %s",
                self.room_id,
                player=player,
                client_version=version,
                server_version=self.version,
            )
            raise StaleState(f"the state is at version {self.version}, not {version}")

    def view_for(self, player: str) -> View:
        """What `player` may see: the own hand, and how many cards everyone holds."""
        hand = self.hands[player]
        my_turn = player == self.current_player
        return View(
            version=self.version,
            turn=self.current_player,
            top=str(self.top),
            suit=self.suit,
            hand=[str(card) for card in hand],
            playable=[str(card) for card in hand if my_turn and self.can_play(card)],
            cards_held={name: len(cards) for name, cards in self.hands.items()},
            draw_pile=len(self.draw_pile),
        )

    def points_of(self, player: str) -> int:
        """What the cards in `player`'s hand are worth: bad, when the game is over."""
        return sum(card.points for card in self.hands[player])

    def _check_turn(self, player: str, version: int) -> None:
        if self.winner is not None:
            raise GameError(f"the game is over, {self.winner} has won")
        self.validate_state(player, version)
        if player != self.current_player:
            raise GameError(f"it is {self.current_player}'s turn")

    def _turn_discards_over(self) -> None:
        """Make the discards, without the top one, the new draw pile."""
        self.draw_pile = self.discard_pile[:-1]
        self.discard_pile = self.discard_pile[-1:]
        self._rng.shuffle(self.draw_pile)
        self._log.debug("Discard pile turned over", draw_pile=len(self.draw_pile))

    def _end_turn(self, player: str) -> None:
        self.version += 1
        if not self.hands[player]:
            self._finish(player, "empty_hand")
        elif self._passes == len(self.players):
            self._finish(min(self.players, key=self.points_of), "stalemate")
        else:
            self._turn = (self._turn + 1) % len(self.players)

    def _finish(self, winner: str, reason: str) -> None:
        self.winner = winner
        self._log.info("Game over, %s wins", winner, reason=reason, turns=self.version - 1)
