//! Facets: which values a field has, and how often each.
//!
//! Memory is bounded: of a field at most [`VALUES_MAX`] different values are told apart, of attributes at
//! most [`ATTRIBUTES_MAX`] names; what comes beyond is counted together. A value counts by its first
//! [`VALUE_BYTES_MAX`] bytes.

use std::{borrow::Cow, collections::HashMap};

use logrec_core::{
    RowRef,
    record::{FieldRef, ValueRef},
};

/// Different values of one field that are told apart.
pub const VALUES_MAX: usize = 1000;
/// Names of attributes that are told apart.
pub const ATTRIBUTES_MAX: usize = 200;
/// Bytes of a value that count.
pub const VALUE_BYTES_MAX: usize = 200;
/// How deep into maps attributes are named, with dots.
const DEPTH_MAX: usize = 4;

/// A field that is no attribute and can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are the fields of `Entry`, documented there")]
pub enum Facet {
    Level,
    Logger,
    Module,
    Function,
    File,
    Line,
    ThreadName,
    Thread,
    Process,
    Service,
    TraceId,
    SpanId,
}

impl Facet {
    /// All, in the order of the wire.
    pub const ALL: [Self; 12] = [
        Self::Level,
        Self::Logger,
        Self::Module,
        Self::Function,
        Self::File,
        Self::Line,
        Self::ThreadName,
        Self::Thread,
        Self::Process,
        Self::Service,
        Self::TraceId,
        Self::SpanId,
    ];

    /// The field's name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Logger => "logger",
            Self::Module => "module",
            Self::Function => "function",
            Self::File => "file",
            Self::Line => "line",
            Self::ThreadName => "thread_name",
            Self::Thread => "thread",
            Self::Process => "process",
            Self::Service => "service",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
        }
    }
}

/// What entries are told apart by: a field, or an attribute by its name, with dots into maps.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum By {
    Field(Facet),
    Attribute(String),
}

impl By {
    /// `level`, `attr.room`; `None` of what is neither a field nor an attribute.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(facet) = Facet::ALL.into_iter().find(|facet| facet.name() == name) {
            return Some(Self::Field(facet));
        }
        let attribute = name.strip_prefix("attr.").filter(|attribute| !attribute.is_empty())?;
        Some(Self::Attribute(attribute.to_owned()))
    }

    /// What an entry has there, as text; `None` where it has nothing, or a list or a map.
    #[must_use]
    pub fn value<'a>(&self, row: &RowRef<'a>) -> Option<Cow<'a, str>> {
        match self {
            Self::Field(Facet::Level) => Some(row.level.name().into()),
            Self::Field(Facet::Logger) => {
                Some(row.record.logger()).filter(|logger| !logger.is_empty()).map(Cow::from)
            }
            Self::Field(facet) => row.record.fields().find_map(|field| facet.read(&field)),
            Self::Attribute(name) => printed(row.record.dotted_attribute(name)?),
        }
    }
}

impl Facet {
    /// What a field says, if it is this one.
    fn read<'a>(self, field: &FieldRef<'a>) -> Option<Cow<'a, str>> {
        Some(match (self, *field) {
            (Self::Module, FieldRef::Module(v))
            | (Self::Function, FieldRef::Function(v))
            | (Self::File, FieldRef::File(v))
            | (Self::ThreadName, FieldRef::ThreadName(v))
            | (Self::Service, FieldRef::Service(v))
            | (Self::TraceId, FieldRef::TraceId(v))
            | (Self::SpanId, FieldRef::SpanId(v)) => v.into(),
            (Self::Line, FieldRef::Line(v))
            | (Self::Thread, FieldRef::Thread(v))
            | (Self::Process, FieldRef::Process(v)) => v.to_string().into(),
            _ => return None,
        })
    }
}

/// A value as people write it; `None` of null, lists and maps.
fn printed(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    Some(match value {
        ValueRef::Str(v) => v.into(),
        ValueRef::Bool(v) => if v { "true" } else { "false" }.into(),
        ValueRef::Int(v) => v.to_string().into(),
        ValueRef::UInt(v) => v.to_string().into(),
        ValueRef::Float(v) => v.to_string().into(),
        ValueRef::Null | ValueRef::Array(_) | ValueRef::Map(_) => return None,
    })
}

/// The values of one field.
#[derive(Clone, Debug, Default)]
pub struct Values {
    counts: HashMap<Box<str>, u64>,
    /// Entries that have the field.
    pub entries: u64,
    /// Values of those entries: one that has a list has several.
    pub values: u64,
    /// Values beyond those told apart.
    pub untold: u64,
    /// The last entry that has the field, by its number from 1.
    last: u64,
}

impl Values {
    /// Counts a value of the entry of this number, from 1.
    fn add(&mut self, value: &str, entry: u64) {
        self.entries += u64::from(self.last != entry);
        self.last = entry;
        self.values += 1;
        let value = &value[..value.floor_char_boundary(VALUE_BYTES_MAX)];
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
        } else if self.counts.len() < VALUES_MAX {
            self.counts.insert(value.into(), 1);
        } else {
            self.untold += 1;
        }
    }

    /// How many different values were told apart.
    #[must_use]
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// The most frequent values, most frequent first, then by value.
    #[must_use]
    pub fn top(&self, most: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> = self.counts.iter().map(|(v, n)| (&**v, *n)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }
}

/// Counts values of fields, entry by entry.
#[derive(Clone, Debug, Default)]
pub struct Facets {
    fields: HashMap<Facet, Values>,
    attributes: HashMap<Box<str>, Values>,
    /// Those asked for by name, which have room beside the others.
    named: HashMap<Box<str>, Values>,
    wanted: Wanted,
    /// Entries counted.
    pub entries: u64,
    /// Values of attributes whose names are beyond those told apart.
    pub untold_attributes: u64,
}

/// Which attributes are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All, of the first [`ATTRIBUTES_MAX`] names.
    #[default]
    All,
    /// Those of these names, with dots into maps.
    Named(Vec<String>),
    /// All, and of these names however many others there are.
    AllAnd(Vec<String>),
}

impl Facets {
    /// Counts these attributes, and all fields.
    #[must_use]
    pub fn new(wanted: Wanted) -> Self {
        let names = match &wanted {
            Wanted::All => &[][..],
            Wanted::Named(names) | Wanted::AllAnd(names) => names,
        };
        let named = names.iter().map(|name| (name.as_str().into(), Values::default())).collect();
        Self { named, wanted, ..Self::default() }
    }

    /// Counts one entry. O(its fields).
    pub fn add(&mut self, row: &RowRef<'_>) {
        self.entries += 1;
        for facet in [Facet::Level, Facet::Logger] {
            if let Some(value) = By::Field(facet).value(row) {
                self.fields.entry(facet).or_default().add(&value, self.entries);
            }
        }
        for one in row.record.fields() {
            for facet in Facet::ALL {
                if let Some(value) = facet.read(&one) {
                    self.fields.entry(facet).or_default().add(&value, self.entries);
                    break;
                }
            }
        }
        if self.wanted == Wanted::Named(Vec::new()) {
            return;
        }
        for one in row.record.fields() {
            if let FieldRef::Attribute(name, value) = one {
                self.attribute(name, value, 1);
            }
        }
    }

    fn attribute(&mut self, name: &str, value: ValueRef<'_>, depth: usize) {
        match value {
            ValueRef::Array(items) => {
                for (_, item) in items.take(VALUES_MAX) {
                    if !matches!(item, ValueRef::Array(_) | ValueRef::Map(_)) {
                        self.attribute(name, item, depth);
                    }
                }
            }
            ValueRef::Map(items) => {
                if depth < DEPTH_MAX {
                    for (key, item) in items.take(VALUES_MAX) {
                        self.attribute(&format!("{name}.{key}"), item, depth + 1);
                    }
                }
            }
            value => {
                if let Some(value) = printed(value) {
                    self.count_attribute(name, &value);
                }
            }
        }
    }

    fn count_attribute(&mut self, name: &str, printed: &str) {
        let entry = self.entries;
        if let Some(values) = self.named.get_mut(name) {
            values.add(printed, entry);
        } else if matches!(self.wanted, Wanted::Named(_)) {
            // Nobody asked.
        } else if let Some(values) = self.attributes.get_mut(name) {
            values.add(printed, entry);
        } else if self.attributes.len() < ATTRIBUTES_MAX {
            self.attributes.entry(name.into()).or_default().add(printed, entry);
        } else {
            self.untold_attributes += 1;
        }
    }

    /// The values of a field; `None` if no entry has it.
    #[must_use]
    pub fn field(&self, facet: Facet) -> Option<&Values> {
        self.fields.get(&facet)
    }

    /// The attributes, those that most entries have first, then by name.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&str, &Values)> {
        let counted = self.attributes.iter().chain(&self.named).filter(|(_, v)| v.entries > 0);
        let mut all: Vec<(&str, &Values)> = counted.map(|(n, v)| (&**n, v)).collect();
        all.sort_unstable_by(|a, b| b.1.entries.cmp(&a.1.entries).then_with(|| a.0.cmp(b.0)));
        all
    }
}

#[cfg(test)]
mod tests {
    use logrec_core::{Entry, Level, Query, Ring, Timestamp, Value};

    use super::*;

    fn count(entries: &[Entry]) -> Facets {
        count_wanted(entries, Wanted::All)
    }

    fn count_wanted(entries: &[Entry], wanted: Wanted) -> Facets {
        let ring = Ring::default();
        entries.iter().for_each(|entry| _ = ring.push(entry));
        let mut facets = Facets::new(wanted);
        let query = Query { limit: entries.len(), ..Query::default() };
        ring.query(&query).rows().for_each(|row| facets.add(&row));
        facets
    }

    #[test]
    fn values_and_how_often() {
        let entry = |level, room: &str| Entry {
            logger: "ws".into(),
            line: Some(7),
            attributes: vec![
                ("room".into(), room.into()),
                ("http".into(), Value::Map(vec![("status".into(), Value::Int(500))])),
                ("tags".into(), Value::Array(vec!["a".into(), "b".into()])),
            ],
            ..Entry::new(Timestamp(0), level, "x")
        };
        let facets =
            count(&[entry(Level::Error, "a"), entry(Level::Info, "b"), entry(Level::Info, "b")]);
        let of = |facet| facets.field(facet).unwrap();
        assert_eq!(of(Facet::Level).top(5), [("INFO", 2), ("ERROR", 1)]);
        assert_eq!(of(Facet::Logger).top(5), [("ws", 3)]);
        assert_eq!(of(Facet::Line).top(5), [("7", 3)]);
        assert!(facets.field(Facet::Service).is_none());
        let attributes: Vec<_> = facets.attributes().iter().map(|(n, v)| (*n, v.top(1))).collect();
        assert_eq!(
            attributes,
            [("http.status", vec![("500", 3)]), ("room", vec![("b", 2)]), ("tags", vec![("a", 3)])]
        );
    }

    #[test]
    fn an_entry_counts_once_however_many_values_it_has() {
        let tags = |tags: &[&str]| {
            let tags = Value::Array(tags.iter().map(|tag| Value::from(*tag)).collect());
            let status = Value::Map(vec![("status".into(), Value::Int(500))]);
            Entry {
                attributes: vec![
                    ("tags".into(), tags),
                    ("http.status".into(), Value::Int(200)),
                    ("http".into(), status),
                ],
                ..Entry::new(Timestamp(0), Level::Info, "x")
            }
        };
        let facets = count(&[tags(&["a", "b", "a"]), tags(&[]), tags(&["a"])]);
        let all = facets.attributes();
        let of = |name| all.iter().find(|(n, _)| *n == name).unwrap().1;
        assert_eq!((of("tags").entries, of("tags").values), (2, 4));
        assert_eq!(of("tags").top(5), [("a", 3), ("b", 1)]);
        assert_eq!((of("http.status").entries, of("http.status").values), (3, 6));
    }

    #[test]
    fn what_is_asked_for_by_name_is_counted_whatever_came_first() {
        let entry = |name: String| Entry {
            attributes: vec![
                (name, Value::Int(7)),
                ("deep".into(), Value::Map(vec![("zz".into(), Value::Int(1))])),
            ],
            ..Entry::new(Timestamp(0), Level::Info, "x")
        };
        let entries: Vec<Entry> =
            (0..300).map(|i| entry(format!("name{i}"))).chain([entry("zz".into())]).collect();
        let wanted = || vec!["zz".to_owned(), "deep.zz".to_owned(), "nothing".to_owned()];
        let facets = count_wanted(&entries, Wanted::Named(wanted()));
        let all: Vec<_> = facets.attributes().iter().map(|(n, v)| (*n, v.entries)).collect();
        assert_eq!((all, facets.untold_attributes), (vec![("deep.zz", 301), ("zz", 1)], 0));
        let facets = count_wanted(&entries, Wanted::AllAnd(wanted()));
        assert!(facets.attributes().iter().any(|(name, _)| *name == "zz"));
        assert_eq!((facets.attributes().len(), facets.untold_attributes), (202, 100));
        let facets = count_wanted(&entries, Wanted::Named(Vec::new()));
        assert_eq!((facets.attributes().len(), facets.untold_attributes), (0, 0));
    }

    #[test]
    fn endless_values_and_names_stay_bounded() {
        let entries: Vec<Entry> = (0..1500)
            .map(|i| Entry {
                logger: format!("logger{i}"),
                attributes: vec![(format!("name{i}"), Value::Int(i))],
                ..Entry::new(Timestamp(i), Level::Info, "x")
            })
            .collect();
        let facets = count(&entries);
        let loggers = facets.field(Facet::Logger).unwrap();
        assert_eq!((loggers.distinct(), loggers.untold, loggers.entries), (1000, 500, 1500));
        assert_eq!((facets.attributes().len(), facets.untold_attributes), (200, 1300));
    }
}
