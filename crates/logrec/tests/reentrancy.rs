//! Logging while logging. A process of its own: to a subscriber that is set for a thread only, as in
//! other tests, tracing does not show what is logged while it logs; to a program's one, it does.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use logrec::{Entry, LogBuffer, Order, Query};
use tracing::{field, info, info_span};
use tracing_subscriber::prelude::*;

/// Logs while it is being shown.
struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!(depth = 2, "from within");
        f.write_str("chatty")
    }
}

/// Logs, then cannot be shown.
struct Grenade;

impl fmt::Debug for Grenade {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        info!("pin pulled");
        panic!("a Debug that panics")
    }
}

fn said(entries: &[Entry]) -> Vec<String> {
    let attributes = |entry: &Entry| {
        entry.attributes.iter().map(|(k, v)| format!(" {k}={v:?}")).collect::<String>()
    };
    entries.iter().map(|entry| format!("{}{}", entry.message, attributes(entry))).collect()
}

#[test]
fn a_value_may_log_or_panic_while_it_is_logged() {
    let buffer = LogBuffer::new();
    tracing_subscriber::registry().with(buffer.layer()).init();
    let taken = || {
        let query = Query { order: Order::Ascending, limit: 1000, ..Query::default() };
        let entries = said(&buffer.entries(&query));
        buffer.clear();
        entries
    };

    // Sorted by time, and an entry's time is when it began.
    info!(value = ?Chatty, "outer {:?}", Chatty);
    let within = "from within depth=Int(2)";
    assert_eq!(taken(), ["outer chatty value=Str(\"chatty\")", within, within]);

    let span = info_span!("span", value = ?Chatty, late = field::Empty);
    span.record("late", field::debug(Chatty));
    assert_eq!(taken(), [within, within]);
    span.in_scope(|| info!("inside"));
    let fields = r#"inside value=Str("chatty") late=Str("chatty") spans=Array([Str("span")])"#;
    assert_eq!(taken(), [fields]);

    for _ in 0..100 {
        let log = || info!(n = 1, value = ?Grenade, "never said");
        assert!(catch_unwind(AssertUnwindSafe(log)).is_err());
    }
    info!("goes on");
    let entries = taken();
    assert_eq!(entries.len(), 101);
    assert!(entries[..100].iter().all(|said| said == "pin pulled"));
    assert_eq!(entries[100], "goes on");
    assert_eq!(buffer.stats().dropped, 0);
}
