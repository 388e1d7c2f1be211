"""What the tests share: a folder of recordings each, and processes that are started for real."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import logrec


@pytest.fixture(autouse=True)
def rings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test touches the user's own recordings."""
    folder = tmp_path / "rings"
    monkeypatch.setenv("LOGREC_RINGS", str(folder))
    for name in ("LOGREC_TOKEN", "LOGREC_SERVICE", "LOGREC_ALLOW_HOSTS"):
        monkeypatch.delenv(name, raising=False)
    yield folder
    logrec.uninstall()


@pytest.fixture
def installed(rings: Path) -> Iterator[logrec.InMemoryLogBuffer]:
    buffer = logrec.install(rings=rings, service="test")
    buffer.clear()
    yield buffer
    logrec.uninstall()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true result. What raises is not there yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            result = condition()
            error = None
        except Exception as e:
            result, error = None, e
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s") from error
        time.sleep(0.03)


def run(code: str, rings: Path, **env: str) -> tuple[str, str]:
    """What a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "LOGREC_RINGS": str(rings), **env},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout, done.stderr


class Program:
    """A program with its output, stopped at the end."""

    def __init__(self, args: list[str], cwd: Path, env: dict[str, str]) -> None:
        self._files = [cwd / "stdout", cwd / "stderr"]
        with open(self._files[0], "wb") as out, open(self._files[1], "wb") as err:
            self.process = subprocess.Popen(
                args,
                cwd=cwd,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def stop(self, by: int = signal.SIGINT) -> str:
        """Ends it, if not said otherwise as Ctrl-C does; all it printed."""
        if self.process.poll() is None:
            self.process.send_signal(by)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return self.output()

    def output(self) -> str:
        """Standard output, a line between, standard error."""
        out, err = (file.read_text() for file in self._files)
        return f"{out}\n-- stderr --\n{err}"


@pytest.fixture
def start(tmp_path: Path, rings: Path) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def start(args: list[str], **env: str) -> Program:
        cwd = tmp_path / f"run{len(programs)}"
        cwd.mkdir()
        for file in (Path(__file__).parent / "apps").iterdir():
            if file.suffix == ".py":
                (cwd / file.name).write_bytes(file.read_bytes())
        env.setdefault("LOGREC_RINGS", str(rings))
        programs.append(Program([sys.executable, *args], cwd, env))
        return programs[-1]

    yield start
    for program in programs:
        program.stop(signal.SIGTERM)


def masked(output: str) -> list[str]:
    """Lines without what differs from run to run: numbers of processes and ports, addresses, times, ids."""
    for what, mask in [
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([ ,][+\d]+)?", "TIME"),
        (r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+\d{4}\]", "[TIME]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "UUID"),
        (r"\b(in|T:) ?\d+\.\d+", r"\1 SECONDS"),
        (r"broker-\d", "broker"),
        (r"\[\d+\]", "[PID]"),
        (r"\bpid: ?\d+|\(\d+\)", "PID"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"0x[0-9a-f]+", "0xADDR"),
        (r"/run\d+\b", "/run"),
    ]:
        output = re.sub(what, mask, output)
    return output.splitlines()


def ask(port: int, path: str) -> tuple[int, bytes]:
    """What a server on this machine answers."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"connection": "close"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def entries(port: int, query: str = "") -> list[dict[str, Any]]:
    """What the API on a server answers, oldest first."""
    status, body = ask(port, f"/api/debug/logs?order=asc&limit=1000{query}")
    assert status == 200, body
    found: list[dict[str, Any]] = json.loads(body)["data"]
    return found


def traffic(port: int) -> None:
    """Requests to apps/main.py: two that go well, one for nothing, one that crashes, one more."""
    wait_for(lambda: ask(port, "/hello")[0] == 200)
    assert ask(port, "/hello?name=bob")[0] == 200
    assert ask(port, "/nowhere")[0] == 404
    assert ask(port, "/boom")[0] == 500
    assert ask(port, "/hello?name=eve")[0] == 200


def once(found: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """The one entry that has these."""
    matching = [e for e in found if all(e.get(k) == v for k, v in wanted.items())]
    assert len(matching) == 1, (wanted, [(e["logger"], e["message"]) for e in found])
    return matching[0]


def arrived(
    get: Callable[[], list[dict[str, Any]]],
    access: str = "uvicorn.access",
    crash: tuple[str, str] | None = ("uvicorn.error", "Exception in ASGI application\n"),
) -> list[dict[str, Any]]:
    """Waits until `get` has the access line of the last request of `traffic`, then checks that each of
    them has left what it should, once. An access line comes last of its request, so when the last is
    there, what was to come twice has come twice."""

    def lines(found: list[dict[str, Any]], query: str | None) -> list[dict[str, Any]]:
        return [
            e for e in found
            if e["logger"] == access and e["attributes"].get("url.query") == query
        ]  # fmt: skip

    wait_for(lambda: lines(get(), "name=eve") and get())
    found = get()
    bob = once(found, logger="shop.cart", message="hello bob")
    assert bob["attributes"]["user_id"] == 7 and bob["function"] == "hello"
    [line] = lines(found, "name=bob")
    attributes = line["attributes"]
    assert attributes["http.response.status_code"] == 200 and attributes["url.path"] == "/hello"
    assert attributes["http.request.method"] == "GET" and attributes["client.address"] == "127.0.0.1"
    assert attributes["network.protocol.version"] == "1.1"
    statuses = [e["attributes"]["http.response.status_code"] for e in found if e["logger"] == access]
    assert statuses.count(404) == statuses.count(500) == 1
    if crash is not None:
        crashed = once(found, logger=crash[0], message=crash[1])
        assert crashed["exception"].endswith("RuntimeError: the till is empty")
    once(found, logger="py.warnings", message="UserWarning: about to fail")
    assert not [e for e in found if "/api/debug" in e["message"]], "lines of its own requests"
    return found
