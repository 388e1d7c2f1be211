//! Waking those who wait for something new.
//!
//! A push wakes nobody: it would pay for it. So somebody has to look, and one is enough for all: of those
//! who wait, whoever holds the lock looks every [`EVERY`] at how far each source has come, and tells
//! the others. When it has seen something, or its own client goes, the next one takes over. There
//! is no task to start or to stop: while nobody waits nobody looks.

use std::time::Duration;

use logrec_reader::Reader;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep_until},
};

/// How often is looked. A look takes O(lanes) of each source, some hundred nanoseconds.
const EVERY: Duration = Duration::from_millis(8);

#[derive(Debug)]
pub(crate) struct Pulse {
    reader: Reader,
    beats: watch::Sender<()>,
    looker: Mutex<Looker>,
}

/// What whoever looks goes on from.
#[derive(Debug)]
struct Looker {
    next: Instant,
    /// What was seen last, of the reader's progress.
    seen: u64,
}

/// From when on something is new. To be had before looking for it.
#[derive(Debug)]
pub(crate) struct Ticket(watch::Receiver<()>);

impl Pulse {
    pub(crate) fn new(reader: Reader) -> Self {
        let looker = Mutex::new(Looker { next: Instant::now(), seen: 0 });
        Self { reader, beats: watch::Sender::new(()), looker }
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.beats.subscribe())
    }

    /// Ready when there may be something that was not there yet when the ticket was had; within 20 ms of
    /// its being recorded. May be wrong, never late.
    pub(crate) async fn beat(&self, ticket: &mut Ticket) {
        tokio::select! {
            // The sender is here.
            _ = ticket.0.changed() => {}
            () = self.look() => {}
        }
    }

    /// Looks until there is something new, and tells all.
    async fn look(&self) {
        let mut looker = self.looker.lock().await;
        loop {
            sleep_until(looker.next).await;
            looker.next = Instant::now() + EVERY;
            let seen = self.reader.progress();
            if seen != looker.seen {
                looker.seen = seen;
                self.beats.send_replace(());
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use logrec_core::{Entry, Level, Ring, Source, Timestamp, ring::Folder};

    use super::*;

    fn push(ring: &Ring) {
        ring.push(&Entry::new(Timestamp::now(), Level::Info, "new"));
    }

    // The clock is stopped, and goes on by itself when there is nothing else to do.
    #[tokio::test(start_paused = true)]
    async fn one_entry_wakes_all_and_whoever_goes_is_replaced() {
        let ring = Arc::new(Ring::default());
        let pulse = Arc::new(Pulse::new(Reader::new([Arc::clone(&ring) as Arc<dyn Source>])));
        // The first look sees what nobody has seen yet.
        pulse.beat(&mut pulse.ticket()).await;
        let mut waiting = Vec::new();
        for _ in 0..50 {
            let pulse = Arc::clone(&pulse);
            let mut ticket = pulse.ticket();
            waiting.push(tokio::spawn(async move {
                pulse.beat(&mut ticket).await;
                Instant::now()
            }));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(waiting.iter().all(|w| !w.is_finished()), "nothing is new");
        // The one that looks is among them.
        for gone in waiting.drain(..25) {
            gone.abort();
        }
        tokio::task::yield_now().await;
        push(&ring);
        let pushed = Instant::now();
        for waiter in waiting {
            let woken = waiter.await.unwrap();
            assert!(woken - pushed <= Duration::from_millis(20), "{:?}", woken - pushed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_between_the_ticket_and_the_waiting_is_not_lost() {
        let ring = Arc::new(Ring::default());
        let pulse = Pulse::new(Reader::new([Arc::clone(&ring) as Arc<dyn Source>]));
        pulse.beat(&mut pulse.ticket()).await;
        let mut ticket = pulse.ticket();
        push(&ring);
        // Another one sees it first.
        pulse.beat(&mut pulse.ticket()).await;
        let before = Instant::now();
        pulse.beat(&mut ticket).await;
        assert_eq!(Instant::now(), before, "at once");
    }

    #[tokio::test]
    async fn a_recording_that_appears_is_something_new() {
        let dir = tempfile::tempdir().unwrap();
        let reader = Reader::default();
        reader.watch(Folder::new(dir.path()));
        let pulse = Pulse::new(reader.clone());
        pulse.beat(&mut pulse.ticket()).await;
        let mut ticket = pulse.ticket();
        let ring = Ring::create(dir.path(), "late", logrec_core::RingOptions::default()).unwrap();
        push(&ring);
        pulse.beat(&mut ticket).await;
        assert_eq!(reader.source_stats().len(), 1);
    }
}
