#!/usr/bin/env bash
# A crate edge stands where a promise stands (ARCHITECTURE.md). Each line is one: the crate must not
# depend on what follows it, with the features named.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=0
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
without() {
    local crate=$1 features=$2
    shift 2
    for absent in "$@"; do
        # An empty tree, or a failure with "did not match any packages", is what is wanted. Any other
        # failure says nothing about the arrow.
        # shellcheck disable=SC2086
        if tree=$(cargo tree --locked -q -e normal -p "$crate" $features -i "$absent" 2>"$errors"); then
            [ -z "$tree" ] && continue
            echo "arrow broken: $crate depends on $absent" >&2
            echo "$tree" | head -20 >&2
        else
            grep -qF "\`$absent\` did not match any packages" "$errors" && continue
            echo "arrow not checked: cargo tree failed for $crate without $absent" >&2
            cat "$errors" >&2
        fi
        failed=1
    done
}

without logrec-core "" tokio axum hyper serde serde_json rusqlite
without logrec-decode "" tokio axum hyper serde_json
without logrec-insight "" tokio axum hyper serde_json logrec-decode logrec-reader
without logrec-reader "" tokio axum hyper serde_json
without logrec "--no-default-features" tokio axum hyper logrec-reader logrec-server logrec-decode
[ "$failed" = 0 ] && echo "arrows hold"
exit "$failed"
