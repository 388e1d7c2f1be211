//! Reading over HTTP beside the framework alone: requests a second and latency of `GET /logs` over a
//! full ring, each beside the same server answering a constant body of the same size.
//!
//! Rounds alternate between the two, so that a machine whose speed drifts slows both. Prints a
//! Markdown table; `make bench` puts it into docs/benchmarks.md.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures"
)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use logrec_core::{Entry, Level, Ring, RingOptions, Timestamp};
use logrec_server::{Access, App, Server, ServerOptions, app};

const CLIENTS: usize = 8;
const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(700);

fn main() {
    let rows = [
        ("GET /logs?limit=100", "/api/debug/logs?limit=100"),
        ("search that matches nothing", "/api/debug/logs?search=no%20such%20words"),
        ("search that matches nothing, ÄRGER", "/api/debug/logs?search=%C3%84RGER"),
        ("level=ERROR&limit=50 (one in a hundred)", "/api/debug/logs?level=ERROR&limit=50"),
        ("GET /logs/stats", "/api/debug/logs/stats"),
    ];
    let ring = Arc::new(Ring::new(RingOptions::default()));
    fill(&ring);
    let logrec = serve(app(App::new(ring)));
    println!(
        "| request, full ring of 2000 entries of 300 bytes | body | requests/s | p50 | p99 | constant body, requests/s | ratio (min..max) | goal |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    // `cargo bench --bench http -- search`: only the rows whose name contains it.
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    for (name, path) in rows.into_iter().filter(|(name, _)| name.contains(&only)) {
        let body = fetch(logrec, path);
        let constant = serve(constant_app(body.clone()));
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut latencies = Vec::new();
        for round in 0..=ROUNDS {
            let a = load(logrec, path);
            let b = load(constant, "/constant");
            if round == 0 {
                continue; // warm-up
            }
            ratios.push(a.rate / b.rate);
            ours.push(a.rate);
            theirs.push(b.rate);
            latencies.extend(a.latencies_us);
        }
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        sort(&mut ratios);
        println!(
            "| {name} | {} B | {:.0} | {} µs | {} µs | {:.0} | {:.2} ({:.2}..{:.2}) | ≥ 0.60 |",
            body.len(),
            median(&mut ours),
            at(0.5),
            at(0.99),
            median(&mut theirs),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1],
        );
    }
}

fn fill(ring: &Ring) {
    for i in 0..2500 {
        let level = if i % 100 == 0 { Level::Error } else { Level::Info };
        let message = format!(
            "request {i} of player {} took {} ms and everything about it was as it should be, so there is little to add to that",
            i % 17,
            i % 91
        );
        ring.push(&Entry {
            logger: "backend.engine.game".into(),
            module: Some("game".into()),
            function: Some("process_action".into()),
            line: Some(245),
            thread: Some(140_234_567_890),
            thread_name: Some("MainThread".into()),
            attributes: vec![
                ("room".into(), "abc123".into()),
                ("duration_ms".into(), (i % 91).into()),
            ],
            ..Entry::new(Timestamp::now(), level, message)
        });
    }
}

fn constant_app(body: Vec<u8>) -> Router {
    let body = bytes::Bytes::from(body);
    let answer = move || {
        let body = body.clone();
        async move { ([("content-type", "application/json")], body) }
    };
    Router::new().route("/constant", get(answer))
}

/// Serves on a runtime of its own for the rest of the process.
fn serve(app: Router) -> SocketAddr {
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

struct Load {
    rate: f64,
    latencies_us: Vec<u32>,
}

fn load(server: SocketAddr, path: &str) -> Load {
    let start = Instant::now();
    let latencies: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(server);
                    let mut latencies = Vec::new();
                    while start.elapsed() < ROUND {
                        let sent = Instant::now();
                        client.get(path);
                        latencies
                            .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
                    }
                    latencies
                })
            })
            .collect();
        clients.into_iter().map(|c| c.join().expect("a client")).collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    let latencies_us: Vec<u32> = latencies.into_iter().flatten().collect();
    Load { rate: latencies_us.len() as f64 / seconds, latencies_us }
}

fn fetch(server: SocketAddr, path: &str) -> Vec<u8> {
    let mut client = Client::connect(server);
    let length = client.get(path);
    client.buffer[client.buffer.len() - length..].to_vec()
}

/// A client that does as little as it can: the server is what is measured.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_nodelay(true).expect("a socket option");
        Self { stream, buffer: Vec::new() }
    }

    /// Asks and reads the whole answer; its body's length.
    fn get(&mut self, path: &str) -> usize {
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        self.buffer.clear();
        let mut piece = [0; 65536];
        loop {
            let n = self.stream.read(&mut piece).expect("the server answers");
            assert!(n > 0, "the server hung up");
            self.buffer.extend_from_slice(&piece[..n]);
            if let Some((head, body)) = self.head() {
                let length = body;
                if self.buffer.len() >= head + length {
                    return length;
                }
            }
        }
    }

    /// Length of the head and of the body, once the head is there.
    fn head(&self) -> Option<(usize, usize)> {
        let end = self.buffer.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&self.buffer[..end]).expect("an ASCII head");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
        Some((end, length.trim().parse().expect("a length")))
    }
}

fn sort(numbers: &mut [f64]) {
    numbers.sort_unstable_by(f64::total_cmp);
}

fn median(numbers: &mut [f64]) -> f64 {
    sort(numbers);
    numbers[numbers.len() / 2]
}
