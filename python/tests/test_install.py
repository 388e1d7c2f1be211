"""`install` within this process."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import warnings

import pytest

import logrec
from conftest import run, wait_for


def messages(buffer, **filters) -> list[str]:
    return [e["message"] for e in buffer.get_entries(order="asc", **filters)]


def test_loggers_that_do_not_propagate_once_each(installed):
    for name, propagate in [("it.root", True), ("it.alone", False)]:
        log = logging.getLogger(name)
        log.propagate = propagate
        log.warning("from %s", name)
    assert messages(installed) == ["from it.root", "from it.alone"]
    entry = installed.get_entries(limit=1)[0]
    assert entry["service"] == "test" and entry["process"] == os.getpid()


def test_after_any_dict_config(installed):
    log = logging.getLogger("it.configured")
    for n in range(3):
        logging.config.dictConfig({
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"null": {"class": "logging.NullHandler"}},
            "loggers": {"it.configured": {"handlers": ["null"], "propagate": n == 0, "level": "INFO"}},
        })
        log.info("after %d", n)
        log.debug("below the logger's own level")
    assert messages(installed) == ["after 0", "after 1", "after 2"]


def test_the_designs_handler_beside_it_records_nothing_twice(installed):
    root = logging.getLogger()
    root.addHandler(logrec.log_buffer_handler)
    try:
        logging.getLogger("it.both").error("once")
        assert messages(installed) == ["once"]
        record = logging.makeLogRecord({"name": "q", "msg": "from a queue", "levelno": 20})
        logrec.log_buffer_handler.handle(record)
        assert messages(installed) == ["once", "from a queue"]
    finally:
        root.removeHandler(logrec.log_buffer_handler)
    assert not logrec.log_buffer_handler._is_short
    logrec.uninstall()
    assert logrec.log_buffer_handler._is_short


def test_levels(rings):
    buffer = logrec.install(rings=rings, level="WARNING", service="levels")
    log = logging.getLogger("it.level")
    log.setLevel(logging.DEBUG)
    log.info("left out")
    log.error("kept")
    assert messages(buffer, service="levels") == ["kept"]


def test_warnings_as_they_are_shown(installed):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("caught by the application", stacklevel=1)
    assert len(caught) == 1
    assert messages(installed) == []


PROGRAM = """
import logging, os, sys, threading, warnings, asyncio
if os.environ.get("WITH"):
    import logrec
    logrec.install(service="program")
logging.getLogger("lib").warning("by the handler of last resort")
logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
logging.getLogger("app").info("started")
logging.info("module function")
warnings.warn("careful")
class R:
    def __del__(self):
        raise OSError("in a finaliser")
R()
def work():
    raise LookupError("in a thread")
thread = threading.Thread(target=work, name="worker-1")
thread.start(); thread.join()
async def task():
    raise ArithmeticError("in a task")
async def main():
    task_ = asyncio.create_task(task())
    await asyncio.sleep(0.01)
    del task_
asyncio.run(main())
print("out")
raise SystemError("at the end")
"""


def test_a_program_prints_what_it_printed_and_all_of_it_is_recorded(rings):
    import re

    plain = run(PROGRAM, rings)
    recorded = run(PROGRAM, rings, WITH="1")
    mask = re.compile(r"0x[0-9a-f]+")
    assert [mask.sub("0x", text) for text in recorded] == [mask.sub("0x", text) for text in plain]
    assert "by the handler of last resort" in plain[1]
    buffer = logrec.install(rings=rings)
    entries = {e["logger"]: e for e in buffer.get_entries(service="program", order="asc")}
    assert len(buffer.get_entries(service="program")) == len(entries) == 8
    assert entries["lib"]["message"] == "by the handler of last resort"
    assert entries["app"]["message"] == "started" and entries["root"]["message"] == "module function"
    assert entries["py.warnings"]["message"] == "UserWarning: careful"
    assert "in a finaliser" in entries["sys.unraisablehook"]["exception"]
    assert entries["threading.excepthook"]["thread_name"] == "worker-1"
    assert "LookupError: in a thread" in entries["threading.excepthook"]["exception"]
    assert "ArithmeticError: in a task" in entries["asyncio"]["exception"]
    assert entries["sys.excepthook"]["level"] == "CRITICAL"
    assert "SystemError: at the end" in entries["sys.excepthook"]["exception"]


FORK = """
import logging, os, multiprocessing, logrec
logrec.install(service="forks")
log = logging.getLogger("fork")
log.warning("parent before")
def child(n):
    log.warning("child %d", n)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=child, args=(n,), name=f"child-{n}") for n in range(3)]
    [c.start() for c in children]
    [c.join() for c in children]
    silent = os.fork()
    if silent == 0:
        os._exit(0)
    os.waitpid(silent, 0)
    log.warning("parent after")
    print(len([e for e in logrec.log_buffer.get_entries(service="forks")]))
"""


def test_forked_children_have_rings_of_their_own(rings):
    out, err = run(FORK, rings)
    assert out.strip() == "5"
    assert sorted(err.split("\n")) == ["", "child 0", "child 1", "child 2", "parent after", "parent before"]
    files = sorted(rings.glob("*.ring"))
    assert len(files) == 4, "a child that logs nothing leaves no file"
    buffer = logrec.install(rings=rings)
    entries = buffer.get_entries(service="forks", order="asc")
    assert len({e["process"] for e in entries}) == 4
    assert len(entries) == 5
    assert entries[1]["attributes"]["process_name"].startswith("child-")
    sources = buffer.get_stats()["sources"]
    assert all("exited" in s["state"] for s in sources if s["kind"] == "recording"), sources


def get(url: str, **headers: str) -> tuple[int, dict]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_serve_answers_while_the_gil_is_held(installed):
    logging.getLogger("it.serve").error("seen over HTTP")
    server = logrec.serve(port=0)
    url = f"http://127.0.0.1:{server.port}/api/debug/logs"
    assert server.url.startswith("http://127.0.0.1:")
    assert get(url)[1]["data"][0]["message"] == "seen over HTTP"
    # Another process asks, and this one waits for it with the interpreter's lock held all the while.
    import ctypes

    asks = f"import urllib.request as r; print(r.urlopen({url!r}, timeout=5).status)"
    command = f"{sys.executable} -c {json.dumps(asks)} | grep -q 200"
    assert ctypes.PyDLL(None).system(command.encode()) == 0
    with pytest.raises(OSError, match="taken"):
        logrec.serve(port=server.port)
    with pytest.raises(OSError, match="token"):
        logrec.serve(port=0, host="0.0.0.0")
    server.stop()
    with pytest.raises(OSError):
        get(url)


def test_a_shared_port_passes_on(rings):
    first = logrec.InMemoryLogBuffer()._core.serve("127.0.0.1", 0, share=True)
    second = logrec.InMemoryLogBuffer()._core.serve("127.0.0.1", first.port, share=True)
    first.stop()
    wait_for(lambda: get(f"http://127.0.0.1:{second.port}/api/debug/logs")[0] == 200)
    second.stop()


@pytest.fixture
def client(rings):
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    app = FastAPI()

    @app.get("/api/debug/mine")
    def mine():
        logging.getLogger("it.app").warning("asked")
        return {"mine": True}

    logrec.install(app, rings=rings, service="test").clear()
    return TestClient(app, base_url="http://localhost")


def test_the_mounted_api(client):
    assert client.get("/api/debug/mine").json() == {"mine": True}
    answer = client.get("/api/debug/logs", params={"logger_filter": "it.app"})
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
    assert answer.json()["data"][0]["message"] == "asked"
    wrong = client.get("/api/debug/logs", params={"lvel": "x"})
    assert wrong.status_code == 422 and "did you mean `level`" in wrong.json()["error"]
    posted = client.post("/api/debug/logs", json={"message": "posted", "level": "error"})
    assert posted.json() == {"success": True, "accepted": 1, "rejected": 0, "errors": []}
    assert client.get("/api/debug/logs/stats").json()["data"]["level_counts"]["ERROR"] == 1
    assert client.get("/api/debug/logs?format=text").text.count("posted") == 1
    assert client.delete("/api/debug/logs").json()["success"]
    assert client.put("/api/debug/logs").status_code == 405
    assert client.get("/api/debug/nothing").json() == {"detail": "Not Found"}
    head = client.head("/api/debug/logs")
    assert head.status_code == 200 and head.content == b""


def test_who_may_ask(client, rings):
    assert client.get("/api/debug/logs", headers={"host": "evil.example"}).status_code == 403
    assert client.get("/api/debug/logs", headers={"origin": "http://evil.example"}).status_code == 403

    async def ask(peer):
        sent = []

        async def receive():
            return {"type": "http.request", "body": b""}

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": "/api/debug/logs", "query_string": b"",
            "headers": [(b"host", b"localhost")], "client": (peer, 5), "root_path": "",
        }  # fmt: skip
        await logrec.Middleware(None)(scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    assert asyncio.run(ask("127.0.0.1"))[0] == 200
    status, body = asyncio.run(ask("10.0.0.9"))
    assert status == 403 and b"token" in body
    logrec.uninstall()
    logrec.install(rings=rings, token="s3cret")
    assert asyncio.run(ask("10.0.0.9"))[0] == 401
    token = {"authorization": "Bearer s3cret"}
    assert client.get("/api/debug/logs", headers=token).status_code == 200
    assert client.get("/api/debug/logs").status_code == 401


def test_a_long_poll_does_not_block_the_loop(client):
    async def main():
        import httpx

        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as ask:
            began = time.monotonic()
            waiting = asyncio.create_task(ask.get("/api/debug/logs?wait=20&search=awaited"))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            logging.getLogger("it.poll").warning("awaited")
            answer = await waiting
            assert time.monotonic() - began < 5
            assert answer.json()["data"][0]["message"] == "awaited"

    asyncio.run(main())


def test_an_app_that_is_none():
    with pytest.raises(TypeError, match="Middleware"):
        logrec.install(object())


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("in the way")
    code = """
import logrec, logging
logrec.install()
logging.getLogger("x").error("kept in memory")
print([e["message"] for e in logrec.log_buffer.get_entries()])
"""
    out, err = run(code, tmp_path / "file")
    assert out == "['kept in memory']\n" and "recording in memory only" in err


def test_threads_in_a_child_of_a_busy_parent(installed):
    """A fork while other threads record: the child records too, and nobody hangs."""
    stop = threading.Event()

    def work():
        while not stop.is_set():
            logging.getLogger("it.busy").warning("busy")

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                logging.getLogger("it.child").error("from the child")
                logrec.log_buffer.get_entries(limit=1)
                status = 0
            finally:
                os._exit(status)
        assert wait_for(lambda pid=pid: os.waitpid(pid, os.WNOHANG) == (pid, 0), 20)
    stop.set()
    for worker in workers:
        worker.join()
    wait_for(lambda: len(installed.get_entries(search="from the child")) == 10)
