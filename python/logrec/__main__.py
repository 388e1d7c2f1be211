"""``python -m logrec uvicorn main:app …``: starts a Python program as it stands, recorded.

    python -m logrec [--service NAME] [--serve [PORT]] uvicorn main:app --workers 4
    python -m logrec gunicorn -k uvicorn.workers.UvicornWorker main:app
    python -m logrec script.py ARG…
    python -m logrec -m package.module ARG…

The program and every Python process it starts records; on an app that uvicorn serves the API is mounted
at /api/debug. Works by a ``sitecustomize`` module in PYTHONPATH, so no line of the program changes.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

USAGE = 2
NOT_FOUND = 127


def main(argv: list[str]) -> int:
    """Replaces this process by the program. Returns only when it cannot."""
    env = dict(os.environ)
    while argv and argv[0].startswith("--"):
        option, _, value = argv.pop(0).partition("=")
        if option == "--":
            break
        if option == "--help":
            print(__doc__)
            return 0
        if option == "--service":
            env["LOGREC_SERVICE"] = value or (argv.pop(0) if argv else "")
        elif option == "--serve":
            if not value and argv and argv[0].isdigit():
                value = argv.pop(0)
            env["LOGREC_SERVE"] = value or "5050"
        else:
            print(f"logrec: `{option}` is no option here; give --service or --serve", file=sys.stderr)
            return USAGE
    if not argv:
        print(__doc__, file=sys.stderr)
        return USAGE
    command = _command(argv)
    if command is None:
        print(
            f"logrec: `{argv[0]}` is no script, no module and no command; give one of these",
            file=sys.stderr,
        )
        return NOT_FOUND
    autorun = str(Path(__file__).parent / "_autorun")
    env["LOGREC_AUTORUN"] = "1"
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [autorun, env.get("PYTHONPATH")]))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, env)


def _command(argv: list[str]) -> list[str] | None:
    program = argv[0]
    if program in ("-m", "-c") or Path(program).is_file():
        return [sys.executable, *argv]
    if program.isidentifier() and _is_runnable(program):
        return [sys.executable, "-m", *argv]
    found = shutil.which(program)
    return [found, *argv[1:]] if found else None


def _is_runnable(name: str) -> bool:
    try:
        return importlib.util.find_spec(f"{name}.__main__") is not None
    except (ImportError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
