//! Which logger wrote an object: what its numbers and its ambiguous names mean, and which of its
//! inner objects are groups of fields.

use logrec_core::{Level, Value};

use crate::json::fields::Mode;

/// What a number means as level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// 10 DEBUG to 50 CRITICAL.
    Python,
    /// 10 TRACE to 60 FATAL; pino, bunyan.
    Pino,
    /// 0 emergency to 7 debug; GELF, journald.
    Syslog,
    /// 1 to 24; OpenTelemetry.
    OpenTelemetry,
    /// 100 DEBUG to 800 EMERGENCY; Google Cloud.
    Google,
    /// 5000 TRACE to 40000 ERROR; logback's `level_value`.
    Logback,
}

impl Numbers {
    pub(super) fn level(self, number: i64) -> Level {
        match self {
            Self::Python => Level::from_python(number),
            Self::Pino => Level::from_python(number.saturating_sub(10)),
            Self::Syslog => Level::from_syslog(u8::try_from(number).unwrap_or(7)),
            Self::OpenTelemetry => {
                Level::from_severity_number(i32::try_from(number).unwrap_or_default())
            }
            Self::Google => match number {
                ..100 => Level::Info,
                100..200 => Level::Debug,
                200..400 => Level::Info,
                400..500 => Level::Warning,
                500..600 => Level::Error,
                600.. => Level::Critical,
            },
            Self::Logback => Level::from_python(number / 1000),
        }
    }
}

/// What the names of an object say about its origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) numbers: Numbers,
    pub(super) name_is_logger: bool,
    pub(super) is_mongodb: bool,
    pub(super) is_journald: bool,
    has_message: bool,
    has_target: bool,
}

/// Objects whose members are fields under a dotted name; ECS, pino's `err`, slog's `source`.
const GROUPS: [&str; 10] = [
    "log",
    "error",
    "err",
    "process",
    "trace",
    "span",
    "service",
    "source",
    "exception",
    "logging.googleapis.com/sourceLocation",
];

impl Shape {
    pub(super) fn of(members: &[(String, Value)], mode: Mode) -> Self {
        let get = |name: &str| members.iter().rev().find(|(key, _)| key == name).map(|(_, v)| v);
        let has = |name: &str| get(name).is_some();
        let is_pino = has("msg") && has("time") && (has("pid") || has("hostname") || has("v"));
        let is_journald = has("__REALTIME_TIMESTAMP");
        let numbers = if has("short_message") || is_journald {
            Numbers::Syslog
        } else if is_pino || (mode == Mode::Line && has("msg") && !has("levelno")) {
            Numbers::Pino
        } else if matches!(get("severity"), Some(Value::Int(100..))) {
            Numbers::Google
        } else if has("severity_number") || has("severityNumber") {
            Numbers::OpenTelemetry
        } else if matches!(get("level_value"), Some(Value::Int(5000..))) {
            Numbers::Logback
        } else {
            Numbers::Python
        };
        let is_python = has("levelname") || has("levelno") || has("asctime");
        let is_line =
            mode == Mode::Line && has("level") && (has("time") || has("ts") || has("timestamp"));
        Self {
            numbers,
            name_is_logger: is_python || is_pino || is_line,
            is_mongodb: matches!(get("t"), Some(Value::Map(_))) && has("s") && has("c"),
            is_journald,
            has_message: has("message") || has("msg"),
            has_target: has("target") || has("span") || has("spans"),
        }
    }

    /// Opens the inner objects that are groups of fields, in place.
    pub(super) fn flatten(self, members: Vec<(String, Value)>) -> Vec<(String, Value)> {
        if !members.iter().any(|(_, v)| matches!(v, Value::Map(_) | Value::Array(_))) {
            return members;
        }
        let innermost = members.iter().find_map(|(name, value)| match value {
            Value::Array(spans) if name == "spans" => spans.last().cloned(),
            _ => None,
        });
        let mut out = Vec::with_capacity(members.len() + 8);
        for (name, value) in members {
            match value {
                Value::Map(inner) if self.opens_bare(&name) => out.extend(inner),
                // The innermost of `spans` again.
                value if name == "span" && innermost.as_ref() == Some(&value) => {}
                Value::Map(inner)
                    if name == "span" && names_a_span(&inner) && innermost.is_none() =>
                {
                    open_spans(vec![Value::Map(inner)], &mut out);
                }
                Value::Array(spans) if name == "spans" && spans.iter().all(is_span) => {
                    open_spans(spans, &mut out);
                }
                Value::Map(inner) if opens_dotted(&name, &inner) => {
                    open_dotted(&name, inner, &mut out)
                }
                value => out.push((name, value)),
            }
        }
        out
    }

    /// `tracing-subscriber`'s `fields`, Google Cloud's `jsonPayload`.
    fn opens_bare(self, name: &str) -> bool {
        match name {
            "fields" => self.has_target || !self.has_message,
            "jsonPayload" => true,
            _ => false,
        }
    }
}

fn opens_dotted(name: &str, inner: &[(String, Value)]) -> bool {
    let has_any = |names: &[&str]| inner.iter().any(|(key, _)| names.contains(&key.as_str()));
    match name {
        "source" => has_any(&["file", "function", "line"]),
        "exception" => has_any(&["stack", "stacktrace", "stack_trace"]),
        "service" => has_any(&["name"]),
        "process" => has_any(&["pid", "thread"]),
        "trace" | "span" => has_any(&["id"]),
        _ => GROUPS.contains(&name),
    }
}

/// Members under dotted names; inner groups (`log.origin.file`) opened too.
fn open_dotted(prefix: &str, inner: Vec<(String, Value)>, out: &mut Vec<(String, Value)>) {
    for (name, value) in inner {
        let dotted = format!("{prefix}.{name}");
        match value {
            Value::Map(inner)
                if matches!(
                    dotted.as_str(),
                    "log.origin" | "log.origin.file" | "process.thread"
                ) =>
            {
                open_dotted(&dotted, inner, out);
            }
            value => out.push((dotted, value)),
        }
    }
}

fn is_span(value: &Value) -> bool {
    matches!(value, Value::Map(inner) if names_a_span(inner))
}

fn names_a_span(inner: &[(String, Value)]) -> bool {
    inner.iter().any(|(key, v)| key == "name" && matches!(v, Value::Str(_)))
}

/// Spans, outermost first: their names as the list `spans`, their fields as attributes.
fn open_spans(spans: Vec<Value>, out: &mut Vec<(String, Value)>) {
    let mut names = Vec::with_capacity(spans.len());
    for span in spans {
        let Value::Map(inner) = span else { continue };
        for (name, value) in inner {
            if name == "name" { names.push(value) } else { out.push((name, value)) }
        }
    }
    out.push(("spans".to_owned(), Value::Array(names)));
}
