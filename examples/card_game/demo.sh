#!/usr/bin/env bash
# The demo: a card game backend recorded by logrec, games played on it, faults provoked.
#
#   demo.sh           stays until Ctrl-C, for you to ask questions
#   demo.sh --once    asks the questions itself; exits with 1 unless the answers show the faults
#
# Recorded is what the backend prints, by `logrec run`. Or by the Python package, which is built and
# installed into the virtual environment if it is not there (Rust, some minutes):
#
#   demo.sh --module     `python -m logrec uvicorn backend.main:app`: no line of the backend changed
#   demo.sh --install    `logrec.install(app)`, the one line of backend/with_logrec.py
#
# LOGREC       the logrec binary (default: target/release/logrec of this repository)
# LOGREC_BIND  where logrec listens (default: its own, or the next free port)
# PYTHON       makes the virtual environment (default: python3), 3.11 or newer
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
logrec=${LOGREC:-$root/target/release/logrec}
python=${PYTHON:-python3}
venv=$root/.venv
requirements=$here/requirements.txt
start_timeout_s=30
answer_timeout_s=10
stop_timeout_s=10

# What to ask: a path under logrec's address, and what it answers.
errors='/api/debug/logs?level=ERROR,CRITICAL&limit=10'
slow='/api/debug/logs?logger_filter=performance&search=slow&limit=5'
mismatch='/api/debug/logs?logger_filter=engine.game&level=WARNING&limit=5'

fail() {
    printf 'demo: %s\n' "$*" >&2
    exit 1
}

# Make the virtual environment, and install into it when the requirements have changed.
prepare_python() {
    local stamp=$venv/card_game.requirements.txt
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "$python is older than Python 3.11; set PYTHON to a newer one"
    [[ -x $venv/bin/python ]] || "$python" -m venv "$venv"
    if ! cmp -s "$requirements" "$stamp"; then
        echo "Installing the card game's requirements into .venv ..."
        "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements"
        cp "$requirements" "$stamp"
    fi
    if [[ $way != run ]] && ! "$venv/bin/python" -c 'import logrec' 2>/dev/null; then
        echo "Building the Python package logrec and installing it into .venv ..."
        "$venv/bin/python" -m pip install -q --disable-pip-version-check "$root/python"
    fi
}

free_port() {
    "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Start logrec and, below it, the backend: in a process group of their own, so that Ctrl-C
# reaches this script alone, and so that nothing can be left behind.
start_backend() {
    local bind=() command=()
    [[ -z ${LOGREC_BIND:-} ]] || bind=(--bind "$LOGREC_BIND")
    case $way in
    run)
        command=("$logrec" run ${bind[@]+"${bind[@]}"} --port-file "$work/address" --
            "$venv/bin/uvicorn" backend.main:app)
        ;;
    module) command=("$venv/bin/python" -m logrec --service card_game uvicorn backend.main:app) ;;
    install) command=("$venv/bin/uvicorn" backend.with_logrec:app) ;;
    esac
    # The package answers on the backend's own port.
    [[ $way == run ]] || echo "127.0.0.1:$game_port" >"$work/address"
    set -m
    (
        cd "$here"
        LOGREC_RINGS=$work/rings exec "${command[@]}" --port "$game_port"
    ) </dev/null >"$work/output" 2>&1 &
    recorder=$!
    set +m
}

# Wait until a command succeeds, as long as logrec runs and there is time.
wait_for() {
    local what=$1 deadline=$((SECONDS + start_timeout_s))
    shift
    until "$@"; do
        kill -0 "$recorder" 2>/dev/null || fail_with_output "logrec has ended before $what"
        ((SECONDS < deadline)) || fail_with_output "waited $start_timeout_s s in vain for $what"
        sleep 0.1
    done
}

fail_with_output() {
    tail -n 20 "$work/output" >&2
    fail "$*"
}

backend_is_healthy() {
    curl -fs -o "$work/health" --max-time 2 "http://127.0.0.1:$game_port/health"
}

# Ask logrec to stop, which stops the backend; then end what is left of them.
# shellcheck disable=SC2317,SC2329  # called by the trap
stop() {
    local status=$? deadline=$((SECONDS + stop_timeout_s))
    trap '' INT TERM
    trap - EXIT
    [[ -z $player ]] || kill -TERM "$player" 2>/dev/null || true
    if [[ -n $recorder ]]; then
        kill -TERM "$recorder" 2>/dev/null || true
        while kill -0 "$recorder" 2>/dev/null && ((SECONDS < deadline)); do
            sleep 0.1
        done
        kill -KILL -- "-$recorder" 2>/dev/null || true
    fi
    wait
    rm -rf "$work"
    exit "$status"
}

print_questions() {
    cat <<END

The backend's log is at http://$address - ask it:

  # What failed?
  curl -s "http://$address$errors"
  # What is slow?
  curl -s "http://$address$slow"
  # Which players are out of step with their game?
  curl -s "http://$address$mismatch"

END
}

# Print the answer to a question, and check that it has all the given texts. It is asked again
# for a while: between a line's writing and its recording lies a pipe.
check() {
    local path=$1 answer missing text deadline=$((SECONDS + answer_timeout_s))
    shift
    while true; do
        missing=
        answer=$(curl -fsS --max-time 5 "http://$address$path") || missing='an answer'
        for text in "$@"; do
            [[ $answer == *"$text"* ]] || missing=${missing:-$text}
        done
        if [[ -z $missing ]] || ((SECONDS >= deadline)); then
            break
        fi
        sleep 0.2
    done
    printf 'GET %s\n%s\n\n' "$path" "$answer"
    [[ -z $missing ]] || fail "GET $path does not answer with: $missing"
}

check_answers() {
    check "$errors" 'WebSocket connection refused for room abc123' \
        'Exception in ASGI application' "KeyError: 'points'" \
        'CorruptRecord' 'Database pool exhausted'
    check "$slow" 'Database query took 2.'
    check "$mismatch" 'Player state mismatch detected in room xyz789'
    echo 'All faults are in the answers.'
}

once=false
way=run
for argument in "$@"; do
    case $argument in
    --once) once=true ;;
    --module | --install) way=${argument#--} ;;
    *) fail "unknown argument $argument; give --once, --module or --install" ;;
    esac
done
if [[ $way == run ]]; then
    logrec=$(command -v "$logrec") ||
        fail "no logrec at ${LOGREC:-target/release/logrec}; build it (cargo build --release) or set LOGREC"
    logrec=$(realpath "$logrec")
fi

prepare_python
recorder=
player=
work=$(mktemp -d)
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

game_port=$(free_port)
start_backend
wait_for "logrec's address" test -s "$work/address"
wait_for "the backend's /health" backend_is_healthy
address=$(<"$work/address")
echo "Playing on http://127.0.0.1:$game_port, recorded by logrec at http://$address ..."
# In the background, because a shell that waits for a foreground command runs no trap.
"$venv/bin/python" "$here/play.py" --url "http://127.0.0.1:$game_port" &
player=$!
wait "$player"
player=

print_questions
if $once; then
    check_answers
else
    echo "Ctrl-C ends it all."
    wait "$recorder" || fail_with_output "logrec has ended"
fi
