//! Python's tracebacks: chains printed cause first, and groups drawn as trees.
//!
//! ```text
//! Traceback (most recent call last):            + Exception Group Traceback (most recent …):
//!   File "a.py", line 4, in f                   |   File "a.py", line 9, in main
//!     return g(x)                               | ExceptionGroup: two failed (2 sub-exceptions)
//! ValueError: bad                               +-+---------------- 1 ----------------
//!                                                 | Traceback (most recent call last):
//! The above exception was the direct cause …      |   File "a.py", line 4, in f
//!                                                 | ValueError: bad
//! Traceback (most recent call last):              +---------------- 2 ----------------
//!   …                                             | …
//! AppError: wrapped                               +------------------------------------
//! ```
//!
//! A level is one chain: level 0 the text's, one more for each group that is open. What stands
//! left of a line's bar is margin and says the level.

use std::borrow::Cow;

use super::{
    Cause, Frame, Language, Link, Stack, app, head,
    tree::{self, Tree},
};

const TRACEBACK: &str = "Traceback (most recent call last):";
const DURING: &str = "During handling of the above exception, another exception occurred:";
const DIRECT: &str = "The above exception was the direct cause of the following exception:";

/// Groups open inside one another; Python prints ten.
const LEVELS_MAX: usize = 16;

/// Links of one chain that are kept: the first and the last half.
const CHAIN_MAX: usize = 24;

/// Bytes of a message inside a group, whose lines must be freed of their margin.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

pub(super) fn parse(text: &str) -> Option<Stack<'_>> {
    let mut parser = Parser { text, tree: Tree::new(), levels: vec![Level::new(None)] };
    for (at, line) in tree::lines(text) {
        parser.line(at, line);
    }
    while parser.levels.len() > 1 {
        parser.close();
    }
    let top = parser.levels[0].join(&mut parser.tree)?;
    parser.tree.finish(Language::Python, top)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No traceback yet.
    Before,
    /// Frames are read, then the line that names the exception.
    Frames,
    /// The exception is named; what follows belongs to its message.
    Message,
}

struct Level {
    /// The group this level lists members of.
    group: Option<usize>,
    state: State,
    /// The chain as printed: the cause first, with what each is to the next.
    chain: Vec<(usize, Link)>,
    /// Where in the text the message being read begins.
    message: Option<usize>,
}

impl Level {
    fn new(group: Option<usize>) -> Self {
        Self { group, state: State::Before, chain: Vec::new(), message: None }
    }

    /// Links the chain and returns its last, which is the outermost.
    fn join(&self, tree: &mut Tree<'_>) -> Option<usize> {
        for pair in self.chain.windows(2) {
            let [(cause, link), (outer, _)] = pair else { continue };
            tree.attach(*cause, *outer, *link);
        }
        self.chain.last().map(|(node, _)| *node)
    }
}

struct Parser<'a> {
    text: &'a str,
    tree: Tree<'a>,
    levels: Vec<Level>,
}

impl<'a> Parser<'a> {
    fn level(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn line(&mut self, at: usize, line: &'a str) {
        let bare = line.trim_start_matches(' ');
        let column = line.len() - bare.len();
        let is_drawn = self.levels.len() > 1;
        if let Some(group) = bare.strip_prefix("+ ")
            && group.starts_with("Exception Group Traceback")
        {
            // The top group's own bars stand at column 2, where a level's members open.
            self.unwind(1);
            self.levels.push(Level::new(None));
            self.header();
            return;
        }
        // A group that was never raised has no traceback, and so no `+` above its first bar.
        let opens = bare.starts_with("| ") && self.levels[0].state == State::Before;
        if !is_drawn
            && opens
            && head::split(&bare[2..]).is_some_and(|(kind, _)| kind.ends_with("Group"))
        {
            self.levels.push(Level::new(None));
        } else if !is_drawn || !bare.starts_with(['|', '+']) {
            if is_drawn && !bare.is_empty() {
                self.unwind(1);
            }
            self.content(at, line);
            return;
        }
        // Level 1 is drawn at column 2, its members' at column 4.
        let depth = (column / 2).max(1);
        if let Some(rule) = bare.strip_prefix("+-+") {
            self.unwind(depth + 1);
            if is_rule(rule) && self.levels.len() < LEVELS_MAX {
                let group = self.level().chain.last().map(|(node, _)| *node);
                self.levels.push(Level::new(group));
            }
        } else if let Some(rule) = bare.strip_prefix('+') {
            if is_rule(rule) {
                self.unwind(depth + 1);
                let group = self.level().group;
                self.close();
                // The last rule has no number: the group is complete.
                if rule.trim_matches('-').is_empty() {
                    return;
                }
                self.levels.push(Level::new(group));
            }
        } else if let Some(content) = bare.strip_prefix('|') {
            self.unwind(depth + 1);
            let content = content.strip_prefix(' ').unwrap_or(content);
            self.content(at + line.len() - content.len(), content);
        }
    }

    /// Closes levels until `count` are open.
    fn unwind(&mut self, count: usize) {
        while self.levels.len() > count.max(1) {
            self.close();
        }
    }

    /// Ends the innermost level: its outermost exception becomes a member of the group, or, of
    /// the level that holds the top group, a link of the text's own chain.
    fn close(&mut self) {
        if self.levels.len() < 2 {
            return;
        }
        let Some(level) = self.levels.pop() else { return };
        let Some(top) = level.join(&mut self.tree) else { return };
        match level.group {
            Some(group) => self.tree.attach(top, group, Link::Member),
            None => {
                let outer = self.level();
                outer.state = State::Message;
                outer.message = None;
                outer.chain.push((top, Link::Cause));
            }
        }
    }

    /// A line without its margin.
    fn content(&mut self, at: usize, line: &'a str) {
        let text = line.trim_end();
        if text == DURING || text == DIRECT {
            let link = if text == DIRECT { Link::Cause } else { Link::Context };
            let level = self.level();
            if let Some(last) = level.chain.last_mut() {
                last.1 = link;
            }
            level.state = State::Before;
            return;
        }
        if text.ends_with(TRACEBACK) && text.len() <= TRACEBACK.len() + 18 {
            self.header();
            return;
        }
        match self.level().state {
            // A traceback cut off at its head, or after a line of log.
            State::Before if text.trim_start().starts_with("File \"") => {
                self.header();
                self.frame(text);
            }
            // An exception that was never raised has no traceback, only its name.
            State::Before if text.starts_with("and ") && text.ends_with(" more exceptions") => {
                let more = text["and ".len()..].split(' ').next().and_then(|n| n.parse().ok());
                self.tree.omit(more.unwrap_or(0));
            }
            State::Before => {
                let is_member = self.levels.len() > 1 || !self.level().chain.is_empty();
                let named = if is_member { head::split(text) } else { head::typed(text) };
                if named.is_some() {
                    self.header();
                    self.name(at, text);
                }
            }
            State::Frames if line.starts_with([' ', '\t']) => self.frame(text),
            // loguru marks the frame that caught the exception with `> `.
            State::Frames
                if ["[Previous line repeated ", "> File \""]
                    .iter()
                    .any(|start| text.starts_with(start)) =>
            {
                self.frame(text)
            }
            State::Frames if text.is_empty() => {}
            State::Frames => self.name(at, text),
            State::Message => self.more(at, text),
        }
    }

    /// A traceback begins.
    fn header(&mut self) {
        let level = self.levels.len() - 1;
        // Without a marker between, what was read before is no part of this chain: a line of log
        // that looked like a name, or the head of a worker's traceback, told in a message.
        if let Some((last, _)) = self.levels[level].chain.last()
            && self.levels[level].state == State::Message
            && (self.tree.node(*last).frames.is_empty()
                || self.tree.node(*last).kind.ends_with("_RemoteTraceback"))
        {
            self.levels[level].chain.pop();
        }
        let node = self.tree.add(Cause::new("", "", Link::Outermost), None);
        let level = &mut self.levels[level];
        level.state = State::Frames;
        level.message = None;
        level.chain.push((node, Link::Cause));
        if level.chain.len() > CHAIN_MAX {
            level.chain.remove(CHAIN_MAX / 2);
            self.tree.omit(1);
        }
    }

    fn current(&mut self) -> Option<&mut Cause<'a>> {
        let node = self.level().chain.last()?.0;
        Some(self.tree.node(node))
    }

    /// `  File "a.py", line 4, in f`, the source below it, or how often the last was repeated.
    fn frame(&mut self, text: &'a str) {
        let text = text.trim_start().trim_start_matches("> ");
        let Some(cause) = self.current() else { return };
        if let Some(rest) = text.strip_prefix("[Previous line repeated ") {
            let times = rest.split(' ').next().and_then(|n| n.parse::<u32>().ok());
            if let (Some(last), Some(times)) = (cause.frames.last_mut(), times) {
                last.repeats = last.repeats.saturating_add(times);
            }
        } else if let Some((file, rest)) =
            text.strip_prefix("File \"").and_then(|rest| rest.split_once("\", line "))
        {
            let (line, function) = rest.split_once(", in ").unwrap_or((rest, ""));
            let function = function.trim();
            cause.push(Frame {
                function,
                file,
                line: line.trim().parse().ok(),
                code: None,
                is_app: app::python(function, file),
                repeats: 0,
            });
        } else if let Some(last) = cause.frames.last_mut() {
            // The line of carets below it, and the lines a long statement goes on with, are not
            // the first.
            if last.code.is_none() && last.repeats == 0 && !text.is_empty() {
                last.code = Some(text);
            }
        }
    }

    /// The line that names the exception.
    fn name(&mut self, at: usize, text: &'a str) {
        let (kind, message) = head::split(text).unwrap_or(("", text));
        let kind = kind.strip_prefix("__main__.").unwrap_or(kind);
        let Some(cause) = self.current() else { return };
        cause.reverse();
        cause.kind = kind;
        cause.message = Cow::Borrowed(message);
        let level = self.level();
        level.state = State::Message;
        level.message = Some(at + text.len() - message.len());
    }

    /// A further line of the message. Level 0 has no margin, and so the message is a piece of
    /// the text; elsewhere it is put together.
    fn more(&mut self, at: usize, text: &'a str) {
        let Some(start) = self.level().message else { return };
        if text.is_empty() {
            return;
        }
        let (source, is_drawn) = (self.text, self.levels.len() > 1);
        let Some(cause) = self.current() else { return };
        if !is_drawn {
            if let Some(message) = source.get(start..at + text.len()) {
                cause.message = Cow::Borrowed(message);
            }
        } else if cause.message.len() < MESSAGE_BYTES_MAX {
            let message = cause.message.to_mut();
            message.push('\n');
            message.push_str(text);
        }
    }
}

/// `---------------- 1 ----------------` or the last, `------------------------------------`.
fn is_rule(text: &str) -> bool {
    text.starts_with("----------") && text.ends_with("----------")
}
