"""What the tests share: a folder of recordings each, and processes that are started for real."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
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


class Program:
    """A program with its output, stopped at the end."""

    def __init__(self, args: list[str], cwd: Path, env: dict[str, str]) -> None:
        self._out = open(cwd / "output", "w+b")
        self.process = subprocess.Popen(
            args,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **env},
            stdout=self._out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def stop(self) -> str:
        """Ends it as Ctrl-C does; all it printed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return self.output()

    def output(self) -> str:
        self._out.seek(0)
        return self._out.read().decode()


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
        program.stop()


def masked(output: str) -> list[str]:
    """Lines without what differs from run to run: numbers of processes and ports, addresses."""
    lines = re.sub(r"\[\d+\]", "[PID]", output)
    lines = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", lines)
    lines = re.sub(r"0x[0-9a-f]+", "0xADDR", lines)
    lines = re.sub(r"/run\d+/", "/run/", lines)
    return lines.splitlines()
