//! logrec's HTTP surface: an axum router over the reader.
