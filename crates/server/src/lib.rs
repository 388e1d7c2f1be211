//! logrec's HTTP surface: an axum [`router`] to nest into any application, an [`app`] with all of it,
//! and a [`Server`] to serve that where there is none.
//!
//! A handler parses, asks the [`Reader`](logrec_reader::Reader) and renders; nothing else. Before
//! every route stands [`access`]: who asks from where.

pub mod access;
mod http;
mod serve;
mod stream;

pub use access::{Access, BindError};
pub use http::{App, app, router};
pub use serve::{Server, ServerOptions};
pub use stream::{HandedOver, Handover, Session, StreamOptions};
