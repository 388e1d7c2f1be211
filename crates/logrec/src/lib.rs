//! The flight recorder of a Rust backend: a tracing Layer, a log bridge, and the ring behind them.
