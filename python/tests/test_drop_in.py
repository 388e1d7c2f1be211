"""The names of the original design, with its signatures and its troubleshooting page."""

from __future__ import annotations

import inspect
import logging
import time
from datetime import datetime, timedelta, timezone
from enum import Enum

import pytest

from logrec import (
    InMemoryLogBuffer,
    LogBufferHandler,
    LogLevel,
    ParameterError,
    log_buffer,
    log_buffer_handler,
)


@pytest.fixture
def buffer() -> InMemoryLogBuffer:
    return InMemoryLogBuffer(max_size=100)


def messages(entries: list[dict]) -> list[str]:
    return [entry["message"] for entry in entries]


def test_names_and_signatures():
    assert issubclass(LogLevel, str) and issubclass(LogLevel, Enum)
    assert [level.value for level in LogLevel] == ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    assert LogLevel("ERROR") is LogLevel.ERROR
    assert issubclass(LogBufferHandler, logging.Handler)
    assert isinstance(log_buffer, InMemoryLogBuffer) and log_buffer.max_size == 2000
    assert log_buffer_handler.log_buffer is log_buffer
    first = list(inspect.signature(InMemoryLogBuffer.get_entries).parameters)[1:6]
    assert first == ["limit", "level", "logger_filter", "since_minutes", "search"]
    assert inspect.signature(InMemoryLogBuffer).parameters["max_size"].default == 2000


def test_add_and_get(buffer):
    now = time.time()
    entry = {
        "timestamp": now,
        "level": "ERROR",
        "logger": "backend.engine.game",
        "message": "Failed to process player action",
        "module": "game",
        "function": "process_action",
        "line": 245,
        "thread": 140234567890,
        "thread_name": "MainThread",
        "exception": "Traceback ...",
    }
    assert buffer.add_entry(entry) is None
    [got] = buffer.get_entries()
    assert got.pop("id")
    assert abs(got["timestamp"] - now) < 1e-5
    assert {**got, "timestamp": now} == entry


def test_newest_first_and_bounded(buffer):
    for n in range(250):
        buffer.add_entry({"message": f"m{n}", "timestamp": 1e9 + n})
    assert len(buffer) == len(buffer.buffer) == 100 == buffer.max_size
    assert messages(buffer.get_entries()) == [f"m{n}" for n in range(249, 149, -1)]
    assert messages(buffer.get_entries(limit=2)) == ["m249", "m248"]
    assert messages(buffer.get_entries(2, order="asc")) == ["m248", "m249"]
    assert buffer.buffer[0]["message"] == "m150" and buffer.buffer[-1]["message"] == "m249"
    assert len(list(buffer.buffer)) == 100


def test_a_limit_beyond_that_of_http():
    buffer = InMemoryLogBuffer(max_size=3000)
    for n in range(3000):
        buffer.add_entry({"message": str(n)})
    assert len(buffer.get_entries()) == 3000
    assert len(buffer.get_entries(limit=1500)) == 1500
    assert len(buffer.get_entries(limit=10**9)) == 3000


def test_filters(buffer):
    now = time.time()
    rows = [
        ("DEBUG", "backend.engine", "WebSocket opened", 7200, {}),
        ("INFO", "backend.engine.game", "round 1", 600, {"line": 10, "room": "a1"}),
        ("WARNING", "backend.api.ws", "websocket slow", 60, {"line": 245, "duration_ms": 12.5}),
        ("ERROR", "backend.api.ws", "WebSocket closed", 5, {"line": 250, "ok": False}),
    ]
    for level, logger, message, ago, more in rows:
        buffer.add_entry(
            {"level": level, "logger": logger, "message": message, "timestamp": now - ago, **more}
        )
    assert len(buffer.get_entries(level="ERROR")) == 1
    assert len(buffer.get_entries(level=LogLevel.ERROR)) == 1
    assert len(buffer.get_entries(level=["error", LogLevel.DEBUG])) == 2
    assert len(buffer.get_entries(min_level="warning")) == 2
    assert len(buffer.get_entries(logger_filter="ENGINE")) == 2
    assert len(buffer.get_entries(search="websocket")) == 3
    assert len(buffer.get_entries(since_minutes=2)) == 2
    assert len(buffer.get_entries(since_minutes=0.5, search="websocket")) == 1
    assert len(buffer.get_entries(since="15m")) == 3
    assert len(buffer.get_entries(since=timedelta(minutes=15))) == 3
    assert len(buffer.get_entries(since=datetime.now() - timedelta(minutes=15))) == 3
    assert len(buffer.get_entries(until=datetime.now(timezone.utc) - timedelta(minutes=15))) == 1
    assert len(buffer.get_entries(since=now - 30)) == 1
    assert len(buffer.get_entries(regex="^round \\d")) == 1
    assert len(buffer.get_entries(line=(200, 300))) == 2
    assert len(buffer.get_entries(line=245)) == 1
    assert len(buffer.get_entries(attr={"room": "a1"})) == 1
    assert len(buffer.get_entries(attr={"ok": False})) == 1
    assert len(buffer.get_entries(**{"attr.duration_ms": 12.5})) == 1
    [row] = buffer.get_entries(limit=1, fields=["message", "level"])
    assert set(row) == {"message", "level"}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"level": "LOUD"}, "level"),
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": True}, "limit"),
        ({"since_minutes": -1}, "since_minutes"),
        ({"since_minutes": float("nan")}, "since_minutes"),
        ({"regex": "("}, "regex"),
        ({"lvel": "x"}, "lvel"),
        ({"after": "x"}, "after"),
        ({"format": "text"}, "format"),
    ],
)
def test_bad_values_name_the_parameter(buffer, given, names):
    with pytest.raises(ValueError, match=names) as raised:
        buffer.get_entries(**given)
    assert isinstance(raised.value, ParameterError) and raised.value.parameter == names


def test_clear_and_stats(buffer):
    assert buffer.get_stats()["total_entries"] == 0
    for level in LogLevel:
        buffer.add_entry({"level": level, "message": "x", "timestamp": 1703120000.123})
    stats = buffer.get_stats()
    assert stats["total_entries"] == 5 and stats["max_size"] == 100
    assert stats["level_counts"] == {level.value: 1 for level in LogLevel}
    assert stats["oldest_entry"] == stats["newest_entry"] == 1703120000.123
    assert buffer.clear() == 5
    assert len(buffer) == 0 and buffer.get_entries() == [] and buffer


def test_what_add_entry_is_given_is_kept_or_said():
    class Odd:
        def __str__(self):
            raise RuntimeError("no")

    buffer = InMemoryLogBuffer(max_size=50)
    cycle: dict = {"message": "m"}
    cycle["self"] = cycle
    hostile = [
        {},
        {"message": None},
        {"message": 7},
        {"message": "x", "level": "LOUD"},
        {"message": "x", "timestamp": "yesterday"},
        {"message": "x", "timestamp": float("nan")},
        {"message": "x", "value": float("inf"), "o": Odd(), "s": {1}, (1, 2): 3},
        {"message": "\ud800 and \x00"},
        cycle,
    ]
    for entry in hostile:
        buffer.add_entry(entry)
    entries = buffer.get_entries(order="asc")
    assert len(entries) == len(hostile)
    assert all("message" in entry for entry in entries)
    assert entries[6]["attributes"]["value"] == "inf"
    assert "__str__ raised RuntimeError" in entries[6]["attributes"]["o"]
    assert "could not be read" in entries[8]["message"]


def test_the_lock_of_the_troubleshooting_page(buffer):
    with buffer.lock:
        buffer.add_entry({"message": "held"})
        assert len(buffer.buffer) == 1


@pytest.mark.parametrize("size", [0, -5, "many", 2.5, True])
def test_a_size_that_is_none(size):
    with pytest.raises(ValueError, match="max_size"):
        InMemoryLogBuffer(max_size=size)


def test_a_buffer_of_the_users_own_making_gets_dicts():
    class Mine(InMemoryLogBuffer):
        def add_entry(self, entry):
            super().add_entry({**entry, "message": entry["message"].upper()})

    buffer = Mine(max_size=10)
    log = logging.getLogger("test.mine")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.handlers[:] = [LogBufferHandler(buffer)]
    log.info("hello %s", "ada")
    assert messages(buffer.get_entries()) == ["HELLO ADA"]


DEBUG_PY = '''
from logrec import log_buffer, LogLevel
from fastapi import APIRouter, Query
from typing import Optional

router = APIRouter()

@router.get("/logs")
async def get_debug_logs(
    limit: Optional[int] = Query(100, le=1000),
    level: Optional[LogLevel] = Query(None),
    logger_filter: Optional[str] = Query(None),
    since_minutes: Optional[int] = Query(None),
    search: Optional[str] = Query(None)
):
    try:
        entries = log_buffer.get_entries(
            limit=limit,
            level=level,
            logger_filter=logger_filter,
            since_minutes=since_minutes,
            search=search
        )

        return {
            "success": True,
            "data": entries,
            "count": len(entries),
            "filters_applied": {
                k: v for k, v in {
                    "limit": limit,
                    "level": level,
                    "logger_filter": logger_filter,
                    "since_minutes": since_minutes,
                    "search": search
                }.items() if v is not None
            }
        }
    except Exception as e:
        return {"success": False, "error": str(e)}

@router.get("/logs/stats")
async def get_log_stats():
    return {"success": True, "data": log_buffer.get_stats()}

@router.delete("/logs")
async def clear_logs():
    removed = len(log_buffer.buffer)
    log_buffer.clear()
    return {"success": True, "message": "Log buffer cleared", "entries_removed": removed}
'''


def test_the_designs_own_debug_py(tmp_path, monkeypatch):
    """Its code as it stands, with the import line changed and nothing else."""
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    (tmp_path / "design_debug.py").write_text(DEBUG_PY)
    monkeypatch.syspath_prepend(tmp_path)
    import design_debug

    app = FastAPI()
    app.include_router(design_debug.router, prefix="/api/debug", tags=["debug"])
    root = logging.getLogger()
    level = root.level
    root.addHandler(log_buffer_handler)
    root.setLevel(logging.DEBUG)
    # In memory, as it is before `install`, which other tests have called.
    log_buffer._core.record_into(None, "design", max_entries=2000)
    log_buffer._found_way()
    try:
        log_buffer.clear()
        logging.getLogger("test").error("Test log entry")
        client = TestClient(app)
        answer = client.get("/api/debug/logs", params={"level": "ERROR", "limit": 50}).json()
        assert answer["success"] and answer["count"] == 1
        assert answer["data"][0]["message"] == "Test log entry"
        assert answer["data"][0]["function"] == "test_the_designs_own_debug_py"
        assert answer["filters_applied"] == {"level": "ERROR", "limit": 50}
        assert client.get("/api/debug/logs?limit=0").json()["error"].startswith("`limit` is `0`")
        assert client.get("/api/debug/logs?limit=1001").status_code == 422
        stats = client.get("/api/debug/logs/stats").json()["data"]
        assert stats["level_counts"]["ERROR"] == 1 and stats["max_size"] == 2000
        assert client.delete("/api/debug/logs").json()["entries_removed"] >= 1
    finally:
        root.removeHandler(log_buffer_handler)
        root.setLevel(level)
