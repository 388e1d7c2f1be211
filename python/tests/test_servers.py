"""Real gunicorn and hypercorn: which entries arrive, each once, and that they print what they printed."""

from __future__ import annotations

import signal

import pytest

from conftest import arrived, entries, free_port, masked, once, traffic, wait_for

WORKERS = {
    "uvicorn_worker": "uvicorn_worker.UvicornWorker",
    "uvicorn.workers": "uvicorn.workers.UvicornWorker",
    "asgi": "asgi",
}


def gunicorn(port: int, worker: str, *more: str) -> list[str]:
    listen = ["-b", f"127.0.0.1:{port}", "--access-logfile", "-", "--no-control-socket"]
    return ["gunicorn", *listen, "-k", WORKERS[worker], *more, "main:app"]


def ran(program, port: int, ready: str, workers: int, check=None) -> list[str]:
    """What a server prints, from its start over some traffic to its end. The lines of several processes
    stand in any order."""
    wait_for(lambda: program.output().count(ready) == workers)
    traffic(port)
    if check is not None:
        check()
    lines = masked(program.stop(signal.SIGTERM))
    # Asking for the entries is a request too.
    return sorted(line for line in lines if "/api/debug" not in line)


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["", "preload"])
@pytest.mark.parametrize("worker", WORKERS)
def test_gunicorn(start, worker, preload):
    port = free_port()
    args = gunicorn(port, worker, "-w", "2", *preload)
    ready = "ASGI server listening" if worker == "asgi" else "Application startup complete"

    def check():
        if worker != "asgi":
            found = arrived(lambda: entries(port))
        else:
            # Of an exception after which the app has answered 500 this worker says nothing.
            found = arrived(lambda: entries(port), "gunicorn.access", crash=None)
            line = [e for e in found if e["logger"] == "gunicorn.access"][-1]["attributes"]
            assert line["user_agent.original"].startswith("Python-urllib")
            assert line["duration_ms"] > 0 and line["http.response.body.size"] > 0
        booted = [e for e in found if e["message"].startswith("Booting worker with pid")]
        # Where each worker loads the app, it has said that before.
        assert len(booted) == (2 if preload else 0)
        assert all(e["logger"] == "gunicorn.error" for e in booted)

    printed = [
        ran(start(["-m", *args], LOGREC=how), port, ready, 2, check if how else None)
        for how in ("", "install")
    ]
    assert printed[0] == printed[1]
    assert any("the till is empty" in line for line in printed[0]) == (worker != "asgi")


def test_gunicorn_with_no_line_changed(start):
    port = free_port()
    args = gunicorn(port, "uvicorn_worker")
    found = []

    def check():
        found.extend(arrived(lambda: entries(port)))
        once(found, logger="gunicorn.error", message=f"Booting worker with pid: {found[-1]['process']}")

    ready = "Application startup complete"
    before = ran(start(["-m", *args]), port, ready, 1)
    assert ran(start(["-m", "logrec", *args]), port, ready, 1, check) == before


@pytest.mark.parametrize("workers", [1, 2])
def test_hypercorn(start, workers):
    port = free_port()
    listen = ["--bind", f"127.0.0.1:{port}", "--access-logfile", "-", "--workers", str(workers)]
    args = ["-m", "hypercorn", *listen, "--access-logformat", '%(h)s "%(R)s" %(s)s', "main:app"]

    def check():
        crash = ("hypercorn.error", "Error in ASGI Framework")
        found = arrived(lambda: entries(port), "hypercorn.access", crash)
        line = [e for e in found if e["logger"] == "hypercorn.access"][-1]["attributes"]
        assert line["user_agent.original"].startswith("Python-urllib")
        assert line["http.response.body.size"] > 0 and line["duration_ms"] > 0
        assert "hunter2" not in str(found), "its atoms hold the environment too"
        running = [e for e in found if e["message"].startswith("Running on")]
        assert len(running) == workers and running[0]["logger"] == "hypercorn.error"

    printed = [
        ran(start(args, LOGREC=how, TILL_KEY="hunter2"), port, "Running on", workers, check if how else None)
        for how in ("", "install")
    ]
    assert printed[0] == printed[1]
    assert any("the till is empty" in line for line in printed[0])


def test_hypercorn_with_no_line_changed(start, rings):
    """It mounts the API nowhere; the recordings are there."""
    import logrec

    port = free_port()
    args = ["hypercorn", "--bind", f"127.0.0.1:{port}", "--access-logfile", "-", "main:app"]
    before = ran(start(["-m", *args]), port, "Running on", 1)
    program = start(["-m", "logrec", "--service", "cornery", *args])
    assert ran(program, port, "Running on", 1) == before
    buffer = logrec.install(rings=rings)
    crash = ("hypercorn.error", "Error in ASGI Framework")
    arrived(lambda: buffer.get_entries(service="cornery", order="asc"), "hypercorn.access", crash)
