"""The API inside an ASGI application: requests go to the Rust router and its answers come back."""

from __future__ import annotations

import asyncio
import inspect
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
        if scope["type"] == "http":
            path: str = scope["path"]
            root: str = scope.get("root_path", "")
            if root and path.startswith(root + "/"):
                path = path[len(root) :]
            if path.startswith(self.prefix + "/"):
                return self._answer_or_hand_on(path[len(self.prefix) :], scope, receive, send)
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
        query = scope.get("query_string", b"").decode("latin-1")
        target = PREFIX + quote(path) + (f"?{query}" if query else "")
        client = scope.get("client")
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[int | None, Any, bytes, bool]] = asyncio.Queue()

        def deliver(*piece: Any) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        answer = self._buffer._core.handle(
            scope["method"],
            target,
            [(bytes(name), bytes(value)) for name, value in scope["headers"]],
            body,
            client[0] if client else None,
            deliver,
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


async def _stream(
    exchange: Exchange, pieces: asyncio.Queue[Any], receive: _Receive, send: _Send
) -> None:
    """Sends an answer as it comes, until it ends or the client goes."""
    gone = asyncio.ensure_future(_gone(receive))
    try:
        while True:
            piece = asyncio.ensure_future(pieces.get())
            await asyncio.wait({piece, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                piece.cancel()
                return
            status, headers, content, more = piece.result()
            if status is not None:
                await _start(send, status, headers, None)
            await send({"type": "http.response.body", "body": content, "more_body": more})
            exchange.sent()
            if not more:
                return
    finally:
        exchange.cancel()
        gone.cancel()


async def _gone(receive: _Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
