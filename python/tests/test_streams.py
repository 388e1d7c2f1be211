"""Live streams, by real clients: inside uvicorn, and from the Rust server."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import logrec
from conftest import free_port, wait_for


def ask(port: int, path: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def followers(port: int) -> int:
    return ask(port, "/api/debug/logs/stats")[1]["data"]["followers_total"]


def url(port: int, query: str = "") -> str:
    return f"ws://127.0.0.1:{port}/api/debug/logs/stream{query}"


def message(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(socket.recv(timeout=10))


def entries(socket: ClientConnection, count: int) -> list[str]:
    got: list[str] = []
    while len(got) < count:
        said = message(socket)
        assert said["type"] == "entries", said
        got += [entry["message"] for entry in said["data"]]
    return got


class Events:
    """A reader of server-sent events."""

    def __init__(self, port: int, query: str = "", **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        accept = {"accept": "text/event-stream"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", f"/api/debug/logs/stream{query}", headers=accept | named)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["content-type"] == "text/event-stream"
        assert self.event()["event"] == "hello"

    def event(self) -> dict[str, str]:
        event: dict[str, str] = {}
        while True:
            line = self.response.readline().decode()
            if not line:
                raise EOFError
            name, _, value = line.rstrip("\n").partition(": ")
            if not name and "data" in event:
                return event
            event[name] = value


@pytest.fixture(params=["uvicorn", "serve"])
def server(request, start, installed):
    """A port, and a way to have one message logged."""
    if request.param == "serve":
        serving = logrec.serve(0)
        log = logging.getLogger("shop.cart")
        yield serving.port, lambda name: log.warning("hello %s", name)
        serving.stop()
        return
    port = free_port()
    start(["-m", "uvicorn", "main:app", "--port", str(port)], LOGREC="install")
    wait_for(lambda: ask(port, "/hello")[0] == 200)
    yield port, lambda name: ask(port, f"/hello?name={name}")


def test_websocket(server):
    port, say = server
    say("one")
    with connect(url(port, "?tail=1&logger_filter=shop.cart&min_level=warning")) as socket:
        hello = message(socket)
        assert hello["type"] == "hello" and hello["filters_applied"]["tail"] == 1
        assert entries(socket, 1) == ["hello one"]
        say("two")
        assert entries(socket, 1) == ["hello two"]
        assert followers(port) == 1
        socket.send(json.dumps({"type": "filter", "search": "FOUR", "logger_filter": "shop"}))
        assert message(socket)["type"] == "filter"
        say("three")
        say("four")
        assert entries(socket, 1) == ["hello four"]
        socket.send(json.dumps({"type": "pause"}))
        assert message(socket)["type"] == "pause"
        say("four-again")
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.3)
        socket.send(["{\"type\":", "\"resume\"}"])
        assert message(socket)["type"] == "resume"
        assert entries(socket, 1) == ["hello four-again"]
        socket.send("nonsense")
        assert message(socket)["type"] == "error"
        # Answered, and in order.
        assert socket.ping().wait(10)
    wait_for(lambda: followers(port) == 0)
    found = ask(port, "/api/debug/logs?limit=1000")[1]["data"]
    assert not [e for e in found if "/api/debug" in e["message"]], "lines of its own requests"


@pytest.mark.parametrize("what, code", [(b"{}", 1003), (" " * 70_000, 1009)])
def test_websocket_is_closed_with_its_code(server, what, code):
    port, _ = server
    with connect(url(port)) as socket:
        message(socket)
        socket.send(what)
        with pytest.raises(ConnectionClosed) as closed:
            while True:  # Lines of the server's may come before.
                socket.recv(timeout=10)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code


def test_websocket_is_refused_as_a_request_is(server):
    port, _ = server
    for query, headers, status in [
        ("?wait=5", {}, 422),
        ("?levl=ERROR", {}, 422),
        ("", {"origin": "http://evil.example"}, 403),
        ("", {"sec-fetch-site": "cross-site"}, 403),
    ]:
        with pytest.raises(InvalidStatus) as refused:
            connect(url(port, query), additional_headers=headers)
        assert refused.value.response.status_code == status
        body = refused.value.response.body
        assert body is not None and json.loads(body)["success"] is False


def test_events(server):
    port, say = server
    say("one")
    events = Events(port, "?tail=1&search=hello&min_level=warning")
    event = events.event()
    assert json.loads(event["data"])["message"] == "hello one"
    say("two")
    assert json.loads(events.event()["data"])["message"] == "hello two"
    events.connection.close()
    say("three")
    again = Events(port, "?search=hello&min_level=warning", last_event_id=event["id"])
    assert [json.loads(again.event()["data"])["message"] for _ in "ab"] == ["hello two", "hello three"]
    again.connection.close()
    wait_for(lambda: followers(port) == 0)


def test_every_entry_once_and_in_order(installed):
    serving = logrec.serve(0)
    log = logging.getLogger("shop.cart")
    count = 20_000
    got: list[str] = []
    with connect(url(serving.port, "?search=hello")) as socket:
        message(socket)
        writer = threading.Thread(target=lambda: [log.warning("hello %s", n) for n in range(count)])
        writer.start()
        missed = 0
        while len(got) + missed < count:
            said = message(socket)
            if said["type"] == "gap":
                missed += said["missed"]
            else:
                got += [entry["message"] for entry in said["data"]]
        writer.join()
    serving.stop()
    numbers = [int(text.removeprefix("hello ")) for text in got]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + missed == count


def test_uvicorn_ends_with_streams_open(start):
    port = free_port()
    program = start(["-m", "uvicorn", "main:app", "--port", str(port)], LOGREC="install")
    wait_for(lambda: ask(port, "/hello")[0] == 200)
    events = Events(port, "?search=no-such-thing")
    with connect(url(port)) as socket:
        message(socket)
        began = time.monotonic()
        output = program.stop()
        assert time.monotonic() - began < 5, output
        with pytest.raises(EOFError):
            events.event()
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=10)
    assert "Traceback" not in output and "ERROR" not in output, output


def test_other_websockets_are_the_apps(start, tmp_path):
    port = free_port()
    (tmp_path / "own.py").write_text(
        "import logrec\n"
        "from fastapi import FastAPI, WebSocket\n"
        "app = FastAPI()\n"
        "logrec.install(app)\n"
        "@app.websocket('/api/debug/own')\n"
        "async def own(socket: WebSocket):\n"
        "    await socket.accept()\n"
        "    await socket.send_text('own')\n"
    )
    start(["-m", "uvicorn", "own:app", "--port", str(port)], PYTHONPATH=str(tmp_path))
    wait_for(lambda: ask(port, "/api/debug/logs")[0] == 200)
    with connect(f"ws://127.0.0.1:{port}/api/debug/own") as socket:
        assert socket.recv(timeout=10) == "own"
