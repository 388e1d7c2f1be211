#!/usr/bin/env bash
# The proofs of the ring beyond its tests: `proofs.sh loom` (in `make test`) runs the models of its protocol,
# `proofs.sh memcheck` its tests under valgrind, `proofs.sh` both. docs/proofs.md says what each shows.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
case ${1:-all} in
loom | memcheck | all) ;;
*) echo "usage: $0 [loom|memcheck]" >&2 && exit 2 ;;
esac

# In a folder of their own, so that other builds keep theirs. Arguments behind `loom` go to the tests.
if [ "${1:-all}" != memcheck ]; then
    RUSTFLAGS="--cfg loom" CARGO_PROFILE_RELEASE_LTO=off CARGO_TARGET_DIR=$target/loom \
        cargo test --locked --quiet -p logrec-core --lib --release -- ring::models "${@:2}"
fi

[ "${1:-all}" = loom ] && exit
if ! command -v valgrind >/dev/null; then
    echo "proofs: valgrind is not installed (apt-get install valgrind)" >&2
    exit 1
fi
# Some figures are for valgrind, which is fifty times as slow.
export PROPTEST_CASES=4 LOGREC_STRESS_LAPS=50 LOGREC_FUZZ_SECONDS=30
runner="valgrind --quiet --error-exitcode=9 --fair-sched=yes"
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=$runner CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$runner
cargo test --locked --quiet -p logrec-core --lib -- ring:: filter:: query::
cargo test --locked --quiet -p logrec-core --test damaged
