//! Stack traces read: from the text of an entry's `exception` to causes and frames.
//!
//! `logrec-decode` finds where in a stream of lines a trace begins and ends; here the text is known
//! to be one. A runtime's printing is read as that runtime prints it, a file a family: `python`,
//! `jvm`, `node`, `go`, `rust`, and `others` for .NET, Ruby, PHP and Elixir. All of them make the
//! same [`Stack`]: causes as a tree, each with its frames, the innermost first.
//!
//! Which frames are the application's says `app`; what a person reads of a trace is made in
//! `distill` ([`Stack::distilled`]), and which traces are the same failure says `group`
//! ([`Stack::group`]).
//!
//! Limits before API: at most [`CAUSES_MAX`] causes, [`FRAMES_MAX`] frames of each (the first and
//! the last), one pass over the text. No input is an error: what is not understood is left out.
//!
//! ```
//! let text = "Traceback (most recent call last):
//!   File \"/app/shop/cart.py\", line 12, in total
//!     return prices[item]
//!            ~~~~~~^^^^^^
//! KeyError: 'pear'
//! ";
//! let stack = logrec_insight::stack::parse(text).expect("a trace");
//! assert_eq!(stack.root().kind, "KeyError");
//! assert_eq!(stack.root().frames[0].function, "total");
//! assert_eq!(
//!     stack.distilled(10).to_string(),
//!     "KeyError: 'pear'\n  at total (/app/shop/cart.py:12): return prices[item]\n"
//! );
//! // The message and the line do not make another group.
//! let later = text.replace("pear", "plum").replace("line 12", "line 19");
//! assert_eq!(stack.group(), logrec_insight::stack::group(&later));
//! ```

mod app;
mod distill;
mod go;
mod group;
mod head;
mod jvm;
mod node;
mod others;
mod python;
mod rust;
mod tree;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use distill::{Distilled, Row, Shown};
pub use group::GroupId;

/// Causes kept of one trace; the outermost and the root are always among them.
pub const CAUSES_MAX: usize = 32;

/// Frames kept of one cause: the first and the last half of it. A frame that repeats counts once.
pub const FRAMES_MAX: usize = 128;

/// Whose trace it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// CPython's traceback, with exception groups.
    Python,
    /// Java, Kotlin, Scala and what else runs on a JVM.
    Jvm,
    /// JavaScript as V8 and Node print it.
    JavaScript,
    /// A panic, a dump of goroutines, or an error of `pkg/errors`.
    Go,
    /// A panic, or an error of anyhow or eyre.
    Rust,
    /// .NET.
    Dotnet,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Elixir.
    Elixir,
    /// A type and a message, or a chain of them, without a frame.
    Unknown,
}

impl Language {
    /// The name in published JSON: `python`, `jvm`, `javascript`, …, `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Jvm => "jvm",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Dotnet => "dotnet",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Elixir => "elixir",
            Self::Unknown => "unknown",
        }
    }
}

/// What a cause is to its [`Cause::parent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Link {
    /// It is the outermost and has no parent.
    Outermost,
    /// It caused its parent (`raise … from`, `Caused by:`, `[cause]`, `--->`).
    Cause,
    /// Its parent was raised while it was being handled (Python's implicit chain).
    Context,
    /// It is one of those its parent gathers (`ExceptionGroup`, `AggregateError`).
    Member,
    /// It was raised while its parent was on its way (Java's `Suppressed:`).
    Suppressed,
}

impl Link {
    /// The name in published JSON: `outermost`, `cause`, `context`, `member`, `suppressed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outermost => "outermost",
            Self::Cause => "cause",
            Self::Context => "context",
            Self::Member => "member",
            Self::Suppressed => "suppressed",
        }
    }
}

/// One call of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The function as the runtime names it, with its class or module where it does; empty when
    /// the runtime gives a place only.
    pub function: &'a str,
    /// The file as printed, empty when absent.
    pub file: &'a str,
    /// Line in `file`, from 1.
    pub line: Option<u32>,
    /// The source line where the trace shows it (Python), trimmed.
    pub code: Option<&'a str>,
    /// Whether it is the application's own and no library's. When a trace has no such frame at
    /// all, every frame counts as one.
    pub is_app: bool,
    /// How often it was repeated right after itself, beyond this once.
    pub repeats: u32,
}

/// Frames that were left out to stay within [`FRAMES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// They lay before `frames[at]`.
    pub at: usize,
    /// How many.
    pub count: usize,
}

/// One exception of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The type's name; `panic` for a panic, empty when there is none to see.
    pub kind: &'a str,
    /// What it says, without the type; may have many lines.
    pub message: Cow<'a, str>,
    /// Frames, the innermost (where it was raised) first.
    pub frames: Vec<Frame<'a>>,
    /// Where frames are missing.
    pub gap: Option<Gap>,
    /// Outer frames it has in common with its parent and so does not list (Java's `... 12 more`).
    pub common: u32,
    /// What it is to its parent.
    pub link: Link,
    /// Index of its parent in [`Stack::causes`], which is smaller than its own.
    pub parent: Option<usize>,
    /// How many of the same site its parent has (members of a group), 1 otherwise.
    pub count: u32,
}

/// A trace that was read; borrows from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack<'a> {
    /// Whose it is.
    pub language: Language,
    /// All causes, never empty: the outermost first, each before what caused it, members of a
    /// group after the group's own causes.
    pub causes: Vec<Cause<'a>>,
    /// Causes that were left out to stay within [`CAUSES_MAX`].
    pub causes_omitted: usize,
    /// Whether a frame was recognised as the application's.
    pub has_app: bool,
}

impl<'a> Stack<'a> {
    /// The exception that came out at the top.
    #[must_use]
    pub fn outermost(&self) -> &Cause<'a> {
        &self.causes[0]
    }

    /// The exception that began it: the end of the chain of causes, of a group the first
    /// member's.
    #[must_use]
    pub fn root(&self) -> &Cause<'a> {
        &self.causes[self.root_at()]
    }

    /// Index of [`root`](Self::root) in [`causes`](Self::causes).
    #[must_use]
    pub fn root_at(&self) -> usize {
        let mut at = 0;
        // A parent stands before its children, so this ends.
        loop {
            let child = |links: &[Link]| {
                (at + 1..self.causes.len()).find(|&i| {
                    self.causes[i].parent == Some(at) && links.contains(&self.causes[i].link)
                })
            };
            match child(&[Link::Cause, Link::Context]).or_else(|| child(&[Link::Member])) {
                Some(next) => at = next,
                None => return at,
            }
        }
    }

    /// What a person or a model needs of it, with at most about `frames_max` of the application's
    /// frames: the root cause gets the most of them, each cause at least one.
    #[must_use]
    pub fn distilled(&self, frames_max: usize) -> Distilled<'_, 'a> {
        distill::distilled(self, frames_max)
    }

    /// Names the failure: equal for traces with the same types, application frames and causes,
    /// whatever their messages, lines, depth of recursion, threads, generated names and the
    /// folder of their deployment. Stable from run to run and on every machine.
    #[must_use]
    pub fn group(&self) -> GroupId {
        group::of_stack(self)
    }

    /// Names the place where it began, by whatever path it was reached: the root cause's type
    /// and its innermost application frame. Many groups may have one site.
    #[must_use]
    pub fn site(&self) -> GroupId {
        group::site(self)
    }
}

/// Reads a trace; `None` when the text is none and names no exception either.
///
/// A lone `ValueError: bad` is a stack of one cause without frames. Text around the trace (a log
/// line before it) does no harm. O(length), never panics.
#[must_use]
pub fn parse(text: &str) -> Option<Stack<'_>> {
    match head::language(text)? {
        Language::Python => python::parse(text),
        Language::Jvm => jvm::parse(text),
        Language::JavaScript => node::parse(text),
        Language::Go => go::parse(text),
        Language::Rust => rust::parse(text),
        Language::Dotnet => others::dotnet(text),
        Language::Ruby => others::ruby(text),
        Language::Php => others::php(text),
        Language::Elixir => others::elixir(text),
        Language::Unknown => head::alone(text),
    }
}

/// The group of any text: [`Stack::group`] of a trace; of other text its first line with
/// numbers, quoted text and paths masked.
#[must_use]
pub fn group(text: &str) -> GroupId {
    parse(text).map_or_else(|| group::of_text(text), |stack| stack.group())
}
