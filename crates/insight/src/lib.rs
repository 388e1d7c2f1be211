//! What entries mean together: pure functions from entries to a result.
//!
//! No I/O, no clock, no hidden state: the same entries give the same answer from a ring, a file or a
//! store, and a test needs no server.

pub mod digest;
pub mod facets;
pub mod miner;
pub mod numbers;
pub mod patterns;
pub mod series;
pub mod skeleton;
pub mod stack;
pub mod template;
pub mod trends;
pub mod volume;
