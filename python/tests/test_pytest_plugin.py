"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
import logging

def test_passes():
    logging.getLogger("a").error("of a test that passes")

def test_fails():
    log = logging.getLogger("uvicorn.access")
    log.propagate = False
    log.warning("said %s", "before")
    assert False
"""


def test_a_failing_test_shows_its_entries(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
    shown = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, timeout=60).stdout
    assert "logrec: entries until call" in shown and "1 failed, 1 passed" in shown
    assert "uvicorn.access said before" in shown and "of a test that passes" not in shown
    off = [*run[:3], "-p", "no:logrec", str(tmp_path)]
    shown = subprocess.run(off, capture_output=True, text=True, cwd=tmp_path, timeout=60).stdout
    assert "logrec: entries" not in shown


def test_under_xdist(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    run = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "1", str(tmp_path)]
    shown = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, timeout=60).stdout
    assert "logrec: entries until call" in shown and "1 failed, 1 passed" in shown
    assert "uvicorn.access said before" in shown and "of a test that passes" not in shown
