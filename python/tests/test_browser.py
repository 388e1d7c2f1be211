"""Live streams by a real browser: its WebSocket and its EventSource, from a page of the application, and in
vain from a page of another origin.

The page tells what it saw by a POST to where it came from; that is what is waited for.
"""

from __future__ import annotations

import json
import logging
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

import logrec
from conftest import free_port, wait_for

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; scripts/chromium.sh gets one")

# Reads history and what is new by both, has the new one logged once both have begun, changes the filter of
# one, and lets the other be cut off and come back.
OWN = """
<script>
const seen = {ws: [], sse: [], ids: 0};
const base = location.origin + "/api/debug/logs/stream?logger_filter=shop&tail=2";
const ws = new WebSocket(base.replace("http", "ws"));
const sse = new EventSource(base);
let begun = 0;
const begin = () => { if (++begun == 2) fetch("/log/third", {method: "POST"}); };
const end = () => {
  if (seen.ws.length >= 4 && seen.sse.length >= 3)
    fetch("/result", {method: "POST", body: JSON.stringify(seen)});
};
ws.onmessage = e => {
  const said = JSON.parse(e.data);
  if (said.type == "hello") begin();
  if (said.type == "entries") {
    seen.ws.push(...said.data.map(entry => entry.message));
    if (seen.ws.length == 3) ws.send(JSON.stringify({type: "filter", search: "fourth"}));
  }
  if (said.type == "filter") fetch("/log/unwanted", {method: "POST"}).then(() => fetch("/log/fourth", {method: "POST"}));
  end();
};
sse.addEventListener("hello", begin);
sse.onmessage = e => { seen.sse.push(JSON.parse(e.data).message); seen.ids += e.lastEventId ? 1 : 0; end(); };
</script>
"""

FOREIGN = """
<script>
const seen = {};
const base = "127.0.0.1:PORT/api/debug/logs";
const done = (name, what) => {
  seen[name] = what;
  if (Object.keys(seen).length == 5) fetch("/result", {method: "POST", body: JSON.stringify(seen)});
};
const ws = new WebSocket("ws://" + base + "/stream?tail=2");
ws.onopen = () => done("ws", "open"); ws.onerror = () => done("ws", "refused");
const sse = new EventSource("http://" + base + "/stream?tail=2");
sse.onopen = () => done("sse", "open"); sse.onerror = () => { sse.close(); done("sse", "refused"); };
fetch("http://" + base).then(() => done("get", "read"), () => done("get", "refused"));
fetch("http://" + base, {method: "DELETE"}).then(() => done("delete", "done"), () => done("delete", "refused"));
fetch("http://" + base, {method: "POST", body: '{"message":"forged"}', mode: "no-cors"})
  .then(() => done("post", "sent"), () => done("post", "sent"));
</script>
"""


@contextmanager
def browsing(url: str, profile: Path) -> Iterator[None]:
    """Chromium with a page open, without a window."""
    assert CHROMIUM is not None
    arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
    # A debugging port keeps it running once the page is loaded.
    command = [CHROMIUM, *arguments, "--remote-debugging-port=0", url]
    browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        browser.kill()
        browser.wait()


@pytest.fixture
def application(installed: Any) -> Iterator[tuple[int, "queue.Queue[Any]"]]:
    """A FastAPI application with logrec and a page, and what the page has told."""
    app = FastAPI()
    told: queue.Queue[Any] = queue.Queue()
    log = logging.getLogger("shop.cart")

    @app.get("/")
    async def page() -> HTMLResponse:
        return HTMLResponse("<!doctype html><title>own</title>" + OWN)

    @app.post("/log/{name}")
    async def write(name: str) -> None:
        log.warning("entry %s", name)

    @app.post("/result")
    async def result(request: Request) -> None:
        told.put(json.loads(await request.body()))

    logrec.install(app)
    log.warning("entry first")
    log.warning("entry second")
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    yield port, told
    server.should_exit = True
    thread.join()


def test_a_page_of_the_application_follows(application, tmp_path):
    port, told = application
    with browsing(f"http://127.0.0.1:{port}/", tmp_path):
        seen = told.get(timeout=60)
    entries = [f"entry {name}" for name in ("first", "second", "third")]
    assert seen["ws"] == [*entries, "entry fourth"]
    assert seen["sse"][:3] == entries
    assert seen["ids"] == len(seen["sse"]), "each event has an id to resume at"


def test_a_page_of_another_origin_gets_nothing(application, tmp_path, installed):
    port, _ = application
    told: queue.Queue[Any] = queue.Queue()

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(FOREIGN.replace("PORT", str(port)).encode())

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with browsing(f"http://127.0.0.1:{server.server_port}/", tmp_path):
            seen = told.get(timeout=60)
    finally:
        server.shutdown()
        server.server_close()
    expected = {"ws": "refused", "sse": "refused", "get": "refused", "delete": "refused", "post": "sent"}
    assert seen == expected
    found = [entry["message"] for entry in installed.get_entries(limit=None)]
    assert "entry first" in found and not [message for message in found if "forged" in message]
