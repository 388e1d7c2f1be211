//! What capturing costs an application: the layer, the raw ring, threads, allocations and memory.
//!
//! `cargo bench -p logrec --bench capture` prints a markdown table; `-- --quick` a rougher one.
//!
//! Everything that is compared runs in this one process, in turns: A B C, B C A, … for many rounds.
//! A figure is the median over the rounds with its least and largest; a ratio is the median of the
//! ratios within each round, so that a machine that slows down for a while slows both sides.
//!
//! The contenders share one global subscriber, a registry with a layer that asks a variable whose
//! turn it is. So each pays tracing's own cost of an event, as it would alone.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, RefCell},
    fmt::{self, Write as _},
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use logrec::{Entry, Level, LogBuffer, LogrecLayer, Ring, RingOptions, Timestamp};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

fn main() {
    let quick = std::env::args().any(|arg| arg == "--quick");
    let scale = if quick {
        Scale { rounds: 11, events: 5_000 }
    } else {
        Scale { rounds: 61, events: 20_000 }
    };
    let memory = memory(); // first, while the process is small
    let buffer = LogBuffer::new();
    tracing_subscriber::registry().with(Contenders::new(&buffer)).init();

    println!(
        "`cargo bench -p logrec --bench capture`: {} rounds of {} events, {}.\n",
        scale.rounds,
        scale.events,
        machine()
    );
    println!("| what | ns, median | min..max | ratio | to | goal | reached |");
    println!("| --- | ---: | ---: | ---: | --- | --- | --- |");
    let mut missed = 0;
    let mut print = |rows: Vec<Row>| {
        for row in rows {
            missed += usize::from(row.reached == Some(false));
            println!("{row}");
        }
    };
    print(pushes(&scale));
    for event in EVENTS {
        print(layers(&scale, &event));
    }
    print(threads(&scale));
    println!("\n| what | value | goal | reached |\n| --- | ---: | --- | --- |");
    let counts = allocations().into_iter().chain(memory);
    for Count { what, value, goal, reached } in counts {
        missed += usize::from(reached == Some(false));
        println!("| {what} | {value} | {goal} | {} |", answer(reached));
    }
    println!("\n{missed} goals missed.");
}

struct Scale {
    rounds: usize,
    events: usize,
}

// ---------------------------------------------------------------------------------------------
// Measuring in turns

/// Nanoseconds an event of each contender, in each round.
fn in_turns(scale: &Scale, contenders: &mut [&mut dyn FnMut(usize)]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(scale.rounds); contenders.len()];
    for round in 0..=scale.rounds {
        for turn in 0..contenders.len() {
            let who = (turn + round) % contenders.len();
            let started = Instant::now();
            contenders[who](scale.events);
            let spent = started.elapsed();
            // The first round warms up.
            if round > 0 {
                times[who].push(spent.as_nanos() as f64 / scale.events as f64);
            }
        }
    }
    times
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ratio(times: &[f64], reference: &[f64]) -> f64 {
    median(times.iter().zip(reference).map(|(time, reference)| time / reference))
}

struct Row {
    what: String,
    times: Vec<f64>,
    ratio: Option<(f64, &'static str)>,
    goal: String,
    reached: Option<bool>,
}

impl Row {
    fn new(what: impl Into<String>, times: &[f64]) -> Self {
        Self {
            what: what.into(),
            times: times.to_vec(),
            ratio: None,
            goal: String::new(),
            reached: None,
        }
    }

    fn against(mut self, reference: &[f64], name: &'static str) -> Self {
        self.ratio = Some((ratio(&self.times, reference), name));
        self
    }

    fn at_most(mut self, most: f64) -> Self {
        self.goal = format!("≤ {most}x");
        self.reached = self.ratio.map(|(ratio, _)| ratio <= most);
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) =
            self.times.iter().fold((f64::MAX, 0.0f64), |(a, b), &t| (a.min(t), b.max(t)));
        let middle = median(self.times.iter().copied());
        let (ratio, to) = self.ratio.map_or(("-".into(), "-"), |(r, to)| (format!("{r:.2}"), to));
        let Self { what, goal, reached, .. } = self;
        let reached = answer(*reached);
        write!(
            f,
            "| {what} | {middle:.1} | {min:.1}..{max:.1} | {ratio} | {to} | {goal} | {reached} |"
        )
    }
}

fn answer(reached: Option<bool>) -> &'static str {
    match reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    }
}

// ---------------------------------------------------------------------------------------------
// The layer

const MESSAGE: usize = 0;
const CLOCK_AND_MESSAGE: usize = 1;
const ALL_FIELDS: usize = 2;
const FMT: usize = 3;
const LOGREC: usize = 4;
const NAMES: [&str; 5] = [
    "String, message",
    "String, message, clock read",
    "String, all fields",
    "fmt to sink",
    "logrec",
];

/// Whose turn it is.
static TURN: AtomicUsize = AtomicUsize::new(MESSAGE);

/// A layer that formats into a `String` kept by its thread: the message only, or all fields. With
/// `clock` it also learns when that was, without which a line of a log is of little use, but does
/// not format it.
#[derive(Default)]
struct Formatter {
    all_fields: bool,
    clock: bool,
}

thread_local! {
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

struct FormatFields<'a> {
    line: &'a mut String,
    all_fields: bool,
}

impl Visit for FormatFields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.line, "{value:?}");
        } else if self.all_fields {
            let _ = write!(self.line, " {}={value:?}", field.name());
        }
    }
}

impl Formatter {
    fn on_event(&self, event: &Event<'_>) {
        LINE.with_borrow_mut(|line| {
            line.clear();
            if self.clock {
                black_box(Timestamp::now());
            }
            event.record(&mut FormatFields { line, all_fields: self.all_fields });
            black_box(line.as_str());
        });
    }
}

struct Contenders<S> {
    fmt: Box<dyn Layer<S> + Send + Sync>,
    logrec: LogrecLayer,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Contenders<S> {
    fn new(buffer: &LogBuffer) -> Self {
        let fmt = tracing_subscriber::fmt::layer().with_writer(std::io::sink).boxed();
        Self { fmt, logrec: buffer.layer() }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Contenders<S> {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, ctx: Context<'_, S>) {
        self.fmt.on_new_span(attributes, id, ctx.clone());
        self.logrec.on_new_span(attributes, id, ctx);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        match TURN.load(Ordering::Relaxed) {
            MESSAGE => Formatter::default().on_event(event),
            CLOCK_AND_MESSAGE => Formatter { clock: true, ..Formatter::default() }.on_event(event),
            ALL_FIELDS => Formatter { all_fields: true, ..Formatter::default() }.on_event(event),
            FMT => self.fmt.on_event(event, ctx),
            _ => self.logrec.on_event(event, ctx),
        }
    }
}

struct EventKind {
    name: &'static str,
    reference: usize,
    most: Option<f64>,
    in_span: bool,
    log: fn(usize),
}

const EVENTS: [EventKind; 4] = [
    EventKind {
        name: "message only",
        reference: MESSAGE,
        most: Some(2.0),
        in_span: false,
        log: |_| tracing::info!("connection accepted from the load balancer"),
    },
    EventKind {
        name: "message with two arguments",
        reference: MESSAGE,
        most: Some(2.0),
        in_span: false,
        log: |n| tracing::info!("request {n} of {} handled", "player"),
    },
    EventKind {
        name: "message and 4 fields",
        reference: ALL_FIELDS,
        most: Some(1.1),
        in_span: false,
        log: four_fields,
    },
    EventKind {
        name: "message and 4 fields in 2 spans with 3 fields",
        reference: ALL_FIELDS,
        most: None,
        in_span: true,
        log: four_fields,
    },
];

fn four_fields(n: usize) {
    tracing::info!(
        user = n as u64,
        took_ms = 12.75,
        cached = true,
        method = "GET",
        "request handled"
    );
}

fn layers(scale: &Scale, event: &EventKind) -> Vec<Row> {
    let outer = tracing::info_span!("request", id = 4711, path = "/rooms/7/play");
    let inner = tracing::info_span!("play", card = "queen");
    let _entered = event.in_span.then(|| (outer.enter(), inner.enter()));
    let run = |who: usize| {
        move |events: usize| {
            TURN.store(who, Ordering::Relaxed);
            for n in 0..events {
                (event.log)(black_box(n));
            }
        }
    };
    let [mut a, mut b, mut c, mut d, mut e] =
        [MESSAGE, CLOCK_AND_MESSAGE, ALL_FIELDS, FMT, LOGREC].map(run);
    let times = in_turns(scale, &mut [&mut a, &mut b, &mut c, &mut d, &mut e]);
    let row = |who: usize| Row::new(format!("{}: {}", event.name, NAMES[who]), &times[who]);
    let against = |row: Row, to: usize| row.against(&times[to], NAMES[to]);
    let mut rows = vec![row(event.reference)];
    let others = (0..NAMES.len()).filter(|&who| who != event.reference);
    rows.extend(others.map(|who| against(row(who), event.reference)));
    if let Some(most) = event.most {
        let last = rows.pop().expect("a row for each contender");
        rows.push(last.at_most(most));
        if event.reference == MESSAGE {
            rows.push(against(row(LOGREC), CLOCK_AND_MESSAGE).at_most(most));
        }
    }
    rows
}

// ---------------------------------------------------------------------------------------------
// The ring

const PUSHED_BYTES: usize = 200;

fn text(bytes: usize) -> String {
    "the quick brown fox jumps over the lazy dog; ".chars().cycle().take(bytes).collect()
}

/// An entry of 200 bytes beside reading the clock and copying those bytes into a buffer that holds
/// as many of them as the ring does.
fn pushes(scale: &Scale) -> Vec<Row> {
    let ring = Ring::default();
    let message = text(PUSHED_BYTES);
    let entry = Entry::new(Timestamp::now(), Level::Info, message.clone());
    let mut target = vec![0u8; PUSHED_BYTES * logrec::DEFAULT_MAX_ENTRIES];
    let mut at = 0;
    let mut clock = |events: usize| {
        for _ in 0..events {
            black_box(Timestamp::now());
        }
    };
    let mut copy = |events: usize| {
        for _ in 0..events {
            black_box(Timestamp::now());
            target[at..at + PUSHED_BYTES].copy_from_slice(black_box(message.as_bytes()));
            at = (at + PUSHED_BYTES) % target.len();
            black_box(&mut target);
        }
    };
    let mut record = |events: usize| {
        for _ in 0..events {
            record_text(&ring, black_box(&message));
        }
    };
    let mut push = |events: usize| {
        for _ in 0..events {
            ring.push(black_box(&entry));
        }
    };
    let times = in_turns(scale, &mut [&mut copy, &mut clock, &mut record, &mut push]);
    const TO: &str = "clock + memcpy";
    let absolute = |row: Row| {
        let fast = median(row.times.iter().copied()) < 80.0;
        Row { goal: "≤ 3x and < 80 ns".into(), reached: row.reached.map(|r| r && fast), ..row }
    };
    vec![
        Row::new("clock + memcpy of 200 bytes", &times[0]),
        Row::new("clock alone", &times[1]).against(&times[0], TO),
        absolute(
            Row::new("`Ring::record`, 200 bytes", &times[2]).against(&times[0], TO).at_most(3.0),
        ),
        absolute(
            Row::new("`Ring::push`, 200 bytes", &times[3]).against(&times[0], TO).at_most(3.0),
        ),
    ]
}

#[inline]
fn record_text(ring: &Ring, message: &str) {
    let now = Timestamp::now();
    ring.record(now, now, Level::Info, |writer| writer.message_str(message));
}

/// All threads together push the same number of entries; the ratio is throughput against one thread.
fn threads(scale: &Scale) -> Vec<Row> {
    let ring = Ring::default();
    let message = text(PUSHED_BYTES);
    // Long enough that threads which share a processor take turns many times.
    let pushes = scale.events * 50;
    let mut times = vec![Vec::new(); 3];
    let counts = [1, 2, 8];
    for round in 0..=scale.rounds / 3 {
        for turn in 0..counts.len() {
            let who = (turn + round) % counts.len();
            let spent = push_from(counts[who], pushes, &ring, &message);
            if round > 0 {
                times[who].push(spent.as_nanos() as f64 / pushes as f64);
            }
        }
    }
    let times_of = |who: usize| {
        Row::new(format!("push from {} threads, a push of all", counts[who]), &times[who])
    };
    // A ratio of throughput: the other way round than that of times.
    let gain = |row: Row, least: f64, goal: &str| {
        let gain = ratio(&times[0], &row.times);
        Row {
            ratio: Some((gain, "1 thread, throughput")),
            goal: goal.to_owned(),
            reached: Some(gain >= least),
            ..row
        }
    };
    let two = ratio(&times[0], &times[1]);
    vec![
        times_of(0),
        gain(times_of(1), 1.5, "≥ 1.5x"),
        // Noise of a few in a hundred is not a loss.
        gain(times_of(2), two * 0.97, "no less than 2 threads"),
    ]
}

/// The threads take the pushes in batches, so that none is left alone with its share at the end.
fn push_from(threads: usize, pushes: usize, ring: &Ring, message: &str) -> Duration {
    const BATCH: usize = 1000;
    let (start, taken) = (Barrier::new(threads), AtomicUsize::new(0));
    let push = || {
        record_text(ring, message);
        start.wait();
        let started = Instant::now();
        while taken.fetch_add(BATCH, Ordering::Relaxed) < pushes {
            for _ in 0..BATCH {
                record_text(ring, message);
            }
        }
        (started, Instant::now())
    };
    let spans: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(push)).collect();
        workers.into_iter().map(|w| w.join().expect("no push panics")).collect()
    });
    let started = spans.iter().map(|span| span.0).min().expect("at least one thread");
    let ended = spans.iter().map(|span| span.1).max().expect("at least one thread");
    ended - started
}

// ---------------------------------------------------------------------------------------------
// Allocations and memory

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator; the count is of this thread alone.
#[expect(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as asked of us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as asked of us.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as asked of us.
        unsafe { System.realloc(ptr, layout, size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as asked of us.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct Count {
    what: String,
    value: String,
    goal: &'static str,
    reached: Option<bool>,
}

fn allocations() -> Vec<Count> {
    const EVENTS_COUNTED: usize = 10_000;
    TURN.store(LOGREC, Ordering::Relaxed);
    EVENTS
        .into_iter()
        .map(|event| {
            let outer = tracing::info_span!("request", id = 4711, path = "/rooms/7/play");
            let inner = tracing::info_span!("play", card = "queen");
            let _entered = event.in_span.then(|| (outer.enter(), inner.enter()));
            (event.log)(0);
            let before = ALLOCATIONS.get();
            (0..EVENTS_COUNTED).for_each(event.log);
            let count = ALLOCATIONS.get() - before;
            Count {
                what: format!("allocations in {EVENTS_COUNTED} events: {}", event.name),
                value: count.to_string(),
                goal: "0",
                reached: Some(count == 0),
            }
        })
        .collect()
}

/// A ring of 2000 entries, full of entries of 300 bytes.
fn memory() -> Vec<Count> {
    const MIB: f64 = (1 << 20) as f64;
    let message = text(300);
    let before = resident();
    let ring = Ring::new(RingOptions::default());
    for _ in 0..20_000 {
        record_text(&ring, &message);
    }
    let grown = (resident() - before) as f64 / MIB;
    let stats = ring.stats();
    let count = |what: &str, bytes: f64, goal, reached| Count {
        what: what.to_owned(),
        value: format!("{bytes:.2} MiB"),
        goal,
        reached,
    };
    vec![
        count(
            "memory: resident growth by a full ring of 2000 x 300 bytes",
            grown,
            "≤ 2 MB, never above 5 MB",
            Some(grown * MIB <= 2e6),
        ),
        count(
            "memory: records and slots in sight (`stats().bytes`)",
            stats.bytes as f64 / MIB,
            "",
            None,
        ),
        count(
            "memory: address space reserved (`stats().max_bytes`)",
            stats.max_bytes as f64 / MIB,
            "≤ 5 MB",
            Some(stats.max_bytes as f64 <= 5e6),
        ),
    ]
}

/// Bytes of this process in memory; 0 where there is no `/proc`.
fn resident() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * PAGE_BYTES
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} with {processors} processors", model.unwrap_or("a machine"))
}
