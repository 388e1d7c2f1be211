"""Two celery tasks over a folder as broker. As a script it sends both. LOGREC=install has the one line."""

import logging
import os
from pathlib import Path

from celery import Celery

if os.environ.get("LOGREC") == "install":
    import logrec

    logrec.install()

folder = Path(os.environ["BROKER"])
app = Celery("tasks", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(folder / "queue"),
    "data_folder_out": str(folder / "queue"),
    "control_folder": str(folder / "control"),
    "polling_interval": 0.05,
}
app.conf.broker_connection_retry_on_startup = True
log = logging.getLogger("tasks.kitchen")


@app.task(name="tasks.cook")
def cook(dish):
    log.warning("cooking %s", dish, extra={"dish": dish})


@app.task(name="tasks.burn")
def burn(dish):
    raise RuntimeError(f"burnt the {dish}")


if __name__ == "__main__":
    for task, dish in [("tasks.cook", "soup"), ("tasks.burn", "toast")]:
        app.send_task(task, [dish])
