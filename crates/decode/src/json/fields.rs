//! The members of an object to an entry: which name means which field, in the conventions of
//! Python's loggers, pino, bunyan, winston, zap, slog, logback, ECS, Serilog, Google Cloud, GELF,
//! journald and `tracing-subscriber`.
//!
//! Where several members claim one field (`level` and `severity`), the better name has it and
//! the others stay attributes; of a name that repeats, the last has it. Nothing else is dropped.

use logrec_core::{Entry, Level, Value};

use crate::{
    context::Context,
    json::{level, shape::Shape},
    limits, scan,
    value::{scalar_text, shown_value, type_name},
};

/// How wrong types are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A log line: what does not fit is an attribute.
    Line,
    /// An ingest body: what does not fit is refused, if it has the field's own name.
    Ingest,
}

/// A member of the wrong type, or no message; the text names the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldError(pub(crate) String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Timestamp,
    Level,
    Logger,
    Message,
    Template,
    Module,
    Function,
    Line,
    Thread,
    ThreadName,
    Exception,
    File,
    Caller,
    Process,
    Service,
    TraceId,
    SpanId,
    Attributes,
}

const FIELDS: usize = Field::Attributes as usize + 1;

/// What became of an object.
pub(crate) struct Built {
    pub(crate) entry: Entry,
    pub(crate) has_message: bool,
}

/// Makes the entry of an object's members.
pub(crate) fn build(
    members: Vec<(String, Value)>,
    mode: Mode,
    cx: Context<'_>,
) -> Result<Built, FieldError> {
    let shape = Shape::of(&members, mode);
    let mut members = shape.flatten(members);
    let mut claims = claims(&members, shape, mode);
    // Best name first; of equals the last member first.
    claims.sort_by_key(|claim| (claim.rank, std::cmp::Reverse(claim.index)));
    let mut builder = Builder {
        cx,
        entry: Entry::new(cx.arrival, Level::Info, ""),
        mode,
        shape,
        template: None,
        owner: [None; FIELDS],
    };
    let mut used = vec![false; members.len()];
    for claim in claims {
        if let Some(owner) = builder.owner[claim.field as usize] {
            used[claim.index] = members[owner].0 == members[claim.index].0;
            continue;
        }
        let (name, value) = &mut members[claim.index];
        let owns = value != &Value::Null;
        match builder.set(claim.field, claim.rank == 0, value) {
            Ok(()) => used[claim.index] = !stays(claim.field, value),
            Err(expected) if mode == Mode::Ingest && claim.rank == 0 => {
                return Err(wrong(name, value, expected));
            }
            Err(_) => continue,
        }
        if owns {
            builder.owner[claim.field as usize] = Some(claim.index);
        }
    }
    let owner = builder.owner;
    let mut entry = builder.entry;
    let rest = members.into_iter().zip(used).filter_map(|(member, used)| (!used).then_some(member));
    entry.attributes.extend(rest);
    let mut has_message = owner[Field::Message as usize].is_some();
    if let Some(template) = builder.template.filter(|_| !has_message) {
        entry.message = level::render_template(&template, &entry.attributes);
        has_message = true;
    }
    Ok(Built { entry, has_message })
}

/// Whether a value stays an attribute though a field was made of it: a template, for it groups
/// what its rendering spreads, and a list of exceptions that says more than its rendering.
fn stays(field: Field, value: &Value) -> bool {
    match (field, value) {
        (Field::Template, _) => true,
        (Field::Exception, Value::Array(chain)) => level::says_more(chain),
        _ => false,
    }
}

fn wrong(name: &str, value: &Value, expected: &str) -> FieldError {
    FieldError(format!(
        "`{}` is {} `{}`; give {expected}",
        scan::shown(name, 80),
        type_name(value),
        shown_value(value, 80)
    ))
}

struct Claim {
    field: Field,
    /// 0 for the field's own name; the less the better.
    rank: u8,
    index: usize,
}

fn claims(members: &[(String, Value)], shape: Shape, mode: Mode) -> Vec<Claim> {
    let claim = |(index, (name, value)): (usize, &(String, Value))| {
        let (field, mut rank) = lookup(name, shape)?;
        // Every logger numbers levels in its own way: a name says more (Monolog writes both).
        if field == Field::Level && mode == Mode::Line && !matches!(value, Value::Str(_)) {
            rank += 8;
        }
        Some(Claim { field, rank, index })
    };
    members.iter().enumerate().filter_map(claim).collect()
}

/// The field a name means, and how well it means it.
fn lookup(name: &str, shape: Shape) -> Option<(Field, u8)> {
    // The longest known name has 49 bytes.
    let mut buffer = [0u8; 56];
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    let exact = *lower == *name.as_bytes();
    let (field, rank) = known(std::str::from_utf8(lower).ok()?, shape)?;
    Some((field, rank * 2 + u8::from(!exact)))
}

fn known(name: &str, shape: Shape) -> Option<(Field, u8)> {
    Some(match name {
        "timestamp" => (Field::Timestamp, 0),
        "@timestamp" | "@t" | "time" | "ts" | "asctime" | "datetime" => (Field::Timestamp, 1),
        "created" | "timeunixnano" | "__realtime_timestamp" | "timestamp_iso" => {
            (Field::Timestamp, 3)
        }
        "t" if shape.is_mongodb => (Field::Timestamp, 2),
        "level" => (Field::Level, 0),
        "levelname" | "level_name" | "log.level" | "severity" | "severity_text"
        | "severitytext" | "@l" | "loglevel" | "log_level" | "lvl" => (Field::Level, 1),
        "severity_number" | "severitynumber" | "levelno" | "level_value" => (Field::Level, 3),
        "s" if shape.is_mongodb => (Field::Level, 2),
        "priority" if shape.is_journald => (Field::Level, 2),
        "logger" => (Field::Logger, 0),
        "logger_name" | "loggername" | "log.logger" => (Field::Logger, 1),
        "name" if shape.name_is_logger => (Field::Logger, 2),
        "target" | "sourcecontext" => (Field::Logger, 2),
        "category" | "channel" | "syslog_identifier" => (Field::Logger, 3),
        "c" if shape.is_mongodb => (Field::Logger, 3),
        "message" => (Field::Message, 0),
        "@m" | "msg" => (Field::Message, 1),
        "event" => (Field::Message, 2),
        "short_message" | "textpayload" => (Field::Message, 3),
        "body" => (Field::Message, 4),
        "@mt" => (Field::Template, 1),
        "attributes" => (Field::Attributes, 0),
        "service" => (Field::Service, 0),
        "service.name" | "service_name" => (Field::Service, 1),
        "exception" => (Field::Exception, 0),
        "exc_info"
        | "exc_text"
        | "stack_trace"
        | "stacktrace"
        | "@x"
        | "error.stack_trace"
        | "exception.stacktrace"
        | "exception.stack_trace" => (Field::Exception, 1),
        "err.stack" | "error.stack" | "exception.stack" | "error.stacktrace" | "stack" => {
            (Field::Exception, 2)
        }
        _ => return known_place(name, shape),
    })
}

/// Where it was logged: code, thread, process, trace.
fn known_place(name: &str, shape: Shape) -> Option<(Field, u8)> {
    Some(match name {
        "module" => (Field::Module, 0),
        "module_path" | "caller_class_name" => (Field::Module, 1),
        "function" => (Field::Function, 0),
        "funcname"
        | "func_name"
        | "func"
        | "log.origin.function"
        | "source.function"
        | "caller_method_name"
        | "code.function"
        | "logging.googleapis.com/sourcelocation.function" => (Field::Function, 1),
        "line" => (Field::Line, 0),
        "lineno"
        | "line_number"
        | "log.origin.file.line"
        | "source.line"
        | "code.lineno"
        | "caller_line_number"
        | "logging.googleapis.com/sourcelocation.line" => (Field::Line, 1),
        "file" => (Field::File, 0),
        "pathname"
        | "log.origin.file.name"
        | "source.file"
        | "code.filepath"
        | "caller_file_name"
        | "logging.googleapis.com/sourcelocation.file" => (Field::File, 1),
        "filename" => (Field::File, 2),
        "caller" | "source" => (Field::Caller, 1),
        "thread" => (Field::Thread, 0),
        "thread_id" | "threadid" | "process.thread.id" | "tid" => (Field::Thread, 1),
        "thread_name" => (Field::ThreadName, 0),
        "threadname" | "process.thread.name" => (Field::ThreadName, 1),
        "ctx" if shape.is_mongodb => (Field::ThreadName, 1),
        "process" => (Field::Process, 0),
        "pid" | "process_id" | "process.pid" | "_pid" => (Field::Process, 1),
        "trace_id" => (Field::TraceId, 0),
        "traceid"
        | "trace.id"
        | "@tr"
        | "oteltraceid"
        | "dd.trace_id"
        | "logging.googleapis.com/trace" => (Field::TraceId, 1),
        "span_id" => (Field::SpanId, 0),
        "spanid"
        | "span.id"
        | "@sp"
        | "otelspanid"
        | "dd.span_id"
        | "logging.googleapis.com/spanid" => (Field::SpanId, 1),
        _ => return None,
    })
}

struct Builder<'a> {
    cx: Context<'a>,
    entry: Entry,
    mode: Mode,
    shape: Shape,
    template: Option<String>,
    /// The member each field came from.
    owner: [Option<usize>; FIELDS],
}

impl Builder<'_> {
    /// Takes the value into the field, or leaves it and says what would be right.
    fn set(
        &mut self,
        field: Field,
        is_own_name: bool,
        value: &mut Value,
    ) -> Result<(), &'static str> {
        if matches!(value, Value::Null) {
            return Ok(());
        }
        let lenient = self.mode == Mode::Line || !is_own_name;
        let entry = &mut self.entry;
        match field {
            Field::Timestamp => entry.timestamp = level::timestamp(value, lenient, self.cx)?,
            Field::Level => entry.level = level::level(value, self.shape.numbers, lenient)?,
            Field::Message => entry.message = take_message(value)?,
            Field::Template => self.template = Some(value.as_str().ok_or(TEXT)?.to_owned()),
            Field::Logger => entry.logger = take_text(value)?,
            Field::Module => entry.module = Some(take_text(value)?),
            Field::Function => entry.function = Some(take_text(value)?),
            Field::Line => entry.line = Some(take_line(value, lenient)?),
            Field::Thread => {
                set_thread(entry, value, lenient, self.mode == Mode::Line && is_own_name)?;
            }
            Field::ThreadName if entry.thread_name.is_some() => return Err("one name"),
            Field::ThreadName => entry.thread_name = Some(take_text(value)?),
            Field::Exception => entry.exception = Some(take_exception(value)?),
            Field::File => entry.file = Some(take_text(value)?),
            Field::Caller => set_caller(entry, value)?,
            Field::Process => entry.process = Some(take_id(value, lenient).ok_or(WHOLE)?),
            Field::Service => entry.service = Some(take_text(value)?),
            Field::TraceId => entry.trace_id = Some(take_text(value)?),
            Field::SpanId => entry.span_id = Some(take_text(value)?),
            Field::Attributes => match value {
                Value::Map(members) => entry.attributes.append(members),
                _ => return Err("an object of names and values"),
            },
        }
        Ok(())
    }
}

const TEXT: &str = "a string";
const WHOLE: &str = "a whole number from 0";

fn take_text(value: &mut Value) -> Result<String, &'static str> {
    match value {
        Value::Str(text) => Ok(std::mem::take(text)),
        _ => Err(TEXT),
    }
}

fn take_message(value: &mut Value) -> Result<String, &'static str> {
    match value {
        Value::Str(text) => Ok(std::mem::take(text)),
        Value::Array(_) | Value::Map(_) => {
            Err("a string, or a number or boolean to be shown as one")
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) => {
            Ok(scalar_text(value))
        }
    }
}

fn take_id(value: &Value, lenient: bool) -> Option<u64> {
    match value {
        Value::Int(n) => u64::try_from(*n).ok(),
        Value::UInt(n) => Some(*n),
        Value::Str(text) if lenient => {
            let digits = text.strip_prefix("ThreadId(").and_then(|t| t.strip_suffix(')'));
            digits.unwrap_or(text).parse().ok()
        }
        _ => None,
    }
}

fn take_line(value: &Value, lenient: bool) -> Result<u32, &'static str> {
    let number = take_id(value, lenient).and_then(|n| u32::try_from(n).ok());
    number.ok_or("a whole number from 0 to 4294967295")
}

/// A number; where names are `allowed`, a text is the thread's name.
fn set_thread(
    entry: &mut Entry,
    value: &mut Value,
    lenient: bool,
    allowed: bool,
) -> Result<(), &'static str> {
    if let Some(number) = take_id(value, lenient) {
        entry.thread = Some(number);
        return Ok(());
    }
    if !allowed || entry.thread_name.is_some() {
        return Err("a whole number from 0; a name goes into `thread_name`");
    }
    entry.thread_name = Some(take_text(value)?);
    Ok(())
}

/// zap's `caller`: `pkg/file.go:12`.
fn set_caller(entry: &mut Entry, value: &Value) -> Result<(), &'static str> {
    let (file, line) = value.as_str().and_then(scan::file_line).ok_or("`file:line`")?;
    entry.file.get_or_insert_with(|| file.to_owned());
    entry.line.get_or_insert(line);
    Ok(())
}

/// Text, or structlog's list of exceptions as `dict_tracebacks` makes it.
fn take_exception(value: &mut Value) -> Result<String, &'static str> {
    match value {
        Value::Array(chain) if !chain.is_empty() => {
            level::render_exceptions(chain).ok_or("a string: the full stack trace")
        }
        _ => take_text(value).map_err(|_| "a string: the full stack trace"),
    }
}

/// Cuts names that are too long and lists that are too many, and says how many.
pub(crate) fn bound_attributes(attributes: &mut Vec<(String, Value)>) {
    for (name, _) in attributes.iter_mut() {
        if name.len() > limits::ATTRIBUTE_NAME_BYTES_MAX {
            name.truncate(name.floor_char_boundary(limits::ATTRIBUTE_NAME_BYTES_MAX));
        }
    }
    let dropped = attributes.len().saturating_sub(limits::ATTRIBUTES_MAX);
    if dropped > 0 {
        attributes.truncate(limits::ATTRIBUTES_MAX);
        let dropped = u64::try_from(dropped).unwrap_or(u64::MAX);
        attributes.push((limits::DROPPED_ATTRIBUTES.to_owned(), dropped.into()));
    }
}
