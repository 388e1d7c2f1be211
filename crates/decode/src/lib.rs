//! Bytes of a log line to an entry: one file a format; pure, no I/O.
