//! Starting logrec and talking to it in raw HTTP, so that nothing between mends a request.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value as Json;

/// A running `logrec serve`, ended on drop.
pub(crate) struct Logrec {
    child: Child,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| {
            panic!("{e}: {} {}", self.head, String::from_utf8_lossy(&self.body))
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logrec"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LOGREC_")) {
        command.env_remove(name);
    }
    // Not the recordings of whoever runs the tests.
    command.env("LOGREC_RINGS", "rings");
    command
}

impl Logrec {
    pub(crate) fn serve() -> Self {
        Self::serve_with(&["--bind", "127.0.0.1:0"], &[])
    }

    pub(crate) fn serve_with(args: &[&str], env: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut child = command()
            .arg("serve")
            .args(args)
            .envs(env.iter().copied())
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says on stderr where it listens, once it does.
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| {
                let (_, after) = line.split_once("http://")?;
                let end = after.find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)));
                after[..end.unwrap_or(after.len())].parse().ok()
            })
            .expect("logrec says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request as it stands and reads all that comes back.
    pub(crate) fn raw(&self, request: &[u8]) -> Response {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // The server may answer and hang up before it has read all.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| {
            panic!("no answer to {}", String::from_utf8_lossy(&request[..request.len().min(300)]))
        });
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = bytes[end + 4..].to_vec();
        Response { status, head, body }
    }

    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[&str],
        body: &[u8],
    ) -> Response {
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        for header in headers {
            request.push_str(header);
            request.push_str("\r\n");
        }
        if !body.is_empty() || method == "POST" {
            request.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        self.raw(&[request.as_bytes(), body].concat())
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.request("GET", &format!("/api/debug{path}"), &[], b"")
    }

    pub(crate) fn post(&self, body: &[u8]) -> Response {
        self.request("POST", "/api/debug/logs", &["content-type: application/json"], body)
    }

    pub(crate) fn delete(&self) -> Response {
        self.request("DELETE", "/api/debug/logs", &[], b"")
    }

    /// Entries of an answer that must be a success.
    pub(crate) fn entries(&self, query: &str) -> Vec<Json> {
        let response = self.get(&format!("/logs{query}"));
        let answer = response.json();
        assert_eq!(response.status, 200, "{answer}");
        assert_eq!(answer["success"], true);
        let entries = answer["data"].as_array().unwrap().clone();
        assert_eq!(answer["count"], entries.len());
        entries
    }

    pub(crate) fn messages(&self, query: &str) -> Vec<String> {
        self.entries(query).iter().map(|e| e["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Resident memory in kB.
    pub(crate) fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Logrec {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
