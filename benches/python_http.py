"""GET /logs answered by the Rust thread beside the original design's FastAPI route over a deque.

Both have the same 2000 entries and run in a process of their own; the client asks each in turn, over
connections that stay open, in short rounds. It is Python too and shares the processors: it cannot ask
faster than some ten thousand times a second, so the ratio says "at least". Run with logrec, fastapi and
uvicorn installed: `python benches/python_http.py`. Prints Markdown.
"""

from __future__ import annotations

import logging
import socket
import statistics
import subprocess
import sys
import threading
import time

ENTRIES = 2000
CONNECTIONS = 4
SECONDS = 1.0
ROUNDS = 7
GOAL = 5
PATHS = {
    "newest 50": "/api/debug/logs?limit=50",
    "level=ERROR, one in a hundred": "/api/debug/logs?level=ERROR&limit=50",
    "search that matches nothing": "/api/debug/logs?search=nowhere&limit=50",
}


def fill(handler: logging.Handler) -> None:
    log = logging.getLogger("backend.api.rooms")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    for n in range(ENTRIES):
        log.log(logging.ERROR if n % 100 == 0 else logging.INFO, "player %s moved to row %d", "ada", n)


def serve_design(port: int) -> None:
    """The original design's buffer and route, as its reference implementation has them."""
    import uvicorn
    from fastapi import FastAPI, Query
    from python_handler import DequeBuffer, DequeHandler

    buffer = DequeBuffer()
    fill(DequeHandler(buffer))
    app = FastAPI()

    @app.get("/api/debug/logs")
    async def logs(
        level: str | None = None,
        search: str | None = None,
        limit: int = Query(100, ge=1, le=1000),
    ) -> dict[str, object]:
        with buffer.lock:
            entries = list(buffer.buffer)
        if level:
            entries = [e for e in entries if e["level"] == level.upper()]
        if search:
            entries = [e for e in entries if search.lower() in e["message"].lower()]
        entries = list(reversed(entries))[:limit]
        return {"success": True, "data": entries, "count": len(entries)}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


def serve_logrec(port: int) -> None:
    import logrec

    fill(logrec.log_buffer_handler)
    server = logrec.serve(port=port)
    threading.Event().wait()
    server.stop()


SERVERS = {"design": serve_design, "logrec": serve_logrec}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(connection: socket.socket, request: bytes) -> bytes:
    """One answer's body."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(1 << 16)
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    [length] = [int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")]
    while len(body) < length:
        body += connection.recv(1 << 20)
    return body


def connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def requests_per_second(port: int, path: str) -> float:
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    counts = [0] * CONNECTIONS
    end = time.perf_counter() + SECONDS

    def work(index: int) -> None:
        with connect(port) as connection:
            while time.perf_counter() < end:
                ask(connection, request)
                counts[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def main() -> None:
    ports = {name: free_port() for name in SERVERS}
    processes = [
        subprocess.Popen([sys.executable, __file__, name, str(port)]) for name, port in ports.items()
    ]
    try:
        print("| request | logrec, requests/s | FastAPI over a deque | ratio (min..max) | goal | reached |")
        print("| --- | ---: | ---: | ---: | --- | --- |")
        for what, path in PATHS.items():
            rounds = [
                {name: requests_per_second(port, path) for name, port in ports.items()}
                for _ in range(ROUNDS + 1)
            ][1:]  # the first warms up
            ratios = sorted(r["logrec"] / r["design"] for r in rounds)
            ratio = statistics.median(ratios)
            print(
                f"| {what} | {statistics.median(r['logrec'] for r in rounds):.0f} | "
                f"{statistics.median(r['design'] for r in rounds):.0f} | "
                f"{ratio:.1f} ({ratios[0]:.1f}..{ratios[-1]:.1f}) | "
                f"≥ {GOAL}x | {'yes' if ratio >= GOAL else '**no**'} |"
            )
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        SERVERS[sys.argv[1]](int(sys.argv[2]))
    else:
        main()
