#!/usr/bin/env bash
# schemathesis over the OpenAPI document of a running server: no 5xx, and no answer outside its schema.
# In a virtual environment of its own in the tree. LOGREC names the binary.
set -euo pipefail
cd "$(dirname "$0")/.."

logrec=$(realpath "${LOGREC:-target/debug/logrec}")
venv=.venv-api
if [ ! -x $venv/bin/schemathesis ]; then
    python3 -m venv $venv || {
        apt-get install -y -q python3-venv >/dev/null
        python3 -m venv $venv
    }
    $venv/bin/pip install --quiet --disable-pip-version-check 'schemathesis>=4.32,<5'
fi

work=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
"$logrec" serve --bind 127.0.0.1:0 --port-file "$work/address" --rings "$work/rings" 2>"$work/log" &
pid=$!
until [ -s "$work/address" ]; do
    kill -0 $pid 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.05
done
api=http://$(cat "$work/address")/api/debug

# Entries to answer with, and a document that does not make every request wait a minute or ask for an
# entry that is not there.
python3 scripts/api_tests.py "$api" >"$work/openapi.json"

$venv/bin/schemathesis run "$work/openapi.json" --url "$api" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --phases examples,coverage,fuzzing --max-examples "${LOGREC_API_EXAMPLES:-40}" \
    --generation-database none --warnings off --no-color >"$work/report" 2>&1 || {
    cat "$work/report" >&2
    exit 1
}
sed -n '/SUMMARY/,$p' "$work/report"
kill -0 $pid
