//! Java's stack traces, and what prints as Java does.
//!
//! The outermost comes first; `Caused by:` and `Suppressed:` begin others, and the indentation
//! tells whose: what a suppressed exception has stands one tab further in than it.

use super::{
    Cause, Frame, Language, Link, Stack, app, head,
    tree::{self, Tree},
};

/// Suppressed exceptions inside one another.
const LEVELS_MAX: usize = 16;

pub(super) fn parse(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    // The exception being read at each depth of indentation, and that depth.
    let mut open: Vec<(usize, usize)> = Vec::new();
    // No frame has ended the message yet.
    let mut in_message = false;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if bare.is_empty() {
            continue;
        }
        let indent = tree::indent(line);
        let next = link(bare);
        if let (Some((link, rest)), false) = (next, tree.is_empty()) {
            open.truncate(LEVELS_MAX);
            // Caused by: of the one at the same depth; suppressed: of the one further out.
            while open.len() > 1
                && open.last().is_some_and(|(depth, _)| match link {
                    Link::Suppressed => *depth >= indent,
                    _ => *depth > indent,
                })
            {
                open.pop();
            }
            let parent = open.last().map(|(_, node)| *node);
            let node = tree.add(head::cause(rest, link), parent);
            match open.last_mut() {
                Some((depth, last)) if link == Link::Cause && *depth == indent => *last = node,
                _ => open.push((indent, node)),
            }
            in_message = true;
        } else if let Some(call) = bare.strip_prefix("at ")
            && let Some(frame) = frame(call)
        {
            in_message = false;
            if tree.is_empty() {
                open.push((0, tree.add(Cause::new("", "", Link::Outermost), None)));
            }
            if let Some((_, node)) = open.last() {
                tree.node(*node).push(frame);
            }
        } else if let Some(common) = head::is_more(bare) {
            in_message = false;
            if let Some((_, node)) = open.last() {
                tree.node(*node).common = common;
            }
        } else if tree.is_empty() {
            let rest = strip_thread(next.map_or(bare, |(_, rest)| rest));
            open.push((indent, tree.add(head::cause(rest, Link::Outermost), None)));
            in_message = true;
        } else if let (true, Some((_, node))) = (in_message, open.last()) {
            tree::extend(text, tree.node(*node), strip_thread(line));
        }
    }
    tree.finish(Language::Jvm, 0)
}

fn strip_thread(line: &str) -> &str {
    line.strip_prefix("Exception in thread ")
        .and_then(|rest| rest.strip_prefix('"')?.split_once("\" "))
        .map_or(line, |(_, rest)| rest)
}

fn link(line: &str) -> Option<(Link, &str)> {
    if let Some(rest) = line.strip_prefix("Caused by: ") {
        return Some((Link::Cause, rest));
    }
    line.strip_prefix("Suppressed: ").map(|rest| (Link::Suppressed, rest))
}

/// `java.base/java.lang.Thread.run(Thread.java:840) ~[na:na]`.
fn frame(call: &str) -> Option<Frame<'_>> {
    let (name, rest) = call.split_once('(')?;
    if name.contains(' ') {
        return None;
    }
    let (place, jar) = rest.split_once(')')?;
    let (module, name) = strip_modules(name);
    let (file, line) = match place {
        "Native Method" | "Unknown Source" => ("", None),
        _ => tree::place(place),
    };
    let is_app = app::jvm(module, name, file, jar.trim_start_matches([' ', '~']));
    Some(Frame { function: name, file, line, code: None, is_app, repeats: 0 })
}

/// Cuts `loader/module@version/` off; a lambda's class has a slash of its own, after a `$`.
fn strip_modules(mut name: &str) -> (&str, &str) {
    let mut module = "";
    while let Some((first, rest)) = name.split_once('/') {
        if first.contains('$') {
            break;
        }
        (module, name) = (if first.is_empty() { module } else { first }, rest);
    }
    (module, name)
}
