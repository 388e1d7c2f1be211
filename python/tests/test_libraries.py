"""loguru, structlog and OpenTelemetry, as applications use them."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading

import pytest

import logrec
from conftest import run

LOGURU = """
import os, sys, logging
if os.environ.get("WITH"):
    import logrec
    logrec.install(service="libs")
from loguru import logger
logger.remove()
logger.add(sys.stderr, format="{level} {message}")
logger.bind(user=7).success("by loguru {}", 1)
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("failed")
"""


def test_loguru(rings):
    def masked(output):
        return [re.sub("0x[0-9a-f]+", "0x", text) for text in output]

    assert masked(run(LOGURU, rings)) == masked(run(LOGURU, rings, WITH="1"))
    first, failed = logrec.install(rings=rings).get_entries(service="libs", order="asc")
    assert first["message"] == "by loguru 1" and first["level"] == "INFO"
    assert first["attributes"] == {"level_name": "SUCCESS", "user": 7}
    assert first["function"] == "<module>" and first["line"] == 9
    assert failed["exception"].endswith("ZeroDivisionError: division by zero")


# Both handlers are those of loguru's documentation.
PROPAGATE = """
class PropagateHandler(logging.Handler):
    def emit(self, record):
        logging.getLogger(record.name).handle(record)
"""
INTERCEPT = """
import inspect
class InterceptHandler(logging.Handler):
    def emit(self, record):
        try:
            level = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame, depth = inspect.currentframe(), 0
        while frame:
            filename = frame.f_code.co_filename
            is_logging = filename == logging.__file__
            is_frozen = "importlib" in filename and "_bootstrap" in filename
            if depth > 0 and not (is_logging or is_frozen):
                break
            frame = frame.f_back
            depth += 1
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())
logging.basicConfig(handlers=[InterceptHandler()], level=0, force=True)
"""
FUNCTION = """
def hand_on(message):
    logging.getLogger("handed").info("%s", message.record["message"])
    logging.getLogger("handed.beside").info("sent")
logger.add(hand_on)
"""
JOINED = {
    "propagate": PROPAGATE + 'logger.add(PropagateHandler(), format="{message}")',
    "propagate, queued": PROPAGATE + 'logger.add(PropagateHandler(), format="{message}", enqueue=True)',
    "intercept": INTERCEPT,
    "function": FUNCTION,
}
BOTH_LOG = """
logger.bind(user=7).info("by loguru")
try:
    1 / 0
except ZeroDivisionError:
    logger.exception("loguru failed")
logging.getLogger("std").warning("by logging")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("std").exception("logging failed")
logger.complete()
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["install first", "install last"])
@pytest.mark.parametrize("how", JOINED)
def test_loguru_and_logging_joined_by_the_application(rings, how, is_first):
    install = 'import logrec\nlogrec.install(service="joined")\n'
    code = "import logging\nfrom loguru import logger\n" + JOINED[how] + "\n"
    run((install + code if is_first else code + install) + BOTH_LOG, rings)
    found = logrec.install(rings=rings).get_entries(service="joined", order="asc")
    beside = [e["message"] for e in found if e["logger"] == "handed.beside"]
    # What a sink logs of its own is no message handed on.
    assert beside == (["sent"] * len(beside) if how == "function" else [])
    found = [e for e in found if e["logger"] != "handed.beside"]
    said = ["by loguru", "loguru failed", "by logging", "logging failed"]
    assert [e["message"] for e in found] == said
    assert [e["logger"] for e in found] == ["__main__", "__main__", "std", "std"]
    assert found[0]["attributes"]["user"] == 7
    assert all(e["exception"].endswith("division by zero") for e in (found[1], found[3]))


def test_uninstall_leaves_loguru_as_it_was(rings):
    code = """
import logging, logrec
from loguru import logger, _simple_sinks as sinks
before = [type(logger).remove, sinks.StandardSink.write, sinks.CallableSink.write]
logger.remove()
logrec.install()
logrec.uninstall()
print([type(logger).remove, sinks.StandardSink.write, sinks.CallableSink.write] == before)
print(len(logger._core.handlers))
"""
    assert run(code, rings) == ("True\n0\n", "")


STRUCTLOG = """
import logrec, structlog
logrec.install(service="libs")
structlog.configure(processors=[structlog.processors.add_log_level, logrec.structlog_processor,
    structlog.processors.JSONRenderer()])
structlog.get_logger().warning("by structlog", user=8)
"""


def test_structlog_with_the_processor(rings):
    out, err = run(STRUCTLOG, rings)
    assert err == "" and json.loads(out) == {"user": 8, "level": "warning", "event": "by structlog"}
    [entry] = logrec.install(rings=rings).get_entries(service="libs")
    assert entry["message"] == "by structlog" and entry["attributes"] == {"user": 8}
    assert entry["level"] == "WARNING"


STRUCTLOG_OVER_LOGGING = """
import logging, os, sys, structlog
if os.environ.get("WITH"):
    import logrec
    logrec.install(service="libs")
logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.INFO)
structlog.configure(
    processors=[structlog.stdlib.filter_by_level, structlog.stdlib.add_logger_name,
                structlog.stdlib.render_to_log_kwargs],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)
log = structlog.get_logger("shop")
log.warning("by structlog", user=8)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed", user=9)
"""


def test_structlog_over_logging_needs_nothing(rings):
    assert run(STRUCTLOG_OVER_LOGGING, rings) == run(STRUCTLOG_OVER_LOGGING, rings, WITH="1")
    first, failed = logrec.install(rings=rings).get_entries(service="libs", order="asc")
    assert (first["logger"], first["message"]) == ("shop", "by structlog")
    assert first["attributes"]["user"] == 8 and failed["attributes"]["user"] == 9
    assert failed["exception"].endswith("division by zero")


@pytest.fixture
def tracer():
    from opentelemetry.sdk.trace import TracerProvider

    return TracerProvider().get_tracer("test")


def ids(span) -> tuple[str, str]:
    context = span.get_span_context()
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def of(entry: dict) -> tuple[str | None, str | None]:
    return entry.get("trace_id"), entry.get("span_id")


def test_opentelemetrys_ids(installed, tracer):
    log = logging.getLogger("it.otel")
    log.warning("outside")
    with tracer.start_as_current_span("outer") as outer:
        log.warning("outer")
        with tracer.start_as_current_span("inner") as inner:
            log.warning("inner", extra={"user": 7})
            thread = threading.Thread(target=log.warning, args=("a thread has no span",))
            thread.start()
            thread.join()
        log.warning("outer again")
    found = {e["message"]: e for e in installed.get_entries()}
    assert of(found["outside"]) == of(found["a thread has no span"]) == (None, None)
    assert of(found["outer"]) == of(found["outer again"]) == ids(outer)
    assert of(found["inner"]) == ids(inner) != ids(outer)
    assert len(installed.get_entries(trace_id=ids(outer)[0])) == 3
    assert installed.get_entries(span_id=ids(inner)[1])[0]["attributes"] == {"user": 7}


def test_opentelemetrys_ids_in_tasks(installed, tracer):
    async def work(name: str) -> tuple[str, str]:
        with tracer.start_as_current_span(name) as span:
            await asyncio.sleep(0)
            logging.getLogger("it.otel").warning(name)
            return ids(span)

    async def main():
        return await asyncio.gather(*(work(f"task {n}") for n in range(5)))

    spans = asyncio.run(main())
    found = installed.get_entries(order="asc")
    assert [of(e) for e in found] == spans and len(set(spans)) == 5


def test_opentelemetrys_instrumentor(installed, tracer):
    """It puts the ids on records, as fields, which are not told twice."""
    from opentelemetry.instrumentation.logging import LoggingInstrumentor

    factory = logging.getLogRecordFactory()
    instrumentor = LoggingInstrumentor()
    instrumentor.instrument(inject_trace_context=True, enable_log_auto_instrumentation=False)
    try:
        log = logging.getLogger("it.otel")
        log.warning("outside")
        with tracer.start_as_current_span("outer") as span:
            log.warning("inside")
    finally:
        instrumentor.uninstrument()
        logging.setLogRecordFactory(factory)
    inside, outside = installed.get_entries()
    assert of(outside) == (None, None) and of(inside) == ids(span)
    assert "attributes" not in inside and "attributes" not in outside


def test_opentelemetry_imported_after_the_first_entries(rings):
    """The context is looked for where its API is loaded, and that may be later."""
    code = """
import logging, logrec
logrec.install(service="late")
log = logging.getLogger("late")
log.warning("before")
from opentelemetry.sdk.trace import TracerProvider
with TracerProvider().get_tracer("t").start_as_current_span("s") as span:
    log.warning("%032x", span.get_span_context().trace_id)
"""
    run(code, rings)
    after, before = logrec.install(rings=rings).get_entries(service="late", logger_filter="late")
    assert "trace_id" not in before and after["trace_id"] == after["message"]
