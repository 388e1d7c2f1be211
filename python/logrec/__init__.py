"""The flight recorder of a Python backend: what it logs, answerable by a person and an AI assistant.

One line in an application::

    import logrec
    logrec.install(app)          # FastAPI or Starlette; without an app: logrec.install()

or none: ``python -m logrec uvicorn main:app``. What is logged is recorded into a bounded ring, which
``GET /api/debug/logs`` (on the app), :func:`serve` (a thread) and the command ``logrec`` answer from.
Nothing that the application logs to is changed, and what it prints stays the same to the byte.

By hand, without :func:`install`::

    from logrec import log_buffer, log_buffer_handler
    logging.getLogger().addHandler(log_buffer_handler)
    log_buffer.get_entries(level="ERROR", search="timeout", limit=20)
"""

from ._asgi import Middleware
from ._buffer import (
    InMemoryLogBuffer,
    LogBufferHandler,
    LogLevel,
    ParameterError,
    log_buffer,
    log_buffer_handler,
)
from ._install import install, serve, uninstall
from ._structlog import structlog_processor

__all__ = [
    "InMemoryLogBuffer",
    "LogBufferHandler",
    "LogLevel",
    "Middleware",
    "ParameterError",
    "install",
    "log_buffer",
    "log_buffer_handler",
    "serve",
    "structlog_processor",
    "uninstall",
]
