"""Runs at the start of each Python process under ``python -m logrec``. Never keeps it from starting."""

import os
import sys


def _install() -> None:
    from logrec._install import _mount_in_uvicorn, _on_import, install

    serve = os.environ.get("LOGREC_SERVE", "")
    install(serve=int(serve) if serve.isdigit() else False)
    _on_import("uvicorn.config", _mount_in_uvicorn)


def _others() -> None:
    """The sitecustomize that this one stands before."""
    import importlib.machinery

    here = os.path.dirname(os.path.abspath(__file__))
    path = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", path)
    if spec is not None and spec.loader is not None:
        import importlib.util

        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


if os.environ.get("LOGREC_AUTORUN"):
    try:
        _install()
    except Exception as error:
        sys.stderr.write(f"logrec: not recording: {type(error).__name__}: {error}\n")
_others()
