"""Real uvicorn: which entries arrive, each once, and that it prints what it printed before."""

from __future__ import annotations

import pytest

from conftest import arrived, ask, entries, free_port, masked, once, traffic, wait_for


@pytest.mark.parametrize("how", ["install", "module"])
@pytest.mark.parametrize("workers", [1, 4])
def test_uvicorn(start, how, workers):
    port = free_port()
    args = ["uvicorn", "main:app", "--port", str(port)]
    if workers > 1:
        args += ["--workers", str(workers)]
    args = ["-m", "logrec", *args] if how == "module" else ["-m", *args]
    program = start(args, LOGREC=how, LOGREC_SERVICE="shop")
    wait_for(lambda: program.output().count("Application startup complete") == workers)
    traffic(port)
    found = arrived(lambda: entries(port))
    if workers == 1:
        once(found, logger="uvicorn.error", message=f"Started server process [{found[0]['process']}]")
    else:
        # Each worker answers for all, within the 200 ms for which it trusts its last look at the folder.
        wait_for(lambda: len({entries(port)[-1]["id"] for _ in range(12)}) == 1)
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
    assert printed[0] == printed[1] == printed[2]
    assert any("the till is empty" in line for line in printed[0])


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


def test_a_script_that_runs_uvicorn(start, tmp_path):
    port = free_port()
    script = tmp_path / "script.py"
    script.write_text(f"import uvicorn, main\nuvicorn.run(main.app, port={port})\n")
    printed = []
    for run, how in enumerate(["", "install"]):
        program = start([str(script)], LOGREC=how, PYTHONPATH=str(tmp_path / f"run{run}"))
        traffic(port)
        if how:
            arrived(lambda: entries(port))
        printed.append(masked(program.stop()))
    # Asking for the entries is a request too.
    assert printed[0] == [line for line in printed[1] if "/api/debug" not in line]


def test_reload(start, tmp_path):
    """Entries of before a reload and of after it, and what is printed all the while."""
    port = free_port()
    printed = []
    for run, how in enumerate(["", "install"]):
        program = start(
            ["-m", "uvicorn", "main:app", "--port", str(port), "--reload"], LOGREC=how
        )
        traffic(port)
        # Its file as it was, but newer: uvicorn looks at the time.
        (tmp_path / f"run{run}" / "main.py").touch()
        wait_for(lambda p=program: p.output().count("Application startup complete") == 2)
        assert ask(port, "/hello?name=again")[0] == 200
        if how:
            found = arrived(lambda: entries(port))
            once(found, logger="shop.cart", message="hello again")
            assert len({e["process"] for e in found if e["logger"] == "shop.cart"}) == 2
        printed.append(masked(program.stop()))
    assert printed[0] == [line for line in printed[1] if "/api/debug" not in line]
