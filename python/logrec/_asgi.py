"""The API inside an ASGI application: requests go to the Rust router and its answers come back."""

from __future__ import annotations

import asyncio
import inspect
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from ._buffer import InMemoryLogBuffer, log_buffer
from ._core import Exchange

_Message = MutableMapping[str, Any]
_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]

PREFIX = "/api/debug"
"""Where the router has its routes, whatever prefix they are mounted at."""

_OWN = ("logs",)
"""First words of paths that are always the router's. Of others it is asked, and the app when it has
nothing there."""

_BODY_BYTES_MAX = (16 << 20) + 1
"""One more than the router takes, so that it is the one to refuse."""

_STREAM = "/logs/stream"
"""The one path that is a WebSocket."""

_TEXT_BYTES_MAX = 64 << 10
"""Longest message of a WebSocket's client, as with logrec's own server."""

_STALL_S_MAX = 30
"""How long a client may read nothing of a stream."""

_LOOK_S = 0.5
"""How often a stream looks whether the server ends."""


class Middleware:
    """Answers what is under ``prefix`` and hands everything else to ``app``, any ASGI application.

    :func:`logrec.install` puts it on a FastAPI or Starlette app; others are wrapped by hand:
    ``app = logrec.Middleware(app)``.
    """

    def __init__(
        self, app: _App, prefix: str = PREFIX, buffer: InMemoryLogBuffer = log_buffer
    ) -> None:
        self.app = app
        self.prefix = "/" + prefix.strip("/")
        self._buffer = buffer

    def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> Awaitable[None]:
        """Answers, or hands on.

        No coroutine of its own stands between server and app, so that a traceback of the app is the same
        with and without it.
        """
        if scope["type"] in ("http", "websocket"):
            path: str = scope["path"]
            root: str = scope.get("root_path", "")
            if root and path.startswith(root + "/"):
                path = path[len(root) :]
            if path.startswith(self.prefix + "/"):
                path = path[len(self.prefix) :]
                if scope["type"] == "http":
                    return self._answer_or_hand_on(path, scope, receive, send)
                if path == _STREAM:
                    return self._converse(scope, receive, send)
        return self.app(scope, receive, send)

    async def _answer_or_hand_on(
        self, path: str, scope: _Scope, receive: _Receive, send: _Send
    ) -> None:
        if not await self._answer(path, scope, receive, send):
            await self.app(scope, receive, send)

    async def _answer(self, path: str, scope: _Scope, receive: _Receive, send: _Send) -> bool:
        """Whether there was something to answer."""
        is_own = path.split("/", 2)[1] in _OWN
        if not is_own and scope["method"] not in ("GET", "HEAD"):
            return False
        body = await _body(receive) if is_own else b""
        if body is None:
            return True
        pieces = _Pieces()
        answer = self._buffer._core.handle(
            scope["method"], _target(scope, path), _headers(scope), body, _peer(scope), pieces.deliver
        )
        if isinstance(answer, Exchange):
            if not is_own:
                answer.cancel()
                return False
            await _stream(answer, pieces, receive, send)
            return True
        status, headers, content = answer
        if status == 404 and not is_own:
            return False
        await _start(send, status, headers, len(content))
        await send({"type": "http.response.body", "body": content})
        return True

    async def _converse(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """A live stream over the server's own WebSocket."""
        if (await receive())["type"] != "websocket.connect":
            return
        pieces = _Pieces()
        exchange = self._buffer._core.converse(
            _target(scope, _STREAM), _headers(scope), _peer(scope), pieces.deliver
        )
        if not isinstance(exchange, Exchange):
            await _deny(scope, send, *exchange)
            return
        try:
            status, headers, content, _ = await pieces.get()
            exchange.sent()
            if status != 101:
                await _deny(scope, send, status or 500, headers, content)
                return
            await send({"type": "websocket.accept"})
            await _carry(exchange, pieces, receive, send)
        finally:
            exchange.cancel()


class _Pieces(asyncio.Queue[tuple[int | None, Any, bytes, bool]]):
    """Pieces of an answer on their way from the thread that makes them. No more than an ``Exchange`` lets be
    under way."""

    def __init__(self) -> None:
        super().__init__()
        self._own_loop = asyncio.get_running_loop()

    def deliver(self, *piece: Any) -> None:
        self._own_loop.call_soon_threadsafe(self.put_nowait, piece)


def _target(scope: _Scope, path: str) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return PREFIX + quote(path) + (f"?{query}" if query else "")


def _headers(scope: _Scope) -> list[tuple[bytes, bytes]]:
    return [(bytes(name), bytes(value)) for name, value in scope["headers"]]


def _peer(scope: _Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


def _mark(function: Any) -> None:
    """Servers tell ASGI 3 by a coroutine function; this returns one's coroutine."""
    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(function)
    else:
        function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]


_mark(Middleware.__call__)


async def _body(receive: _Receive) -> bytes | None:
    """The request's body as far as the router may want it; ``None`` when the client is gone."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        length += len(part)
        if length <= _BODY_BYTES_MAX:
            parts.append(part)
        elif length - len(part) < _BODY_BYTES_MAX:
            parts.append(part[: _BODY_BYTES_MAX - length])
        if not message.get("more_body", False):
            return b"".join(parts)


async def _start(send: _Send, status: int, headers: Any, length: int | None) -> None:
    headers = list(headers)
    if length is not None and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _stream(exchange: Exchange, pieces: _Pieces, receive: _Receive, send: _Send) -> None:
    """Sends an answer as it comes, until it ends, the client goes, or the server ends over a live stream."""
    gone = asyncio.ensure_future(_gone(receive))
    is_endless = False
    try:
        while True:
            piece = await _next(pieces, gone, is_endless)
            if piece is None:
                if is_endless and not gone.done():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            status, headers, content, more = piece
            if status is not None:
                is_endless = (b"content-type", b"text/event-stream") in headers
                await _start(send, status, headers, None)
            message = {"type": "http.response.body", "body": content, "more_body": more}
            await asyncio.wait_for(send(message), _STALL_S_MAX)
            exchange.sent()
            if not more:
                return
    except (asyncio.TimeoutError, TimeoutError):
        pass  # It reads nothing.
    finally:
        exchange.cancel()
        gone.cancel()


async def _next(
    pieces: _Pieces, gone: asyncio.Future[Any], is_endless: bool
) -> tuple[int | None, Any, bytes, bool] | None:
    """The next piece; ``None`` when the client is gone, or of what would never end when the server ends."""
    piece = asyncio.ensure_future(pieces.get())
    try:
        while True:
            await asyncio.wait(
                {piece, gone},
                timeout=_LOOK_S if is_endless else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if gone.done() or (is_endless and _server_ends()):
                return None
            if piece.done():
                return piece.result()
    finally:
        piece.cancel()


def _server_ends() -> bool:
    """Whether uvicorn was told to end. It would wait for a live stream for ever, and tells none: what is known
    of it is the server that has the signal."""
    server = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    return bool(getattr(server, "should_exit", False))


async def _deny(scope: _Scope, send: _Send, status: int, headers: Any, content: bytes) -> None:
    """Refuses a WebSocket: in our own form where the server can, which is else 403 and nothing more."""
    if "websocket.http.response" in (scope.get("extensions") or {}):
        start = {"type": "websocket.http.response.start", "status": status, "headers": list(headers)}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": content})
    else:
        await send({"type": "websocket.close", "code": 1008})


async def _carry(exchange: Exchange, pieces: _Pieces, receive: _Receive, send: _Send) -> None:
    """Messages in both directions, until one side ends."""
    heard = asyncio.ensure_future(_hear(exchange, receive))
    try:
        while True:
            piece = await _next(pieces, heard, True)
            code = None
            if piece is None:
                code = heard.result() if heard.done() else 1001
                if code is None:
                    return
            elif not piece[3]:
                code = 1001
            if code is not None:
                await send({"type": "websocket.close", "code": code})
                return
            assert piece is not None
            message = {"type": "websocket.send", "text": piece[2].decode()}
            await asyncio.wait_for(send(message), _STALL_S_MAX)
            exchange.sent()
    except (asyncio.TimeoutError, TimeoutError):
        pass  # It reads nothing.
    finally:
        heard.cancel()


async def _hear(exchange: Exchange, receive: _Receive) -> int | None:
    """Hands on what the client says. The code to close with, or ``None`` when it is gone."""
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            return None
        text = message.get("text")
        if text is None:
            return 1003
        if len(text) > _TEXT_BYTES_MAX or len(text.encode()) > _TEXT_BYTES_MAX:
            return 1009
        while not exchange.receive(text):
            await asyncio.sleep(0.01)


async def _gone(receive: _Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
