//! `/logs/stream`: WebSocket in raw frames and server-sent events in raw bytes, well-behaved and not.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use crate::support::Logrec;

/// A frame as it came.
#[derive(Debug)]
struct Frame {
    opcode: u8,
    payload: Vec<u8>,
}

/// A WebSocket client that can do what none should.
struct Socket {
    stream: TcpStream,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Socket {
    /// Status of the handshake's answer, and the socket behind it.
    fn try_open(logrec: &Logrec, query: &str, headers: &[&str]) -> (u16, Self) {
        let mut stream = TcpStream::connect(logrec.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut request = format!(
            "GET /api/debug/logs/stream{query} HTTP/1.1\r\nhost: {}\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            logrec.address
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status == 101 {
            // The answer to the key above, by RFC 6455, section 1.3.
            assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        }
        (status, Self { stream })
    }

    fn open(logrec: &Logrec, query: &str) -> Self {
        let (status, mut socket) = Self::try_open(logrec, query, &[]);
        assert_eq!(status, 101);
        assert_eq!(socket.message()["type"], "hello");
        socket
    }

    fn send(&mut self, fin: bool, opcode: u8, payload: &[u8]) {
        let mut frame = vec![u8::from(fin) << 7 | opcode];
        match payload.len() {
            n @ ..126 => frame.push(0x80 | u8::try_from(n).unwrap()),
            n @ ..65536 => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(n).unwrap().to_be_bytes());
            }
            n => {
                frame.push(0x80 | 127);
                frame.extend_from_slice(&(n as u64).to_be_bytes());
            }
        }
        let mask = [0x12, 0x34, 0x56, 0x78];
        frame.extend_from_slice(&mask);
        frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        // The server may have hung up already.
        let _ = self.stream.write_all(&frame);
    }

    fn say(&mut self, message: &Json) {
        self.send(true, TEXT, message.to_string().as_bytes());
    }

    /// The next frame; `None` at the end of the connection.
    fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        assert_eq!(head[0] & 0xf0, 0x80, "servers send whole messages");
        assert_eq!(head[1] & 0x80, 0, "servers do not mask");
        let len = match head[1] {
            126 => {
                let mut len = [0; 2];
                self.stream.read_exact(&mut len).ok()?;
                u16::from_be_bytes(len).into()
            }
            127 => {
                let mut len = [0; 8];
                self.stream.read_exact(&mut len).ok()?;
                usize::try_from(u64::from_be_bytes(len)).unwrap()
            }
            len => len.into(),
        };
        let mut payload = vec![0; len];
        self.stream.read_exact(&mut payload).ok()?;
        Some(Frame { opcode: head[0] & 0xf, payload })
    }

    fn message(&mut self) -> Json {
        let frame = self.frame().expect("a message");
        assert_eq!(frame.opcode, TEXT, "{frame:?}");
        serde_json::from_slice(&frame.payload).unwrap()
    }

    /// Messages of entries until there are so many.
    fn messages(&mut self, count: usize) -> Vec<String> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let message = self.message();
            assert_eq!(message["type"], "entries", "{message}");
            let data = message["data"].as_array().unwrap();
            assert_eq!(message["count"], data.len());
            messages.extend(data.iter().map(|e| e["message"].as_str().unwrap().to_owned()));
        }
        messages
    }

    /// The code that the server closes with, whatever it says before; the connection ends then.
    fn close_code(&mut self) -> u16 {
        loop {
            let frame = self.frame().expect("a close");
            if frame.opcode == CLOSE {
                self.send(true, CLOSE, &frame.payload);
                assert!(self.frame().is_none(), "nothing after a close");
                return u16::from_be_bytes([frame.payload[0], frame.payload[1]]);
            }
        }
    }
}

fn post(logrec: &Logrec, messages: &[&str]) {
    let batch: Vec<_> = messages.iter().map(|m| json!({"message": m, "level": "ERROR"})).collect();
    assert_eq!(logrec.post(json!(batch).to_string().as_bytes()).status, 200);
}

fn followers(logrec: &Logrec) -> Json {
    logrec.get("/logs/stats").json()["data"].clone()
}

/// Waits until this is so.
fn until(mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s");
        std::thread::yield_now();
    }
}

#[test]
fn history_entries_filter_pause_resume() {
    let logrec = Logrec::serve();
    post(&logrec, &["one", "two", "three"]);
    let mut socket = Socket::open(&logrec, "?tail=2&fields=message");
    assert_eq!(socket.messages(2), ["two", "three"]);
    post(&logrec, &["four"]);
    assert_eq!(socket.messages(1), ["four"]);

    socket.say(&json!({"type": "filter", "search": "SIX", "min_level": "error"}));
    let done = socket.message();
    assert_eq!(
        (&done["type"], &done["filters_applied"]["search"]),
        (&json!("filter"), &json!("SIX"))
    );
    post(&logrec, &["five", "six"]);
    assert_eq!(socket.messages(1), ["six"]);

    socket.say(&json!({"type": "pause"}));
    assert_eq!(socket.message()["type"], "pause");
    post(&logrec, &["six again", "seven"]);
    // While paused it says nothing but what it is asked, and its heartbeats.
    socket.say(&json!({"type": "filter", "heartbeat": 0.1}));
    assert_eq!(socket.message()["type"], "filter");
    assert_eq!(socket.message()["type"], "heartbeat");
    assert_eq!(socket.message()["type"], "heartbeat");
    socket.say(&json!({"type": "resume"}));
    let mut message = socket.message();
    while message["type"] == "heartbeat" {
        message = socket.message();
    }
    assert_eq!(message["type"], "resume");
    assert_eq!(socket.messages(2), ["six again", "seven"]);

    // A new view of what was: the filter may say where to begin.
    socket.say(&json!({"type": "filter", "tail": 1, "search": "two"}));
    assert_eq!(socket.message()["type"], "filter");
    assert_eq!(socket.messages(1), ["two"]);
}

#[test]
fn what_cannot_be_understood_is_answered_and_the_stream_goes_on() {
    let logrec = Logrec::serve();
    let mut socket = Socket::open(&logrec, "");
    for (message, error) in [
        ("what?", "the message is no JSON: byte 0 is `w`, where a value should be"),
        ("{\"type\":\"stop\"}", "the `type` is `stop`; give filter, pause or resume"),
        (
            "{\"type\":\"filter\",\"limit\":5}",
            "`limit` is no parameter here: a stream does not end; give `tail` for how much of what was it begins with",
        ),
        (
            "{\"type\":\"filter\",\"levl\":\"ERROR\"}",
            "`levl` is no parameter; did you mean `level`?",
        ),
    ] {
        socket.send(true, TEXT, message.as_bytes());
        let answer = socket.message();
        assert_eq!((&answer["type"], &answer["error"]), (&json!("error"), &json!(error)));
    }
    // In three fragments, with a ping between.
    socket.send(false, TEXT, b"{\"type\":");
    socket.send(true, PING, b"between");
    socket.send(false, 0, b"\"pau");
    socket.send(true, 0, b"se\"}");
    let pong = socket.frame().unwrap();
    assert_eq!((pong.opcode, &*pong.payload), (PONG, &b"between"[..]));
    assert_eq!(socket.message()["type"], "pause");
    // A handshake that is refused is refused in our form.
    let (status, _) = Socket::try_open(&logrec, "?wait=5", &[]);
    assert_eq!(status, 422);
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code() {
    let logrec = Logrec::serve();
    let large = vec![b' '; (64 << 10) + 1];
    let closed_after = |what: &dyn Fn(&mut Socket)| {
        let mut socket = Socket::open(&logrec, "");
        what(&mut socket);
        socket.close_code()
    };
    assert_eq!(closed_after(&|s| s.send(true, BINARY, b"{}")), 1003);
    assert_eq!(closed_after(&|s| s.send(true, TEXT, b"\xff\xfe")), 1007);
    assert_eq!(closed_after(&|s| s.send(true, TEXT, &large)), 1009);
    let in_pieces = |s: &mut Socket| {
        s.send(false, TEXT, &large[..40_000]);
        s.send(false, 0, &large[..20_000]);
        s.send(true, 0, &large[..20_000]);
    };
    assert_eq!(closed_after(&in_pieces), 1009);
    // Said to be larger than any machine's memory.
    let huge = |s: &mut Socket| {
        s.stream.write_all(&[0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap();
        s.stream.write_all(&[0; 4]).unwrap();
    };
    assert_eq!(closed_after(&huge), 1009);
    let unmasked = |s: &mut Socket| s.stream.write_all(&[0x81, 0x02, b'{', b'}']).unwrap();
    assert_eq!(closed_after(&unmasked), 1002);
    assert_eq!(closed_after(&|s| s.send(true, 0, b"a fragment of nothing")), 1002);
    assert_eq!(closed_after(&|s| s.send(true, 0xb, b"an unknown kind")), 1002);
    assert_eq!(closed_after(&|s| s.send(true, PING, &[0; 126])), 1002);
    // A close is answered with itself.
    assert_eq!(closed_after(&|s| s.send(true, CLOSE, &1000_u16.to_be_bytes())), 1000);
    until(|| followers(&logrec)["followers_total"] == 0);
}

#[test]
fn a_flood_of_pings_is_answered_and_hurts_nobody() {
    const PINGS: usize = 50_000;
    let logrec = Logrec::serve();
    let mut socket = Socket::open(&logrec, "");
    let before_kb = logrec.resident_kb();
    let mut flood = socket.stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let frame = [0x89, 0x84, 0, 0, 0, 0, b'p', b'i', b'n', b'g'].repeat(100);
        // It blocks where the server reads no faster than its answers are read.
        (0..PINGS / 100).for_each(|_| flood.write_all(&frame).unwrap());
    });
    // While nobody reads the answers, others are served.
    post(&logrec, &["meanwhile"]);
    assert_eq!(logrec.messages("?limit=1"), ["meanwhile"]);
    let (mut pongs, mut entries) = (0, 0);
    while pongs < PINGS {
        let frame = socket.frame().unwrap();
        match frame.opcode {
            PONG => pongs += 1,
            _ => entries += 1,
        }
    }
    sender.join().unwrap();
    assert!(entries <= 1);
    let grown_kb = logrec.resident_kb().saturating_sub(before_kb);
    assert!(grown_kb < 4000, "{grown_kb} kB more");
}

/// A ping that comes while a message is being written must neither lose the message nor stop the stream.
#[test]
fn pings_under_load_lose_nothing() {
    const BATCHES: usize = 40;
    const BATCH: usize = 500;
    let logrec = Logrec::serve();
    let mut socket = Socket::open(&logrec, "?fields=message");
    let mut pinging = Socket { stream: socket.stream.try_clone().unwrap() };
    let batch: Vec<_> = (0..BATCH).map(|_| json!({"message": "long ".repeat(100)})).collect();
    let batch = json!(batch).to_string();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..BATCHES).for_each(|_| _ = logrec.post(batch.as_bytes())));
        scope.spawn(|| (0..2000).for_each(|_| pinging.send(true, PING, b"?")));
        let (mut got, mut pongs) = (0, 0);
        while got < (BATCHES * BATCH) as u64 || pongs == 0 {
            let frame = socket.frame().expect("a frame");
            if frame.opcode == PONG {
                pongs += 1;
                continue;
            }
            let message: Json = serde_json::from_slice(&frame.payload).unwrap();
            got += message["count"].as_u64().or(message["missed"].as_u64()).unwrap_or(0);
        }
        assert_eq!(got, (BATCHES * BATCH) as u64);
    });
}

#[test]
fn whoever_is_gone_is_gone() {
    let logrec = Logrec::serve();
    let mut half = Socket::open(&logrec, "");
    half.stream.shutdown(Shutdown::Write).unwrap();
    assert!(half.frame().is_none(), "half a connection is none");
    let whole = Socket::open(&logrec, "");
    let events = Events::open(&logrec, "", &[]);
    let shown = followers(&logrec);
    assert_eq!(shown["followers_total"], 2, "{shown}");
    assert_eq!(
        (&shown["followers"][0]["kind"], &shown["followers"][1]["kind"]),
        (&json!("websocket"), &json!("sse"))
    );
    drop(whole);
    drop(events);
    until(|| followers(&logrec)["followers_total"] == 0);
}

#[test]
fn who_may_follow_is_who_may_ask() {
    let logrec = Logrec::serve();
    let status = |headers: &[&str]| Socket::try_open(&logrec, "", headers).0;
    assert_eq!(status(&["origin: http://evil.example"]), 403);
    assert_eq!(status(&["origin: http://localhost:3000"]), 403);
    assert_eq!(status(&["sec-fetch-site: cross-site"]), 403);
    assert_eq!(status(&[&format!("origin: http://{}", logrec.address)]), 101);
    let token = Logrec::serve_with(&["--bind", "127.0.0.1:0"], &[("LOGREC_TOKEN", "s3cret")]);
    assert_eq!(Socket::try_open(&token, "", &[]).0, 401);
    assert_eq!(Socket::try_open(&token, "", &["authorization: Bearer s3cret"]).0, 101);
    assert_eq!(Events::try_open(&token, "", &[]).0, 401);
    let rebound = logrec.request(
        "GET",
        "http://evil.example/api/debug/logs/stream",
        &["upgrade: websocket", "sec-websocket-version: 13"],
        b"",
    );
    assert_eq!(rebound.status, 403);
    let json = logrec.request("GET", "/api/debug/logs/stream", &["accept: application/json"], b"");
    assert_eq!((json.status, json.json()["success"].clone()), (406, json!(false)));
    assert_eq!(
        logrec
            .request("POST", "/api/debug/logs/stream", &["content-type: application/json"], b"{}")
            .status,
        405
    );
}

/// A stream of server-sent events.
struct Events {
    lines: std::io::Lines<BufReader<TcpStream>>,
}

#[derive(Debug, Default, PartialEq)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
}

impl Events {
    fn try_open(logrec: &Logrec, query: &str, headers: &[&str]) -> (u16, Self) {
        let mut stream = TcpStream::connect(logrec.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let headers: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
        // HTTP/1.0, so that the body comes without chunks.
        write!(stream, "GET /api/debug/logs/stream{query} HTTP/1.0\r\nhost: {}\r\naccept: text/event-stream\r\n{headers}\r\n", logrec.address).unwrap();
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().unwrap().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        while !lines.next().unwrap().unwrap().is_empty() {}
        (status, Self { lines })
    }

    fn open(logrec: &Logrec, query: &str, headers: &[&str]) -> Self {
        let (status, mut events) = Self::try_open(logrec, query, headers);
        assert_eq!(status, 200);
        assert_eq!(events.block().unwrap().name, "hello");
        events
    }

    /// The next block, as a parser of events has it; comments are passed over. `None` at the end.
    fn block(&mut self) -> Option<Event> {
        let mut event = Event::default();
        let mut any = false;
        loop {
            let line = self.lines.next()?.unwrap();
            match line.split_once(": ") {
                None if line.is_empty() && any => return Some(event),
                Some(("id", id)) => (event.id, any) = (Some(id.to_owned()), true),
                Some(("event", name)) => (event.name, any) = (name.to_owned(), true),
                Some(("data", data)) => (event.data, any) = (data.to_owned(), true),
                Some(("retry" | "", _)) | None => {}
                Some(_) => panic!("{line}"),
            }
        }
    }

    fn message(&mut self) -> (String, String) {
        let event = self.block().unwrap();
        assert_eq!(event.name, "", "{event:?}");
        let entry: Json = serde_json::from_str(&event.data).unwrap();
        (entry["message"].as_str().unwrap().to_owned(), event.id.unwrap())
    }
}

#[test]
fn events_resume_where_they_were_cut_off() {
    let logrec = Logrec::serve();
    let expected: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    let texts: Vec<&str> = expected.iter().map(String::as_str).collect();
    post(&logrec, &texts[..10]);
    let mut events = Events::open(&logrec, "?tail=10&search=message", &[]);
    let mut got = Vec::new();
    let (message, mut id) = events.message();
    got.push(message);
    post(&logrec, &texts[10..]);
    // Cut off after each: what comes back is the rest, whatever `tail` says.
    while got.len() < 20 {
        let header = format!("last-event-id: {id}");
        let mut again = Events::open(&logrec, "?tail=10&search=message&heartbeat=0.1", &[&header]);
        let (message, next) = again.message();
        got.push(message);
        id = next;
        if got.len() == 20 {
            // A heartbeat moves the place on, beyond what did not match.
            post(&logrec, &["another"]);
            let mut beat = again.block().unwrap();
            while beat.id.as_ref() == Some(&id) {
                beat = again.block().unwrap();
            }
            assert_eq!((&*beat.data, &*beat.name), ("", ""));
        }
    }
    assert_eq!(got, expected);
    let (status, _) = Events::try_open(&logrec, "", &["last-event-id: 17"]);
    assert_eq!(status, 422);
}

#[test]
fn curl_shows_what_comes() {
    let logrec = Logrec::serve();
    post(&logrec, &["history"]);
    let url = format!("http://{}/api/debug/logs/stream?tail=1&fields=message", logrec.address);
    let mut curl = std::process::Command::new("curl")
        .args(["-sN", "--noproxy", "*", &url])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(curl.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut data = lines.filter(|line| line.starts_with("data: {\"message\""));
    assert_eq!(data.next().unwrap(), "data: {\"message\":\"history\"}");
    post(&logrec, &["news"]);
    assert_eq!(data.next().unwrap(), "data: {\"message\":\"news\"}");
    curl.kill().unwrap();
    curl.wait().unwrap();
    until(|| followers(&logrec)["followers_total"] == 0);
}

#[test]
fn after_a_restart_what_there_is_comes_with_a_note() {
    let before = Logrec::serve();
    post(&before, &["before"]);
    let (_, id) = Events::open(&before, "?tail=1", &[]).message();
    drop(before);
    let after = Logrec::serve();
    post(&after, &["since then"]);
    let header = format!("last-event-id: {id}");
    let mut events = Events::open(&after, "?tail=1", &[&header]);
    assert_eq!(events.block().unwrap().name, "note");
    assert_eq!(events.message().0, "since then");
}

#[test]
fn the_end_of_the_server_is_said() {
    let logrec = Logrec::serve();
    let mut socket = Socket::open(&logrec, "");
    let mut events = Events::open(&logrec, "", &[]);
    let pid = rustix::process::Pid::from_raw(logrec.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(socket.close_code(), 1001);
    assert!(events.block().is_none());
}

/// What is left unread is told exactly, and the server's memory does not grow by it.
#[test]
fn who_does_not_read_is_told_what_was_missed() {
    const BATCHES: usize = 100;
    const BATCH: usize = 1000;
    let logrec = Logrec::serve();
    let mut idle: Vec<Socket> = (0..10).map(|_| Socket::open(&logrec, "")).collect();
    let batch: Vec<_> =
        (0..BATCH).map(|n| json!({"message": format!("{n}: {}", "long ".repeat(40))})).collect();
    let batch = json!(batch).to_string();
    logrec.post(batch.as_bytes());
    let before_kb = logrec.resident_kb();
    for _ in 1..BATCHES {
        assert_eq!(logrec.post(batch.as_bytes()).status, 200);
    }
    let grown_kb = logrec.resident_kb().saturating_sub(before_kb);
    assert!(grown_kb < 32_000, "{grown_kb} kB more");
    for mut socket in idle.drain(..) {
        let (mut got, mut missed) = (0, 0);
        while got + missed < (BATCHES * BATCH) as u64 {
            let message = socket.message();
            match message["type"].as_str().unwrap() {
                "entries" => got += message["count"].as_u64().unwrap(),
                "gap" => missed += message["missed"].as_u64().unwrap(),
                other => panic!("{other}"),
            }
        }
        assert_eq!(got + missed, (BATCHES * BATCH) as u64);
        assert!(missed > 0, "all of it went into the socket's buffers");
    }
}
