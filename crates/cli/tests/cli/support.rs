//! Starting `logrec`, asking it, waiting for what must come.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder, and `logrec` within it.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// `logrec` with these arguments, without settings of whoever runs the tests.
    pub(crate) fn logrec(&self, args: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_logrec"), args)
    }

    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LOGREC_") {
                command.env_remove(name);
            }
        }
        // Not the recordings of whoever runs the tests.
        command.env("LOGREC_RINGS", "rings");
        command.env("TZ", "UTC").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    pub(crate) fn output(&self, args: &[&str]) -> Output {
        self.logrec(args).output().unwrap()
    }

    /// Starts a command that serves on a free port, and waits until it does.
    pub(crate) fn serve(&self, args: &[&str]) -> Served {
        let mut words = vec![args[0], "--bind", "127.0.0.1:0", "--port-file", "address"];
        words.extend(&args[1..]);
        let _ = fs::remove_file(self.path("address"));
        Served::wait(self.logrec(&words), &self.path("address"))
    }
}

/// A running `logrec` with a server; killed when dropped.
pub(crate) struct Served {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Served {
    pub(crate) fn wait(mut command: Command, port_file: &Path) -> Self {
        let child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let child = child.unwrap();
        let address = until("the port file", || {
            fs::read_to_string(port_file).ok().filter(|text| text.ends_with('\n'))
        });
        Self { child, address: address.trim().to_owned() }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn get(&self, path_and_query: &str) -> Value {
        get(&self.address, path_and_query)
    }

    /// Messages of all entries, oldest first.
    pub(crate) fn messages(&self) -> Vec<String> {
        messages(&self.get("/logs?limit=1000&order=asc"))
    }

    /// Waits until so many entries are there; their messages.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<String> {
        until(&format!("{count} entries"), || {
            Some(self.messages()).filter(|messages| messages.len() >= count)
        })
    }

    pub(crate) fn kill(&self, signal: Signal) {
        kill(&self.child, signal);
    }

    /// Asks it to end; how it did.
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.kill(Signal::TERM);
        end(&mut self.child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn messages(answer: &Value) -> Vec<String> {
    let data = answer["data"].as_array().unwrap();
    data.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn get(address: &str, path_and_query: &str) -> Value {
    let url = format!("http://{address}/api/debug{path_and_query}");
    let body = ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap();
    serde_json::from_slice(&body).unwrap()
}

pub(crate) fn kill(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Waits for what must come.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a child's end.
pub(crate) fn end(child: &mut Child) -> ExitStatus {
    until("the end", || child.try_wait().unwrap())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All that a stream still gives.
pub(crate) fn rest(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    text(&bytes)
}

/// Reads lines as they come.
pub(crate) struct Lines<R> {
    stream: R,
    buf: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, buf: Vec::new() }
    }

    /// The next line, waited for; without its end. Empty at the end of the stream.
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Some(end) = self.buf.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buf.drain(..=end).collect();
                return text(&line).trim_end().to_owned();
            }
            let mut piece = [0; 4096];
            // A pseudo-terminal ends with an error.
            let len = self.stream.read(&mut piece).unwrap_or(0);
            if len == 0 {
                return text(&std::mem::take(&mut self.buf));
            }
            self.buf.extend_from_slice(&piece[..len]);
        }
    }

    /// The next line that contains the text.
    pub(crate) fn find(&mut self, wanted: &str) -> String {
        loop {
            let line = self.next();
            assert!(!line.is_empty(), "the stream ended before {wanted}");
            if line.contains(wanted) {
                return line;
            }
        }
    }
}
