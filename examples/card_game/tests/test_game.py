"""The rules of crazy eights, and what GameLogger prints."""

import logging
import random
import unittest
from itertools import chain

from backend.engine.cards import Card, new_deck
from backend.engine.game import Game, GameError, StaleState
from backend.game_logger import LINE_FORMAT, GameLogger, KeyValueFormatter


def table(hands: dict[str, str], top: str, draw_pile: str = "") -> Game:
    """A game in the middle of it; cards are written as in `"7H 10S"`."""
    game = Game("test", list(hands), random.Random(1))
    game.hands = {player: cards(hand) for player, hand in hands.items()}
    game.discard_pile = cards(top)
    game.suit = game.top.suit
    game.draw_pile = cards(draw_pile)
    return game


def cards(text: str) -> list[Card]:
    """The cards that are written in `text`."""
    return [Card.parse(word) for word in text.split()]


class CardTest(unittest.TestCase):
    def test_each_card_of_a_deck_is_parsed_from_its_text(self) -> None:
        deck = new_deck()
        self.assertEqual(52, len(set(deck)))
        self.assertEqual(deck, [Card.parse(str(card)) for card in deck])

    def test_what_is_no_card_is_refused(self) -> None:
        for text in ("", "7", "H", "1H", "7X", "H7", "77H", "7HH"):
            with self.subTest(text=text), self.assertRaises(ValueError):
                Card.parse(text)

    def test_points(self) -> None:
        self.assertEqual([50, 1, 10, 10, 7], [c.points for c in cards("8C AD KH 10S 7C")])


class GameTest(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable()
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_the_deal_uses_each_card_once_and_shows_no_eight(self) -> None:
        for players, hand_size in (("ab", 7), ("abc", 5), ("abcde", 5)):
            for seed in range(50):
                game = Game("test", list(players), random.Random(seed))
                dealt = [*game.discard_pile, *game.draw_pile, *chain(*game.hands.values())]
                self.assertCountEqual(new_deck(), dealt)
                self.assertEqual({hand_size}, {len(hand) for hand in game.hands.values()})
                self.assertFalse(game.top.is_wild)

    def test_a_card_goes_on_its_suit_and_on_its_rank_only(self) -> None:
        game = table({"ada": "7H 9C QD", "bob": "2S"}, top="9H")
        self.assertEqual(["7H", "9C"], game.view_for("ada")["playable"])
        with self.assertRaisesRegex(GameError, "QD does not go on 9H"):
            game.play("ada", Card.parse("QD"), None, game.version)
        game.play("ada", Card.parse("9C"), None, game.version)
        self.assertEqual(("9C", "C", "bob"), (str(game.top), game.suit, game.current_player))

    def test_an_eight_goes_on_anything_and_names_the_suit(self) -> None:
        game = table({"ada": "8C KD", "bob": "2S 3C"}, top="9H")
        with self.assertRaisesRegex(GameError, "names a suit"):
            game.play("ada", Card.parse("8C"), None, game.version)
        game.play("ada", Card.parse("8C"), "S", game.version)
        self.assertEqual(["2S"], game.view_for("bob")["playable"])

    def test_out_of_turn_and_not_held_are_refused_and_change_nothing(self) -> None:
        game = table({"ada": "7H 9C", "bob": "9D 2S"}, top="9H")
        with self.assertRaisesRegex(GameError, "ada's turn"):
            game.play("bob", Card.parse("9D"), None, game.version)
        with self.assertRaisesRegex(GameError, "does not hold"):
            game.play("ada", Card.parse("9D"), None, game.version)
        self.assertEqual((1, "ada"), (game.version, game.current_player))

    def test_a_draw_ends_the_turn_and_turns_the_discards_over_when_need_be(self) -> None:
        game = table({"ada": "2S", "bob": "3C"}, top="KD QD 9H")
        game.draw("ada", game.version)
        self.assertEqual(2, len(game.hands["ada"]))
        self.assertEqual(([Card.parse("9H")], 1), (game.discard_pile, len(game.draw_pile)))
        self.assertEqual("bob", game.current_player)

    def test_an_empty_hand_wins(self) -> None:
        game = table({"ada": "7H", "bob": "9D"}, top="9H")
        game.play("ada", Card.parse("7H"), None, game.version)
        self.assertEqual(("ada", 9), (game.winner, game.points_of("bob")))
        with self.assertRaisesRegex(GameError, "ada has won"):
            game.draw("bob", game.version)

    def test_the_fewest_points_win_when_nobody_can_move(self) -> None:
        game = table({"ada": "KS", "bob": "2C"}, top="9H")
        game.draw("ada", game.version)
        self.assertIsNone(game.winner)
        game.draw("bob", game.version)
        self.assertEqual("bob", game.winner)

    def test_a_move_on_an_old_state_is_refused(self) -> None:
        game = table({"ada": "7H 2S", "bob": "9D 3H"}, top="9H")
        seen = game.version
        game.play("ada", Card.parse("7H"), None, seen)
        with self.assertRaisesRegex(StaleState, "version 2, not 1"):
            game.play("bob", Card.parse("3H"), None, seen)

    def test_every_game_comes_to_an_end(self) -> None:
        for seed in range(100):
            rng = random.Random(seed)
            game = Game("test", list("abcd"), rng)
            while game.winner is None:
                player = game.current_player
                if playable := game.view_for(player)["playable"]:
                    game.play(player, Card.parse(rng.choice(playable)), "H", game.version)
                else:
                    game.draw(player, game.version)
                self.assertLess(game.version, 2_000)


class GameLoggerTest(unittest.TestCase):
    def test_fields_are_appended_quoted_and_secrets_masked(self) -> None:
        with self.assertLogs("backend.test") as logs:
            log = GameLogger("backend.test").bind(room="abc123")
            log.warning("%s knocks", "ada", token="s3cret", reason='a "full" room', line_break="\n")
        record = logs.records[0]
        self.assertEqual(
            'ada knocks room=abc123 token=*** reason="a \\"full\\" room" line_break="\\n"',
            KeyValueFormatter("%(message)s").format(record),
        )
        self.assertEqual(self._testMethodName, record.funcName)

    def test_a_mismatch_is_logged_where_it_is_found(self) -> None:
        game = table({"ada": "7H", "bob": "9D"}, top="9H")
        with self.assertLogs("backend.engine.game") as logs, self.assertRaises(StaleState):
            game.validate_state("bob", 7)
        self.assertEqual("validate_state", logs.records[0].funcName)
        self.assertRegex(
            KeyValueFormatter(LINE_FORMAT).format(logs.records[0]),
            r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - backend\.engine\.game - WARNING - "
            r"Player state mismatch detected in room test "
            r"player=bob client_version=7 server_version=1$",
        )


if __name__ == "__main__":
    unittest.main()
