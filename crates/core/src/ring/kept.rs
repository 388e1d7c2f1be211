//! Errors that are kept: the entries of a small second ring that the main one has lost.
//!
//! With [`keep_errors`](super::RingOptions::keep_errors) every entry of level WARNING and above is
//! recorded twice, the second time into a small ring whose slots name the original. A reader shows a
//! copy only where the original has been pushed out, under the original's name: so nothing is there
//! twice, and an id stays good. `clear` needs no doing here: what lies below the main ring's floor is
//! not shown.

use super::{ChunkCopy, ChunkInfo, RingStats, Slot, Snapshot};

/// Copies whose originals are gone, at the moment of the main ring's snapshot.
#[derive(Debug)]
pub(crate) struct Kept<'r> {
    snapshot: Snapshot<'r>,
    /// With the seq of the original.
    slots: Vec<(ChunkInfo, Slot)>,
}

impl<'r> Kept<'r> {
    /// `None` for a ring that keeps none. O(entries kept).
    pub(crate) fn of(main: &Snapshot<'r>) -> Option<Self> {
        // Looked at after the main ring, so that what the main ring lost since is not missing in both.
        let snapshot = main.ring.errors.as_ref()?.snapshot();
        let mut slots = Vec::new();
        let mut copy = ChunkCopy::default();
        for info in snapshot.chunks() {
            if !snapshot.load(info, &mut copy) {
                continue;
            }
            for slot in &copy.slots {
                if let Some(seq) = slot.original.filter(|&seq| main.has_lost(seq)) {
                    slots.push((*info, slot.named(seq)));
                }
            }
        }
        Some(Self { snapshot, slots })
    }

    /// The ring they are read from.
    pub(crate) const fn snapshot(&self) -> &Snapshot<'r> {
        &self.snapshot
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (&ChunkInfo, &Slot)> {
        self.slots.iter().map(|(info, slot)| (info, slot))
    }

    pub(crate) fn entries(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Adds them to a ring's figures: they are in sight, and not evicted.
    pub(super) fn count_into(&self, stats: &mut RingStats) {
        stats.entries += self.entries();
        stats.evicted = stats.evicted.saturating_sub(self.entries());
        stats.max_entries += self.snapshot.ring.geometry.max_entries;
        stats.max_bytes += (self.snapshot.ring.region.len() * 8) as u64;
        for (_, slot) in &self.slots {
            stats.levels[usize::from(slot.level.index())] += 1;
            stats.bytes += slot.bytes();
            stats.oldest = Some(stats.oldest.map_or(slot.time, |t| t.min(slot.time)));
            stats.newest = Some(stats.newest.map_or(slot.time, |t| t.max(slot.time)));
        }
    }
}
