#!/usr/bin/env bash
# Runs an incident benchmark over `logrec digest`, at budgets of 2000 and 500 tokens.
#
#   scripts/incidents.sh FOLDER [ARGUMENTS of its run.py]
#
# FOLDER holds the benchmark: a `run.py` that makes buffers with a hidden incident, runs a command on each
# and scores what it prints.
set -euo pipefail
run=${1:?the folder of the benchmark}/run.py
shift
cd "$(dirname "$0")/.."
cargo build --locked -q --release -p logrec-cli
logrec=${CARGO_TARGET_DIR:-target}/release/logrec
logrec=$(realpath "$logrec")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for budget in 2000 500; do
    python3 "$run" --work "$work" --budget "$budget" --no-baselines \
        --cmd "$logrec digest --max-tokens {budget} {file}" "$@"
done
