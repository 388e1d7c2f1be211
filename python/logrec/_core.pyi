"""The Rust half. Not for use: what is public is in :mod:`logrec`."""

import logging
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import final

__all__ = ["Buffer", "Exchange", "ParameterError", "Recorder", "Server", "default_folder"]

class ParameterError(ValueError):
    """A filter that cannot be used; the text says what would be right."""

    parameter: str

@final
class Exchange:
    def sent(self) -> None: ...
    def receive(self, text: str) -> bool: ...
    def cancel(self) -> None: ...

@final
class Server:
    """A server in a thread of its own."""

    @property
    def url(self) -> str: ...
    @property
    def port(self) -> int: ...
    def stop(self) -> None: ...

_Headers = list[tuple[bytes, bytes]]
_Deliver = Callable[[int | None, _Headers | None, bytes, bool], object]

@final
class Buffer:
    def __new__(cls, max_entries: int, max_bytes: int | None = None) -> Buffer: ...
    def record_into(
        self,
        folder: str | PathLike[str] | None,
        service: str,
        *,
        max_entries: int,
        max_bytes: int | None = None,
        keep_errors: int = 0,
        level: int = 0,
        own_paths: Sequence[str] = ...,
        token: str | None = None,
        hosts: Sequence[str] = ...,
    ) -> None: ...
    def after_fork(self) -> None: ...
    def end(self) -> None: ...
    def record(self, record: logging.LogRecord) -> None: ...
    def recorder(self) -> Recorder: ...
    def add_json(self, json: bytes, process: int) -> None: ...
    def entries_json(
        self, params: list[tuple[str, str]], *, all: bool = False, limit: int | None = None
    ) -> bytes: ...
    def stats_json(self) -> bytes: ...
    def clear(self) -> int: ...
    def handle(
        self,
        method: str,
        target: str,
        headers: _Headers,
        body: bytes,
        peer: str | None,
        deliver: _Deliver,
    ) -> tuple[int, _Headers, bytes] | Exchange: ...
    def converse(
        self, target: str, headers: _Headers, peer: str | None, deliver: _Deliver
    ) -> tuple[int, _Headers, bytes] | Exchange: ...
    def serve(self, host: str, port: int, *, share: bool = False) -> Server: ...
    def __len__(self) -> int: ...
    @property
    def max_entries(self) -> int: ...
    @property
    def path(self) -> Path | None: ...

@final
class Recorder:
    """The way of a log call into a buffer as it is now."""

    def record(
        self, record: logging.LogRecord, last: object, get_message: object, /
    ) -> None: ...

def default_folder() -> Path: ...
