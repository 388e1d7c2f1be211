//! Reading a buffer back, for tests.

use logrec_core::{Entry, record::RecordRef, ring::ChunkCopy};

use crate::LogBuffer;

/// Every entry of a buffer, oldest first by the order of recording.
pub(crate) fn entries(buffer: &LogBuffer) -> Vec<Entry> {
    let snapshot = buffer.ring().snapshot();
    let (mut copy, mut record, mut rows) = (ChunkCopy::default(), Vec::new(), Vec::new());
    for info in snapshot.chunks() {
        if !snapshot.load(info, &mut copy) {
            continue;
        }
        for slot in &copy.slots {
            record.clear();
            snapshot.read_record(info, slot, &mut record);
            let entry = RecordRef::new(&record).to_entry(slot.time, slot.level);
            if snapshot.is_intact(info) {
                rows.push((slot.observed, info.opened(), slot.seq, entry));
            }
        }
    }
    rows.sort_by_key(|&(observed, opened, seq, _)| (observed, opened, seq));
    rows.into_iter().map(|(.., entry)| entry).collect()
}

/// The only entry of a buffer.
pub(crate) fn only(buffer: &LogBuffer) -> Entry {
    let mut entries = entries(buffer);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}
