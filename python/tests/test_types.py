"""The types: of the package, of its stubs against the module, and as a user's checker sees them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import logrec

USER = """
from __future__ import annotations

import logging
from datetime import timedelta
from fastapi import FastAPI

import logrec
from logrec import InMemoryLogBuffer, LogBufferHandler, LogLevel, ParameterError

app = FastAPI()
buffer: InMemoryLogBuffer = logrec.install(app, service="shop", rings=False, level="INFO", serve=5050)
logging.getLogger().addHandler(LogBufferHandler(buffer, level=logging.WARNING))
try:
    entries: list[dict[str, object]] = buffer.get_entries(
        limit=20, level=[LogLevel.ERROR, "critical"], since=timedelta(minutes=5), attr={"user_id": 7}
    )
except ParameterError as error:
    name: str = error.parameter
with buffer.lock:
    count: int = len(buffer.buffer)
port: int = logrec.serve(port=0).port
wrapped = logrec.Middleware(app)
reveal_type(buffer.get_stats())
buffer.get_entries(limit="many")
logrec.install(app, servce="shop")
"""


def test_the_package_and_a_user_of_it(tmp_path):
    (tmp_path / "user.py").write_text(USER)
    package = Path(logrec.__file__).parent
    assert (package / "py.typed").is_file()
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "user.py", str(package)],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    said = [line for line in done.stdout.splitlines() if ": error:" in line or ": note: Rev" in line]
    assert len(said) == 3, done.stdout
    assert said[0].endswith('"dict[str, Any]"'), done.stdout
    assert "user.py:25" in said[1] and '"limit"' in said[1]
    assert "user.py:26" in said[2] and '"servce"' in said[2]


def test_the_stubs_are_of_this_module(tmp_path):
    # Rust's classes have a layout of their own, which is no matter of a stub's.
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "logrec._core", "--ignore-disjoint-bases"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
