"""The demo backend by either way: entries of its GameLogger, of FastAPI and of uvicorn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ask, entries, free_port, once, wait_for

GAME = Path(__file__).parents[2] / "examples" / "card_game"

WAYS = {
    "no line changed": ["-m", "logrec", "--service", "card_game", "uvicorn", "backend.main:app"],
    "install": ["-m", "uvicorn", "backend.with_logrec:app"],
}


def test_the_card_game(start):
    # Both at once: a game and all its faults take some seconds.
    playing = []
    for args in WAYS.values():
        port = free_port()
        program = start([*args, "--port", str(port)], PYTHONPATH=str(GAME))
        wait_for(lambda port=port: ask(port, "/health")[0] == 200)
        play = [str(GAME / "play.py"), "--url", f"http://127.0.0.1:{port}", "--games", "1"]
        player = subprocess.Popen([sys.executable, *play], stdout=subprocess.PIPE, text=True)
        playing.append((port, program, player))
    for port, program, player in playing:
        printed, _ = player.communicate(timeout=60)
        assert player.returncode == 0, printed + program.output()
        check(port, program.process.pid)


def check(port: int, process: int) -> None:
    found = [e for e in entries(port) if e["process"] == process]
    # GameLogger's, with fields as attributes and the place that called it.
    message = "WebSocket connection refused for room abc123"
    refused = once(found, logger="backend.api.routes.ws", level="ERROR", message=message)
    assert refused["attributes"]["reason"] == "room_full"
    assert refused["file"].endswith("routes/ws.py") and refused["service"] == "card_game"
    mismatch = once(found, logger="backend.engine.game", level="WARNING")
    assert mismatch["attributes"]["client_version"] == 1
    assert {e["process"] for e in entries(port, "&attr.room=xyz789")} >= {process}
    tokens = [e["attributes"]["token"] for e in found if "token" in e.get("attributes", {})]
    assert set(tokens) == {"***"}
    # FastAPI's unhandled exception, with its causes.
    crash = once(found, logger="uvicorn.error", level="ERROR")
    assert "KeyError: 'points'" in crash["exception"] and "CorruptRecord" in crash["exception"]
    # uvicorn's: of its start, and access lines.
    once(found, logger="uvicorn.error", message="Application startup complete.")
    healthy = [
        e for e in found
        if e["logger"] == "uvicorn.access" and e["attributes"]["url.path"] == "/health"
    ]  # fmt: skip
    assert healthy and healthy[0]["attributes"]["http.response.status_code"] == 200
