//! What is the same for all records of one log call in the source: logger, module, function, file, line,
//! and the service and process of the buffer. Encoded once, then copied.
//!
//! A call is known by the *identity* of the strings its records bear: a code object has one string for
//! its file and one for its name, a logger one for its own. A site keeps them alive, so that an address
//! that is the same is the same string.

use std::sync::{Mutex, MutexGuard, TryLockError};

use logrec_core::record::{Prepared, RecordWriter};
use pyo3::{Borrowed, prelude::*, types::PyString};

/// Sites remembered. Two that fall on one place take turns.
const SITES_MAX: usize = 512;

/// What tells a call, lent.
#[derive(Clone, Copy)]
pub(crate) struct Key<'d, 'py> {
    pub(crate) logger: Borrowed<'d, 'py, PyString>,
    pub(crate) file: Borrowed<'d, 'py, PyString>,
    pub(crate) function: Borrowed<'d, 'py, PyString>,
    /// `logging` makes this string anew for each record: compared by what it says.
    pub(crate) module: &'d str,
    pub(crate) line: u32,
    pub(crate) process: u64,
}

impl Key<'_, '_> {
    fn index(&self) -> usize {
        // Objects lie 16 bytes apart; of one file it is the lines that differ.
        let address = |text: Borrowed<'_, '_, PyString>| text.as_ptr() as usize >> 4;
        let mixed = address(self.file)
            ^ address(self.logger).rotate_left(7)
            ^ (self.line as usize).wrapping_mul(0x9E37_79B1);
        (mixed ^ mixed >> 11) % SITES_MAX
    }
}

struct Site {
    logger: Py<PyString>,
    file: Py<PyString>,
    function: Py<PyString>,
    module: Box<str>,
    line: u32,
    process: u64,
    fields: Prepared,
}

impl Site {
    fn is(&self, key: &Key<'_, '_>) -> bool {
        self.file.as_ptr() == key.file.as_ptr()
            && self.line == key.line
            && self.logger.as_ptr() == key.logger.as_ptr()
            && self.function.as_ptr() == key.function.as_ptr()
            && self.process == key.process
            && *self.module == *key.module
    }
}

/// The sites of one buffer with one configuration.
#[derive(Default)]
pub(crate) struct Sites {
    /// Empty until the first record. Held for a copy of some hundred bytes; no Python runs meanwhile.
    places: Mutex<Vec<Option<Box<Site>>>>,
}

/// A site that was found, and nobody else may use the sites until it is written.
pub(crate) struct Found<'s> {
    places: MutexGuard<'s, Vec<Option<Box<Site>>>>,
    index: usize,
}

impl Found<'_> {
    /// Writes what is remembered.
    pub(crate) fn write(self, writer: &mut RecordWriter<'_>) {
        if let Some(site) = &self.places[self.index] {
            writer.prepared(&site.fields);
        }
    }
}

impl Sites {
    /// The site of a call, made by `encode` when it is not remembered; `None` when that makes none, or
    /// another thread is at it (of a free-threaded interpreter; or one that was there before a fork).
    pub(crate) fn find(
        &self,
        key: &Key<'_, '_>,
        encode: impl FnOnce() -> Option<Prepared>,
    ) -> Option<Found<'_>> {
        let mut places = match self.places.try_lock() {
            Ok(places) => places,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let index = key.index();
        if let Some(Some(site)) = places.get(index)
            && site.is(key)
        {
            return Some(Found { places, index });
        }
        if places.is_empty() {
            places.resize_with(SITES_MAX, || None);
        }
        places[index] = Some(Box::new(Site {
            fields: encode()?,
            logger: key.logger.to_owned().unbind(),
            file: key.file.to_owned().unbind(),
            function: key.function.to_owned().unbind(),
            module: key.module.into(),
            line: key.line,
            process: key.process,
        }));
        Some(Found { places, index })
    }
}
