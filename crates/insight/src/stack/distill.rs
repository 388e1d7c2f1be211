//! What a person or a model needs of a trace: each cause, the application's frames, and counts of
//! everything else.

use std::fmt;

use super::{Cause, Frame, Language, Link, Stack};

/// The longest cycle of recursion that is looked for, in frames.
const CYCLE_MAX: usize = 8;

/// Characters shown of a message's first line, and of a source line.
const MESSAGE_CHARS_MAX: usize = 240;
const CODE_CHARS_MAX: usize = 120;

/// A trace made short; [`Display`](fmt::Display) and [`lines`](Self::lines) give its text.
#[derive(Clone, Debug)]
pub struct Distilled<'s, 'a> {
    /// Whose trace it is.
    pub language: Language,
    /// The causes, in the order of [`Stack::causes`], but for those that [`Shown::alike`] counts.
    pub causes: Vec<Shown<'s, 'a>>,
    /// Causes the stack itself left out.
    pub causes_omitted: usize,
}

/// One cause with the rows that stand for its frames.
#[derive(Clone, Debug)]
pub struct Shown<'s, 'a> {
    /// The cause itself: its type, message, and what it is to its parent.
    pub cause: &'s Cause<'a>,
    /// Whether it is the one that began it all.
    pub is_root: bool,
    /// Groups and suppressions it lies in: 0 for the chain of the outermost.
    pub depth: usize,
    /// The frames, the innermost first.
    pub rows: Vec<Row<'s, 'a>>,
    /// Causes after it in the chain that are not shown, since they have its type and were raised
    /// where it was: recursion that wraps at each level.
    pub alike: usize,
}

/// A row of a distilled stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Row<'s, 'a> {
    /// A frame of the application, called `times` in a row (1 as a rule).
    Frame {
        /// The frame.
        frame: &'s Frame<'a>,
        /// At least 1.
        times: usize,
    },
    /// Frames of libraries and the runtime.
    Library {
        /// How many.
        count: usize,
        /// The innermost of them.
        innermost: &'s Frame<'a>,
    },
    /// The `frames` application frames above, with what lay between them, came `times` more.
    Again {
        /// At least 2.
        frames: usize,
        /// At least 1.
        times: usize,
    },
    /// Frames left out for brevity, of whatever kind.
    LeftOut {
        /// How many.
        count: usize,
    },
}

pub(super) fn distilled<'s, 'a>(stack: &'s Stack<'a>, frames_max: usize) -> Distilled<'s, 'a> {
    let root = stack.root_at();
    let mut depths = Vec::with_capacity(stack.causes.len());
    let mut causes: Vec<Shown<'s, 'a>> = Vec::with_capacity(stack.causes.len());
    for (at, cause) in stack.causes.iter().enumerate() {
        let inner = usize::from(matches!(cause.link, Link::Member | Link::Suppressed));
        let depth = cause.parent.map_or(0, |parent| depths[parent]) + inner;
        depths.push(depth);
        if let Some(last) = causes.last_mut()
            && cause.parent == at.checked_sub(1)
            && at != root
            && inner == 0
            && is_alike(last.cause, cause)
        {
            last.alike += 1;
            continue;
        }
        let (is_root, rows) = (at == root, rows(cause));
        causes.push(Shown { cause, is_root, depth, rows, alike: 0 });
    }
    let needs: Vec<usize> =
        causes.iter().map(|shown| shown.rows.iter().filter(|row| row.is_frame()).count()).collect();
    let root = causes.iter().position(|shown| shown.is_root).unwrap_or(0);
    for (shown, most) in causes.iter_mut().zip(shares(&needs, root, frames_max)) {
        shorten(&mut shown.rows, most);
    }
    Distilled { language: stack.language, causes, causes_omitted: stack.causes_omitted }
}

/// Whether both have one type and were raised in one place of the application.
fn is_alike(a: &Cause<'_>, b: &Cause<'_>) -> bool {
    fn raiser<'f>(cause: &'f Cause<'_>) -> Option<(&'f str, &'f str, Option<u32>)> {
        let frame = cause.frames.iter().find(|frame| frame.is_app)?;
        Some((frame.function, frame.file, frame.line))
    }
    a.kind == b.kind && raiser(a).is_some() && raiser(a) == raiser(b)
}

/// Gives each cause one frame, the root half of what is left, the others theirs in order.
fn shares(needs: &[usize], root: usize, frames_max: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = needs.iter().map(|need| (*need).min(1)).collect();
    let mut left = frames_max.saturating_sub(shares.iter().sum());
    let mut give = |at: usize, most: usize, left: &mut usize| {
        let more = (needs[at] - shares[at]).min(most);
        shares[at] += more;
        *left -= more;
    };
    give(root, left.div_ceil(2), &mut left);
    for at in (0..needs.len()).chain([root]) {
        give(at, left, &mut left);
    }
    shares
}

impl Row<'_, '_> {
    fn is_frame(&self) -> bool {
        matches!(self, Self::Frame { .. })
    }
}

/// All frames as rows, recursion folded.
fn rows<'s, 'a>(cause: &'s Cause<'a>) -> Vec<Row<'s, 'a>> {
    let mut rows: Vec<Row<'s, 'a>> = Vec::new();
    for (at, frame) in cause.frames.iter().enumerate() {
        if let Some(gap) = cause.gap.filter(|gap| gap.at == at) {
            rows.push(Row::LeftOut { count: gap.count });
        }
        let times = 1 + frame.repeats as usize;
        match rows.last_mut() {
            Some(Row::Library { count, .. }) if !frame.is_app => *count += times,
            Some(Row::Frame { frame: last, times: so_far })
                if frame.is_app && is_same_call(last, frame) =>
            {
                *so_far += times;
            }
            _ if frame.is_app => rows.push(Row::Frame { frame, times }),
            _ => rows.push(Row::Library { count: times, innermost: frame }),
        }
    }
    fold_cycles(&rows)
}

fn is_same_call(a: &Frame<'_>, b: &Frame<'_>) -> bool {
    (a.function, a.file) == (b.function, b.file) && !a.function.is_empty()
}

fn is_same_row(a: &Row<'_, '_>, b: &Row<'_, '_>) -> bool {
    match (a, b) {
        (Row::Frame { frame: a, times: x }, Row::Frame { frame: b, times: y }) => {
            is_same_call(a, b) && x == y
        }
        (Row::Library { count: a, .. }, Row::Library { count: b, .. }) => a == b,
        _ => false,
    }
}

/// `a b a b a b` becomes `a b`, again twice.
fn fold_cycles<'s, 'a>(rows: &[Row<'s, 'a>]) -> Vec<Row<'s, 'a>> {
    let mut out = Vec::with_capacity(rows.len());
    let mut at = 0;
    'rows: while at < rows.len() {
        for length in 2..=CYCLE_MAX.min((rows.len() - at) / 2) {
            let cycle = &rows[at..at + length];
            let is_again = |next: &[Row<'_, '_>]| {
                next.iter().zip(cycle).all(|(next, row)| is_same_row(next, row))
            };
            let times =
                rows[at + length..].chunks_exact(length).take_while(|c| is_again(c)).count();
            let frames = cycle.iter().filter(|row| row.is_frame()).count();
            if times > 0 && frames > 0 {
                out.extend_from_slice(cycle);
                out.push(Row::Again { frames, times });
                at += length * (1 + times);
                continue 'rows;
            }
        }
        out.push(rows[at]);
        at += 1;
    }
    out
}

/// Keeps at most `most` of the application's frames: two thirds of them the innermost.
fn shorten(rows: &mut Vec<Row<'_, '_>>, most: usize) {
    let frames: Vec<usize> = (0..rows.len()).filter(|at| rows[*at].is_frame()).collect();
    if frames.len() <= most {
        return;
    }
    let first = (most * 2).div_ceil(3).max(1).min(frames.len());
    let last = most.saturating_sub(first);
    let from = frames[first - 1] + 1;
    let to = if last == 0 { rows.len() } else { frames[frames.len() - last] };
    let count = rows[from..to]
        .iter()
        .map(|row| match row {
            Row::Frame { times, .. } => *times,
            Row::Library { count, .. } | Row::LeftOut { count } => *count,
            Row::Again { frames, times } => frames * times,
        })
        .sum();
    rows.splice(from..to, [Row::LeftOut { count }]);
}

impl Distilled<'_, '_> {
    /// The text, line by line. A line holds characters as they came, control characters too, but
    /// no line break.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let is_chain = self.causes.len() > 1;
        let omitted =
            (self.causes_omitted > 0).then(|| format!("… {} more causes", self.causes_omitted));
        // Below a panic of these lies the machinery of panics, always the same.
        let tells = !matches!(self.language, Language::Rust | Language::Go);
        self.causes.iter().flat_map(move |shown| shown.lines(is_chain, tells)).chain(omitted)
    }
}

impl fmt::Display for Distilled<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().try_for_each(|line| writeln!(f, "{line}"))
    }
}

impl Shown<'_, '_> {
    /// `caused by ValueError: bad (+2 lines) [root cause]`: how it is joined to its parent, type
    /// and the first line of its message.
    #[must_use]
    pub fn headline(&self) -> String {
        let cause = self.cause;
        let mut lines = cause.message.lines().filter(|line| !line.trim().is_empty());
        let first = cut(lines.next().unwrap_or_default().trim(), MESSAGE_CHARS_MAX);
        let more = lines.count();
        let joined = match cause.link {
            Link::Outermost => "",
            Link::Cause => "caused by ",
            Link::Context => "while handling ",
            Link::Member => "member ",
            Link::Suppressed => "suppressed ",
        };
        let mut text = match (cause.kind, &*first) {
            ("", "") => format!("{joined}exception"),
            (kind, "") => format!("{joined}{kind}"),
            ("", first) => format!("{joined}{first}"),
            (kind, first) => format!("{joined}{kind}: {first}"),
        };
        if more > 0 {
            text.push_str(&format!(" (+{more} {})", plural(more, "line")));
        }
        if cause.count > 1 {
            text.push_str(&format!(" (×{})", cause.count));
        }
        text
    }

    fn lines(&self, is_chain: bool, tells: bool) -> impl Iterator<Item = String> {
        let margin = "  ".repeat(self.depth);
        let alike_margin = margin.clone();
        let mark = if self.is_root && is_chain { " [root cause]" } else { "" };
        let head = format!("{margin}{}{mark}", self.headline());
        let rows = self.rows.iter().enumerate();
        let rows = rows.map(move |(at, row)| format!("{margin}  {}", row.text(tells && at == 0)));
        let alike = (self.alike > 0).then(|| {
            format!("{alike_margin}… {} more {} like it", self.alike, plural(self.alike, "cause"))
        });
        std::iter::once(head).chain(rows).chain(alike)
    }
}

impl Row<'_, '_> {
    /// `at total (/app/cart.py:12): return prices[item]`; of libraries' frames, when they are
    /// where it was raised, the innermost is told.
    fn text(&self, is_raiser: bool) -> String {
        match self {
            Self::Frame { frame, times } => {
                let mut text = format!("at {}", place(frame));
                if *times > 1 {
                    text.push_str(&format!(" ×{times}"));
                }
                if let Some(code) = frame.code {
                    text.push_str(": ");
                    text.push_str(&cut(code, CODE_CHARS_MAX));
                }
                text
            }
            Self::Library { count, innermost } => {
                let what = format!("… {count} library {}", plural(*count, "frame"));
                let file = tail(innermost.file);
                let place = || place(&Frame { file, ..(*innermost).clone() });
                if is_raiser { format!("{what}, from {}", place()) } else { what }
            }
            Self::Again { frames, times } => {
                format!("… the {frames} above {times} more {}", plural(*times, "time"))
            }
            Self::LeftOut { count } => format!("… {count} more {}", plural(*count, "frame")),
        }
    }
}

fn place(frame: &Frame<'_>) -> String {
    let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
    match (frame.function, frame.file) {
        ("", "") => "an unnamed place".to_owned(),
        ("", file) => format!("{file}{line}"),
        (function, "") => function.to_owned(),
        (function, file) => format!("{function} ({file}{line})"),
    }
}

/// The last two parts of a path.
fn tail(file: &str) -> &str {
    let at = file.rmatch_indices(['/', '\\']).nth(1);
    at.map_or(file, |(at, _)| &file[at + 1..])
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

fn cut(text: &str, chars_max: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}
