"""Real servers: which entries arrive, each once, and that they print what they printed before."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

import pytest

from conftest import free_port, masked, wait_for


def ask(port: int, path: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"connection": "close"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def entries(port: int, query: str = "") -> list[dict]:
    status, body = ask(port, f"/api/debug/logs?order=asc&limit=1000{query}")
    assert status == 200, body
    return json.loads(body)["data"]


def traffic(port: int) -> None:
    wait_for(lambda: ask(port, "/hello")[0] == 200)
    assert ask(port, "/hello?name=bob")[0] == 200
    assert ask(port, "/nowhere")[0] == 404
    assert ask(port, "/boom")[0] == 500
    assert ask(port, "/hello?name=eve")[0] == 200


def once(found: list[dict], **wanted) -> dict:
    matching = [e for e in found if all(e.get(k) == v for k, v in wanted.items())]
    assert len(matching) == 1, (wanted, [e["message"] for e in found])
    return matching[0]


def check_all_arrived(found: list[dict]) -> None:
    bob = once(found, logger="shop.cart", message="hello bob")
    assert bob["attributes"]["user_id"] == 7 and bob["function"] == "hello"
    line = [
        e for e in found
        if e["logger"] == "uvicorn.access" and e["attributes"].get("url.query") == "name=bob"
    ]  # fmt: skip
    assert len(line) == 1 and line[0]["attributes"]["http.response.status_code"] == 200
    statuses = [
        e["attributes"]["http.response.status_code"] for e in found if e["logger"] == "uvicorn.access"
    ]
    assert statuses.count(404) == statuses.count(500) == 1
    crash = once(found, logger="uvicorn.error", message="Exception in ASGI application\n")
    assert crash["exception"].endswith("RuntimeError: the till is empty")
    once(found, logger="py.warnings", message="UserWarning: about to fail")
    assert not [e for e in found if "/api/debug" in e["message"]], "lines of its own requests"


@pytest.mark.parametrize("how", ["install", "module"])
@pytest.mark.parametrize("workers", [1, 4])
def test_uvicorn(start, how, workers):
    port = free_port()
    args = ["uvicorn", "main:app", "--port", str(port)]
    if workers > 1:
        args += ["--workers", str(workers)]
    args = ["-m", "logrec", *args] if how == "module" else ["-m", *args]
    program = start(args, LOGREC=how, LOGREC_SERVICE="shop")
    traffic(port)
    found = wait_for(lambda: len(entries(port)) >= 8 and entries(port), 5)
    time.sleep(0.3)
    found = entries(port)
    check_all_arrived(found)
    if workers == 1:
        once(found, logger="uvicorn.error", message=f"Started server process [{found[0]['process']}]")
    else:
        served_by = {entries(port)[-1]["id"] for _ in range(12)}
        assert len(served_by) == 1, "each worker answers for all"
    assert {e["service"] for e in found} == {"shop"}
    program.stop()


@pytest.mark.parametrize("basic", ["", "1"])
def test_uvicorn_prints_what_it_printed(start, basic):
    port = free_port()
    printed = []
    for how, module in [("", ["-m"]), ("install", ["-m"]), ("", ["-m", "logrec"])]:
        args = [*module, "uvicorn", "main:app", "--port", str(port)]
        program = start(args, LOGREC=how, BASIC=basic)
        traffic(port)
        printed.append(masked(program.stop()))
    hellos = [[line for line in lines if "ada" not in line and "/hello " not in line] for lines in printed]
    assert hellos[0] == hellos[1] == hellos[2]
    assert any("the till is empty" in line for line in hellos[0])


def test_four_workers_print_what_they_printed(start):
    port = free_port()
    printed = []
    for how in ("", "install"):
        args = ["-m", "uvicorn", "main:app", "--port", str(port), "--workers", "4"]
        program = start(args, LOGREC=how)
        wait_for(lambda p=program: p.output().count("Application startup complete") == 4)
        for name in ("a", "b"):
            assert ask(port, f"/hello?name={name}")[0] == 200
        printed.append(sorted(masked(program.stop())))
    assert printed[0] == printed[1]


def test_gunicorn_with_preload(start):
    port = free_port()
    program = start(
        ["-m", "gunicorn", "-k", "asgi", "-w", "2", "-b", f"127.0.0.1:{port}", "--preload", "main:app"],
        LOGREC="install",
    )
    try:
        wait_for(lambda: ask(port, "/hello?name=gun")[0] == 200)
    except AssertionError:
        pytest.fail(program.output())
    found = wait_for(lambda: [e for e in entries(port) if e["message"] == "hello gun"])
    assert len(found) >= 1


def test_a_script_that_runs_uvicorn(start, tmp_path):
    port = free_port()
    script = tmp_path / "script.py"
    script.write_text(
        "import uvicorn, main\n"
        f"uvicorn.run(main.app, port={port})\n"
    )
    start([str(script)], LOGREC="install", PYTHONPATH=str(tmp_path / "run0"))
    traffic(port)
    check_all_arrived(wait_for(lambda: len(entries(port)) >= 8 and entries(port), 5))


def test_reload(start):
    port = free_port()
    program = start(
        ["-m", "uvicorn", "main:app", "--port", str(port), "--reload"], LOGREC="install"
    )
    traffic(port)
    check_all_arrived(wait_for(lambda: len(entries(port)) >= 8 and entries(port), 5))
    program.stop()
