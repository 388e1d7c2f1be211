//! Building a [`Stack`]: a tree of causes in an arena, and frames within their bound.

use std::borrow::Cow;

use super::{CAUSES_MAX, Cause, FRAMES_MAX, Frame, Gap, Language, Link, Stack, head};

/// Causes held while a text is read. Members of groups are folded only once they are whole.
const NODES_MAX: usize = 8 * CAUSES_MAX;

/// Lines with their byte offsets, without their ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let line = line.strip_suffix('\n').unwrap_or(line);
        (start, line.strip_suffix('\r').unwrap_or(line))
    })
}

/// Where a piece of the text begins in it; `None` when it is no piece of it.
pub(super) fn offset(text: &str, piece: &str) -> Option<usize> {
    let at = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    (at <= text.len()).then_some(at)
}

/// Spaces and tabs a line begins with, a tab as four.
pub(super) fn indent(line: &str) -> usize {
    line.bytes()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .map(|b| if b == b'\t' { 4 } else { 1 })
        .sum()
}

/// Splits `file:12` and `file:12:5` into file and line; the line is `None` without a number.
pub(super) fn place(text: &str) -> (&str, Option<u32>) {
    let Some((file, last)) = text.rsplit_once(':') else { return (text, None) };
    let Ok(last) = last.parse::<u32>() else { return (text, None) };
    match file.rsplit_once(':').map(|(file, line)| (file, line.parse::<u32>())) {
        Some((file, Ok(line))) => (file, Some(line)),
        _ => (file, Some(last)),
    }
}

/// Goes on with a message by a further line of the text. Where no type has been seen, the message being a
/// line of log, a line that names one is taken instead.
pub(super) fn extend<'a>(text: &'a str, cause: &mut Cause<'a>, line: &'a str) {
    let Cow::Borrowed(first) = cause.message else { return };
    if cause.kind.is_empty()
        && let Some((kind, message)) = head::typed(line.trim())
    {
        (cause.kind, cause.message) = (kind, Cow::Borrowed(message));
        return;
    }
    let line = line.trim_end();
    let start = if first.is_empty() { line } else { first };
    let end = offset(text, line).map(|at| at + line.len());
    if let (Some(start), Some(end)) = (offset(text, start), end)
        && let Some(whole) = text.get(start..end)
    {
        cause.message = Cow::Borrowed(whole);
    }
}

impl<'a> Cause<'a> {
    pub(super) fn new(kind: &'a str, message: &'a str, link: Link) -> Self {
        Self {
            kind,
            message: Cow::Borrowed(message),
            frames: Vec::new(),
            gap: None,
            common: 0,
            link,
            parent: None,
            count: 1,
        }
    }

    /// Adds a frame: a repeated one is counted, and from twice [`FRAMES_MAX`] on the middle goes.
    pub(super) fn push(&mut self, frame: Frame<'a>) {
        if let Some(last) = self.frames.last_mut()
            && (last.function, last.file, last.line) == (frame.function, frame.file, frame.line)
        {
            last.repeats = last.repeats.saturating_add(frame.repeats).saturating_add(1);
            return;
        }
        self.frames.push(frame);
        if self.frames.len() == 2 * FRAMES_MAX {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let Some(over) = self.frames.len().checked_sub(FRAMES_MAX).filter(|n| *n > 0) else {
            return;
        };
        let at = FRAMES_MAX / 2;
        let count: usize =
            self.frames.drain(at..at + over).map(|frame| 1 + frame.repeats as usize).sum();
        self.gap = Some(Gap { at, count: count + self.gap.map_or(0, |gap| gap.count) });
    }

    /// For runtimes that print the outermost frame first.
    pub(super) fn reverse(&mut self) {
        self.cut();
        self.frames.reverse();
        if let Some(gap) = &mut self.gap {
            gap.at = self.frames.len() - gap.at.min(self.frames.len());
        }
    }

    /// Whether it is the same failure as another, but for its message.
    fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && self.frames == other.frames && self.link == other.link
    }
}

/// Causes as they are found, in any order; [`finish`](Self::finish) puts them into theirs.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    nodes: Vec<Cause<'a>>,
    omitted: usize,
}

impl<'a> Tree<'a> {
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), omitted: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(super) fn node(&mut self, at: usize) -> &mut Cause<'a> {
        &mut self.nodes[at]
    }

    /// Adds a cause and returns its index. When there is no room it takes the place of the last
    /// one, so that the end of a long chain is its true end.
    pub(super) fn add(&mut self, mut cause: Cause<'a>, parent: Option<usize>) -> usize {
        cause.parent = parent;
        if self.nodes.len() == NODES_MAX {
            self.omitted += 1;
            let last = NODES_MAX - 1;
            if parent == Some(last) || cause.link == Link::Member {
                cause.parent = self.nodes[last].parent;
                cause.link = self.nodes[last].link;
            }
            self.nodes[last] = cause;
            return last;
        }
        self.nodes.push(cause);
        self.nodes.len() - 1
    }

    /// Counts causes that are not going to be shown.
    pub(super) fn omit(&mut self, count: usize) {
        self.omitted = self.omitted.saturating_add(count);
    }

    pub(super) fn attach(&mut self, child: usize, parent: usize, link: Link) {
        if child != parent {
            (self.nodes[child].parent, self.nodes[child].link) = (Some(parent), link);
        }
    }

    /// The causes from `top` on, in the order that [`Stack::causes`] promises.
    pub(super) fn finish(mut self, language: Language, top: usize) -> Option<Stack<'a>> {
        if top >= self.nodes.len() {
            return None;
        }
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(parent) = node.parent.filter(|parent| *parent != at && at != top) {
                children[parent].push(at);
            }
        }
        for list in &mut children {
            // The chain first: depth first then leads to the root cause.
            list.sort_by_key(|at| !matches!(self.nodes[*at].link, Link::Cause | Link::Context));
        }
        self.fold_members(&mut children);
        let (order, mut omitted) = order(top, &children);
        omitted = omitted.saturating_add(self.omitted);
        let mut place = vec![None; self.nodes.len()];
        let mut causes = Vec::with_capacity(order.len());
        for at in order {
            place[at] = Some(causes.len());
            let empty = Cause::new("", "", Link::Outermost);
            let mut cause = std::mem::replace(&mut self.nodes[at], empty);
            cause.cut();
            cause.parent = cause.parent.filter(|_| at != top).and_then(|parent| place[parent]);
            if cause.parent.is_none() {
                cause.link = Link::Outermost;
            }
            causes.push(cause);
        }
        Some(Stack::of(language, causes, omitted))
    }

    /// Members of one parent that are the same failure become one with a count.
    fn fold_members(&mut self, children: &mut [Vec<usize>]) {
        // From the back: a group is always read before its members, so inner groups come first.
        for parent in (0..children.len()).rev() {
            let list = std::mem::take(&mut children[parent]);
            let mut kept: Vec<usize> = Vec::with_capacity(list.len());
            for at in list {
                let same = kept.iter().copied().find(|&other| {
                    self.nodes[at].link == Link::Member && self.same(at, other, children, 0)
                });
                match same {
                    Some(other) => self.nodes[other].count += self.nodes[at].count,
                    None => kept.push(at),
                }
            }
            children[parent] = kept;
        }
    }

    fn same(&self, a: usize, b: usize, children: &[Vec<usize>], depth: usize) -> bool {
        depth < CAUSES_MAX
            && self.nodes[a].is_like(&self.nodes[b])
            && children[a].len() == children[b].len()
            && children[a]
                .iter()
                .zip(&children[b])
                .all(|(a, b)| self.same(*a, *b, children, depth + 1))
    }
}

/// Depth first from `top`, at most [`CAUSES_MAX`], and how many there were beyond. A chain that
/// is longer loses its middle and keeps its end.
fn order(top: usize, children: &[Vec<usize>]) -> (Vec<usize>, usize) {
    let mut seen = vec![false; children.len()];
    let mut order = Vec::new();
    let mut stack = vec![top];
    while let Some(at) = stack.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        order.push(at);
        stack.extend(children[at].iter().rev());
    }
    let omitted = order.len().saturating_sub(CAUSES_MAX);
    if omitted > 0 {
        // The way to the root comes first in this order.
        let mut depth = 1;
        while order.get(depth).is_some_and(|at| children[order[depth - 1]].first() == Some(at)) {
            depth += 1;
        }
        let end = depth.max(CAUSES_MAX);
        order.truncate(end);
        if order.len() > CAUSES_MAX {
            order.drain(CAUSES_MAX - 1..end - 1);
        }
    }
    (order, omitted)
}

impl<'a> Stack<'a> {
    fn of(language: Language, mut causes: Vec<Cause<'a>>, causes_omitted: usize) -> Self {
        let mut frames = causes.iter_mut().flat_map(|cause| &mut cause.frames);
        let has_app = frames.any(|frame| frame.is_app);
        if !has_app {
            causes
                .iter_mut()
                .flat_map(|cause| &mut cause.frames)
                .for_each(|frame| frame.is_app = true);
        }
        // A cause whose parent was left out hangs on the one before it.
        for (at, cause) in causes.iter_mut().enumerate().skip(1) {
            if cause.parent.is_none() {
                (cause.parent, cause.link) = (Some(at - 1), Link::Cause);
            }
        }
        let language = match language {
            Language::Jvm | Language::Rust if causes.iter().all(is_bare) => Language::Unknown,
            other => other,
        };
        Self { language, causes, causes_omitted, has_app }
    }
}

/// Neither a frame nor a type that only its runtime has.
fn is_bare(cause: &Cause<'_>) -> bool {
    cause.frames.is_empty() && !cause.kind.contains('.') && cause.kind != "panic"
}
