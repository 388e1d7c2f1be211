//! `logrec._core`: what the Python package `logrec` is made of.
//!
//! A `Buffer` records what Python's `logging` gives it (`capture`) into a ring, answers questions
//! about it through the reader, and answers HTTP through the router of `logrec-server`: inside an ASGI
//! application (`asgi`) or from a thread of its own that never takes the interpreter's lock
//! (`serve`). Nothing here filters, renders or routes.
//!
//! No lock is held while Python is called, and every call into the ring or the reader that may take
//! longer than a push gives the interpreter's lock away. Safe without that lock (free-threaded CPython):
//! classes are frozen, their insides are atomics or the ring's.

mod access;
mod asgi;
mod buffer;
mod capture;
mod extent;
mod message;
mod serve;
mod site;
mod template;
mod usual;
mod value;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::{
        asgi::Exchange,
        buffer::{Buffer, ParameterError, Recorder, default_folder},
        serve::Server,
    };
}
