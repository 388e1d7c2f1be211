//! [`Filter`] to text, so that it parses to the same filter.

use std::fmt::{self, Write as _};

use super::fields;
use crate::{
    EntryId, Level, LevelSet, Timestamp,
    filter::{Comparison, Field, Filter, Pattern, Test},
};

/// Most entries that a run names.
const RUN_MAX: usize = 1000;

impl fmt::Display for Filter {
    /// Writes the [query language](super); every entry is an empty text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) if all.is_empty() => Ok(()),
            other => write(f, other, Place::Or),
        }
    }
}

/// What a filter stands within, and so whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Or,
    And,
    Not,
}

fn write(f: &mut fmt::Formatter<'_>, filter: &Filter, place: Place) -> fmt::Result {
    match filter {
        Filter::And(all) => match &**all {
            [] => f.write_char('*'),
            [one] => write(f, one, place),
            all => joined(f, all, " ", Place::And, place == Place::Not),
        },
        Filter::Or(any) => match &**any {
            [] => f.write_str("-*"),
            [one] => write(f, one, place),
            any => joined(f, any, " OR ", Place::Or, place > Place::Or),
        },
        Filter::Not(filter) if place == Place::Not => {
            f.write_char('(')?;
            not(f, filter)?;
            f.write_char(')')
        }
        Filter::Not(filter) => not(f, filter),
        Filter::Levels(set) => levels(f, *set),
        Filter::Since(t) => write!(f, "timestamp>={}", t.to_jiff()),
        // To the microsecond it would mean all of that microsecond.
        Filter::Until(t) if t.0 % 1000 == 0 => {
            write!(f, "timestamp<{}", Timestamp(t.0 + 1).to_jiff())
        }
        Filter::Until(t) => write!(f, "timestamp<={}", t.to_jiff()),
        Filter::Ids(ids) if ids.is_empty() => f.write_str("-*"),
        Filter::Ids(ids) => {
            f.write_str("id=")?;
            // Runs as they stand, so that the order stays.
            let next = |a: &EntryId, b: &EntryId| a.next() == *b;
            for (i, run) in ids.chunk_by(next).flat_map(|run| run.chunks(RUN_MAX)).enumerate() {
                write!(f, "{}{}", if i > 0 { "," } else { "" }, run[0])?;
                if run.len() > 1 {
                    write!(f, "~{}", run.len())?;
                }
            }
            Ok(())
        }
        Filter::Field(field, test) => field_test(f, field, test, false),
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    list: &[Filter],
    between: &str,
    place: Place,
    nested: bool,
) -> fmt::Result {
    if nested {
        f.write_char('(')?;
    }
    for (i, filter) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(between)?;
        }
        write(f, filter, place)?;
    }
    if nested { f.write_char(')') } else { Ok(()) }
}

fn not(f: &mut fmt::Formatter<'_>, filter: &Filter) -> fmt::Result {
    match filter {
        Filter::Field(field, test @ Test::Is(_)) if *field != Field::Text => {
            field_test(f, field, test, true)
        }
        filter => {
            f.write_char('-')?;
            write(f, filter, Place::Not)
        }
    }
}

fn levels(f: &mut fmt::Formatter<'_>, set: LevelSet) -> fmt::Result {
    let lowest = set.iter().next();
    match lowest {
        None => write!(f, "level<{}", Level::Trace),
        Some(level) if set == LevelSet::at_least(level) && level < Level::Critical => {
            write!(f, "level>={level}")
        }
        Some(_) => {
            let names: Vec<_> = set.iter().map(Level::name).collect();
            write!(f, "level={}", names.join(","))
        }
    }
}

fn field_test(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    test: &Test,
    is_negated: bool,
) -> fmt::Result {
    let Some(name) = fields::written(field) else {
        return match test {
            Test::Contains(text) => word(f, text, false),
            Test::Matches(pattern) if is_slashable(pattern) => slashed(f, pattern),
            // Said in two: of the last two kinds no surface asks.
            Test::Matches(_) | Test::Is(_) | Test::Compare(..) => {
                f.write_char('(')?;
                field_test(f, &Field::Message, test, false)?;
                f.write_str(" OR ")?;
                field_test(f, &Field::Exception, test, false)?;
                f.write_char(')')
            }
        };
    };
    let is_plain = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@' | '$'))
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '$'));
    if is_plain {
        f.write_str(&name)?
    } else {
        quoted(f, &name)?
    }
    match test {
        Test::Contains(text) => {
            f.write_char(':')?;
            if text.is_empty() { f.write_char('*') } else { word(f, text, true) }
        }
        Test::Is(text) => {
            f.write_str(if is_negated { "!=" } else { "=" })?;
            word(f, text, true)
        }
        Test::Matches(pattern) => {
            f.write_char('~')?;
            if is_slashable(pattern) { slashed(f, pattern) } else { quoted(f, pattern.source()) }
        }
        Test::Compare(comparison, number) => {
            let op = match comparison {
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::AtLeast => ">=",
                Comparison::Greater => ">",
            };
            write!(f, "{op}{number}")
        }
    }
}

/// A text bare where nothing in it could be read as anything else, otherwise in quotes.
fn word(f: &mut fmt::Formatter<'_>, text: &str, is_behind_op: bool) -> fmt::Result {
    let is_word = |c: char| {
        c.is_alphanumeric()
            || c == '_'
            || (is_behind_op && matches!(c, '.' | '-' | ':' | '@' | '/' | '%' | '+'))
    };
    let is_keyword = matches!(text, "OR" | "AND" | "NOT");
    // A `-` between digits may be a range, a `/` may begin a pattern.
    let begins = text.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_range = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('-');
    if begins && !is_keyword && !is_range && text.chars().all(is_word) {
        return f.write_str(text);
    }
    quoted(f, text)
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// Whether a pattern reads back as it is from between slashes.
fn is_slashable(pattern: &Pattern) -> bool {
    !pattern.source().is_empty()
}

fn slashed(f: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    write!(f, "/{}/", pattern.source().replace('/', "\\/"))
}
