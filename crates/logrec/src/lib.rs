//! The flight recorder of a Rust backend: a tracing [`Layer`](tracing_subscriber::Layer), a bridge
//! for the `log` crate, and the bounded buffer behind them.
//!
//! A [`LogBuffer`] keeps the newest entries a program logged, in memory that is all reserved when
//! the buffer is made. Recording one neither waits nor fails, and allocates nothing unless a value's
//! own formatting does. Nothing the program already logs to is changed or replaced.
//!
//! Deliberately not here: filtering (use `tracing_subscriber`'s filters on the layer, or filter when
//! reading), and any runtime but the one that [`LogBuffer::serve`] starts for itself.
//!
//! ```
//! use logrec::LogBuffer;
//! use tracing_subscriber::prelude::*;
//!
//! let buffer = LogBuffer::new().service("shop");
//! let subscriber = tracing_subscriber::registry()
//!     .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink)) // what you had before
//!     .with(buffer.layer()); // the line to add
//! # let _guard = tracing::subscriber::set_default(subscriber);
//! # /*
//! subscriber.init();
//! # */
//!
//! tracing::warn!(order = 4711, took_ms = 12.5, "payment was slow");
//! assert_eq!(buffer.stats().entries, 1);
//! ```
//!
//! # What becomes of what
//!
//! | of an event | in the entry |
//! | --- | --- |
//! | `message` | `message`; of an event without one, its name if it was given one |
//! | level `TRACE` to `ERROR` | `TRACE`, `DEBUG`, `INFO`, `WARNING`, `ERROR` |
//! | target | `logger` |
//! | module path, file, line | `module`, `file`, `line` |
//! | fields | attributes, with their types; `?` and `%` make text |
//! | a field that is a `&dyn Error` | an attribute with its text, and `exception` with its causes |
//! | a field `exception` or `exception.stacktrace` that is text | `exception` |
//! | fields `trace_id` and `span_id` that are text | `trace_id`, `span_id` |
//! | the spans it is in | attribute `spans`, their names from the outermost in |
//! | the fields of those spans | attributes, unless an inner span or the event has the same name |
//! | the thread | `thread`, `thread_name` |
//!
//! # Features
//!
//! `log` (on by default): [`LogBuffer::logger`], [`LogBuffer::tee`] and [`LogBuffer::init_log`] for
//! programs that use the `log` crate without `tracing`.
//!
//! `server` (on by default): [`LogBuffer::router`] to nest into an axum app, [`LogBuffer::serve`] where
//! there is none. Without it only capture and query remain, and neither axum nor tokio is compiled.

mod buffer;
mod error_chain;
mod layer;
#[cfg(feature = "log")]
mod logger;
mod panics;
#[cfg(feature = "server")]
mod serve;
mod thread;

pub use buffer::LogBuffer;
pub use layer::LogrecLayer;
#[cfg(feature = "log")]
pub use logger::LogrecLogger;
pub use logrec_core::{
    Entry, Filter, Level, LevelSet, Order, Query, Ring, RingOptions, RingStats, Seq, Timestamp,
    Value, filter,
    ring::{DEFAULT_MAX_ENTRIES, Folder, Recording},
};
pub use panics::panic_hook;
#[cfg(feature = "server")]
pub use serve::{Access, BindError, ServeError, Serving};

#[cfg(test)]
mod testing;
