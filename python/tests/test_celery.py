"""A real celery worker, over a folder as broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import logrec
from conftest import masked, once, wait_for


SOLO = ["--pool", "solo"]
PREFORK = ["--pool", "prefork", "-c", "1"]
WAYS = [(SOLO, ""), (SOLO, "install"), (SOLO, "module"), (PREFORK, ""), (PREFORK, "install")]


def test_celery(start, rings, tmp_path):
    # All at once: to end takes a worker over a folder four seconds.
    workers = []
    for n, (pool, how) in enumerate(WAYS):
        broker = tmp_path / f"broker-{n}"
        for folder in ("queue", "control"):
            (broker / folder).mkdir(parents=True)
        module = ["-m", "logrec"] if how == "module" else ["-m"]
        args = ["celery", "-A", "tasks", "worker", "-l", "INFO", *pool, "-n", "cook@here"]
        args += ["--without-gossip", "--without-mingle"]
        env = {"LOGREC": how, "LOGREC_SERVICE": f"worker-{n}", "BROKER": str(broker)}
        workers.append((start([*module, *args], **env), broker))
    script = Path(__file__).parent / "apps" / "tasks.py"
    for program, broker in workers:
        wait_for(lambda p=program: "cook@here ready" in p.output())
        env = {**os.environ, "BROKER": str(broker)}
        subprocess.run([sys.executable, str(script)], env=env, check=True, timeout=60)
    for program, _ in workers:
        said = ["cooking soup", "succeeded", "raised unexpected"]
        wait_for(lambda p=program: all(text in p.output() for text in said))  # noqa: B023
        program.process.send_signal(signal.SIGTERM)
    for program, _ in workers:
        wait_for(lambda p=program: p.process.poll() is not None)
    lines = [sorted(masked(program.output())) for program, _ in workers]
    assert lines[0] == lines[1] == lines[2] and lines[3] == lines[4]
    buffer = logrec.install(rings=rings)
    for n, (_, how) in enumerate(WAYS):
        if how:
            check(buffer, f"worker-{n}")


def check(buffer: logrec.InMemoryLogBuffer, service: str) -> None:
    found = buffer.get_entries(service=service, order="asc")
    soup = once(found, logger="tasks.kitchen", message="cooking soup")
    assert soup["attributes"]["dish"] == "soup" and soup["function"] == "cook"
    once(found, logger="celery.apps.worker", message="cook@here ready.")
    told = [e["logger"] for e in found if e["message"].startswith("Task tasks.cook")]
    assert sorted(told) == ["celery.app.trace", "celery.worker.strategy"]
    [failed] = [e for e in found if "raised unexpected" in e["message"]]
    assert failed["logger"] == "celery.app.trace" and failed["level"] == "ERROR"
    assert failed["exception"].endswith("RuntimeError: burnt the toast")
    # Processes that a pool has forked end in good order too.
    files = [s for s in buffer.get_stats()["sources"] if s.get("service") == service]
    assert files and all("exited" in s["state"] for s in files), files
