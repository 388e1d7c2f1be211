//! Panics as entries.

use std::{backtrace::Backtrace, panic::PanicHookInfo};

use logrec_core::{Level, Timestamp};

use crate::{LogBuffer, thread};

/// Records every panic from now on as a CRITICAL entry, then does what was done on a panic before.
///
/// `logger` is `panic`, `message` what the panic said, `exception` the text the standard library
/// prints with a backtrace, whatever `RUST_BACKTRACE` says. A panic that is caught is recorded too.
///
/// ```
/// let buffer = logrec::LogBuffer::new();
/// logrec::panic_hook(&buffer);
/// let _ = std::panic::catch_unwind(|| panic!("out of cards"));
/// assert_eq!(buffer.stats().entries, 1);
/// ```
pub fn panic_hook(buffer: &LogBuffer) {
    let buffer = buffer.clone();
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        record(&buffer, info);
        previous(info);
    }));
}

fn record(buffer: &LogBuffer, info: &PanicHookInfo<'_>) {
    let backtrace = Backtrace::force_capture();
    let message = info.payload_as_str().unwrap_or("Box<dyn Any>");
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let now = Timestamp::now();
    buffer.ring().record(now, now, Level::Critical, |writer| {
        writer.message_str(message);
        writer.logger("panic");
        thread::write(writer);
        buffer.stamp(writer);
        if let Some(at) = info.location() {
            writer.file(at.file());
            writer.line(at.line());
            writer.exception(&format_args!(
                "thread '{name}' panicked at {at}:\n{message}\nstack backtrace:\n{backtrace}"
            ));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;

    #[test]
    fn a_panic_is_an_entry_and_the_previous_hook_runs() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {
            CALLS.fetch_add(1, Ordering::Relaxed);
        }));
        let buffer = LogBuffer::new().service("shop");
        panic_hook(&buffer);
        let outcome = std::thread::Builder::new()
            .name("dealer".into())
            .spawn(|| panic!("{} cards left", 3))
            .unwrap()
            .join();
        std::panic::set_hook(default);
        assert!(outcome.is_err() && CALLS.load(Ordering::Relaxed) > 0);

        // Other tests panic on purpose, at the same time perhaps.
        let entries = entries(&buffer);
        let entry = entries.iter().find(|e| e.message == "3 cards left").unwrap();
        assert_eq!((entry.level, entry.logger.as_str()), (Level::Critical, "panic"));
        assert_eq!(entry.service.as_deref(), Some("shop"));
        assert_eq!(entry.thread_name.as_deref(), Some("dealer"));
        assert!(entry.file.as_deref().unwrap().ends_with("panics.rs") && entry.line.is_some());
        let trace = entry.exception.as_deref().unwrap();
        assert!(trace.starts_with("thread 'dealer' panicked at "), "{trace}");
        assert!(trace.contains("\n3 cards left\nstack backtrace:\n") && trace.contains("panics"));
    }
}
