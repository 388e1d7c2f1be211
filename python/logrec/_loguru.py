"""loguru, which passes ``logging`` by: a sink of ours takes what it logs.

An application may join the two itself. What it hands from ``logging`` to loguru (the `InterceptHandler`
of loguru's documentation) has been recorded on its way; what it hands from loguru to ``logging`` (the
`PropagateHandler`, or a function as sink) this sink records. Each arrives once, under either recipe.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ._buffer import InMemoryLogBuffer

_FRAMES_MAX = 20
"""So far up a caller is looked for: loguru stands a few frames above the handler that hands on."""

forwarding: dict[int, Any] = {}
"""What loguru is handing to a sink, by thread. A sink may hand it on to ``logging``. Empty as a rule."""


def is_forwarded(record: logging.LogRecord) -> bool:
    """Whether a record of ``logging`` is what this thread's loguru hands to a sink just now."""
    told = forwarding.get(threading.get_ident())
    if told is None:
        return False
    if record.__dict__.get("extra") is told["extra"]:
        # loguru made it, for a sink that is a logging.Handler.
        return True
    try:
        return told["message"] in record.getMessage()
    except Exception:
        return False


def hook_loguru(module: ModuleType, buffer: InMemoryLogBuffer) -> Callable[[], None]:
    """Gives loguru's logger a sink of ours, and again after ``logger.remove()``. Returns what takes it
    back."""
    logger: Any = module.logger
    kind = type(logger)
    remove = kind.remove
    ours: list[int] = []
    unwatch = _watch_sinks()

    def sink(message: Any) -> None:
        if not _is_inside_logging():
            buffer._core.record(_record(message.record))

    def add() -> None:
        ours[:] = [logger.add(sink, level=0, format=lambda _: "", catch=True)]

    def removing(self: Any, handler_id: int | None = None) -> None:
        remove(self, handler_id)
        if handler_id is None and ours:
            add()

    def undo() -> None:
        if kind.remove is removing:
            kind.remove = remove
        if ours:
            remove(logger, ours.pop())
        unwatch()

    kind.remove = removing
    add()
    return undo


def _watch_sinks() -> Callable[[], None]:
    """Notes in `forwarding` what loguru hands to handlers and functions. Without loguru's classes of
    these (they are its own affair) what is handed on is recorded twice, and nothing else is wrong."""
    try:
        from loguru import _simple_sinks as sinks  # type: ignore[import-not-found, unused-ignore]

        kinds: list[Any] = [sinks.StandardSink, sinks.CallableSink]
        writes = [kind.write for kind in kinds]
    except (ImportError, AttributeError):
        return lambda: None

    def watched(write: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def writing(self: Any, message: Any) -> None:
            thread = threading.get_ident()
            before = forwarding.get(thread)
            forwarding[thread] = message.record
            try:
                write(self, message)
            finally:
                if before is None:
                    forwarding.pop(thread, None)
                else:
                    forwarding[thread] = before

        return writing

    ours = [watched(write) for write in writes]
    for kind, writing in zip(kinds, ours, strict=True):
        kind.write = writing

    def undo() -> None:
        for kind, writing, write in zip(kinds, ours, writes, strict=True):
            if kind.write is writing:
                kind.write = write

    return undo


def _record(told: dict[str, Any]) -> logging.LogRecord:
    exception = told["exception"]
    record = logging.LogRecord(
        told["name"] or "loguru",
        told["level"].no,
        told["file"].path,
        told["line"],
        told["message"],
        None,
        (exception.type, exception.value, exception.traceback) if exception else None,
        told["function"],
    )
    record.levelname = told["level"].name
    record.created = told["time"].timestamp()
    record.thread, record.threadName = told["thread"].id, told["thread"].name
    record.process, record.processName = told["process"].id, told["process"].name
    for name, value in told["extra"].items():
        record.__dict__.setdefault(name, value)
    return record


def _is_inside_logging() -> bool:
    code = getattr(logging.Logger.callHandlers, "__code__", None)
    frame: Any = sys._getframe(1)
    for _ in range(_FRAMES_MAX):
        if frame is None:
            return False
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
