//! Go's panics and dumps of goroutines, and errors of `pkg/errors` printed with `%+v`.
//!
//! A frame is two lines, the call and, after a tab, its place. Of several goroutines the first is
//! the one that failed. `pkg/errors` prints the root first and after its frames each message it
//! was wrapped in; there a line is known to be a function only by the line that follows it.

use super::{
    Cause, Frame, Language, Link, Stack, app,
    tree::{self, Tree},
};

pub(super) fn parse(text: &str) -> Option<Stack<'_>> {
    let mut go = Go { text, tree: Tree::new(), last: None, has_frames: false };
    let mut pending: Option<&str> = None;
    let mut goroutines = 0;
    let mut is_runtime = false;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if bare.starts_with("goroutine ") && bare.ends_with("]:") {
            goroutines += 1;
            if goroutines > 1 {
                break;
            }
            pending.take().into_iter().for_each(|line| go.says(line));
            is_runtime = false;
        } else if bare == "runtime stack:" {
            pending.take().into_iter().for_each(|line| go.says(line));
            is_runtime = true;
        } else if let Some((file, number)) = place(line) {
            match pending.take() {
                Some(function) if !is_runtime => go.frame(function, file, number),
                _ => {}
            }
        } else {
            if let Some(before) = pending.take()
                && goroutines == 0
                && !is_runtime
            {
                go.says(before);
            }
            pending = (!bare.is_empty()).then_some(line);
        }
    }
    if goroutines == 0 {
        pending.into_iter().for_each(|line| go.says(line));
    }
    if go.tree.is_empty() {
        go.tree.add(Cause::new("", "", Link::Outermost), None);
    }
    go.tree.finish(Language::Go, go.last.unwrap_or(0))
}

/// `\t/app/main.go:12 +0x1d`.
fn place(line: &str) -> Option<(&str, u32)> {
    let rest = line.strip_prefix('\t').or_else(|| line.strip_prefix("    "))?;
    let rest = rest.split(" +0x").next().unwrap_or(rest).trim_end();
    match tree::place(rest) {
        (file, Some(number)) if file.contains('.') && !rest.contains(": ") => Some((file, number)),
        _ => None,
    }
}

struct Go<'a> {
    text: &'a str,
    tree: Tree<'a>,
    /// The outermost so far.
    last: Option<usize>,
    /// Whether it has frames, so that a message begins another.
    has_frames: bool,
}

impl<'a> Go<'a> {
    /// A line of what was said.
    fn says(&mut self, line: &'a str) {
        let bare = line.trim();
        if bare.starts_with("[signal ") || bare.starts_with("exit status ") {
            return;
        }
        if let Some(cause) = panic(bare) {
            // `panic: a [recovered]`, then `panic: b`: b was raised when a was being handled.
            self.wrap(cause, Link::Context);
        } else if let (Some(last), false) = (self.last, self.has_frames) {
            tree::extend(self.text, self.tree.node(last), line);
        } else {
            self.wrap(Cause::new("", bare, Link::Outermost), Link::Cause);
        }
    }

    fn wrap(&mut self, cause: Cause<'a>, link: Link) {
        let outer = self.tree.add(cause, None);
        if let Some(inner) = self.last.filter(|inner| *inner != outer) {
            self.tree.attach(inner, outer, link);
        }
        self.last = Some(outer);
        self.has_frames = false;
    }

    fn frame(&mut self, function: &'a str, file: &'a str, line: u32) {
        let function = function.trim();
        let function = function.strip_prefix("created by ").unwrap_or(function);
        let function = function.split(" in goroutine ").next().unwrap_or(function);
        let function = match function.rfind('(') {
            Some(at) if function.ends_with(')') && at > 0 => &function[..at],
            _ => function,
        };
        if self.last.is_none() {
            self.wrap(Cause::new("", "", Link::Outermost), Link::Cause);
        }
        let Some(last) = self.last else { return };
        self.has_frames = true;
        let is_app = app::go(function, file);
        let frame = Frame { function, file, line: Some(line), code: None, is_app, repeats: 0 };
        self.tree.node(last).push(frame);
    }
}

/// `panic: runtime error: index out of range [5] with length 3`, `fatal error: stack overflow`.
///
/// What the runtime itself says has a fixed beginning, which is the type; so has a value that is
/// printed with its type.
fn panic(line: &str) -> Option<Cause<'_>> {
    if line.starts_with("fatal error: ") {
        return Some(Cause::new(line, "", Link::Outermost));
    }
    let said = line.strip_prefix("panic: ")?;
    let said = said.split(" [recovered").next().unwrap_or(said);
    let (kind, message) = if said.starts_with("runtime error: ") {
        let end = said.find(['[', '(']).unwrap_or(said.len());
        (said[..end].trim_end(), &said[end..])
    } else if let Some(message) = said.strip_prefix("interface conversion: ") {
        ("interface conversion", message)
    } else if let Some((kind, message)) = said.strip_prefix('(').and_then(|s| s.split_once(") "))
        && !kind.contains(' ')
    {
        (kind, message)
    } else {
        ("panic", said)
    };
    Some(Cause::new(kind, message, Link::Outermost))
}
