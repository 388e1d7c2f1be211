"""Run them from examples/card_game: `python -m unittest`."""
