//! JavaScript's stacks as V8 makes them, and errors as Node's `util.inspect` prints them.
//!
//! Causes and members of an aggregate stand among an error's properties, each further in than it:
//!
//! ```text
//! PaymentError: declined
//!     at pay (file:///app/pay.mjs:2:44) {
//!   code: 'E_DECLINED',
//!   [cause]: TypeError: fetch failed
//!       at async outer (file:///app/pay.mjs:3:25)
//! }
//! ```

use super::{
    Cause, Frame, Language, Link, Stack, app, head,
    tree::{self, Tree},
};

/// Errors open inside one another.
const LEVELS_MAX: usize = 32;

#[derive(Clone, Copy)]
struct Open {
    /// Indentation of its head, or of the `[errors]: [` line.
    indent: usize,
    node: usize,
    /// A list of members: what begins two further in is one.
    is_list: bool,
}

/// What is known of the lines after a head.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    /// They are frames or properties.
    None,
    /// They go on with the message until a frame.
    Open,
    /// They go on with it until a closing bracket: the error has no frames.
    Bracketed,
}

impl Message {
    fn of(head: &str) -> Self {
        let is_bracketed = head.starts_with('[');
        match head.trim_end_matches([' ', ',', '{']) {
            _ if head.ends_with('{') && !is_bracketed => Self::None,
            head if head.ends_with(']') => Self::None,
            _ if is_bracketed => Self::Bracketed,
            _ => Self::Open,
        }
    }
}

pub(super) fn parse(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    let mut open: Vec<Open> = Vec::new();
    let mut message = Message::None;
    for (_, line) in tree::lines(text).skip_while(excerpt()) {
        let bare = line.trim();
        let indent = tree::indent(line);
        if bare.is_empty() || bare.starts_with("Node.js v") {
            continue;
        }
        if let Some(call) = bare.strip_prefix("at ")
            && let Some(frame) = frame(call)
        {
            message = Message::None;
            if tree.is_empty() {
                let node = tree.add(Cause::new("", "", Link::Outermost), None);
                open.push(Open { indent: 0, node, is_list: false });
            }
            if let Some(open) = open.last() {
                tree.node(open.node).push(frame);
            }
            continue;
        }
        if tree.is_empty() {
            let node = tree.add(named(bare, Link::Outermost), None);
            open.push(Open { indent: 0, node, is_list: false });
            message = Message::of(bare);
            continue;
        }
        if let Some((opened, cause)) = child(&mut open, bare, indent, message != Message::None) {
            let head =
                cause.as_ref().map(|_| bare.split_once("]: ").map_or(bare, |(_, head)| head));
            message = head.map_or(Message::None, Message::of);
            if let (Some(is_list), Some(parent)) = (opened, open.last()) {
                let parent = parent.node;
                let node = cause.map_or(parent, |cause| tree.add(cause, Some(parent)));
                if open.len() < LEVELS_MAX {
                    open.push(Open { indent, node, is_list });
                }
            }
        } else if let (true, Some(last)) = (message != Message::None, open.last()) {
            tree::extend(text, tree.node(last.node), line);
            if message == Message::Bracketed && Message::of(bare) == Message::None {
                message = Message::None;
            }
        }
    }
    tree.finish(Language::JavaScript, 0)
}

/// Whether a line opens another error (`Some(false)`, with it) or a list (`Some(true)`), or only
/// closes one (`None`). `open` then ends with what it belongs to. Inside of a message only the word
/// says that a cause follows: the indentation and brackets of its lines say nothing.
fn child<'a>(
    open: &mut Vec<Open>,
    bare: &'a str,
    indent: usize,
    in_message: bool,
) -> Option<(Option<bool>, Option<Cause<'a>>)> {
    let causes = ["[cause]: ", "caused by: ", "Caused by: "];
    let cause = causes.iter().find_map(|start| bare.strip_prefix(start));
    let is_list = bare.starts_with("[errors]: [");
    if let Some(rest) = cause {
        // At the left margin each is the cause of the one before.
        while open.len() > 1
            && indent > 0
            && open.last().is_some_and(|last| last.indent >= indent && !last.is_list)
        {
            open.pop();
        }
        return Some((Some(false), Some(named(rest, Link::Cause))));
    }
    if in_message {
        return None;
    }
    if is_list {
        while open.len() > 1 && open.last().is_some_and(|last| last.indent >= indent) {
            open.pop();
        }
        return Some((Some(true), None));
    }
    if bare.starts_with(['}', ']']) {
        while open.len() > 1 && open.last().is_some_and(|last| last.indent >= indent) {
            open.pop();
        }
        return Some((None, None));
    }
    let at = open.iter().rposition(|last| last.is_list)?;
    if indent == open[at].indent + 2 {
        open.truncate(at + 1);
        return Some((Some(false), Some(named(bare, Link::Member))));
    }
    None
}

/// Skips what Node prints above an uncaught error: the place, its source line and a caret.
fn excerpt() -> impl FnMut(&(usize, &str)) -> bool {
    let (mut is_first, mut is_skipping) = (true, false);
    move |(_, line)| {
        if is_first && !line.trim().is_empty() {
            is_first = false;
            let (file, number) = tree::place(line);
            is_skipping = number.is_some() && !file.contains(' ') && head::typed(line).is_none();
        } else if line.is_empty() {
            is_skipping = false;
        }
        is_skipping
    }
}

/// `Uncaught TypeError: x`, `[AggregateError: All promises were rejected] {`.
fn named(line: &str, link: Link) -> Cause<'_> {
    let line = line.trim_end_matches([' ', '{', ',']);
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let line = line.strip_prefix("(in promise) ").unwrap_or(line);
    let line = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(line);
    head::cause(line, link)
}

/// `async Object.run [as go] (file:///app/a.mjs:4:69)`, `/app/a.js:4:69`, `Array.map (<anonymous>)`.
fn frame(call: &str) -> Option<Frame<'_>> {
    let call = call.trim_end_matches([' ', '{', ',']);
    let call = call.strip_prefix("async ").unwrap_or(call);
    let (function, place) = match call.split_once(" (") {
        Some((function, place)) => (function, place.strip_suffix(')')?),
        None => ("", call),
    };
    let (file, line) = tree::place(place);
    let is_place = line.is_some()
        || ["<anonymous>", "native"].contains(&place)
        || place.starts_with("index ")
        || place.starts_with("eval at ");
    if !is_place {
        return None;
    }
    let file = file.strip_prefix("file://").unwrap_or(file);
    let is_index = place.starts_with("index ");
    let file = if is_index { "" } else { file };
    let function = function.strip_prefix("new ").unwrap_or(function);
    let function = function.split(" [as ").next().unwrap_or(function);
    Some(Frame { function, file, line, code: None, is_app: app::javascript(file), repeats: 0 })
}
