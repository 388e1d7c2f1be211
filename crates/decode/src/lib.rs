//! Bytes of a log line to an entry: one file a format; pure, no I/O, no clock.
//!
//! Three ways in. [`decode_line`] reads one line; [`LineDecoder`] reads a stream, however cut, and
//! joins stack traces to the entries they belong to; [`decode_ingest`] reads the body of an ingest
//! request. Nothing here fails on what an application writes: a line in no known format is an
//! entry with the line as message, bytes that are no text are shown as U+FFFD, and what is cut is
//! counted. Only an ingest request is told what is wrong with it, for its sender can mend it.
//!
//! Deliberately not here: sockets, files, redaction, and configuration. Formats are recognised,
//! not declared; a parser that a plain sentence could please is too eager. No regex is compiled:
//! one look at the first bytes chooses a few hand-written parsers, and most lines meet none.
//!
//! | file | what it recognises |
//! | --- | --- |
//! | `json` | one object a line: tracing, structlog, python-json-logger, pino, bunyan, winston, zap, slog, logback, ECS, Serilog, Google Cloud, GELF, MongoDB, journald, Monolog |
//! | `logfmt` | logrus, slog's text handler, Grafana's services, lograge |
//! | `python` | logging's usual formats, Django, Flask, Celery, loguru, structlog's console, uvicorn, Airflow, Tornado |
//! | `access` | Common and Combined Log Format, uvicorn, gin, morgan |
//! | `rust` | tracing's full, compact and pretty forms; `env_logger` |
//! | `java` | log4j, logback, Spring Boot, JBoss, Tomcat, Kafka, `java.util.logging`; `hadoop`, `android` |
//! | `go` | log, klog, glog, zap's console, zerolog's console |
//! | `node`, `ruby`, `dotnet`, `web` | pino-pretty, Nest; Logger, Rails, Elixir, Sidekiq; .NET's console; nginx, Apache, PHP |
//! | `syslog`, `postgres`, `redis` | RFC 5424 and 3164; their servers |
//! | `envelope` | the prefix of `docker compose`, Kubernetes' CRI, Docker's JSON files: what they hold is read as above |
//! | `trace` | stack traces of Python, the JVM, Node, Go, Rust, .NET, Ruby, PHP, Elixir |
//!
//! Times with a stated zone are read in it. Most programs state none and write the local time of
//! their machine: [`LineDecoder::with_zone`] and [`decode_line_in`] are told its zone; without it
//! such times are UTC, and always in [`decode_ingest`], whose senders may be anywhere. A program
//! that writes in a zone of its own choice (Django's `TIME_ZONE`, Laravel's `timezone`, Go's
//! `log.LUTC`) and does not say so is read wrong: no line shows it. A format without a date is
//! stamped with the arrival.
//!
//! ```
//! use logrec_core::{Level, Timestamp};
//! use logrec_decode::{Origin, decode_line};
//!
//! let entry = decode_line(b"WARNING:game.engine:slow turn", Origin::Stderr, Timestamp(0));
//! assert_eq!((entry.level, &*entry.logger), (Level::Warning, "game.engine"));
//! assert_eq!(entry.message, "slow turn");
//! ```

mod access;
mod android;
mod ansi;
mod civil;
mod context;
mod dated;
mod dotnet;
mod envelope;
mod go;
mod hadoop;
mod ingest;
mod java;
mod join;
mod json;
mod kv;
mod lanes;
mod leveled;
pub mod limits;
mod line;
mod logfmt;
mod node;
mod postgres;
mod python;
mod recognise;
mod redis;
mod ruby;
mod rust;
mod scan;
mod stamp;
mod stream;
mod syslog;
mod trace;
mod value;
mod web;
mod words;

pub use ingest::{Ingest, IngestError, Problem, decode_ingest};
pub use line::{decode_line, decode_line_in};
pub use stream::LineDecoder;

/// One JSON value and nothing after it, by the parser that reads entries: nested no deeper than
/// [`limits::JSON_DEPTH_MAX`], names in order and as often as they are given.
///
/// # Errors
/// Says at which byte what is wrong.
pub fn parse_json(text: &str) -> Result<logrec_core::Value, String> {
    json::parse::parse(text).map_err(|e| e.to_string())
}

/// Where lines come from: decides what an unrecognised line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A process's standard output: an unrecognised line is INFO.
    Stdout,
    /// A process's standard error: the level is what the line's words claim, else INFO.
    Stderr,
    /// A log file, or anything else: as standard output.
    File,
}
