# The front door. `make run` shows what logrec does, `make test` proves it.

CARGO ?= cargo
export RUSTDOCFLAGS ?= -D warnings

.PHONY: run test check unit models proofs api python demo arrows bench docs clean

## Build logrec, start the card game under it, play, print where to ask.
run:
	$(CARGO) build --release --locked -p logrec-cli
	LOGREC=target/release/logrec examples/card_game/demo.sh

## Everything that is checked before a change lands.
test: check arrows unit models api python demo

## Formatting, lints, documentation.
check:
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) doc --workspace --no-deps --locked --quiet

## Unit, property, golden and black-box tests.
unit:
	LOGREC_FUZZ_SECONDS=60 $(CARGO) test --workspace --locked --quiet
	$(CARGO) test -p logrec --no-default-features --locked --quiet
	cd examples/card_game && python3 -m unittest -q

## The HTTP API against its own description, by schemathesis, in a virtual environment in the tree.
api:
	$(CARGO) build --locked -p logrec-cli
	scripts/api-tests.sh

## Every order in which threads may meet in the ring, in small; two minutes with its own build.
models:
	scripts/proofs.sh loom

## The models, and the ring's tests under valgrind.
proofs:
	scripts/proofs.sh

## The Python package, in a virtual environment of its own in the tree.
python:
	scripts/python-tests.sh

## The promises at crate edges: each of these trees must not hold what is named.
arrows:
	scripts/arrows.sh

## The demo once for real, with the build that the tests used.
demo:
	$(CARGO) build --locked -p logrec-cli
	LOGREC=target/debug/logrec LOGREC_BIND=127.0.0.1:0 examples/card_game/demo.sh --once

## Measures, and writes docs/benchmarks.md.
bench:
	scripts/bench.sh

docs:
	$(CARGO) doc --workspace --no-deps --open

clean:
	$(CARGO) clean
	rm -rf .venv .venv-py .venv-api
