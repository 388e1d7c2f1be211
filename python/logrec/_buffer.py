"""The buffer and its handler, under the names and with the signatures of the original design."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from ._core import Buffer, ParameterError

__all__ = [
    "InMemoryLogBuffer",
    "LogBufferHandler",
    "LogLevel",
    "ParameterError",
    "log_buffer",
    "log_buffer_handler",
]

_LogRecord = logging.LogRecord
_LIMIT_MAX = 1000  # of GET /logs; a program may ask its own buffer for more


class LogLevel(str, Enum):
    """The levels of an entry, as strings."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class _Way:
    """Where log calls of a buffer go just now. An object, so that who holds it sees it change."""

    record: Callable[..., None]


class InMemoryLogBuffer:
    """A thread-safe circular buffer of the newest ``max_size`` log entries.

    Its memory (4 MiB, or 1 kB an entry where that is more) is reserved when it is made and touched as
    it fills; an entry of more than 256 kB is cut. Nothing it does raises but :meth:`get_entries`, for a
    filter that cannot be used.
    """

    def __init__(self, max_size: int = 2000) -> None:
        if isinstance(max_size, bool) or not isinstance(max_size, int) or max_size < 1:
            raise ValueError(f"max_size is {max_size!r}; give a whole number from 1")
        self._core = Buffer(max_size)
        self._way = _Way()
        self._found_way()
        self.lock = threading.RLock()
        """For code that was written for the original design. The buffer itself needs none."""
        _all.add(self)

    def _found_way(self) -> None:
        """After `_core` was told to record elsewhere."""
        self._way.record = self._core.recorder().record

    @property
    def max_size(self) -> int:
        """Most entries kept; the oldest go first."""
        return self._core.max_entries

    @property
    def buffer(self) -> Sequence[dict[str, Any]]:
        """The entries as a sequence, oldest first, as the deque of the original design."""
        return _Entries(self)

    def add_entry(self, entry: Mapping[str, Any]) -> None:
        """Records an entry of which only ``message`` is needed.

        ``timestamp`` is then now, ``level`` INFO; keys that are no field of an entry become
        ``attributes``. What cannot be read is kept as an entry that says so. Never raises.
        """
        try:
            try:
                text = json.dumps(entry, default=_plain, skipkeys=True, allow_nan=False)
            except ValueError:  # JSON has no NaN
                text = json.dumps(_finite(entry), default=_plain, skipkeys=True)
        except Exception as error:  # a cycle, or depth without end
            text = json.dumps({
                "level": "ERROR",
                "logger": "logrec",
                "message": f"an entry could not be read: {type(error).__name__}",
            })
        self._core.add_json(text.encode(), os.getpid())

    def get_entries(
        self,
        limit: int | None = None,
        level: str | Sequence[str] | None = None,
        logger_filter: str | None = None,
        since_minutes: float | None = None,
        search: str | None = None,
        *,
        min_level: str | None = None,
        since: str | float | datetime | timedelta | None = None,
        until: str | float | datetime | timedelta | None = None,
        regex: str | None = None,
        module: str | None = None,
        function: str | None = None,
        line: int | str | tuple[int, int] | None = None,
        file: str | None = None,
        thread: int | None = None,
        thread_name: str | None = None,
        service: str | None = None,
        trace_id: str | None = None,
        span_id: str | None = None,
        attr: Mapping[str, Any] | None = None,
        order: str | None = None,
        after: str | None = None,
        before: str | None = None,
        fields: str | Sequence[str] | None = None,
        **more: Any,
    ) -> list[dict[str, Any]]:
        """The entries that match all filters given, newest first (``order="asc"``: oldest first).

        The filters are those of ``GET /logs`` and mean the same. ``limit`` keeps the newest; ``None``
        is all. Levels are in any case, several in a list or with commas. A time is RFC 3339, seconds
        since the epoch, a span back from now (``"15m"``), a ``datetime`` or a ``timedelta``. ``attr``
        compares attributes: ``attr={"user_id": 7}``.

        Raises :class:`ParameterError`, a ``ValueError``, that names the parameter and what would be right.
        """
        given = {
            "level": level,
            "logger_filter": logger_filter,
            "since_minutes": since_minutes,
            "search": search,
            "min_level": min_level,
            "since": since,
            "until": until,
            "regex": regex,
            "module": module,
            "function": function,
            "line": line,
            "file": file,
            "thread": thread,
            "thread_name": thread_name,
            "service": service,
            "trace_id": trace_id,
            "span_id": span_id,
            "order": order,
            "after": after,
            "before": before,
            "fields": fields,
            **{f"attr.{name}": value for name, value in (attr or {}).items()},
            **more,
        }
        for name in ("format", "wait"):
            if name in more:
                raise _error(name, f"`{name}` is for HTTP; this answers with a list at once")
        params = [(name, _text(name, value)) for name, value in given.items() if value is not None]
        most = None
        if isinstance(limit, int) and not isinstance(limit, bool) and limit > _LIMIT_MAX:
            most = limit
        elif limit is not None:
            params.append(("limit", _text("limit", limit)))
        answer = self._core.entries_json(params, all=limit is None, limit=most)
        entries: list[dict[str, Any]] = json.loads(answer)["data"]
        return entries

    def clear(self) -> int:
        """Removes all entries; how many there were."""
        return self._core.clear()

    def get_stats(self) -> dict[str, Any]:
        """Figures, as ``data`` of ``GET /logs/stats``: ``total_entries``, ``oldest_entry``,
        ``newest_entry``, ``max_size``, ``level_counts`` and more."""
        stats: dict[str, Any] = json.loads(self._core.stats_json())["data"]
        return stats

    def __len__(self) -> int:
        return len(self._core)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<InMemoryLogBuffer of {len(self)} of at most {self.max_size} entries>"


class _Entries(Sequence[dict[str, Any]]):
    """What a buffer holds, oldest first."""

    def __init__(self, owner: InMemoryLogBuffer) -> None:
        self._owner = owner

    @property
    def maxlen(self) -> int:
        return self._owner.max_size

    def __len__(self) -> int:
        return len(self._owner)

    def __getitem__(self, index: Any) -> Any:
        return self._owner.get_entries(order="asc")[index]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._owner.get_entries(order="asc"))


def capture(buffer: InMemoryLogBuffer) -> Callable[[logging.LogRecord], None]:
    """What records into a buffer, never raising an ``Exception``.

    It looks up what tells that a record is as usual: the attribute that a record gets last, and how it says its
    message. Here that costs some nanoseconds, in Rust ten times that, since the interpreter's caches are in its
    own code (and are for reading an attribute, not for calling one that is no method: hence ``take``).
    :meth:`LogBufferHandler.handle` and the hook of ``install`` do the same without a call for it.
    """
    way, any_other = buffer._way, buffer._core.record

    if sys.version_info >= (3, 12):

        def record(record: logging.LogRecord) -> None:
            try:
                take = way.record
                take(record, record.taskName, _LogRecord.getMessage)
            except Exception:
                any_other(record)

    else:

        def record(record: logging.LogRecord) -> None:
            try:
                take = way.record
                take(record, record.process, _LogRecord.getMessage)
            except Exception:
                any_other(record)

    return record


class LogBufferHandler(logging.Handler):
    """A handler that records into a buffer what its loggers log. Never raises into the application.

    It takes no lock: the buffer is safe for any number of threads. What is wrong with a record (args
    that do not fit, a ``__str__`` that raises) is said by its entry, in ``attributes["logrec.problem"]``.
    ``close`` leaves the buffer as it is, since ``logging.config`` closes handlers that are still in use.
    """

    def __init__(self, log_buffer: InMemoryLogBuffer, level: int | str = logging.NOTSET) -> None:
        super().__init__(level)
        self.log_buffer = log_buffer
        self._record = capture(log_buffer)
        self._way = log_buffer._way
        self._is_direct = type(log_buffer).add_entry is InMemoryLogBuffer.add_entry
        _handlers.add(self)
        self._shorten()

    def _shorten(self) -> None:
        """Lets `handle` record at once, where nothing is in between."""
        self._is_short = (
            type(self) is LogBufferHandler
            and self._is_direct
            and not self.filters
            and _hook.buffer is not self.log_buffer
        )

    def addFilter(self, filter: Any) -> None:  # noqa: A002, N802 - logging's name
        """As every handler's."""
        super().addFilter(filter)
        self._shorten()

    def removeFilter(self, filter: Any) -> None:  # noqa: A002, N802
        """As every handler's."""
        super().removeFilter(filter)
        self._shorten()

    if sys.version_info >= (3, 12):

        def handle(self, record: logging.LogRecord) -> Any:
            """Filters and records, without the handler's lock."""
            if not self._is_short:
                return self._handle(record)
            try:
                take = self._way.record
                take(record, record.taskName, _LogRecord.getMessage)
            except Exception:
                self.log_buffer._core.record(record)
            return True

    else:

        def handle(self, record: logging.LogRecord) -> Any:
            """Filters and records, without the handler's lock."""
            if not self._is_short:
                return self._handle(record)
            try:
                take = self._way.record
                take(record, record.process, _LogRecord.getMessage)
            except Exception:
                self.log_buffer._core.record(record)
            return True

    def _handle(self, record: logging.LogRecord) -> Any:
        if self.filters:
            kept = self.filter(record)
            if not kept:
                return kept
            if isinstance(kept, logging.LogRecord):
                record = kept
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Records. What the hook of :func:`logrec.install` has recorded already is not recorded twice."""
        if _hook.buffer is self.log_buffer and _hook.has_seen(record):
            return
        if self._is_direct:
            self._record(record)
            return
        try:
            # A buffer of the user's own making is given what the original design gave it.
            self.log_buffer.add_entry(_entry(record))
        except Exception:
            self.handleError(record)


class _Hook:
    """What `install` puts before all handlers, as far as handlers need to know."""

    def __init__(self) -> None:
        self.buffer: InMemoryLogBuffer | None = None

    def set(self, buffer: InMemoryLogBuffer | None) -> None:
        self.buffer = buffer
        for handler in list(_handlers):
            handler._shorten()

    def has_seen(self, record: logging.LogRecord) -> bool:
        raise NotImplementedError  # `install` replaces it


def _entry(record: logging.LogRecord) -> dict[str, Any]:
    entry = {
        "timestamp": record.created,
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
        "module": record.module,
        "function": record.funcName,
        "line": record.lineno,
        "thread": record.thread,
        "thread_name": record.threadName,
    }
    if record.exc_info and record.exc_info[1] is not None:
        entry["exception"] = logging.Formatter().formatException(record.exc_info)
    return entry


def _error(name: str, message: str) -> ParameterError:
    error = ParameterError(message)
    error.parameter = name
    return error


def _text(name: str, value: Any) -> str:
    """A value as it would stand in a query string."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, datetime):
        # Without a zone it is local time, as everywhere in Python.
        return (value if value.tzinfo else value.astimezone()).isoformat()
    if isinstance(value, timedelta):
        return f"{round(value.total_seconds() * 1000)}ms"
    if name == "line" and isinstance(value, (tuple, range)) and len(value) >= 2:
        return f"{value[0]}-{value[-1]}"
    if name in ("level", "fields") and isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(_text(name, item) for item in value)
    if isinstance(value, bool) and name.startswith("attr."):
        return str(value).lower()
    return str(value)


def _plain(value: Any) -> Any:
    """What JSON has no type for."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__}: __str__ raised {type(error).__name__}>"


def _finite(value: Any) -> Any:
    """A copy with NaN and infinities as text, as ``logging``'s extras are kept."""
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _after_fork() -> None:
    for buffer in list(_all):
        buffer._core.after_fork()
        buffer._found_way()
        buffer.lock = threading.RLock()


_all: weakref.WeakSet[InMemoryLogBuffer] = weakref.WeakSet()
_handlers: weakref.WeakSet[LogBufferHandler] = weakref.WeakSet()
_hook = _Hook()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

log_buffer = InMemoryLogBuffer(max_size=2000)
"""The buffer of this process; after :func:`logrec.install` in a file that other processes read."""

log_buffer_handler = LogBufferHandler(log_buffer)
"""A handler that records into :data:`log_buffer`."""
