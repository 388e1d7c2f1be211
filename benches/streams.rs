//! Live streams: whole and in order at 100,000 entries a second, memory flat, what following costs a push,
//! and how long an entry takes to its clients.
//!
//! The clients are another process, this binary started again: what is measured of the server is the
//! server's alone. Prints Markdown tables; `make bench` puts them into docs/benchmarks.md.

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use logrec_core::{Entry, Level, Ring, RingOptions, Timestamp};
use logrec_server::{Access, App, Server, ServerOptions, app};
use rustix::time::{ClockId, clock_gettime};

/// Entries a second and seconds of the long run.
const RATE: u64 = 100_000;
const SECONDS: u64 = 30;
const WRITERS: u64 = 2;
const RING: usize = 50_000;
/// A writer pushes so often.
const TICK: Duration = Duration::from_millis(10);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == "--clients") {
        return clients(&args[at + 1], args[at + 2].parse().expect("a count"), &args[at + 3]);
    }
    whole_and_in_order();
    push_cost();
    latency();
}

/// Serves a ring on a runtime of its own for the rest of the process.
fn serve(ring: &Arc<Ring>) -> SocketAddr {
    let app = app(App::new(Arc::clone(ring)));
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let bind = SocketAddr::from(([127, 0, 0, 1], 0));
            let options = ServerOptions { bind, ..ServerOptions::default() };
            let server = Server::bind(options, &Access::default()).expect("a free port");
            send.send(server.local_addr().expect("an address")).expect("a receiver");
            server.run(app, std::future::pending()).await;
        });
    });
    receive.recv().expect("the server's address")
}

fn push(ring: &Ring, writer: u64, n: u64) {
    let entry = Entry {
        logger: "backend.engine.game".into(),
        module: Some("game".into()),
        function: Some("process_action".into()),
        line: Some(245),
        thread_name: Some("MainThread".into()),
        ..Entry::new(
            Timestamp::now(),
            Level::Info,
            format!(
                "{writer}:{n} request of player {} took {} ms, all as it should be",
                n % 17,
                n % 91
            ),
        )
    };
    ring.push(&entry);
}

/// Pushes at a rate for a time; each push's share of the processor, in ns, of the median tick.
fn write(ring: &Ring, writer: u64, rate: u64, time: Duration, first: u64) -> (u64, f64) {
    let start = Instant::now();
    let (mut n, mut ticks, mut costs) = (first, 0, Vec::new());
    while start.elapsed() < time {
        ticks += 1;
        let due = first + rate * u64::try_from(TICK.as_millis()).expect("few") * ticks / 1000;
        let before = cpu_ns();
        let from = n;
        while n < due {
            push(ring, writer, n);
            n += 1;
        }
        costs.push((cpu_ns() - before) / (n - from).max(1) as f64);
        std::thread::sleep((start + TICK * ticks as u32).saturating_duration_since(Instant::now()));
    }
    costs.sort_unstable_by(f64::total_cmp);
    (n - first, costs[costs.len() / 2])
}

/// What this thread has had of a processor.
fn cpu_ns() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

/// Clients in another process.
struct Clients {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Clients {
    /// Returns once all of them follow.
    fn start(server: SocketAddr, count: usize, how: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this binary"))
            .args(["--clients", &server.to_string(), &count.to_string(), how])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        assert_eq!(lines.next().expect("a line").expect("text"), "ready");
        Self { child, lines }
    }

    /// Says that so many entries were pushed; what each client says of them.
    fn finish(mut self, pushed: u64) -> Vec<String> {
        writeln!(self.child.stdin.take().expect("piped"), "{pushed}").expect("a reader");
        let said = self.lines.map(|line| line.expect("text")).collect();
        assert!(self.child.wait().expect("a child").success(), "{said:?}");
        said
    }
}

fn whole_and_in_order() {
    // No more memory than the entries take, so that all of it is in use early.
    let options = RingOptions { max_bytes: 12 << 20, ..RingOptions::with_max_entries(RING) };
    let ring = Arc::new(Ring::new(options));
    let server = serve(&ring);
    let fast = Clients::start(server, 1, "fast");
    let slow = Clients::start(server, 1, "slow");
    let (pushed, early, late) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|w| {
                let ring = &ring;
                let time = Duration::from_secs(SECONDS);
                scope.spawn(move || write(ring, w, RATE / WRITERS, time, 0).0)
            })
            .collect();
        // The ring has been filled by then.
        std::thread::sleep(Duration::from_secs(3));
        let early = resident_mb();
        let pushed: u64 = writers.into_iter().map(|w| w.join().expect("a writer")).sum();
        (pushed, early, resident_mb())
    });
    println!("### {pushed} entries in {SECONDS} s into a ring of {RING}\n");
    println!("| client | entries | told as missed | together | once, in each thread's order |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for (name, clients) in [("reads as it comes", fast), ("reads 100 entries a second", slow)] {
        for line in clients.finish(pushed) {
            let mut words = line.split(' ');
            let mut number = || words.next().expect("a word").parse::<u64>().expect("a number");
            let (got, missed) = (number(), number());
            let sum = if got + missed == pushed { "all" } else { "**NOT ALL**" };
            println!("| {name} | {got} | {missed} | {sum} | {} |", words.next().expect("a word"));
        }
    }
    println!(
        "\nResident memory of the server: {early:.1} MB after 3 s, {late:.1} MB after {SECONDS} s.\n"
    );
}

fn push_cost() {
    const ROUNDS: usize = 7;
    const TIME: Duration = Duration::from_millis(1500);
    let counts = [0, 10, 200];
    let ring = Arc::new(Ring::new(RingOptions::with_max_entries(RING)));
    let server = serve(&ring);
    println!("### What following costs a push, and a look\n");
    println!("| clients | ns a push at 10,000/s, median | min..max | ratio | goal |");
    println!("| ---: | ---: | ---: | ---: | --- |");
    let mut costs = vec![Vec::new(); counts.len()];
    for _ in 0..ROUNDS {
        for (count, costs) in counts.iter().zip(&mut costs) {
            let clients = (*count > 0).then(|| Clients::start(server, *count, "any"));
            let (pushed, cost) = write(&ring, 0, 10_000, TIME, 0);
            costs.push(cost);
            clients.map(|clients| clients.finish(pushed));
        }
    }
    let mut reference = 0.0;
    for (count, costs) in counts.iter().zip(&mut costs) {
        costs.sort_unstable_by(f64::total_cmp);
        let median = costs[costs.len() / 2];
        if *count == 0 {
            reference = median;
        }
        println!(
            "| {count} | {median:.1} | {:.1}..{:.1} | {:.2} | {} |",
            costs[0],
            costs[costs.len() - 1],
            median / reference,
            if *count == 0 { "" } else { "within noise of 1" },
        );
    }
    println!();
}

fn latency() {
    println!("### From the push to the client, at 1,000 entries a second\n");
    println!("| clients | median | p99 | most | goal |");
    println!("| ---: | ---: | ---: | ---: | --- |");
    for count in [1, 10, 200] {
        let ring = Arc::new(Ring::default());
        let clients = Clients::start(serve(&ring), count, "timed");
        let (pushed, _) = write(&ring, 0, 1000, Duration::from_secs(5), 0);
        let mut all_us: Vec<u64> = Vec::new();
        for line in clients.finish(pushed) {
            all_us.extend(line.split(' ').skip(3).map(|us| us.parse::<u64>().expect("a number")));
        }
        all_us.sort_unstable();
        let at = |share: f64| all_us[((all_us.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
        println!(
            "| {count} | {:.1} ms | {:.1} ms | {:.1} ms | median < 25 ms |",
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
}

/// The other process: so many clients, until they have all that was pushed.
fn clients(server: &str, count: usize, how: &str) {
    let server = server.parse().expect("an address");
    let clients: Vec<Client> = (0..count).map(|_| Client::connect(server)).collect();
    println!("ready");
    let total = Arc::new(std::sync::OnceLock::new());
    let threads: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            let (total, how) = (Arc::clone(&total), how.to_owned());
            let thread = std::thread::Builder::new().stack_size(128 << 10);
            thread.spawn(move || client.follow(&total, &how)).expect("a thread")
        })
        .collect();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a line");
    total.set(line.trim().parse::<u64>().expect("a number")).expect("set once");
    for thread in threads {
        println!("{}", thread.join().expect("a client"));
    }
}

struct Client {
    stream: BufReader<TcpStream>,
    payload: Vec<u8>,
    got: u64,
    missed: u64,
    next: [u64; WRITERS as usize],
    in_order: bool,
    latencies_us: Vec<i64>,
}

impl Client {
    fn connect(server: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(server).expect("the server listens");
        stream
            .write_all(b"GET /api/debug/logs/stream?fields=timestamp,message&heartbeat=0.2 HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            .expect("the server reads");
        let mut stream = BufReader::with_capacity(64 << 10, stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).expect("the server answers");
        }
        let mut client = Self {
            stream,
            payload: Vec::new(),
            got: 0,
            missed: 0,
            next: [0; WRITERS as usize],
            in_order: true,
            latencies_us: Vec::new(),
        };
        client.frame();
        assert!(client.payload.starts_with(b"{\"type\":\"hello\""));
        client
    }

    fn frame(&mut self) {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).expect("a frame");
        assert_eq!(head[0], 0x81, "a whole text");
        let mut len = [0; 8];
        let size = match head[1] {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        self.stream.read_exact(&mut len[8 - size..]).expect("a length");
        let len = if size == 0 { u64::from(head[1]) } else { u64::from_be_bytes(len) };
        self.payload.resize(len as usize, 0);
        self.stream.read_exact(&mut self.payload).expect("a payload");
    }

    fn follow(&mut self, total: &std::sync::OnceLock<u64>, how: &str) -> String {
        while total.get().is_none_or(|total| self.got + self.missed < *total) {
            self.frame();
            let text = std::str::from_utf8(&self.payload).expect("UTF-8");
            if let Some(gap) = text.strip_prefix("{\"type\":\"gap\",\"missed\":") {
                self.missed +=
                    gap.split(',').next().expect("a number").parse::<u64>().expect("one");
            } else if text.starts_with("{\"type\":\"entries\"") {
                let now_us = Timestamp::now().0 / 1000;
                let mut count = 0;
                for entry in text.split("{\"timestamp\":").skip(1) {
                    count += 1;
                    if how == "any" {
                        continue;
                    }
                    let (time, rest) = entry.split_once(',').expect("a time");
                    let message = rest.split('"').nth(3).expect("a message");
                    let (writer, n) =
                        message.split_once(' ').expect("words").0.split_once(':').expect("two");
                    let (writer, n): (usize, u64) =
                        (writer.parse().expect("a number"), n.parse().expect("a number"));
                    self.in_order &= n >= self.next[writer];
                    self.next[writer] = n + 1;
                    if how == "timed" {
                        self.latencies_us.push(now_us - micros(time));
                    }
                }
                self.got += count;
                if how == "slow" && total.get().is_none() {
                    std::thread::sleep(Duration::from_millis(10 * count));
                }
            }
        }
        let order = if self.in_order { "yes" } else { "**NO**" };
        let times: Vec<String> =
            self.latencies_us.iter().map(|us| format!(" {}", us.max(&0))).collect();
        format!("{} {} {order}{}", self.got, self.missed, times.concat())
    }
}

/// Seconds with a fraction as microseconds.
fn micros(time: &str) -> i64 {
    let (seconds, fraction) = time.split_once('.').expect("a fraction");
    format!("{seconds}{fraction:0<6}").parse().expect("digits")
}
