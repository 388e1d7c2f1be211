#!/usr/bin/env bash
# Runs every benchmark and writes docs/benchmarks.md. Nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

out=docs/benchmarks.md
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT
{
    cat docs/benchmarks.head.md
    echo
    echo "Machine: $(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(free -g | awk '/^Mem/ {print $2}') GiB, $(uname -sr | cut -d. -f1,2), $(rustc --version | cut -d' ' -f1,2). $(date -u +%Y-%m-%d)."
    echo
    echo "## Capture"
    echo
    cargo bench --locked -q -p logrec --bench capture
    echo
    echo "## Looking through a ring"
    echo
    cargo bench --locked -q -p logrec-core --bench scan
    echo
    echo "## Reading over HTTP"
    echo
    cargo bench --locked -q -p logrec-server --bench http
    echo
    echo "## Live streams"
    echo
    cargo bench --locked -q -p logrec-server --bench streams
    # Where `make python` has made its environment. The module is built anew, for speed.
    if [ -x .venv-py/bin/maturin ]; then
        VIRTUAL_ENV=$PWD/.venv-py .venv-py/bin/maturin develop --quiet --release --locked \
            --manifest-path python/Cargo.toml >&2
        echo
        echo "## Python: a log call, and memory"
        echo
        .venv-py/bin/python benches/python_handler.py
        echo
        echo "## Python: GET /logs from the Rust thread"
        echo
        .venv-py/bin/python benches/python_http.py
    fi
    # Where the incident benchmark is at hand: LOGREC_INCIDENTS names its folder.
    if [ -n "${LOGREC_INCIDENTS:-}" ]; then
        echo
        echo "## Digests of incidents"
        echo
        echo '```text'
        scripts/incidents.sh "$LOGREC_INCIDENTS"
        echo '```'
    fi
} >"$tmp"
cp "$tmp" "$out"
echo "wrote $out"
