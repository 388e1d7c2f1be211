"""`install`, `serve` and what they hook into.

Records are taken where every one of them passes exactly once, before any handler: in
``logging.Logger.callHandlers``, as Sentry's SDK does. A handler on the root logger would not do: the
loggers that do not propagate (uvicorn's) pass it by, ``dictConfig`` removes it, and its mere presence
turns ``logging.basicConfig`` and the handler of last resort off, so that the application would print
less than before. So there is nothing to attach again, and nothing is recorded twice.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ._asgi import PREFIX, Middleware
from ._buffer import InMemoryLogBuffer, _hook, log_buffer
from ._core import Server, default_folder
from ._loguru import forwarding, hook_loguru, is_forwarded

_LAUNCHERS = {"", "-", "-c", "-m", "__main__", "uvicorn", "gunicorn", "hypercorn", "celery", "python"}

_installed: dict[str, Any] = {}
_undo: list[Callable[[], None]] = []
_lock = threading.Lock()


def install(
    app: Any = None,
    *,
    prefix: str = PREFIX,
    service: str | None = None,
    rings: str | os.PathLike[str] | bool | None = None,
    level: int | str = logging.NOTSET,
    serve: bool | int = False,
    max_entries: int | None = None,
    max_bytes: int | None = None,
    keep_errors: int | None = None,
    token: str | None = None,
    allow_hosts: Sequence[str] | None = None,
) -> InMemoryLogBuffer:
    """Records what this process logs, warns and dies of, and mounts the API on an app.

    Whatever passes a logger's own level is recorded once, wherever its handlers are; the application's
    handlers, levels and output stay as they are. May be called any number of times: the settings of the
    first call hold, and each app given is mounted once.

    :param app: a FastAPI or Starlette app; ``GET {prefix}/logs`` and the others are answered on it.
        Other ASGI apps: :class:`logrec.Middleware`.
    :param prefix: where the API is mounted.
    :param service: what entries are stamped with. Default: ``LOGREC_SERVICE``, ``OTEL_SERVICE_NAME``, the
        script's name, or the name of the working folder.
    :param rings: the folder of recordings, where each process has a file of its own and reads all of
        them. Default: ``LOGREC_RINGS``, else the user's own, which ``logrec serve`` reads. ``False``: memory.
    :param level: records below it are left out.
    :param serve: also serve the API from a Rust thread, on port 5050 or the one given. Of several
        processes one serves, for all.
    :param max_entries: entries kept of each process, 2000 by default (``LOGREC_MAX_ENTRIES``).
    :param max_bytes: memory for them, by default 4 MiB or 1 kB an entry.
    :param keep_errors: so many of the newest of WARNING and above are kept besides.
    :param token: requests must bring it (``LOGREC_TOKEN``). Without one only this machine is answered.
    :param allow_hosts: further names in ``Host`` that are answered (``LOGREC_ALLOW_HOSTS``).
    :return: the buffer, :data:`logrec.log_buffer`.
    """
    with _lock:
        if not _installed:
            token = token or os.environ.get("LOGREC_TOKEN")
            if allow_hosts is None:
                allow_hosts = os.environ.get("LOGREC_ALLOW_HOSTS", "").split(",")
            folder = _folder(rings)
            log_buffer._core.record_into(
                folder,
                service or _service(),
                max_entries=max_entries or _number("LOGREC_MAX_ENTRIES") or log_buffer.max_size,
                max_bytes=max_bytes,
                keep_errors=keep_errors or _number("LOGREC_KEEP_ERRORS") or 0,
                level=logging._checkLevel(level) if isinstance(level, str) else level,  # type: ignore[attr-defined]
                own_paths=["/" + prefix.strip("/") + "/logs"],
                token=token,
                hosts=[host.strip() for host in allow_hosts if host.strip()],
            )
            log_buffer._found_way()
            _hook_logging()
            _hook_warnings()
            _hook_exceptions()
            _on_import("loguru", lambda module: _undo.append(hook_loguru(module, log_buffer)))
            _on_import("multiprocessing.util", _hook_multiprocessing)
            _on_import("billiard.pool", _hook_billiard)
            _installed["apps"] = []
        if app is not None:
            _mount(app, prefix)
    if serve is not False and serve is not None and "server" not in _installed:
        port = 5050 if serve is True else int(serve)
        _installed["server"] = log_buffer._core.serve("127.0.0.1", port, share=True)
    return log_buffer


def uninstall() -> None:
    """Takes back what :func:`install` hooked into. Apps stay mounted. For tests."""
    with _lock:
        while _undo:
            _undo.pop()()
        server = _installed.pop("server", None)
        if server is not None:
            server.stop()
        _installed.clear()


def serve(port: int = 5050, host: str = "127.0.0.1") -> Server:
    """Serves the API of :data:`logrec.log_buffer` from a thread that never needs the interpreter: it
    answers while the event loop is blocked or the GIL is held. Port 0 takes any free one.

    Returns once it listens; ``url`` and ``port`` say where, ``stop()`` ends it. Raises ``OSError`` when the
    port is taken, or when ``host`` is not this machine and no token was set (:func:`install`).
    """
    return log_buffer._core.serve(host, port)


def _folder(rings: str | os.PathLike[str] | bool | None) -> Path | None:
    if rings is False:
        return None
    if rings is None or rings is True:
        return Path(os.path.abspath(default_folder()))
    return Path(os.path.abspath(rings))


def _service() -> str:
    for name in ("LOGREC_SERVICE", "OTEL_SERVICE_NAME"):
        if os.environ.get(name):
            return os.environ[name]
    started = Path(sys.argv[0] if sys.argv else "")
    if started.stem not in _LAUNCHERS:
        return started.stem
    return Path.cwd().name or "app"


def _number(name: str) -> int | None:
    try:
        return int(os.environ.get(name, ""))
    except ValueError:
        return None


def _hook_logging() -> None:
    call_handlers = logging.Logger.callHandlers
    way, any_other, kind = log_buffer._way, log_buffer._core.record, logging.LogRecord

    # As `capture` does, without a call for it.
    if sys.version_info >= (3, 12):

        def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:  # noqa: N802
            if not forwarding or not is_forwarded(record):
                try:
                    take = way.record
                    take(record, record.taskName, kind.getMessage)
                except Exception:
                    any_other(record)
            call_handlers(self, record)

    else:

        def callHandlers(self: logging.Logger, record: logging.LogRecord) -> None:  # noqa: N802
            if not forwarding or not is_forwarded(record):
                try:
                    take = way.record
                    take(record, record.process, kind.getMessage)
                except Exception:
                    any_other(record)
            call_handlers(self, record)

    code = callHandlers.__code__

    def has_seen(record: logging.LogRecord) -> bool:
        """Whether a handler was called by way of `callHandlers`."""
        frame = sys._getframe(1)
        for _ in range(12):
            if frame.f_code is code and frame.f_locals.get("record") is record:
                return True
            if frame.f_back is None:
                return False
            frame = frame.f_back
        return False

    def undo() -> None:
        if logging.Logger.callHandlers is callHandlers:
            logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]
        _hook.set(None)

    callHandlers.__wrapped__ = call_handlers  # type: ignore[attr-defined]
    logging.Logger.callHandlers = callHandlers  # type: ignore[method-assign]
    _hook.has_seen = has_seen  # type: ignore[method-assign]
    _hook.set(log_buffer)
    _undo.append(undo)


def _hook_warnings() -> None:
    # The one place where a warning is shown. One that is caught (`catch_warnings`) or logged
    # (`logging.captureWarnings`) does not come here.
    name = "_showwarnmsg_impl"
    show = getattr(warnings, name, None)
    if show is None:
        return

    def showing(msg: Any) -> None:
        _record(
            "py.warnings",
            logging.WARNING,
            lambda: f"{msg.category.__name__}: {msg.message}",
            pathname=str(msg.filename),
            lineno=msg.lineno,
        )
        show(msg)

    def undo() -> None:
        if getattr(warnings, name) is showing:
            setattr(warnings, name, show)

    setattr(warnings, name, showing)
    _undo.append(undo)


def _hook_exceptions() -> None:
    excepthook, thread_hook, unraisable_hook = (
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
    )

    def uncaught(kind: type[BaseException], value: BaseException, traceback: Any) -> None:
        if issubclass(kind, Exception):
            _record(
                "sys.excepthook",
                logging.CRITICAL,
                lambda: f"uncaught exception: {kind.__name__}: {value}",
                exc_info=(kind, value, traceback),
            )
        excepthook(kind, value, traceback)

    def in_thread(args: Any) -> None:
        if args.exc_type is not SystemExit and args.exc_value is not None:
            name = args.thread.name if args.thread else "?"
            _record(
                "threading.excepthook",
                logging.ERROR,
                lambda: f"uncaught exception in thread {name}: {args.exc_type.__name__}: {args.exc_value}",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )
        thread_hook(args)

    def unraisable(args: Any) -> None:
        if args.exc_value is not None:
            what = args.err_msg or "exception ignored in"
            _record(
                "sys.unraisablehook",
                logging.ERROR,
                lambda: f"{what} {args.object!r}: {args.exc_type.__name__}: {args.exc_value}",
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )
        unraisable_hook(args)

    for module, name, hook, before in (
        (sys, "excepthook", uncaught, excepthook),
        (threading, "excepthook", in_thread, thread_hook),
        (sys, "unraisablehook", unraisable, unraisable_hook),
    ):
        setattr(module, name, hook)

        def undo(
            module: Any = module, name: str = name, hook: Any = hook, before: Any = before
        ) -> None:
            if getattr(module, name) is hook:
                setattr(module, name, before)

        _undo.append(undo)


def _record(
    logger: str,
    level: int,
    message: Callable[[], str],
    *,
    exc_info: Any = None,
    pathname: str = "",
    lineno: int = 0,
) -> None:
    """Records what comes from no logger. Never raises."""
    try:
        try:
            text = message()
        except Exception as error:
            text = f"(a message that cannot be formatted: {type(error).__name__})"
        if exc_info and exc_info[2] is not None and not pathname:
            traceback = exc_info[2]
            while traceback.tb_next is not None:
                traceback = traceback.tb_next
            pathname, lineno = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
            function = traceback.tb_frame.f_code.co_name
        else:
            function = None
        record = logging.LogRecord(logger, level, pathname, lineno, text, None, exc_info, function)
        log_buffer._core.record(record)
    except Exception:
        # What is being told of is on its way to standard error anyway.
        return


def _mount(app: Any, prefix: str) -> None:
    if any(app is mounted for mounted in _installed["apps"]):
        return
    if getattr(app, "middleware_stack", None) is not None:
        # It runs already.
        app.middleware_stack = Middleware(app.middleware_stack, prefix)
    elif hasattr(app, "add_middleware"):
        app.add_middleware(Middleware, prefix=prefix)
    else:
        raise TypeError(
            f"app is a {type(app).__name__}; give a FastAPI or Starlette app, or wrap another ASGI app: "
            "app = logrec.Middleware(app)"
        )
    _installed["apps"].append(app)


def _mount_in_uvicorn(module: ModuleType) -> None:
    """Mounts on whatever app uvicorn loads. For ``python -m logrec``."""
    load = module.Config.load

    def loading(self: Any) -> None:
        load(self)
        if not isinstance(self.loaded_app, Middleware):
            self.loaded_app = Middleware(self.loaded_app)

    module.Config.load = loading


def _end() -> None:
    """Ends this process's recording in good order."""
    log_buffer._core.end()
    log_buffer._found_way()


def _hook_multiprocessing(module: ModuleType) -> None:
    """Forked children of multiprocessing end by ``os._exit``: their recordings say that it was in order."""

    def in_child(_: Any) -> None:
        module.Finalize(None, _end, exitpriority=-1000)

    module.register_after_fork(log_buffer, in_child)


def _hook_billiard(module: ModuleType) -> None:
    """The same for the processes of celery's pool, which leave multiprocessing's finalizers out."""
    kind = module.Worker
    do_exit = kind._do_exit

    def ending(self: Any, *args: Any) -> None:
        _end()
        do_exit(self, *args)

    def undo() -> None:
        if kind._do_exit is ending:
            kind._do_exit = do_exit

    kind._do_exit = ending
    _undo.append(undo)


def _on_import(name: str, hook: Callable[[ModuleType], None]) -> None:
    """Calls ``hook`` with the module: now, or right after it is imported."""
    module = sys.modules.get(name)
    if module is not None:
        hook(module)
        return
    finder = _Finder(name, hook)
    sys.meta_path.insert(0, finder)

    def undo() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    _undo.append(undo)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, hook: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._hook = hook

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != self._name:
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        loader, hook = spec.loader, self._hook
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            try:
                hook(module)
            except Exception as error:
                _record(
                    "logrec",
                    logging.ERROR,
                    lambda: f"{fullname} is not hooked: {type(error).__name__}: {error}",
                )

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
