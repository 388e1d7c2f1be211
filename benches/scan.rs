//! Looking through a ring: searches, levels and counts over 2,000 and 1,000,000 entries, beside
//! memchr's `memmem` over the same messages in one slice; and a mapped ring beside one in memory.
//!
//! Prints Markdown tables; `make bench` puts them into docs/benchmarks.md.

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(clippy::cast_precision_loss, reason = "figures")]

use std::{hint::black_box, time::Instant};

use logrec_core::{
    Entry, Filter, Level, LevelSet, Query, Ring, RingOptions, Timestamp,
    filter::{Field, Pattern, Test},
    record::RecordWriter,
};

const ROUNDS: usize = 9;
const LARGE: usize = 1_000_000;

fn main() {
    searches("a full ring of 2000", 2000, 400);
    searches("1,000,000 entries", LARGE, 1);
    mapped();
}

fn message(i: usize) -> String {
    format!(
        "request {i} of player {} took {} ms and everything about it was as it should be, so there is little to add",
        i % 17,
        i % 91
    )
}

fn entry(i: usize) -> Entry {
    let level = if i.is_multiple_of(100) { Level::Error } else { Level::Info };
    Entry {
        logger: "backend.engine.game".into(),
        module: Some("game".into()),
        function: Some("process_action".into()),
        line: Some(245),
        thread_name: Some("MainThread".into()),
        ..Entry::new(Timestamp::now(), level, message(i))
    }
}

fn searches(name: &str, entries: usize, repeat: usize) {
    let ring = Ring::new(RingOptions::with_max_entries(entries));
    let (mut messages, mut records) = (Vec::new(), Vec::new());
    for i in 0..entries {
        let entry = entry(i);
        ring.push(&entry);
        messages.extend_from_slice(entry.message.as_bytes());
        let mut record = Vec::new();
        RecordWriter::new(&mut record, 1 << 16).entry(&entry);
        records.extend_from_slice(&record);
    }
    let stats = ring.stats();
    assert_eq!(stats.entries, entries as u64);
    let absent = "no such words here";
    let finder = memchr::memmem::Finder::new(absent);
    let field = |test| Filter::Field(Field::Message, test);
    let text = |needle: &str| field(Test::Contains(needle.into()));
    let pattern = |p: &str| field(Test::Matches(Pattern::new(p).expect("a pattern")));
    let query = |filter, limit| Query { filter, limit, ..Query::default() };
    let rows: [(&str, Query, &str); 7] = [
        ("text that is nowhere, as it is", query(pattern(absent), 100), "≥ 0.60"),
        ("text that is nowhere, any case", query(text(absent), 100), "≥ 0.50"),
        ("ÄRGER, nowhere, any case", query(text("ÄRGER"), 100), ""),
        ("regular expression, nowhere", query(pattern(r"no such \w+ here"), 100), ""),
        (
            "newest 100 of ERROR, 1 in 100",
            query(Filter::Levels(LevelSet::NONE.with(Level::Error)), 100),
            "< 0.5 ms",
        ),
        ("newest 100", query(Filter::default(), 100), ""),
        ("newest 100 with a text in each", query(text("player"), 100), ""),
    ];
    println!("### {name}\n");
    println!(
        "{:.1} MB of messages, {:.1} MB of records and slots, {:.1} MB of fields.\n",
        messages.len() as f64 / 1e6,
        stats.bytes as f64 / 1e6,
        field_bytes(entries) as f64 / 1e6
    );
    println!(
        "| question | median | GB/s of records | beside memmem | goal |\n| --- | ---: | ---: | ---: | --- |"
    );
    let (mut reference, mut of_messages) = (Vec::new(), Vec::new());
    let mut times = vec![Vec::new(); rows.len()];
    let mut counts = Vec::new();
    for _ in 0..ROUNDS {
        reference.push(time(repeat, || black_box(finder.find(black_box(&records)).is_some())));
        of_messages.push(time(repeat, || black_box(finder.find(black_box(&messages)).is_some())));
        for (row, times) in rows.iter().zip(&mut times) {
            times.push(time(repeat, || black_box(ring.query(&row.1).len())));
        }
        counts.push(time(repeat, || black_box(ring.stats())));
    }
    let (reference, of_messages) = (median(&mut reference), median(&mut of_messages));
    let rate = |seconds: f64| records.len() as f64 / seconds / 1e9;
    println!(
        "| memchr's memmem over the records in one slice | {} | {:.1} | 1.00 | |",
        shown(reference),
        rate(reference)
    );
    println!("| the same over the messages alone | {} | | | |", shown(of_messages));
    for ((name, _, goal), times) in rows.iter().zip(&mut times) {
        let seconds = median(times);
        if name.contains("nowhere") {
            println!(
                "| {name} | {} | {:.1} | {:.2} | {goal} |",
                shown(seconds),
                rate(seconds),
                reference / seconds
            );
        } else {
            println!("| {name} | {} | | | {goal} |", shown(seconds));
        }
    }
    println!("| counts by level | {} | | | < 2 ms |\n", shown(median(&mut counts)));
    let most = field_bytes(entries) as f64 * 1.3 + 64.0 * entries as f64;
    println!(
        "Memory of records and slots beside the bytes of fields: {:.2}x of the goal (1.3x plus 64 bytes an entry).\n",
        stats.bytes as f64 / most
    );
}

/// Bytes of what an entry says, with 8 for a number and a time.
fn field_bytes(entries: usize) -> usize {
    let fixed = "backend.engine.game".len()
        + "game".len()
        + "process_action".len()
        + "MainThread".len()
        + 8
        + 8
        + 1;
    (0..entries).map(|i| message(i).len() + fixed).sum()
}

fn mapped() {
    const PUSHES: usize = 200_000;
    let dir = tempfile::tempdir().expect("a folder");
    let memory = Ring::new(RingOptions::default());
    let file = Ring::create(dir.path(), "bench", RingOptions::default()).expect("a recording");
    let entry = entry(7);
    let push = |ring: &Ring| time(PUSHES, || black_box(ring.push(&entry)));
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(push(&memory));
        b.push(push(&file));
        ratios.push(b[b.len() - 1] / a[a.len() - 1]);
    }
    println!(
        "### A ring in a file\n\n| push of an entry | median | beside memory | goal |\n| --- | ---: | ---: | --- |"
    );
    println!("| ring in memory | {} | 1.00 | |", shown(median(&mut a)));
    println!("| ring in a file | {} | {:.2} | ≤ 1.1 |", shown(median(&mut b)), median(&mut ratios));
}

/// Seconds that one of `repeat` calls takes.
fn time<R>(repeat: usize, mut call: impl FnMut() -> R) -> f64 {
    let start = Instant::now();
    for _ in 0..repeat {
        call();
    }
    start.elapsed().as_secs_f64() / repeat as f64
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn shown(seconds: f64) -> String {
    match seconds {
        ..1e-6 => format!("{:.1} ns", seconds * 1e9),
        ..1e-3 => format!("{:.1} µs", seconds * 1e6),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}
