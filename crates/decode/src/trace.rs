//! Stack traces over several lines: where one begins, what belongs to it, and what it says.
//!
//! Nothing here knows the log format around: a trace begins with a line that can be nothing else
//! ([`opens`]), or it is seen only at its first frame ([`frame`]), when the line before turns out
//! to have been its head. Each runtime's printing is read as its runtime prints it; there is no
//! general rule, since an indented line may be anything.

use crate::scan;

/// Whose trace it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Python,
    Jvm,
    Node,
    Go,
    Rust,
    Dotnet,
    Ruby,
    Php,
    Elixir,
    /// anyhow's and eyre's `Error: …` with `Caused by:`.
    Causes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before the line that says what failed (Node's source excerpt, Rust's message line).
    Head,
    /// Frames.
    Frames,
    /// Python's group, drawn with bars: indented lines only.
    Group,
    /// The exception has been named; details or a chained trace may follow.
    After,
    /// A chain's marker has been read; a traceback must follow.
    Chain,
}

/// A trace that is being read.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    pub(crate) kind: Kind,
    phase: Phase,
    /// Node: a brace was opened at the end of a line, its closing line stands unindented.
    open_brace: bool,
}

const TRACEBACK: &str = "Traceback (most recent call last):";
const GROUP: &str = "+ Exception Group Traceback (most recent call last):";
const CHAINS: [&str; 2] = [
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
];

impl Trace {
    fn new(kind: Kind, phase: Phase) -> Self {
        Self { kind, phase, open_brace: false }
    }

    /// A panic of Go or Rust.
    pub(crate) fn is_panic(&self) -> bool {
        matches!(self.kind, Kind::Go | Kind::Rust)
    }

    /// Whether a line that [`opens`] it is what a process dies of, and so no part of what it
    /// logged before. Python and Elixir print a logged exception and a fatal one alike.
    pub(crate) fn is_death(&self) -> bool {
        !matches!(self.kind, Kind::Python | Kind::Elixir)
    }

    /// Whether the next line is the panic's message, whatever it looks like.
    pub(crate) fn awaits_message(&self) -> bool {
        self.kind == Kind::Rust && self.phase == Phase::Head
    }

    /// Whether the line goes on with this trace; `blanks` lines were blank before it.
    pub(crate) fn takes(&mut self, line: &str, blanks: usize) -> bool {
        let indented = line.starts_with([' ', '\t']);
        match self.kind {
            Kind::Python => self.python(line, indented, blanks),
            Kind::Node => self.node(line, indented, blanks),
            Kind::Rust => self.rust(line, indented, blanks),
            Kind::Go => self.go(line, blanks),
            Kind::Jvm => {
                blanks == 0
                    && (indented || line.starts_with("Caused by: ") || line.starts_with("... "))
            }
            Kind::Dotnet => blanks == 0 && (indented || line.starts_with("--- End of ")),
            Kind::Ruby => {
                blanks == 0 && (indented || line.contains(":in `") || line.contains(":in '"))
            }
            Kind::Php => {
                blanks == 0
                    && (indented
                        || line == "Stack trace:"
                        || is_php_frame(line)
                        || line.starts_with("Next "))
            }
            Kind::Elixir => {
                blanks == 0
                    && (indented || line.starts_with("Last message") || line.starts_with("State: "))
            }
            Kind::Causes => {
                ["Caused by:", "Stack backtrace:", "Location:"].contains(&line)
                    || (indented && blanks == 0)
            }
        }
    }

    fn python(&mut self, line: &str, indented: bool, blanks: usize) -> bool {
        if CHAINS.contains(&line) {
            self.phase = Phase::Chain;
            return true;
        }
        let details = ["[SQL", "[parameters", "(Background on", "DETAIL:", "HINT:", "LINE "];
        if self.phase == Phase::After && details.iter().any(|start| line.starts_with(start)) {
            return true;
        }
        if blanks > 0 || self.phase == Phase::Chain {
            let begins = self.phase == Phase::Chain && (line == TRACEBACK || line.trim() == GROUP);
            if begins {
                self.phase = if line == TRACEBACK { Phase::Frames } else { Phase::Group };
            }
            return begins;
        }
        if indented || line.starts_with("[Previous line repeated") {
            return true;
        }
        match self.phase {
            Phase::Frames if is_exception_line(line) => {
                self.phase =
                    if line.contains("validation error") { Phase::Head } else { Phase::After };
                true
            }
            // pydantic names each field on a line of its own.
            Phase::Head => is_field_path(line),
            Phase::Frames | Phase::Group | Phase::After | Phase::Chain => false,
        }
    }

    fn node(&mut self, line: &str, indented: bool, blanks: usize) -> bool {
        if line.starts_with("Node.js v") {
            return true;
        }
        if self.phase == Phase::Head {
            if indented || line.starts_with("throw ") || line == "^" {
                return true;
            }
            let names = line.contains("Error")
                || line.contains("Exception")
                || line.starts_with("Uncaught");
            self.phase = Phase::Frames;
            return names || (blanks == 0 && line.ends_with(';'));
        }
        if blanks > 0 {
            return false;
        }
        let closes = self.open_brace && line.starts_with(['}', ']']);
        let requires = line == "Require stack:" || is_required_by(line);
        if indented || closes || requires {
            self.open_brace = (self.open_brace && !closes) || (indented && line.ends_with('{'));
            return true;
        }
        false
    }

    fn rust(&mut self, line: &str, indented: bool, blanks: usize) -> bool {
        if self.phase == Phase::Head {
            self.phase = Phase::After;
            return blanks == 0;
        }
        line == "stack backtrace:" || (blanks == 0 && (indented || line.starts_with("note: ")))
    }

    fn go(&mut self, line: &str, blanks: usize) -> bool {
        if line.starts_with("goroutine ") || line.starts_with("created by ") {
            self.phase = Phase::Frames;
            return true;
        }
        if line.starts_with("exit status ")
            || line.starts_with("[signal ")
            || line == "runtime stack:"
        {
            return true;
        }
        if blanks > 0 {
            return self.phase == Phase::Frames && is_register(line);
        }
        let is_call = self.phase == Phase::Frames && line.ends_with(')') && line.contains('(');
        line.starts_with('\t')
            || line.starts_with("panic: ")
            || line.starts_with("...")
            || is_call
            || is_register(line)
    }
}

/// `rax    0x0`, as Go prints registers after a signal.
fn is_register(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    words.next().is_some_and(|name| name.len() <= 6)
        && words.next().is_some_and(|value| value.starts_with("0x"))
        && words.next().is_none()
}

fn is_php_frame(line: &str) -> bool {
    line.strip_prefix('#')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(' '))
}

/// `items.0.age`, as pydantic names what it refused.
fn is_field_path(line: &str) -> bool {
    line.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '[' | ']'))
}

/// `pkg.Error: message` or a bare `KeyboardInterrupt`: a name, and perhaps what it says.
fn is_exception_line(line: &str) -> bool {
    let name = line.split(": ").next().unwrap_or(line).trim_end_matches(':');
    !name.is_empty()
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '<' | '>'))
}

/// The trace a line opens beyond doubt.
pub(crate) fn opens(line: &str) -> Option<Trace> {
    let trace = match line.bytes().next()? {
        b'T' if line == TRACEBACK => Trace::new(Kind::Python, Phase::Frames),
        b' ' if line.trim_start() == GROUP => Trace::new(Kind::Python, Phase::Group),
        b'p' if line.starts_with("panic: ") => Trace::new(Kind::Go, Phase::Head),
        b't' if line.starts_with("thread '") && line.contains(" panicked at ") => {
            Trace::new(Kind::Rust, if line.ends_with(':') { Phase::Head } else { Phase::After })
        }
        b'E' if line.starts_with("Exception in thread ") => Trace::new(Kind::Jvm, Phase::Frames),
        b'U' if line.starts_with("Unhandled exception. ")
            || line.starts_with("Unhandled Exception: ") =>
        {
            Trace::new(Kind::Dotnet, Phase::Frames)
        }
        b'*' if line.starts_with("** (") && line.contains(") ") => {
            Trace::new(Kind::Elixir, Phase::Frames)
        }
        b'P' | b'F' if line.contains("atal error:") && line.contains("Uncaught ") => {
            Trace::new(Kind::Php, Phase::Frames)
        }
        b'/' | b'f' | b'n' if is_node_source(line) => Trace::new(Kind::Node, Phase::Head),
        _ => return None,
    };
    Some(trace)
}

/// `/app/index.js:5`, `node:internal/modules/cjs/loader:1143`: what Node prints above the source.
fn is_node_source(line: &str) -> bool {
    let Some((file, number)) = line.rsplit_once(':') else { return false };
    !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
        && !file.contains(' ')
        && (file.starts_with("node:internal/")
            || [".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx"]
                .iter()
                .any(|end| file.ends_with(end)))
}

/// `- /app/index.js`, a line of Node's `Require stack:`.
fn is_required_by(line: &str) -> bool {
    line.strip_prefix("- ").is_some_and(|file| {
        file.starts_with('/') || file.starts_with("internal/") || file.get(1..3) == Some(":\\")
    })
}

/// Whether a line may be a trace's head, which only the next line can tell: `TypeError: x`,
/// `java.lang.IllegalStateException: x`.
pub(crate) fn might_open(line: &str) -> bool {
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let name = line.split([':', ' ']).next().unwrap_or_default();
    scan::is_logger(name)
        && ["Error", "Exception", "Throwable", "error"].iter().any(|end| name.ends_with(end))
}

/// The trace a frame belongs to, if the line is a frame; the head is the line before.
pub(crate) fn frame(line: &str) -> Option<Trace> {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let kind = if indent.is_empty() {
        match text.bytes().next()? {
            b'g' if text.starts_with("goroutine ") && text.ends_with("]:") => Kind::Go,
            b'C' if text == "Caused by:" => Kind::Causes,
            b'C' if text.strip_prefix("Caused by: ").is_some_and(might_open) => Kind::Jvm,
            b'R' if text == "Require stack:" => Kind::Node,
            b's' if text == "stack backtrace:" => Kind::Rust,
            b'S' if text == "Stack backtrace:" => Kind::Causes,
            b'S' if text == "Stack trace:" => Kind::Php,
            b'#' if text.starts_with("#0 ") => Kind::Php,
            _ => return None,
        }
    } else if text.starts_with("at ") {
        at_frame(indent, text)?
    } else if text.starts_with("---> ") {
        Kind::Dotnet
    } else if text.starts_with("File \"") && text.contains(", line ") {
        Kind::Python
    } else if text.starts_with("from ") && indent == "\t" && text.contains(":in ") {
        Kind::Ruby
    } else {
        return None;
    };
    let mut trace = Trace::new(kind, if kind == Kind::Rust { Phase::After } else { Phase::Frames });
    trace.open_brace = line.ends_with('{');
    Some(trace)
}

/// `\tat a.b.C.d(C.java:5)`, `    at f (file.js:1:2)`, `   at A.B() in C.cs:line 3`.
fn at_frame(indent: &str, text: &str) -> Option<Kind> {
    let jvm = [".java:", ".kt:", ".scala:", "(Native Method)", "(Unknown Source)"];
    if indent == "\t" || jvm.iter().any(|sign| text.contains(sign)) {
        return Some(Kind::Jvm);
    }
    if text.contains(":line ") || (indent == "   " && text.ends_with(')')) {
        return Some(Kind::Dotnet);
    }
    // A sentence may begin with "at": a frame ends with a place or has one in parentheses.
    let place = text.trim_end_matches([')', '{', ' ']);
    let ends_with_number = place
        .rsplit(':')
        .next()
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let known = text.ends_with("(<anonymous>)") || text.ends_with("(native)");
    if ends_with_number || known {
        return Some(Kind::Node);
    }
    (text.ends_with(')') && text.contains('(')).then_some(Kind::Dotnet)
}

/// Whether a frame may follow its head over blank lines.
pub(crate) fn spans_blanks(kind: Kind) -> bool {
    matches!(kind, Kind::Go | Kind::Causes)
}

/// The line of a trace that says most: what failed.
pub(crate) fn telling_line(kind: Kind, text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    let found = match kind {
        Kind::Python => python_telling(text),
        Kind::Node => text.lines().find(|line| !line.starts_with([' ', '\t']) && might_open(line)),
        Kind::Jvm => first.strip_prefix("Exception in thread ").and_then(|rest| {
            let after = rest.strip_prefix('"')?.split_once("\" ")?.1;
            Some(after)
        }),
        Kind::Dotnet => first
            .strip_prefix("Unhandled exception. ")
            .or_else(|| first.strip_prefix("Unhandled Exception: ")),
        Kind::Rust => rust_telling(text),
        Kind::Go | Kind::Ruby | Kind::Php | Kind::Elixir | Kind::Causes => None,
    };
    found.unwrap_or(first).trim()
}

fn python_telling(text: &str) -> Option<&str> {
    let group = || {
        let line = text
            .lines()
            .map(str::trim_start)
            .find(|line| line.starts_with("| ") && line.contains("ExceptionGroup: "))?;
        line.strip_prefix("| ").map(str::trim)
    };
    let mut last = None;
    for line in text.lines() {
        let is_marker = line == TRACEBACK || CHAINS.contains(&line);
        if !is_marker && !line.starts_with([' ', '\t']) && is_exception_line(line) && line.len() > 1
        {
            // A field pydantic names is no exception: it has neither a colon nor a capital.
            if last.is_none() || line.contains(": ") || line.bytes().any(|b| b.is_ascii_uppercase())
            {
                last = Some(line);
            }
        }
    }
    last.or_else(group)
}

/// The message: the line after the place, or the text in the old one-line form.
fn rust_telling(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let first = lines.next()?;
    if first.ends_with(':') {
        return lines.next().filter(|line| !line.is_empty());
    }
    let (_, quoted) = first.split_once(" panicked at '")?;
    quoted.rsplit_once("', ").map(|(message, _)| message)
}

/// The place and thread in a Rust panic's first line.
pub(crate) fn rust_place(first: &str) -> Option<(&str, &str, u32)> {
    let (thread, rest) = first.strip_prefix("thread '")?.split_once('\'')?;
    let (_, place) = rest.split_once("panicked at ")?;
    let place = place.rsplit_once("', ").map_or(place, |(_, place)| place).trim_end_matches(':');
    let (place, _column) = place.rsplit_once(':')?;
    let (file, line) = scan::file_line(place)?;
    Some((thread, file, line))
}
