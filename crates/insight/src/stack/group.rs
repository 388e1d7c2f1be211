//! Which traces are the same failure.
//!
//! Into the hash go, cause by cause, the type and the application's frames from the innermost
//! out. Of a frame: its function, freed of what compilers number or generate; its file, where the
//! function's name does not say its module, relative to the folder that the trace's files share,
//! so that a deployment's folder is nothing; and of the innermost frame the source line, if the
//! trace shows it, which tells two `raise` of one function apart and does not drift as the line
//! number does. A function counts where it is first met, so recursion of any depth is one; of a
//! recursion that overflowed the stack the functions count that recur, wherever it began and ended.
//!
//! V8 shows ten frames unless told otherwise, and a recursion deeper than that is another group than a
//! shallow one, whose outer frames are there. To leave out what is outside of any recursion was
//! tried: it parted more than it joined, where a function calls itself in some runs only.
//!
//! Not in the hash: messages (unless there is neither a type nor a function anywhere), numbers of lines, libraries' frames (unless there are no others),
//! suppressed exceptions, how many members of a group were the same.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use super::{Cause, Frame, Language, Link, Stack, app::slashes};

/// Names a group of exceptions; shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u64);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Reads what `Display` writes.
impl FromStr for GroupId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Self)
    }
}

/// FNV-1a over bytes, each text ended by a byte that no UTF-8 has; stable everywhere, unlike the
/// standard library's hasher.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// With the bits mixed (murmur's finalizer): FNV's high ones are weak for short texts.
    fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }
}

pub(super) fn of_stack(stack: &Stack<'_>) -> GroupId {
    let (root, is_bare) = (Root::of(stack), is_bare(stack));
    let mut hashes = vec![Hashes::default(); stack.causes.len()];
    // A parent stands before its children: from the back, theirs are known.
    for at in (0..stack.causes.len()).rev() {
        let mut hash = Hash::new();
        cause(stack, &stack.causes[at], &root, is_bare, &mut hash);
        let raised = raised(stack, &stack.causes[at], &root, is_bare);
        let mut inner = None;
        let mut members = Vec::new();
        for (child, link) in children(stack, at) {
            match link {
                Link::Member => members.push(hashes[child].whole),
                Link::Cause | Link::Context => inner = Some(hashes[child]),
                Link::Suppressed | Link::Outermost => {}
            }
        }
        members.sort_unstable();
        members.dedup();
        // Recursion that wraps at each level is recursion too: one for all levels.
        let inner = match inner {
            Some(inner) if inner.raised == raised && members.is_empty() => inner.inner,
            other => other.map(|inner| inner.whole),
        };
        inner.into_iter().for_each(|inner| hash.number(inner));
        hash.number(members.len() as u64);
        members.into_iter().for_each(|member| hash.number(member));
        hashes[at] = Hashes { raised, inner, whole: hash.finish() };
    }
    GroupId(hashes[0].whole)
}

/// What is known of a cause when its parent's turn comes.
#[derive(Clone, Copy, Default)]
struct Hashes {
    /// Its type and where it was raised.
    raised: u64,
    /// What caused it, and all below.
    inner: Option<u64>,
    /// It and all below.
    whole: u64,
}

fn raised(stack: &Stack<'_>, cause: &Cause<'_>, root: &Root<'_>, is_bare: bool) -> u64 {
    let mut hash = Hash::new();
    kind(stack, cause, &mut hash);
    if let Some(frame) = cause.frames.iter().find(|frame| frame.is_app) {
        hash.number(frame_key(stack.language, frame, root));
        code(frame, &mut hash);
    }
    if is_bare {
        skeleton(&cause.message, &mut hash);
    }
    hash.finish()
}

fn children(stack: &Stack<'_>, at: usize) -> impl Iterator<Item = (usize, Link)> {
    let causes = stack.causes.iter().enumerate().skip(at + 1);
    causes.filter(move |(_, cause)| cause.parent == Some(at)).map(|(at, cause)| (at, cause.link))
}

pub(super) fn site(stack: &Stack<'_>) -> GroupId {
    let mut hash = Hash::new();
    let mut at = stack.root_at();
    kind(stack, &stack.causes[at], &mut hash);
    // A library's exception may have frames of the library only: then where it came through.
    loop {
        let cause = &stack.causes[at];
        if let Some(frame) = cause.frames.iter().find(|frame| frame.is_app) {
            hash.bytes(&function(stack.language, frame.function));
            if needs_file(frame) {
                hash.bytes(file_name(&slashes(frame.file)).as_bytes());
            }
            code(frame, &mut hash);
            break;
        }
        match cause.parent {
            Some(parent) => at = parent,
            None => break,
        }
    }
    if is_bare(stack) {
        skeleton(&stack.root().message, &mut hash);
    }
    GroupId(hash.finish())
}

/// A text that is no trace: its first line, with what varies masked.
pub(super) fn of_text(text: &str) -> GroupId {
    let mut hash = Hash::new();
    skeleton(text, &mut hash);
    GroupId(hash.finish())
}

fn skeleton(text: &str, hash: &mut Hash) {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        if let Some((_, after)) = quote.and_then(|quote| rest[1..].split_once(quote)) {
            hash.bytes(b"#");
            rest = after.trim_start();
            continue;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let varies = |c: char| c.is_ascii_digit() || matches!(c, '/' | '\\' | '@' | '=');
        hash.bytes(if word.contains(varies) { b"#" } else { word.as_bytes() });
        rest = after.trim_start();
    }
}

fn cause(stack: &Stack<'_>, cause: &Cause<'_>, root: &Root<'_>, is_bare: bool, hash: &mut Hash) {
    kind(stack, cause, hash);
    let frames: Vec<&Frame<'_>> =
        cause.frames.iter().filter(|frame| frame.is_app && !is_inlined(frame)).collect();
    let mut keys: Vec<u64> =
        frames.iter().map(|frame| frame_key(stack.language, frame, root)).collect();
    if is_overflow(cause) {
        keys = cycle(&frames, &keys);
    } else {
        frames.iter().take(1).for_each(|frame| code(frame, hash));
    }
    let mut seen: Vec<u64> = Vec::new();
    for key in keys {
        if !seen.contains(&key) {
            hash.number(key);
            seen.push(key);
        }
    }
    if is_bare {
        skeleton(&cause.message, hash);
    }
}

/// A recursion that met the runtime's limit: which of its functions did is chance.
fn is_overflow(cause: &Cause<'_>) -> bool {
    let kinds =
        ["RecursionError", "StackOverflowError", "StackOverflowException", "SystemStackError"];
    kinds.iter().any(|kind| cause.kind.ends_with(kind))
        || cause.message.starts_with("Maximum call stack size exceeded")
}

/// The functions that recur, in no order; those met once were on the way in or at the end.
fn cycle(frames: &[&Frame<'_>], keys: &[u64]) -> Vec<u64> {
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for (frame, key) in frames.iter().zip(keys) {
        *times.entry(*key).or_default() += 1 + u64::from(frame.repeats);
    }
    let most = times.values().copied().max().unwrap_or(0);
    times.into_iter().filter(|(_, times)| *times > most / 4).map(|(key, _)| key).collect()
}

/// Whether nothing but messages tells a trace from another: neither a function nor a type.
fn is_bare(stack: &Stack<'_>) -> bool {
    stack.causes.iter().all(|cause| {
        (cause.kind.is_empty() || cause.kind == "panic")
            && cause.frames.iter().all(|frame| frame.function.is_empty())
    })
}

/// Comprehensions are frames of their own until Python 3.12.
fn is_inlined(frame: &Frame<'_>) -> bool {
    matches!(frame.function, "<listcomp>" | "<dictcomp>" | "<setcomp>")
}

fn frame_key(language: Language, frame: &Frame<'_>, root: &Root<'_>) -> u64 {
    let mut hash = Hash::new();
    hash.bytes(&function(language, frame.function));
    if needs_file(frame) {
        root.relative(frame.file, &mut hash);
    }
    hash.finish()
}

/// Whether the function's name does not say its module or package.
fn needs_file(frame: &Frame<'_>) -> bool {
    let function = frame.function;
    let is_qualified = function.contains("::")
        || (function.contains('.')
            && [".go", ".java", ".kt", ".scala", ".cs"]
                .iter()
                .any(|end| frame.file.ends_with(end)));
    !is_qualified && !frame.file.is_empty()
}

/// The source line without its comment and with single spaces.
fn code(frame: &Frame<'_>, hash: &mut Hash) {
    let Some(code) = frame.code else { return };
    let code = code.split(" #").next().unwrap_or(code);
    code.split_ascii_whitespace().for_each(|word| hash.bytes(word.as_bytes()));
}

fn kind(stack: &Stack<'_>, cause: &Cause<'_>, hash: &mut Hash) {
    let name = cause.kind.strip_prefix("builtins.").unwrap_or(cause.kind);
    hash.bytes(&function(stack.language, name));
    if stack.language == Language::Rust && name == "panic" {
        let own = PANICS.iter().find(|start| cause.message.starts_with(*start));
        hash.bytes(own.map_or("", |own| own).as_bytes());
    }
}

/// What Rust's own panics begin with: as good as a type.
const PANICS: &[&str] = &[
    "called `Option::unwrap()` on a `None` value",
    "called `Result::unwrap()` on an `Err` value",
    "called `Result::unwrap_err()` on an `Ok` value",
    "index out of bounds",
    "range ",
    "slice index ",
    "byte index ",
    "attempt to divide by zero",
    "attempt to ",
    "assertion failed",
    "assertion `left == right` failed",
    "assertion `left != right` failed",
    "explicit panic",
    "not implemented",
    "not yet implemented",
    "internal error: entered unreachable code",
    "already borrowed",
    "already mutably borrowed",
    "RefCell already ",
    "cannot access a Thread Local Storage value",
];

/// A function's name without what is numbered or generated.
fn function(language: Language, name: &str) -> Cow<'_, [u8]> {
    match language {
        Language::Go => go(name).into(),
        Language::Rust if name.contains("::{") => {
            let parts: Vec<&str> = name.split("::").filter(|part| !part.starts_with('{')).collect();
            parts.join("::").into_bytes().into()
        }
        Language::JavaScript => {
            let hosts = ["Object.", "Module.", "Function.", "exports.", "global.", "process."];
            let bare = hosts.iter().find_map(|host| name.strip_prefix(host));
            bare.unwrap_or(name).as_bytes().into()
        }
        Language::Dotnet if name.contains('<') => {
            name.bytes().filter(|b| !(b.is_ascii_digit() || *b == b'_')).collect()
        }
        Language::Ruby => {
            // `block (2 levels) in C#total`: Ruby 3.4 adds the class.
            let name = name.rsplit_once(" in ").map_or(name, |(_, name)| name);
            name.rsplit(['#', '.']).next().unwrap_or(name).as_bytes().into()
        }
        Language::Php => name.split("closure:").next().unwrap_or(name).as_bytes().into(),
        Language::Jvm if name.contains(['$', '/']) => unnumbered(name).into(),
        _ => name.as_bytes().into(),
    }
}

/// `main.f.func1.2` → `main.f.func`; `main.f.gowrap1`, `main.f.deferwrap2` → `main.f`.
fn go(name: &str) -> Vec<u8> {
    let (path, last) = name.rsplit_once('/').unwrap_or(("", name));
    let numbered = |part: &str, word: &str| {
        part.strip_prefix(word).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut out = path.as_bytes().to_vec();
    for part in last.split('.') {
        if ["", "gowrap", "deferwrap"].iter().any(|word| numbered(part, word)) {
            continue;
        }
        out.push(b'.');
        let part = part.split('-').next().unwrap_or(part);
        out.extend_from_slice(if numbered(part, "func") { "func" } else { part }.as_bytes());
    }
    out
}

/// `A$$Lambda$14/0x0000800c03000`, `lambda$main$0`, `access$100`, `Cart$1`: numbers after a `$` go, and
/// what follows `/0x` and two `$`.
fn unnumbered(name: &str) -> Vec<u8> {
    let bytes = name.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let run = |rest: &[u8], of: fn(&u8) -> bool| rest.iter().take_while(|b| of(b)).count();
        if rest.starts_with(b"/0x") {
            at += 3 + run(&rest[3..], u8::is_ascii_hexdigit);
        } else if rest.starts_with(b"$$") && run(&rest[2..], u8::is_ascii_hexdigit) >= 6 {
            out.extend_from_slice(b"$$");
            at += 2 + run(&rest[2..], u8::is_ascii_hexdigit);
        } else if rest[0] == b'$' {
            out.push(b'$');
            at += 1 + run(&rest[1..], u8::is_ascii_digit);
        } else {
            out.push(rest[0]);
            at += 1;
        }
    }
    out
}

/// The folder that the application's files of a trace share.
struct Root<'a> {
    folder: Vec<&'a str>,
}

impl<'a> Root<'a> {
    fn of(stack: &Stack<'a>) -> Self {
        let frames = stack.causes.iter().flat_map(|cause| &cause.frames);
        let mut folder: Option<Vec<&str>> = None;
        for frame in frames.filter(|frame| frame.is_app && needs_file(frame)) {
            let path = path(frame.file);
            let Some((_, parents)) = path.split_last() else { continue };
            match &mut folder {
                None => folder = Some(parents.to_vec()),
                // Files elsewhere, of another tree, do not make the root of all files the root.
                Some(folder) if folder.first() != parents.first() => {}
                Some(folder) => {
                    let same = folder.iter().zip(parents).take_while(|(a, b)| a == b).count();
                    folder.truncate(same);
                }
            }
        }
        Self { folder: folder.unwrap_or_default() }
    }

    fn relative(&self, file: &str, hash: &mut Hash) {
        let path = path(file);
        let rest = match path.strip_prefix(&self.folder[..]) {
            Some([name]) if leans(name) => &path[path.len().saturating_sub(2)..],
            Some(rest) => rest,
            None => &path[path.len().saturating_sub(2)..],
        };
        let rest = match rest {
            [folder, name] if leans(name) && is_deployment(folder) => std::slice::from_ref(name),
            rest => rest,
        };
        rest.iter().for_each(|part| hash.bytes(part.as_bytes()));
    }
}

/// The parts of a path, without a scheme and without `.`.
fn path(file: &str) -> Vec<&str> {
    let file = file.split_once("://").map_or(file, |(_, rest)| rest);
    let file = file.split('?').next().unwrap_or(file);
    file.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")).collect()
}

fn file_name(file: &str) -> &str {
    let file = file.split('?').next().unwrap_or(file);
    file.rsplit('/').next().unwrap_or(file)
}

/// Names that frameworks and runtimes give a file in every package, so that its folder is what
/// tells one from another.
fn leans(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let common = [
        "index",
        "__init__",
        "mod",
        "handler",
        "route",
        "routes",
        "page",
        "layout",
        "views",
        "models",
        "tasks",
        "urls",
        "forms",
        "admin",
        "serializers",
        "controller",
        "service",
    ];
    common.contains(&stem)
}

/// Whether a folder is likely where something was put, and no package.
fn is_deployment(folder: &str) -> bool {
    let common = ["app", "src", "srv", "lib", "code", "dist", "build", "tmp", "opt", "workspace"];
    common.contains(&folder) || folder.contains(|c: char| c.is_ascii_digit())
}
