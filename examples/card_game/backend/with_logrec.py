"""The same app with logrec's one line. From examples/card_game::

    uvicorn backend.with_logrec:app --port 8000
    curl -s 'http://127.0.0.1:8000/api/debug/logs?level=ERROR'

In a backend of your own the line stands where the app is made. It is a module of its own here because
the other ways to run this backend need no logrec in it.
"""

import logrec

from backend.main import app

__all__ = ["app"]

logrec.install(app, service="card_game")
