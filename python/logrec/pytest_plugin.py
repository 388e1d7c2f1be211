"""pytest plugin: the report of a failing test shows the log entries recorded during it.

Unlike pytest's own captured log it has the loggers that do not propagate (uvicorn's), attributes and
whatever a logger's own level lets through. Active once logrec is installed; off with ``-p no:logrec``.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import pytest

from ._buffer import InMemoryLogBuffer, capture

ENTRIES_SHOWN_MAX = 100
"""The newest are shown."""


class _Recorder:
    def __init__(self) -> None:
        self.buffer = InMemoryLogBuffer(max_size=1000)
        record_it = capture(self.buffer)
        self._call_handlers = call_handlers = logging.Logger.callHandlers

        def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:  # noqa: N802
            record_it(record)
            call_handlers(self, record)

        self._hook = callHandlers
        logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign]

    def undo(self) -> None:
        if logging.Logger.callHandlers is self._hook:
            logging.Logger.callHandlers = self._call_handlers  # type: ignore[method-assign]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        self.buffer.clear()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        report = yield
        if report.failed and len(self.buffer):
            params = [("format", "text"), ("order", "asc"), ("limit", str(ENTRIES_SHOWN_MAX))]
            text = self.buffer._core.entries_json(params).decode()
            report.sections.append((f"logrec: entries until {report.when}", text))
        return report


def pytest_configure(config: pytest.Config) -> None:
    """Starts recording."""
    recorder = _Recorder()
    config.pluginmanager.register(recorder, "logrec-recorder")
    config.add_cleanup(recorder.undo)
