"""A small backend. LOGREC=install has the one line; without it, it is what it was before."""

import logging
import os
import warnings

from fastapi import FastAPI

if os.environ.get("BASIC"):
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")

app = FastAPI()
if os.environ.get("LOGREC") == "install":
    import logrec

    logrec.install(app, service="shop")

log = logging.getLogger("shop.cart")


@app.get("/hello")
def hello(name: str = "ada"):
    log.warning("hello %s", name, extra={"user_id": 7})
    log.info("only shown where INFO is")
    return {"pid": f"{os.getpid():08}"}  # of one length, which access lines tell


@app.get("/boom")
def boom():
    warnings.warn("about to fail", UserWarning, stacklevel=1)
    raise RuntimeError("the till is empty")
