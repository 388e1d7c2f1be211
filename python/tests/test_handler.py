"""The handler: what a record becomes, and records that are out to break it."""

from __future__ import annotations

import itertools
import json
import logging
import logging.handlers
import os
import queue
import sys
import threading
import time

import pytest

from logrec import InMemoryLogBuffer, LogBufferHandler


@pytest.fixture
def buffer() -> InMemoryLogBuffer:
    return InMemoryLogBuffer(max_size=1000)


@pytest.fixture
def log(buffer):
    logger = logging.getLogger("test.handler")
    logger.setLevel(1)
    logger.propagate = False
    logger.handlers[:] = [LogBufferHandler(buffer)]
    yield logger
    logger.handlers.clear()


def only(buffer: InMemoryLogBuffer) -> dict:
    [entry] = buffer.get_entries()
    return entry


def test_what_a_record_becomes(log, buffer):
    before = time.time()
    log.warning(
        "hello %s", "ada", extra={"user_id": 7, "ratio": 0.5, "ok": True, "tags": ["a", {"b": None}]}
    )
    entry = only(buffer)
    assert before - 0.01 <= entry["timestamp"] <= time.time() + 0.01
    assert (entry["level"], entry["logger"]) == ("WARNING", "test.handler")
    assert entry["message"] == "hello ada"
    assert (entry["module"], entry["function"]) == ("test_handler", "test_what_a_record_becomes")
    assert entry["line"] > 0 and entry["file"] == __file__
    assert entry["thread"] == threading.get_ident() and entry["thread_name"] == "MainThread"
    assert entry["process"] == os.getpid()
    assert entry["attributes"] == {
        "user_id": 7, "ratio": 0.5, "ok": True, "tags": ["a", {"b": None}],
    }


def test_levels_of_other_numbers(log, buffer):
    # Not 5, which has a name once uvicorn is there.
    for number, level in [(7, "TRACE"), (10, "DEBUG"), (25, "INFO"), (35, "WARNING"), (60, "CRITICAL")]:
        log.log(number, "x")
        entry = buffer.get_entries(limit=1)[0]
        assert entry["level"] == level, number
        assert entry.get("attributes", {}).get("level_name") == (
            None if number == 10 else f"Level {number}"
        )


def test_exceptions_with_their_causes(log, buffer):
    try:
        try:
            {}["missing"]
        except KeyError as cause:
            raise ValueError("outer") from cause
    except ValueError:
        log.exception("failed")
    exception = only(buffer)["exception"]
    assert exception.startswith("Traceback (most recent call last)")
    assert "KeyError: 'missing'" in exception and "direct cause" in exception
    assert exception.endswith("ValueError: outer")


def test_exceptions_that_are_none(log, buffer):
    log.error("no exception", exc_info=True)
    log.error("none", exc_info=(None, None, None))
    log.error("one", exc_info=ValueError("given"))
    log.error("stack", stack_info=True)
    stack, one, none, no = buffer.get_entries()
    assert "exception" not in no and "exception" not in none
    assert one["exception"] == "ValueError: given"
    assert "test_exceptions_that_are_none" in stack["attributes"]["code.stacktrace"]


def test_uvicorns_access_arguments(buffer):
    record = logging.LogRecord(
        "uvicorn.access", logging.INFO, "x.py", 1, '%s - "%s %s HTTP/%s" %d',
        ("127.0.0.1:51234", "GET", "/cart?id=7", "1.1", 404), None,
    )  # fmt: skip
    LogBufferHandler(buffer).handle(record)
    entry = only(buffer)
    assert entry["message"] == '127.0.0.1:51234 - "GET /cart?id=7 HTTP/1.1" 404'
    assert entry["attributes"] == {
        "client.address": "127.0.0.1",
        "client.port": 51234,
        "http.request.method": "GET",
        "url.path": "/cart",
        "url.query": "id=7",
        "network.protocol.version": "1.1",
        "http.response.status_code": 404,
    }


def test_access_atoms_and_nothing_else_of_them(buffer):
    """gunicorn's, with headers, and hypercorn's, with the environment."""
    atoms = {
        "h": "10.0.0.9", "m": "GET", "U": "/cart", "q": "id=7", "H": "HTTP/1.1", "s": "404", "B": 12,
        "f": "-", "a": "curl/8", "D": 1500, "{authorization}i": "hunter2", "{till_key}e": "hunter2",
    }  # fmt: skip
    for name, line in [("gunicorn.access", '%(h)s "%(m)s %(U)s"'), ("hypercorn.access", "%(nothing)s")]:
        record = logging.LogRecord(name, logging.INFO, "x.py", 1, line, (atoms,), None)
        LogBufferHandler(buffer).handle(record)
    ill, well = buffer.get_entries()
    attributes = {
        "client.address": "10.0.0.9", "http.request.method": "GET", "url.path": "/cart",
        "url.query": "id=7", "network.protocol.version": "1.1", "user_agent.original": "curl/8",
        "http.response.status_code": 404, "http.response.body.size": 12, "duration_ms": 1.5,
    }  # fmt: skip
    assert well["message"] == '10.0.0.9 "GET /cart"' and well["attributes"] == attributes
    problem = ill["attributes"].pop("logrec.problem")
    assert problem == "not formatted: KeyError: 'nothing'" and ill["attributes"] == attributes


class Int(int):
    def __str__(self):
        return "an int of its own"


class Str(str):
    def __str__(self):
        return "a str of its own"


@pytest.mark.parametrize("template", [
    "%s", "%d", "%i", "%.0f", "%.2f", "%.9f", "%f", "%r", "%5d", "%-5s|", "%x", "%05.1f", "%%%s", "%s%%",
    "%s %s", "%(a)s", "é %s ☃", "%", "% d", "%.2", "%.12f",
])  # fmt: skip
def test_messages_say_what_python_says(log, buffer, template):
    """Usual templates are filled in without Python: as Python does it, to the character."""
    numbers = [0, -1, 7, 2**62, 2**63, -(2**63), 10**30, 0.0, -0.0, 0.5, 1.5, 2.5, 1e22, 1e-7, -2.675]
    odd = [float("nan"), float("inf"), True, None, Int(3), Str("x"), b"b", {"a": 1}, ["x"], (1,), Raises]
    for value in [*numbers, *odd, "", "text", "é☃", "nul \0", "%s", "x" * 5000]:
        for args in [(value,), (value, value), ()]:
            record = logging.LogRecord("n", 20, "p", 1, template, args, None)
            try:
                says, problem = record.getMessage(), False
            except Exception:
                says, problem = template, True
            log.handle(record)
            entry = buffer.get_entries(limit=1)[0]
            assert entry["message"] == says, (template, args)
            assert ("logrec.problem" in entry.get("attributes", {})) == problem, (template, args)


def test_records_of_one_call_that_differ(log, buffer):
    """What a call's records have in common is remembered; a record that differs is not mistaken for it."""

    def record(**other):
        made = logging.LogRecord("n", 20, "/srv/app.py", 7, "x", (), None, "work")
        made.__dict__.update(other)
        LogBufferHandler(buffer).handle(made)
        return buffer.get_entries(limit=1)[0]

    usual = record()
    for key, value, field in [
        ("name", "other", "logger"), ("module", "another", "module"), ("funcName", "rest", "function"),
        ("pathname", "/srv/b.py", "file"), ("lineno", 8, "line"), ("process", 4711, "process"),
        ("thread", 99, "thread"), ("threadName", "Worker", "thread_name"),
    ]:  # fmt: skip
        for _ in range(2):
            entry = record(**{key: value})
            assert entry[field] == value != usual[field]
    assert {k: v for k, v in record().items() if k not in ("id", "timestamp")} == {
        k: v for k, v in usual.items() if k not in ("id", "timestamp")
    }
    assert record(processName="Pool-1")["attributes"] == {"process_name": "Pool-1"}
    assert record(user=7)["attributes"] == {"user": 7}
    assert record(levelno=25, levelname="NOTE")["attributes"] == {"level_name": "NOTE"}
    assert record(exc_text="Boom: it did")["exception"] == "Boom: it did"
    assert "code.stacktrace" in record(stack_info="Stack")["attributes"]
    lone = record(funcName="\udfff")
    assert lone["function"] == "\\udfff"
    # Strings of equal text that are others, and made anew at the same address.
    for n in range(2000):
        assert record(pathname=f"/srv/{n % 7}{'x' * (n % 3)}.py")["file"] == f"/srv/{n % 7}{'x' * (n % 3)}.py"


def test_attributes_added_on_the_way(log, buffer):
    """By a filter, by a factory, on a record whose `__dict__` has been looked at, and one taken away."""

    def add(record):
        record.request_id = "r-1"
        return True

    log.addFilter(add)
    try:
        log.info("filtered %d", 1)
    finally:
        log.removeFilter(add)
    assert only(buffer)["attributes"] == {"request_id": "r-1"}
    buffer.clear()
    for change in [lambda r: r.__dict__, lambda r: vars(r).update(a=1), lambda r: delattr(r, "lineno")]:
        record = logging.LogRecord("n", 20, "/srv/app.py", 7, "x", (), None, "work")
        change(record)
        LogBufferHandler(buffer).handle(record)
    bare, updated, looked = buffer.get_entries()
    assert "line" not in bare and looked["line"] == 7
    assert updated["attributes"] == {"a": 1} and "attributes" not in looked


def test_attributes_lost_and_others_gained(buffer):
    """As many as before, and each after the lost one where another was: what is read is what has the name."""

    def as_read(take, lost, gained):
        buffer.clear()
        record = logging.LogRecord("n", 20, "/srv/app.py", 7, "x", (), None, "work")
        last = getattr(record, "taskName", record.process)
        for name in lost:
            delattr(record, name)
        for n, value in enumerate(gained):
            setattr(record, f"gained_{n}", last if value == "last" else value)
        take(record)
        entry = only(buffer)
        return {k: v for k, v in entry.items() if k not in ("id", "timestamp")}

    by_way, by_name = LogBufferHandler(buffer).handle, buffer._core.record
    names = list(vars(logging.makeLogRecord({})))
    losses = [(name,) for name in names] + list(zip(names, names[1:])) + [("msg", "taskName"), ("args", "process")]
    for lost in losses:
        if not set(lost) <= set(names):
            continue
        for gained in itertools.product(["last", None, 7, "text", 1.5, ()], repeat=len(lost)):
            assert as_read(by_way, lost, gained) == as_read(by_name, lost, gained), (lost, gained)


class Raises:
    def __str__(self):
        raise RuntimeError("no text for you")

    __repr__ = __str__


class Logs:
    """Logs while it is being formatted: once, or for ever."""

    def __init__(self, log, depth):
        self.log, self.depth = log, depth

    def __str__(self):
        if self.depth:
            self.log.info("within: %s", Logs(self.log, self.depth - 1))
        return "done"


def test_records_out_to_break_it(log, buffer, capfd):
    for msg, args in [
        ("two %s %s", ("one",)),
        ("number %d", ("no number",)),
        ("none", ("but one",)),
        ("%(key)s", ({"other": 1},)),
        ("%", (1,)),
        ("%s", (Raises(),)),
        (Raises(), ()),
        (None, ()),
        (object(), ()),
        (b"bytes", ()),
        ("\ud800 lone", ()),
        ("%s", ("\udfff",)),
        ("nul \x00 and \x1b[31m", ()),
        ("", ()),
    ]:
        count = len(buffer)
        log.info(msg, *args)
        assert len(buffer) == count + 1, msg
    assert capfd.readouterr() == ("", "")
    entries = buffer.get_entries(order="asc")
    problems = [entry.get("attributes", {}).get("logrec.problem") for entry in entries]
    assert all(problem.startswith("not formatted: ") for problem in problems[:7]), problems
    assert not any(problems[7:]), problems
    assert entries[0]["message"] == "two %s %s"
    assert entries[0]["attributes"]["logrec.args"] == ["'one'"]
    assert "not enough arguments" in problems[0]
    assert "RuntimeError: no text for you" in problems[5]
    assert entries[6]["message"] == "<Raises>"
    assert entries[10]["message"] == "\\ud800 lone" and entries[11]["message"] == "\\udfff"
    assert entries[12]["message"] == "nul \x00 and \x1b[31m"


def test_extras_out_to_break_it(log, buffer):
    deep: list = []
    for _ in range(1000):
        deep = [deep]
    cycle: dict = {}
    cycle["self"] = cycle
    log.info(
        "x",
        extra={
            "raises": Raises(), "deep": deep, "cycle": cycle, "big": 10**40, "u": 2**64 - 1,
            "nan": float("nan"), "long": "y" * 10_000_000, "\ud800": "\ud800", "none": None,
            "many": list(range(100_000)), "bytes": b"\xff", 7: 8,
        },
    )  # fmt: skip
    entry = only(buffer)
    attributes = entry["attributes"]
    assert attributes["u"] == 2**64 - 1 and attributes["big"] == str(10**40)
    assert "__str__ raised RuntimeError" in attributes["raises"]
    assert attributes["nan"] == "NaN" and attributes["none"] is None
    assert len(json.dumps(entry)) < 2_000_000
    log.info("goes on")
    assert len(buffer) == 2


def test_ten_megabytes(log, buffer):
    log.info("x" * 10_000_000, extra={"kept": 1})
    entry = only(buffer)
    assert 100_000 < len(entry["message"]) < 300_000
    assert entry["attributes"]["kept"] == 1 and entry["function"] == "test_ten_megabytes"
    cut = entry["attributes"]["logrec.cut_bytes"]
    assert cut + len(entry["message"]) == 10_000_000
    assert buffer.get_stats()["truncated"] == 1


def test_a_long_trace_keeps_its_end(log, buffer):
    try:
        raise ValueError("z" * 1_000_000 + " the end")
    except ValueError:
        log.exception("failed")
    entry = only(buffer)
    assert entry["exception"].endswith(" the end") and "left out" in entry["exception"]
    assert entry["message"] == "failed"


def test_logging_while_formatting(log, buffer):
    log.info("%s", Logs(log, 2))
    assert sorted(e["message"] for e in buffer.get_entries()) == ["done", "within: done", "within: done"]
    buffer.clear()
    log.info("%s", Logs(log, 10**9))
    entries = buffer.get_entries()
    assert 2 < len(entries) < 20
    assert any("and that again" in e.get("attributes", {}).get("logrec.problem", "") for e in entries)


def test_what_is_no_exception_goes_through(log, buffer):
    class Interrupts:
        def __str__(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log.info("%s", Interrupts())
    log.info("goes on")
    assert buffer.get_entries(limit=1)[0]["message"] == "goes on"


def test_records_that_are_none(buffer):
    handler = LogBufferHandler(buffer)
    odd = logging.makeLogRecord({})
    odd.__dict__.clear()
    wrong = logging.makeLogRecord({
        "levelno": "high", "created": "now", "name": 7, "lineno": -3, "thread": None, "args": 5,
        "exc_info": 1, "msg": ["x"], "process": "p", "exc_text": 3, "funcName": Raises(),
    })  # fmt: skip
    for record in (None, 7, "text", odd, wrong):
        handler.handle(record)
    assert len(buffer) == 5


def test_a_subclass_and_a_patched_get_message(log, buffer, monkeypatch):
    class Braces(logging.LogRecord):
        def getMessage(self):  # noqa: N802
            return self.msg.format(*self.args)

    LogBufferHandler(buffer).handle(Braces("n", 20, "p", 1, "a {} b", (1,), None))
    monkeypatch.setattr(logging.LogRecord, "getMessage", lambda self: "patched")
    log.info("x")
    assert [e["message"] for e in buffer.get_entries()] == ["patched", "a 1 b"]


def test_levels_filters_and_close(log, buffer):
    handler = log.handlers[0]
    handler.setLevel(logging.WARNING)
    log.info("left out")
    log.warning("kept")
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    log.warning("a secret")
    log.warning("kept")
    handler.removeFilter(handler.filters[0])
    log.warning("a secret")
    handler.close()
    log.warning("closed handlers of dictConfig go on")
    handler.flush()
    assert len(buffer) == 4


def test_through_a_queue(buffer):
    records: queue.Queue = queue.Queue()
    listener = logging.handlers.QueueListener(records, LogBufferHandler(buffer))
    logger = logging.getLogger("test.queue")
    logger.propagate = False
    logger.handlers[:] = [logging.handlers.QueueHandler(records)]
    listener.start()
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("queued %s", "once")
    listener.stop()
    entry = only(buffer)
    # The queue's handler formats the trace into the message.
    assert "queued once" in entry["message"] and "ZeroDivisionError" in str(entry)
    assert entry["thread"] == threading.get_ident()


def test_eight_threads_lose_nothing_and_tear_nothing():
    threads, each = 8, 10_000
    buffer = InMemoryLogBuffer(max_size=threads * each)
    logger = logging.getLogger("test.threads")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers[:] = [LogBufferHandler(buffer)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)

    def work(number: int) -> None:
        for n in range(each):
            logger.info("thread %d entry %d %s", number, n, "x" * (n % 97), extra={"n": n})

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.setswitchinterval(interval)
    entries = buffer.get_entries()
    assert len(entries) == threads * each
    seen = set()
    for entry in entries:
        n = entry["attributes"]["n"]
        _, number, _, text, *rest = entry["message"].split(" ")
        assert int(text) == n and rest == ["x" * (n % 97)]
        seen.add((number, n))
    assert len(seen) == threads * each
    assert buffer.get_stats()["dropped"] == 0
