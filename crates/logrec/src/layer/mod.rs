//! [`LogrecLayer`]: from tracing's events to records, in one pass and without an allocation.
//!
//! An event's fields are written straight into the record as tracing shows them. What its spans know
//! was kept, typed, when they were made; it follows the event's own fields, from the innermost span
//! out, so that a name once written is left out from then on.

mod fields;
mod origin;
mod spans;

use logrec_core::{Level, Timestamp};
use tracing_core::{Event, Subscriber, span};
use tracing_subscriber::{layer::Context, registry::LookupSpan};

use crate::{LogBuffer, thread};
use fields::{BridgedFrom, EventFields};
use spans::SpanFields;

/// Records every event it is shown into a [`LogBuffer`]. Made by [`LogBuffer::layer`].
///
/// It asks for events of all levels, and leaves filtering to the subscriber: a filter on this layer
/// alone is `buffer.layer().with_filter(LevelFilter::DEBUG)`. Spans make no entries of their own.
///
/// ```
/// use tracing_subscriber::{filter::LevelFilter, prelude::*};
/// let buffer = logrec::LogBuffer::new();
/// let subscriber = tracing_subscriber::registry()
///     .with(buffer.layer().with_filter(LevelFilter::INFO));
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info!("kept");
///     tracing::debug!("filtered out");
/// });
/// assert_eq!(buffer.stats().entries, 1);
/// ```
#[derive(Clone, Debug)]
pub struct LogrecLayer {
    buffer: LogBuffer,
}

impl LogrecLayer {
    pub(crate) const fn new(buffer: LogBuffer) -> Self {
        Self { buffer }
    }
}

impl<S> tracing_subscriber::Layer<S> for LogrecLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        // Formatted before the span is locked: a value's `Debug` may log.
        let fields = SpanFields::of(|visitor| attributes.record(visitor));
        if let Some(fields) = fields
            && let Some(span) = ctx.span(id)
        {
            // Two layers of ours write the same here.
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, ctx: Context<'_, S>) {
        let Some(new) = SpanFields::of(|visitor| values.record(visitor)) else { return };
        let Some(span) = ctx.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<SpanFields>() {
            Some(fields) => fields.merge(new),
            None => extensions.insert(new),
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let now = Timestamp::now();
        let metadata = event.metadata();
        self.buffer.ring().record(now, now, level(metadata.level()), |writer| {
            let bridged = BridgedFrom::is_likely(metadata);
            if bridged {
                event.record(&mut BridgedFrom::new(writer, metadata));
            } else {
                origin::write(writer, metadata);
            }
            thread::write(writer);
            self.buffer.stamp(writer);
            let mut fields = EventFields::new(writer, bridged);
            event.record(&mut fields);
            let given = fields.finish(metadata);
            if let Some(scope) = ctx.event_scope(event) {
                spans::write(writer, scope, metadata.fields(), given);
            }
        });
    }
}

#[inline]
const fn level(level: &tracing_core::Level) -> Level {
    match *level {
        tracing_core::Level::TRACE => Level::Trace,
        tracing_core::Level::DEBUG => Level::Debug,
        tracing_core::Level::INFO => Level::Info,
        tracing_core::Level::WARN => Level::Warning,
        tracing_core::Level::ERROR => Level::Error,
    }
}

#[cfg(test)]
mod tests;
