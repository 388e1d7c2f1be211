"""What a log call pays for being recorded: logrec beside the original design's handler.

Each round times the same calls under every contender in turn, so that a slow moment of the machine hits
all of them; of a block of rounds the least time of each counts. What a contender adds is its time less
that of a `NullHandler`; the ratio is to what the original design's deque-and-lock handler adds. Run: `python benches/python_handler.py`
with logrec installed. Prints Markdown, and JSON with `--json`.
"""

from __future__ import annotations

import gc
import json
import logging
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any

import logrec
from logrec import InMemoryLogBuffer, LogBufferHandler

CALLS = 2_000
ROUNDS = 25
BLOCKS = 7
TIME_GOAL = 0.5
MEMORY_GOAL = 0.4


class DequeBuffer:
    """The original design's buffer, as its reference implementation has it."""

    def __init__(self, max_size: int = 2000) -> None:
        self.max_size = max_size
        self.buffer: deque[dict[str, Any]] = deque(maxlen=max_size)
        self.lock = Lock()

    def add_entry(self, entry: dict[str, Any]) -> None:
        with self.lock:
            self.buffer.append(entry)


class DequeHandler(logging.Handler):
    """The original design's handler."""

    def __init__(self, log_buffer: DequeBuffer) -> None:
        super().__init__()
        self.log_buffer = log_buffer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            entry = {
                "timestamp": record.created,
                "level": record.levelname,
                "logger": record.name,
                "message": record.getMessage(),
                "module": record.module,
                "function": record.funcName,
                "line": record.lineno,
            }
            self.log_buffer.add_entry(entry)
        except Exception:
            self.handleError(record)


def logger(name: str, handler: logging.Handler) -> logging.Logger:
    made = logging.getLogger(name)
    made.setLevel(logging.DEBUG)
    made.propagate = False
    made.addHandler(handler)
    return made


def seconds(log: logging.Logger) -> float:
    gc.collect()
    begin = time.thread_time()
    for n in range(CALLS):
        log.info("player %s moved to row %d", "ada", n)
    took = time.thread_time() - begin
    return took / CALLS


def block(null: logging.Logger, contenders: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The least time of each in some interleaved rounds: what disturbs a round only adds to it."""
    rounds = [
        {"null": seconds(null), **{name: run() for name, run in contenders.items()}}
        for _ in range(ROUNDS)
    ]
    return {name: min(r[name] for r in rounds) for name in rounds[0]}


def installed(log: logging.Logger, rings: str) -> float:
    """The same call under `logrec.install()`: a hook before all handlers, and a ring in a file."""
    logrec.install(rings=rings)
    try:
        return seconds(log)
    finally:
        logrec.uninstall()


def memory() -> dict[str, float]:
    """Bytes of a full buffer of 2000: of the deque by tracemalloc, of the ring what it has in use."""
    message = "player %s moved to row %d, and the turn passed on"
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    buffer = DequeBuffer()
    log = logger("bench.memory.deque", DequeHandler(buffer))
    for n in range(2500):
        log.info(message, "ada", n)
    deque_bytes = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    ring = InMemoryLogBuffer()
    log = logger("bench.memory.ring", LogBufferHandler(ring))
    for n in range(2500):
        log.info(message, "ada", n)
    ring_bytes = ring.get_stats()["bytes"]
    return {"deque": deque_bytes, "ring": ring_bytes, "ratio": ring_bytes / deque_bytes}


def goals(name: str, ratio: float, goal: float) -> str:
    """The last two columns."""
    if name == "deque and lock":
        return " | "
    return f"≤ {goal}x | {'yes' if ratio <= goal else '**no**'}"


def main(rings: str) -> None:
    null = logger("bench.null", logging.NullHandler())
    contenders = {
        "deque and lock": lambda: seconds(by_deque),
        "LogBufferHandler": lambda: seconds(by_handler),
        "install()": lambda: installed(null, rings),
    }
    by_deque = logger("bench.deque", DequeHandler(DequeBuffer()))
    by_handler = logger("bench.handler", LogBufferHandler(InMemoryLogBuffer()))
    blocks = [block(null, contenders) for _ in range(BLOCKS + 1)][1:]  # the first warms up
    report: dict[str, Any] = {
        "base_us": statistics.median(b["null"] for b in blocks) * 1e6,
        "memory": memory(),
    }
    print(f"{BLOCKS} blocks of {ROUNDS} rounds of {CALLS} calls, CPython {sys.version.split()[0]}.")
    print(f"A call with a `NullHandler` takes {report['base_us']:.2f} µs.\n")
    print("| what handles it | adds, µs | beside deque and lock (min..max) | goal | reached |")
    print("| --- | ---: | ---: | --- | --- |")
    for name in contenders:
        added = [(b[name] - b["null"]) * 1e6 for b in blocks]
        ratios = sorted((b[name] - b["null"]) / (b["deque and lock"] - b["null"]) for b in blocks)
        ratio = statistics.median(ratios)
        report[name] = {
            "added_us": statistics.median(added),
            "ratio": ratio,
            "ratio_low": ratios[0],
            "ratio_high": ratios[-1],
        }
        goal = goals(name, ratio, TIME_GOAL)
        print(
            f"| {name} | {statistics.median(added):.2f} | "
            f"{ratio:.2f} ({ratios[0]:.2f}..{ratios[-1]:.2f}) | {goal} |"
        )
    kept = report["memory"]
    print("\n| memory of 2000 entries | kB | beside deque | goal | reached |")
    print("| --- | ---: | ---: | --- | --- |")
    print(f"| dicts in a deque | {kept['deque'] / 1e3:.0f} | 1.00 |  |  |")
    print(
        f"| ring | {kept['ring'] / 1e3:.0f} | {kept['ratio']:.2f} | "
        f"{goals('ring', kept['ratio'], MEMORY_GOAL)} |"
    )
    if "--json" in sys.argv:
        print(json.dumps(report))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
