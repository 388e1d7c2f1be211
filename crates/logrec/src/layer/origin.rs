//! Who logged, as the event's callsite knows it: encoded at its first event, copied for the others.

use std::sync::OnceLock;

use logrec_core::record::{Prepared, RecordWriter};
use tracing_core::Metadata;

/// Callsites whose origin is kept encoded; those beyond are encoded for every event, which costs
/// some 10 ns. At about 150 bytes each, 300 kB at most.
const KEPT_MAX: usize = 2048;
/// Places looked at for one callsite.
const PROBES: usize = 8;

struct Origin {
    callsite: &'static Metadata<'static>,
    fields: Prepared,
}

/// Filled, never emptied: callsites live as long as the program.
static ORIGINS: [OnceLock<Origin>; KEPT_MAX] = [const { OnceLock::new() }; KEPT_MAX];

/// Writes `logger`, `module`, `file` and `line`.
#[inline]
pub(super) fn write(writer: &mut RecordWriter<'_>, metadata: &'static Metadata<'static>) {
    let first = hash(metadata);
    for probe in 0..PROBES {
        let place = &ORIGINS[(first + probe) % KEPT_MAX];
        let origin = place.get_or_init(|| Origin {
            callsite: metadata,
            fields: Prepared::new(|writer| encode(writer, metadata)),
        });
        if std::ptr::eq(origin.callsite, metadata) {
            return writer.prepared(&origin.fields);
        }
    }
    encode(writer, metadata);
}

/// Spreads addresses, which are multiples of eight and close together, over the places.
#[inline]
fn hash(metadata: &'static Metadata<'static>) -> usize {
    let address = std::ptr::from_ref(metadata).addr() as u64;
    (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

fn encode(writer: &mut RecordWriter<'_>, metadata: &Metadata<'_>) {
    writer.logger(metadata.target());
    if let Some(module) = metadata.module_path() {
        writer.module(module);
    }
    if let Some(file) = metadata.file() {
        writer.file(file);
    }
    if let Some(line) = metadata.line() {
        writer.line(line);
    }
}
