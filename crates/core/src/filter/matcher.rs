//! The evaluator. What level and time decide is decided from the slot; a record is read only when
//! the rest needs it.

use super::{
    Comparison, Field, Filter, Pattern, Prefilter, Scope, Test,
    text::{Finder, commonness},
};
use crate::{
    EntryId, Level, LevelSet, Timestamp,
    record::{FieldRef, RecordRef, THREAD_NAMES, ValueRef},
};

/// A [`Filter`] made ready to run. Holds no state: it may be shared by threads.
#[derive(Debug)]
pub struct Matcher {
    levels: LevelSet,
    since: Timestamp,
    until: Timestamp,
    /// What levels and times above do not decide; `None` when they decide all.
    rest: Option<Node>,
    needs: Needs,
    /// Of a text that the record must contain.
    prefilter: Option<(Prefilter, Scope)>,
    /// Sorted; only these can match.
    ids: Option<Vec<EntryId>>,
}

/// What is known of an entry before its record is read.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "they are the fields of `RowRef`, documented there")]
pub struct Head {
    pub id: EntryId,
    pub time: Timestamp,
    pub level: Level,
}

/// Which parts of a record a [`Matcher`] reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the parts of a record")]
#[expect(clippy::struct_excessive_bools, reason = "a set of four parts")]
pub struct Needs {
    pub message: bool,
    pub exception: bool,
    pub logger: bool,
    /// Any other field.
    pub others: bool,
}

#[derive(Debug)]
enum Node {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Levels(LevelSet),
    Since(Timestamp),
    Until(Timestamp),
    /// Sorted.
    Ids(Vec<EntryId>),
    Field(Field, Check),
}

#[derive(Debug)]
enum Check {
    Contains(Finder),
    Is(String, Option<f64>),
    Matches(Pattern),
    Compare(Comparison, f64),
}

impl Needs {
    /// Whether level and time decide all.
    #[must_use]
    pub const fn nothing(self) -> bool {
        !(self.message || self.exception || self.logger || self.others)
    }
}

impl Matcher {
    pub(super) fn new(filter: &Filter) -> Self {
        let mut matcher = Self {
            levels: LevelSet::ALL,
            since: Timestamp::MIN,
            until: Timestamp::MAX,
            rest: None,
            needs: Needs::default(),
            prefilter: None,
            ids: None,
        };
        let mut rest = Vec::new();
        matcher.split(filter, &mut rest);
        // Cheap conditions first.
        rest.sort_by_key(Node::cost);
        rest.iter().for_each(|node| node.note_needs(&mut matcher.needs));
        matcher.prefilter = rest
            .iter()
            .filter_map(Node::prefilter)
            .min_by_key(|(rank, ..)| *rank)
            .map(|(_, prefilter, scope)| (prefilter, scope));
        matcher.rest = match rest.len() {
            0 => None,
            1 => rest.pop(),
            _ => Some(Node::And(rest)),
        };
        matcher
    }

    /// Takes what must hold of level and time out of the outer conjunction.
    fn split(&mut self, filter: &Filter, rest: &mut Vec<Node>) {
        match filter {
            Filter::And(all) => all.iter().for_each(|f| self.split(f, rest)),
            Filter::Levels(set) => self.levels = self.levels.intersect(*set),
            Filter::Since(t) => self.since = self.since.max(*t),
            Filter::Until(t) => self.until = self.until.min(*t),
            Filter::Ids(ids) if self.ids.is_none() => self.ids = Some(sorted(ids)),
            Filter::Ids(_) | Filter::Or(_) | Filter::Not(_) | Filter::Field(..) => {
                rest.push(Node::new(filter))
            }
        }
    }

    /// What a record that matches holds, and in which part of it; to be looked for before it is read.
    pub(crate) const fn prefilter(&self) -> Option<&(Prefilter, Scope)> {
        self.prefilter.as_ref()
    }

    /// The entries that can match, sorted, where the filter names them.
    #[must_use]
    pub fn ids(&self) -> Option<&[EntryId]> {
        self.ids.as_deref()
    }

    /// Which parts of a record [`matches`](Self::matches) reads.
    #[must_use]
    pub const fn needs(&self) -> Needs {
        self.needs
    }

    /// Levels an entry must be of; a wider set than the filter's where it says more.
    #[must_use]
    pub const fn levels(&self) -> LevelSet {
        self.levels
    }

    /// Earliest time an entry may have.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// Latest time an entry may have.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether an entry of this level and time can match. No allocation.
    #[inline]
    #[must_use]
    pub fn may_match(&self, time: Timestamp, level: Level) -> bool {
        self.levels.contains(level) && time >= self.since && time <= self.until
    }

    /// Whether an entry that [`may_match`](Self::may_match) does. Reads the record only where the
    /// filter says more than level and time; allocates only to compare numbers with text.
    #[inline]
    #[must_use]
    pub fn matches(&self, head: &Head, record: RecordRef<'_>) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.binary_search(&head.id).is_ok())
            && self.rest.as_ref().is_none_or(|node| node.holds(head, record))
    }
}

impl Node {
    fn new(filter: &Filter) -> Self {
        let all = |filters: &[Filter]| filters.iter().map(Self::new).collect();
        match filter {
            Filter::And(filters) => Self::And(all(filters)),
            Filter::Or(filters) => Self::Or(all(filters)),
            Filter::Not(filter) => Self::Not(Box::new(Self::new(filter))),
            Filter::Levels(set) => Self::Levels(*set),
            Filter::Since(t) => Self::Since(*t),
            Filter::Until(t) => Self::Until(*t),
            Filter::Ids(ids) => Self::Ids(sorted(ids)),
            Filter::Field(field, test) => Self::Field(field.clone(), Check::new(test)),
        }
    }

    fn note_needs(&self, needs: &mut Needs) {
        match self {
            Self::And(nodes) | Self::Or(nodes) => nodes.iter().for_each(|n| n.note_needs(needs)),
            Self::Not(node) => node.note_needs(needs),
            Self::Levels(_) | Self::Since(_) | Self::Until(_) | Self::Ids(_) => {}
            Self::Field(Field::Message, _) => needs.message = true,
            Self::Field(Field::Exception, _) => needs.exception = true,
            Self::Field(Field::Logger, _) => needs.logger = true,
            Self::Field(Field::Text, _) => (needs.message, needs.exception) = (true, true),
            Self::Field(..) => needs.others = true,
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Self::Levels(_) | Self::Since(_) | Self::Until(_) | Self::Ids(_) => 0,
            Self::Field(Field::Logger, _) => 1,
            Self::Field(_, Check::Matches(_)) => 4,
            Self::Field(..) => 2,
            Self::And(_) | Self::Or(_) | Self::Not(_) => 3,
        }
    }

    fn holds(&self, head: &Head, record: RecordRef<'_>) -> bool {
        match self {
            Self::And(nodes) => nodes.iter().all(|n| n.holds(head, record)),
            Self::Or(nodes) => nodes.iter().any(|n| n.holds(head, record)),
            Self::Not(node) => !node.holds(head, record),
            Self::Levels(set) => set.contains(head.level),
            Self::Since(t) => head.time >= *t,
            Self::Until(t) => head.time <= *t,
            Self::Ids(ids) => ids.binary_search(&head.id).is_ok(),
            Self::Field(field, check) => check_field(field, check, record),
        }
    }

    /// What a record must hold to match: rarest kind first, the text, and where in the record.
    fn prefilter(&self) -> Option<(u8, Prefilter, Scope)> {
        let Self::Field(field, check) = self else { return None };
        let (rank, scope) = match field {
            Field::TraceId | Field::SpanId => (0, Scope::Record),
            Field::Message => (1, Scope::Message),
            Field::Text | Field::Exception => (1, Scope::Record),
            Field::Function | Field::Module | Field::File => (2, Scope::Record),
            Field::Logger | Field::Service => (3, Scope::Record),
            // A known one does not lie there as text.
            Field::ThreadName if THREAD_NAMES.iter().any(|name| check.text(name.as_bytes())) => {
                return None;
            }
            Field::ThreadName => (2, Scope::Record),
            // Numbers lie there as such, and attributes may be numbers.
            Field::Line | Field::Thread | Field::Process | Field::Attribute(_) => return None,
        };
        let prefilter = match check {
            Check::Contains(finder) => finder.prefilter(),
            Check::Matches(pattern) => pattern.prefilter(),
            Check::Is(text, _) => Prefilter::exact(text.as_bytes(), commonness),
            Check::Compare(..) => None,
        };
        prefilter.map(|prefilter| (rank, prefilter, scope))
    }
}

fn sorted(ids: &[EntryId]) -> Vec<EntryId> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids
}

fn check_field(field: &Field, check: &Check, record: RecordRef<'_>) -> bool {
    match field {
        Field::Message => check.text(record.message_bytes()),
        Field::Logger => check.logger(record.logger_bytes()),
        Field::Exception => check.present(record.exception_bytes()),
        Field::Text => {
            check.text(record.message_bytes()) || check.present(record.exception_bytes())
        }
        Field::Attribute(name) => {
            record.dotted_attribute(name).is_some_and(|value| check.value(&value))
        }
        field => record.fields().any(|f| match (f, field) {
            (FieldRef::Module(v), Field::Module)
            | (FieldRef::Function(v), Field::Function)
            | (FieldRef::File(v), Field::File)
            | (FieldRef::ThreadName(v), Field::ThreadName)
            | (FieldRef::Service(v), Field::Service)
            | (FieldRef::TraceId(v), Field::TraceId)
            | (FieldRef::SpanId(v), Field::SpanId) => check.text(v.as_bytes()),
            (FieldRef::Line(v), Field::Line)
            | (FieldRef::Thread(v), Field::Thread)
            | (FieldRef::Process(v), Field::Process) => check.value(&ValueRef::UInt(v)),
            _ => false,
        }),
    }
}

/// From 2^53 on not every whole number is a double.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

impl Check {
    fn new(test: &Test) -> Self {
        match test {
            Test::Contains(text) => Self::Contains(Finder::new(text)),
            Test::Is(text) => Self::Is(text.clone(), text.parse().ok()),
            Test::Matches(pattern) => Self::Matches(pattern.clone()),
            Test::Compare(comparison, number) => Self::Compare(*comparison, *number),
        }
    }

    /// A text that is absent when empty.
    fn present(&self, text: &[u8]) -> bool {
        !text.is_empty() && self.text(text)
    }

    /// An entry always has a logger, which is empty where there was none: only who asks for exactly that
    /// finds it.
    fn logger(&self, logger: &[u8]) -> bool {
        match self {
            Self::Is(..) => self.text(logger),
            _ => self.present(logger),
        }
    }

    #[inline]
    fn text(&self, text: &[u8]) -> bool {
        match self {
            Self::Contains(finder) => finder.is_in(text),
            Self::Is(wanted, _) => text == wanted.as_bytes(),
            Self::Matches(pattern) => pattern.is_match(text),
            Self::Compare(comparison, number) => {
                let number_of = |text: &str| text.parse().ok();
                std::str::from_utf8(text)
                    .ok()
                    .and_then(number_of)
                    .is_some_and(|n| comparison.holds(n, *number))
            }
        }
    }

    #[expect(clippy::float_cmp, reason = "equal numbers are meant, not near ones")]
    fn value(&self, value: &ValueRef<'_>) -> bool {
        if let (ValueRef::Str(text), _) = (value, self) {
            return self.text(text.as_bytes());
        }
        match *value {
            ValueRef::Array(mut items) => return items.any(|(_, item)| self.value(&item)),
            // A map is there, and no more: it has no text. Contained in every text is the empty one.
            ValueRef::Map(_) => return matches!(self, Self::Contains(finder) if finder.is_in(b"")),
            _ => {}
        }
        let is_double = matches!(value, ValueRef::Float(_));
        match (self, value.as_f64()) {
            (Self::Compare(comparison, number), Some(n)) => comparison.holds(n, *number),
            (Self::Compare(..), None) => false,
            // Whole numbers that a double may not tell from their neighbours are equal as text only.
            (Self::Is(_, Some(wanted)), Some(n)) if is_double || n.abs() < WHOLE_MAX => {
                n == *wanted
            }
            _ => self.text(printed(value).as_bytes()),
        }
    }
}

/// A value that is no text, as people write it.
fn printed(value: &ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Bool(v) => v.to_string(),
        ValueRef::Int(v) => v.to_string(),
        ValueRef::UInt(v) => v.to_string(),
        ValueRef::Float(v) => v.to_string(),
        ValueRef::Str(v) => (*v).to_owned(),
        // Looked into, not printed.
        ValueRef::Array(_) | ValueRef::Map(_) => String::new(),
    }
}
