//! Rust's panics with their backtraces, and the errors of anyhow and eyre.

use super::{
    Cause, Frame, Language, Link, Stack, app, head,
    tree::{self, Tree},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// What the panic or the outermost error says.
    Message,
    /// The list under `Caused by:`, or eyre's numbered one.
    Causes,
    /// The line under eyre's `Location:`.
    Location,
    Frames,
    /// Notes and sections that say nothing of the error.
    Other,
}

pub(super) fn parse(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    let mut mode = Mode::Message;
    // The cause that is being read; frames belong to the outermost.
    let mut last = 0;
    let mut place = None;
    let mut function: Option<&str> = None;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if bare.is_empty() {
            mode = if mode == Mode::Frames { mode } else { Mode::Other };
            continue;
        }
        if let Some((cause, at)) = panicked(bare) {
            if !tree.is_empty() && place.is_some() {
                break; // Another panic is another failure.
            }
            tree = Tree::new();
            mode = if cause.message.is_empty() { Mode::Message } else { Mode::Other };
            (last, place) = (tree.add(cause, None), Some(at));
        } else if let Some(next) = section(bare) {
            mode = next;
        } else if mode == Mode::Frames || (mode != Mode::Causes && is_frame(bare)) {
            mode = Mode::Frames;
            if let Some(at) = bare.strip_prefix("at ") {
                push(&mut tree, function.take(), at);
            } else {
                if function.is_some() {
                    push(&mut tree, function.take(), "");
                }
                function = name(bare);
            }
        } else if mode == Mode::Location {
            place = Some(bare);
            mode = Mode::Other;
        } else if mode == Mode::Causes || (tree.is_empty() && bare == "Error:") {
            mode = Mode::Causes;
            last = listed(text, &mut tree, last, line);
        } else if tree.is_empty() {
            let said = bare.strip_prefix("Error: ").unwrap_or(bare);
            last = tree.add(error(said), None);
        } else if mode == Mode::Message && !bare.starts_with("note: ") {
            tree::extend(text, tree.node(last), line);
        }
    }
    if function.is_some() {
        push(&mut tree, function, "");
    }
    if tree.is_empty() {
        return None;
    }
    let top = tree.node(0);
    if let (Some(place), true) = (place, top.frames.is_empty()) {
        top.push(frame("", place));
    }
    tree.finish(Language::Rust, 0)
}

fn section(line: &str) -> Option<Mode> {
    Some(match line {
        "Caused by:" => Mode::Causes,
        "Location:" => Mode::Location,
        _ if line.eq_ignore_ascii_case("stack backtrace:") => Mode::Frames,
        _ if line.contains("━ BACKTRACE ━") => Mode::Frames,
        _ if line.contains("━ SPANTRACE ━") || line.starts_with("note: ") => Mode::Other,
        _ => return None,
    })
}

/// `thread 'main' (7) panicked at src/main.rs:5:9:`, and before 1.73
/// `thread 'main' panicked at 'message', src/main.rs:5:9`.
fn panicked(line: &str) -> Option<(Cause<'_>, &str)> {
    let (_, rest) = line.strip_prefix("thread '")?.split_once("panicked at ")?;
    if let Some((message, place)) = rest.strip_prefix('\'').and_then(|r| r.rsplit_once("', ")) {
        return Some((Cause::new("panic", message, Link::Outermost), place));
    }
    Some((Cause::new("panic", "", Link::Outermost), rest.trim_end_matches(':')))
}

/// A Rust error's text has no type, unless it is printed for debugging: `ParseIntError { … }`.
fn error(said: &str) -> Cause<'_> {
    let end = said.find(|c: char| !c.is_alphanumeric()).unwrap_or(said.len());
    let (name, rest) = said.split_at(end);
    let is_debug = name.starts_with(|c: char| c.is_ascii_uppercase())
        && (rest.starts_with(" {") || (rest.starts_with('(') && rest.ends_with(')')));
    if is_debug {
        Cause::new(name, rest.trim_start(), Link::Outermost)
    } else {
        head::cause(said, Link::Outermost)
    }
}

/// `    0: could not open file`, or without its number when it is the only one.
fn listed<'a>(text: &'a str, tree: &mut Tree<'a>, last: usize, line: &'a str) -> usize {
    let bare = line.trim();
    if bare == "Error:" {
        return last;
    }
    let number = bare.split_once(": ").filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()));
    let said = match number {
        Some((_, said)) => said,
        // A further line of a message stands further in than the first.
        None if !tree.is_empty() && last > 0 => {
            tree::extend(text, tree.node(last), line);
            return last;
        }
        None => bare,
    };
    let mut cause = error(said);
    if tree.is_empty() {
        return tree.add(cause, None);
    }
    cause.link = Link::Cause;
    tree.add(cause, Some(last))
}

fn is_frame(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_digit()) && line.contains("::") && name(line).is_some()
}

/// `12:     0x55d0c8a1 - shop::cart::total::h0123456789abcdef`, without number, address and hash.
fn name(line: &str) -> Option<&str> {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let name = if digits > 0 { line[digits..].strip_prefix(':')?.trim_start() } else { line };
    let name = match name.split_once(" - ") {
        Some((address, name)) if address.starts_with("0x") => name,
        _ => name,
    };
    let hash = name
        .rsplit_once("::h")
        .filter(|(_, hash)| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    Some(hash.map_or(name, |(name, _)| name)).filter(|name| !name.starts_with('⋮'))
}

fn push<'a>(tree: &mut Tree<'a>, function: Option<&'a str>, at: &'a str) {
    if tree.is_empty() {
        tree.add(Cause::new("", "", Link::Outermost), None);
    }
    if let Some(function) = function {
        tree.node(0).push(frame(function, at));
    }
}

fn frame<'a>(function: &'a str, at: &'a str) -> Frame<'a> {
    let (file, line) = tree::place(at);
    let is_app =
        if function.is_empty() { app::rust("place::of", file) } else { app::rust(function, file) };
    Frame { function, file, line, code: None, is_app, repeats: 0 }
}
