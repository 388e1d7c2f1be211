"""GameLogger: the backend's way to log, and how its lines look on stderr.

A message says what happened, fields say to whom::

    log = GameLogger(__name__)
    log.info("Game over, %s wins", winner, room=room_id, turns=31)

prints ::

    2026-01-02 03:04:05,678 - backend.engine.game - INFO - Game over, ada wins room=4628ed turns=31

Underneath is plain `logging`: a field is an `extra`, hence an attribute of the LogRecord, so
any other handler sees it as well. Fields that hold secrets are masked before a record exists.
"""

import json
import logging
import logging.config
from typing import Any

LINE_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"

SECRET_FIELDS = frozenset({"authorization", "cookie", "password", "secret", "token"})
MASK = "***"

_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message", "taskName"}


class GameLogger:
    """A named logger whose calls take fields, and which can be bound to some.

    A field must not bear the name of a LogRecord attribute (`name`, `module`, ...): logging
    raises KeyError.
    """

    def __init__(self, name: str, **context: object) -> None:
        self._logger = logging.getLogger(name)
        self._context = context

    def bind(self, **context: object) -> "GameLogger":
        """The same logger, with these fields in each of its lines."""
        return GameLogger(self._logger.name, **{**self._context, **context})

    def debug(self, message: str, *args: object, **fields: object) -> None:
        """What only helps who follows the code."""
        self._log(logging.DEBUG, message, args, fields)

    def info(self, message: str, *args: object, **fields: object) -> None:
        """What happened, all being well."""
        self._log(logging.INFO, message, args, fields)

    def warning(self, message: str, *args: object, **fields: object) -> None:
        """What is odd, and was coped with."""
        self._log(logging.WARNING, message, args, fields)

    def error(self, message: str, *args: object, **fields: object) -> None:
        """What failed; the backend goes on."""
        self._log(logging.ERROR, message, args, fields)

    def exception(self, message: str, *args: object, **fields: object) -> None:
        """An ERROR with the traceback of the exception being handled."""
        self._log(logging.ERROR, message, args, fields, exc_info=True)

    def critical(self, message: str, *args: object, **fields: object) -> None:
        """What endangers the whole backend."""
        self._log(logging.CRITICAL, message, args, fields)

    def _log(
        self,
        level: int,
        message: str,
        args: tuple[object, ...],
        fields: dict[str, object],
        exc_info: bool = False,
    ) -> None:
        if not self._logger.isEnabledFor(level):
            return
        extra = {
            key: MASK if key.lower() in SECRET_FIELDS else value
            for key, value in {**self._context, **fields}.items()
        }
        # 3: past this method and the one named after the level, to the line that logs.
        self._logger.log(level, message, *args, extra=extra, exc_info=exc_info, stacklevel=3)


class KeyValueFormatter(logging.Formatter):
    """Appends a record's fields to its message as `key=value`, quoted where needed."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without the traceback, which `format` adds below it."""
        fields = (
            f"{key}={_format_value(value)}"
            for key, value in vars(record).items()
            if key not in _RECORD_ATTRIBUTES
        )
        return " ".join([super().formatMessage(record), *fields])


def _format_value(value: Any) -> str:
    text = str(value)
    if text and text.isprintable() and not any(char in ' "=' for char in text):
        return text
    return json.dumps(text)


def configure_logging() -> None:
    """Log to stderr: this backend from DEBUG, libraries from INFO. uvicorn keeps its own setup."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": KeyValueFormatter, "format": LINE_FORMAT}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "INFO", "handlers": ["stderr"]},
            "loggers": {"backend": {"level": "DEBUG"}},
        }
    )
