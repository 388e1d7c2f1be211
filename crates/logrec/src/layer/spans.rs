//! What spans know: kept, typed, from when they are made, written into the record of each event in
//! them.

use std::{cell::Cell, error::Error, fmt};

use logrec_core::{Value, record::RecordWriter};
use tracing_core::field::{Field, FieldSet, Visit};
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::fields::Given;

/// The attribute that holds the names of an event's spans, outermost first.
const SPANS: &str = "spans";

/// A span's fields, in the order given, each name once. Lies in the span's extensions.
#[derive(Debug, Default)]
pub(super) struct SpanFields(Vec<(&'static str, Value)>);

impl SpanFields {
    /// The fields that `record` shows to the visitor it is given; `None` if it shows none.
    pub(super) fn of(record: impl FnOnce(&mut dyn Visit)) -> Option<Self> {
        let mut fields = Self::default();
        record(&mut fields);
        (!fields.0.is_empty()).then_some(fields)
    }

    /// Takes over the fields of `new`, in place of those of the same name.
    pub(super) fn merge(&mut self, new: Self) {
        for (name, value) in new.0 {
            self.set(name, value);
        }
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for SpanFields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match u64::try_from(value) {
            Ok(value) => self.record_u64(field, value),
            Err(_) => self.record_debug(field, &value),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), Value::Str(value.to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), Value::Str(format!("{value:?}")));
    }
}

/// Names there is room for at first, 1.5 kB of them.
const NAMES_LEAST: usize = 96;

/// Names met on the way out through the spans of one event.
#[derive(Default)]
struct Names {
    spans: Vec<&'static str>,
    fields: Vec<&'static str>,
}

thread_local! {
    /// Kept by its thread, so that a span costs an event no allocation.
    static NAMES: Cell<Names> = const { Cell::new(Names { spans: Vec::new(), fields: Vec::new() }) };
}

/// Writes the names of the spans and, innermost first, those of their fields whose names are new.
/// `given` are those of the event's fields (`event_fields`) that it had.
pub(super) fn write<'s, R>(
    writer: &mut RecordWriter<'_>,
    scope: Scope<'s, R>,
    event_fields: &FieldSet,
    given: Given,
) where
    R: LookupSpan<'s>,
{
    // While a thread ends its locals may be gone already; logging still works then.
    let mut names = NAMES.try_with(Cell::take).unwrap_or_default();
    if names.spans.capacity() == 0 {
        // More than a small block, which might share a cache line with that of another thread.
        names.spans.reserve(NAMES_LEAST);
        names.fields.reserve(NAMES_LEAST);
    }
    for span in scope {
        names.spans.push(span.name());
        let extensions = span.extensions();
        let Some(SpanFields(fields)) = extensions.get() else { continue };
        if names.fields.is_empty() {
            names.fields.push(SPANS);
            let own = event_fields.iter().filter(|field| given.has(field));
            names.fields.extend(own.map(|field| field.name()));
        }
        for (name, value) in fields {
            if names.fields.contains(name) {
                continue;
            }
            names.fields.push(name);
            match (*name, value) {
                ("trace_id", Value::Str(id)) => {
                    writer.trace_id(id);
                }
                ("span_id", Value::Str(id)) => {
                    writer.span_id(id);
                }
                _ => writer.attribute(name, value),
            }
        }
    }
    if event_fields.field(SPANS).is_none_or(|field| !given.has(&field)) {
        writer.attribute_strs(SPANS, names.spans.iter().rev().copied());
    }
    names.spans.clear();
    names.fields.clear();
    let _ = NAMES.try_with(|kept| kept.set(names));
}
