//! Which entries: one expression tree for every surface, and the one evaluator of it.
//!
//! Query parameters, command-line flags, the [query language](language) and, with their issues, alerts
//! and MCP arguments all become a [`Filter`]. [`Filter::compile`] makes it a [`Matcher`], which is
//! what runs over records.

pub mod language;
mod matcher;
mod prefilter;
mod text;

pub use matcher::{Head, Matcher, Needs};
pub(crate) use prefilter::{Prefilter, Scope};
pub use text::{Pattern, PatternError};

use crate::{EntryId, LevelSet, Timestamp};

/// A condition on entries.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// All of these hold. Empty: every entry.
    And(Vec<Self>),
    /// One of these holds. Empty: no entry.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// The level is one of these.
    Levels(LevelSet),
    /// The time is at or after this.
    Since(Timestamp),
    /// The time is at or before this.
    Until(Timestamp),
    /// It is one of these entries.
    Ids(Vec<EntryId>),
    /// A field passes a test. A field that is absent passes none.
    Field(Field, Test),
}

impl Default for Filter {
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

/// A field of an entry that a [`Test`] looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "they are the fields of `Entry`, documented there")]
pub enum Field {
    /// Message or exception: where a bare word is looked for.
    Text,
    Message,
    Exception,
    Logger,
    Module,
    Function,
    File,
    Line,
    Thread,
    ThreadName,
    Process,
    Service,
    TraceId,
    SpanId,
    /// An attribute by its name; dots reach into maps where no attribute has the whole name.
    Attribute(String),
}

/// What a field must be.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Contains this text, in any case (Unicode simple case folding).
    Contains(String),
    /// Is exactly this text; numbers are equal as numbers.
    Is(String),
    /// Matches somewhere.
    Matches(Pattern),
    /// Is a number in this relation to the given one.
    Compare(Comparison, f64),
}

/// A relation of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Comparison {
    Less,
    AtMost,
    AtLeast,
    Greater,
}

impl Comparison {
    /// Whether `left` stands in this relation to `right`; never for NaN.
    #[must_use]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::AtLeast => left >= right,
            Self::Greater => left > right,
        }
    }
}

impl Filter {
    /// This and another.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::And(mut all), Self::And(more)) => {
                all.extend(more);
                Self::And(all)
            }
            (Self::And(mut all), other) => {
                all.push(other);
                Self::And(all)
            }
            (first, other) => Self::And(vec![first, other]),
        }
    }

    /// The same condition with conjunctions and disjunctions flattened, and those of one condition
    /// replaced by it: what parsing the printed form gives.
    #[must_use]
    pub fn normalized(self) -> Self {
        let one_of = |mut list: Vec<Self>, all: fn(Vec<Self>) -> Self| match list.len() {
            1 => list.remove(0),
            _ => all(list),
        };
        match self {
            Self::And(list) => {
                let mut flat = Vec::with_capacity(list.len());
                for filter in list {
                    match filter.normalized() {
                        Self::And(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                one_of(flat, Self::And)
            }
            Self::Or(list) if list.is_empty() => Self::Not(Box::default()),
            Self::Or(list) => {
                let mut flat = Vec::with_capacity(list.len());
                for filter in list {
                    match filter.normalized() {
                        Self::Or(inner) => flat.extend(inner),
                        other => flat.push(other),
                    }
                }
                one_of(flat, Self::Or)
            }
            Self::Not(filter) => Self::Not(Box::new(filter.normalized())),
            other => other,
        }
    }

    /// Whether a regular expression is run, so that one entry alone may take long.
    #[must_use]
    pub fn has_pattern(&self) -> bool {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().any(Self::has_pattern),
            Self::Not(filter) => filter.has_pattern(),
            Self::Field(_, test) => matches!(test, Test::Matches(_)),
            Self::Levels(_) | Self::Since(_) | Self::Until(_) | Self::Ids(_) => false,
        }
    }

    /// Makes it ready to run.
    #[must_use]
    pub fn compile(&self) -> Matcher {
        Matcher::new(self)
    }
}

#[cfg(test)]
mod tests;
