//! Black-box tests: the built binary, over real sockets and pipes. One module a surface.
//!
//! | module | what it shows |
//! | --- | --- |
//! | `http_contract` | the requests of the contract, answered to the letter; cursors; forms; long poll |
//! | `http_bad_input` | what is wrong is named with the right status, and the server goes on |
//! | `http_access` | foreign hosts and origins, tokens, addresses that may not be bound |
//! | `http_query` | the query language, marks, context and stories, facets, folding; one answer however it is asked |
//! | `recordings` | rings in files: many processes, alive and dead, behind one server or none; clear, damage |
//! | `streams` | WebSocket and server-sent events, by clients that behave and that do not; restarts, ends |
//! | `load` | many writers and readers at once: nothing torn, nothing uncounted, memory flat |
//!
//! Commands (`run`, `pipe`, `serve FILE`, `logs`, …) are tested beside them, in `crates/cli/tests`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http_access;
mod http_bad_input;
mod http_contract;
mod http_query;
mod load;
mod recordings;
mod streams;
mod support;
