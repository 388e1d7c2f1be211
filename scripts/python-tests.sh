#!/usr/bin/env bash
# The tests of the Python package: its module is built and installed into a virtual environment in the
# tree (.venv-py), with the test requirements, and pytest runs. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${LOGREC_VENV:-.venv-py}
[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
venv=$(cd "$venv" && pwd)
echo '*' >"$venv/.gitignore"

# Installed anew only when what is asked for has changed.
wanted=$(cat python/requirements-test.txt <(echo 'maturin>=1.16,<2'))
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        -r python/requirements-test.txt 'maturin>=1.16,<2'
    echo "$wanted" >"$venv/installed"
fi

# What the browser tests need; without one they are left out, and say so.
scripts/chromium.sh >/dev/null || echo "no Chromium here, and none to be had: its tests are left out" >&2

# In the development profile: the tests look for what is right, benches/python_handler.py for how long.
VIRTUAL_ENV=$venv PATH="$venv/bin:$PATH" maturin develop --quiet --locked \
    --manifest-path python/Cargo.toml ${LOGREC_RELEASE:+--release}
exec "$venv/bin/python" -m pytest python/tests -c python/pyproject.toml "$@"
