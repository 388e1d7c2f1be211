"""A structlog processor that records."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

from ._buffer import log_buffer


def structlog_processor(
    logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Records a structlog event and passes it on unchanged.

    Put it before the renderer: ``structlog.configure(processors=[..., logrec.structlog_processor,
    structlog.dev.ConsoleRenderer()])``. Of ``event`` becomes the message, of the rest attributes.
    """
    try:
        _record(logger, method_name, event_dict)
    except Exception as error:
        log_buffer.add_entry({
            "level": "ERROR",
            "logger": "logrec",
            "message": f"a structlog event could not be read: {type(error).__name__}: {error}",
        })
    return event_dict


def _record(logger: Any, method_name: str, event: MutableMapping[str, Any]) -> None:
    fields = dict(event)
    fields.pop("_record", None)
    fields.pop("_from_structlog", None)
    message = fields.pop("event", "")
    name = fields.pop("logger", None) or getattr(logger, "name", None) or "structlog"
    level = str(fields.pop("level", method_name)).upper()
    number = getattr(logging, "ERROR" if level == "EXCEPTION" else level, logging.INFO)
    exc_info = fields.pop("exc_info", None)
    if exc_info is True:
        exc_info = sys.exc_info()
    elif isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    fields.pop("timestamp", None)
    record = logging.LogRecord(
        str(name),
        number if isinstance(number, int) else logging.INFO,
        str(fields.pop("pathname", "")),
        fields.pop("lineno", 0),
        message if isinstance(message, str) else str(message),
        None,
        exc_info or None,
        fields.pop("func_name", None),
    )
    for key, value in fields.items():
        record.__dict__.setdefault(str(key), value)
    log_buffer._core.record(record)
