//! Text to [`Filter`], by recursive descent over its characters.

use std::ops::Range;

use super::{
    ParseFilterError,
    fields::{self, Name},
};
use crate::{
    EntryId, Level, LevelSet, Times, Timestamp,
    filter::{Comparison, Field, Filter, Pattern, Test},
    shown,
};

type Result<T> = std::result::Result<T, ParseFilterError>;

pub(super) fn parse(text: &str, times: &Times<'_>) -> Result<Filter> {
    Parser::new(text, times).whole()
}

/// Where times stand in a text that is a filter, in order, and what is written there, without its quotes.
pub(super) fn times(text: &str, times: &Times<'_>) -> Result<Vec<(Range<usize>, String)>> {
    let mut parser = Parser::new(text, times);
    parser.whole()?;
    Ok(parser.written_times)
}

struct Parser<'t> {
    text: &'t str,
    /// Byte that is read next.
    at: usize,
    depth: usize,
    patterns: usize,
    times: &'t Times<'t>,
    /// What was read as times.
    written_times: Vec<(Range<usize>, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Contains,
    Is,
    IsNot,
    Matches,
    MatchesNot,
    Compare(Comparison),
}

/// Operators as they are written, longest first.
const OPS: [(&str, Op); 12] = [
    ("!=", Op::IsNot),
    ("!~", Op::MatchesNot),
    ("==", Op::Is),
    ("=~", Op::Matches),
    (">=", Op::Compare(Comparison::AtLeast)),
    ("<=", Op::Compare(Comparison::AtMost)),
    (":", Op::Contains),
    ("=", Op::Is),
    ("~", Op::Matches),
    (">", Op::Compare(Comparison::Greater)),
    ("<", Op::Compare(Comparison::Less)),
    ("!", Op::IsNot),
];

#[derive(Debug)]
enum Value {
    Word(String),
    Quoted(String),
    Pattern(Pattern),
}

/// The character of a number in hexadecimal, of at most six digits.
fn numbered(hex: &str) -> Option<char> {
    let is_number = hex.len() <= 6 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    u32::from_str_radix(hex, 16).ok().filter(|_| is_number).and_then(char::from_u32)
}

impl<'t> Parser<'t> {
    const fn new(text: &'t str, times: &'t Times<'t>) -> Self {
        Self { text, at: 0, depth: 0, patterns: 0, times, written_times: Vec::new() }
    }

    fn whole(&mut self) -> Result<Filter> {
        let text = self.text;
        if text.len() > Filter::TEXT_BYTES_MAX {
            let (given, most) = (text.len(), Filter::TEXT_BYTES_MAX);
            return self.err(0, format!("the query has {given} bytes; give at most {most}"));
        }
        self.skip_spaces();
        if self.rest().is_empty() {
            return Ok(Filter::default());
        }
        let filter = self.or()?;
        if !self.rest().is_empty() {
            let message =
                "this `)` closes nothing; take it out, or put text that holds it in quotes";
            return self.err(self.at, message.to_owned());
        }
        Ok(filter.normalized())
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Fails at a byte of the text.
    fn err<T>(&self, at: usize, message: String) -> Result<T> {
        let at = self.text[..self.text.floor_char_boundary(at)].chars().count();
        Err(ParseFilterError { at, message })
    }

    /// Whether this keyword stands here, as a word of its own.
    fn is_at(&self, keyword: &str) -> bool {
        self.rest().strip_prefix(keyword).is_some_and(|behind| {
            behind.chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'))
        })
    }

    fn take(&mut self, keyword: &str) -> bool {
        let is_here = self.is_at(keyword);
        if is_here {
            self.at += keyword.len();
            self.skip_spaces();
        }
        is_here
    }

    fn or(&mut self) -> Result<Filter> {
        let mut any = vec![self.and()?];
        while self.take("OR") {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Filter::Or(any) })
    }

    fn and(&mut self) -> Result<Filter> {
        let mut all = vec![self.not()?];
        loop {
            self.skip_spaces();
            let asked = self.take("AND");
            let ends = self.rest().is_empty() || self.peek() == Some(')') || self.is_at("OR");
            if ends && !asked {
                break;
            }
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::And(all) })
    }

    fn not(&mut self) -> Result<Filter> {
        let start = self.at;
        let mut is_negated = self.take("NOT");
        if !is_negated && self.peek() == Some('-') {
            self.at += 1;
            is_negated = true;
            if self.peek().is_none_or(char::is_whitespace) {
                let message =
                    "`-` stands alone; write it before what must not hold, as in -module:ws";
                return self.err(start, message.to_owned());
            }
        }
        if is_negated && (self.is_at("NOT") || self.peek() == Some('-')) {
            let message = "this is negated twice; one NOT or one `-` stands before a term";
            return self.err(self.at, message.to_owned());
        }
        let filter = if self.peek() == Some('(') { self.group()? } else { self.term()? };
        Ok(if is_negated { Filter::Not(Box::new(filter)) } else { filter })
    }

    fn group(&mut self) -> Result<Filter> {
        let open = self.at;
        if self.depth == Filter::DEPTH_MAX {
            let message = format!("parentheses are nested deeper than {}", Filter::DEPTH_MAX);
            return self.err(open, message);
        }
        self.depth += 1;
        self.at += 1;
        self.skip_spaces();
        let filter = self.or()?;
        self.depth -= 1;
        if self.peek() != Some(')') {
            return self.err(open, "this `(` is not closed; add a `)`".to_owned());
        }
        self.at += 1;
        Ok(filter)
    }

    fn term(&mut self) -> Result<Filter> {
        let start = self.at;
        for keyword in ["OR", "AND", "NOT"] {
            if self.is_at(keyword) {
                return self.err(start, format!(
                    "`{keyword}` stands where a term is expected: a word, \"text\", /regex/ or field=value; to look for the word, put it in quotes"
                ));
            }
        }
        let Some(first) = self.peek() else {
            return self.err(
                start,
                "the query ends where a term is expected: a word, \"text\", /regex/ or field=value"
                    .to_owned(),
            );
        };
        match first {
            ')' => {
                return self.err(start, "`)` stands where a term is expected; put something between the parentheses, or take it out".to_owned());
            }
            '*' if self.word_here() == "*" => {
                self.at += 1;
                return Ok(Filter::default());
            }
            '&' | '|' if matches!(self.word_here(), "&&" | "||" | "&" | "|") => {
                let right = if first == '&' { "AND, or nothing" } else { "OR" };
                let given = self.word_here();
                return self.err(start, format!("`{given}` is no operator here; write {right}"));
            }
            _ => {}
        }
        if let Some((name, op)) = self.field()? {
            return self.test(start, name, op);
        }
        if OPS.iter().any(|(op, _)| self.rest().starts_with(op)) {
            return self.err(start, format!(
                "`{first}` stands where a term is expected; name a field before it, or put the text in quotes"
            ));
        }
        let test = match self.value(false)? {
            Value::Word(text) | Value::Quoted(text) => Test::Contains(text),
            Value::Pattern(pattern) => Test::Matches(pattern),
        };
        Ok(Filter::Field(Field::Text, test))
    }

    /// The name and operator that a term begins with, if it begins with them.
    fn field(&mut self) -> Result<Option<(Name, Op)>> {
        let start = self.at;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@' | '$');
        let given = match self.peek() {
            Some('"') => self.quoted()?,
            Some(c) if c.is_alphabetic() || matches!(c, '_' | '@' | '$') => {
                let end = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
                let given = self.rest()[..end].to_owned();
                self.at += end;
                given
            }
            _ => return Ok(None),
        };
        let behind = self.at;
        self.skip_spaces();
        let spaced = self.at > behind;
        let op = OPS.iter().find(|(op, _)| self.rest().starts_with(op));
        let Some((written, op)) = op.filter(|(written, op)| {
            // `error : x` and `hey !` are words; `http://…` is one.
            *written != "!"
                && !(spaced && *op == Op::Contains)
                && !(*op == Op::Contains && self.rest().starts_with("://"))
        }) else {
            self.at = start;
            return Ok(None);
        };
        self.at += written.len();
        match fields::name(&given) {
            Ok(name) => Ok(Some((name, *op))),
            Err(message) => self.err(start, message),
        }
    }

    /// The test that follows a field and its operator.
    fn test(&mut self, start: usize, name: Name, op: Op) -> Result<Filter> {
        let behind = self.at;
        self.skip_spaces();
        let field = shown(self.text[start..behind].trim_end());
        let ends = self.peek().is_none_or(|c| c == ')');
        if ends || (self.at > behind && op == Op::Contains) {
            let message = if op == Op::Contains {
                format!(
                    "`{field}` has no value; write {field}VALUE without a space, {field}* for entries that have it, or put text in quotes"
                )
            } else {
                format!("`{field}` has no value; write one behind it")
            };
            return self.err(behind, message);
        }
        if self.peek() == Some('(') {
            let message = format!(
                "`(` stands where a value of `{field}` is expected; write ({field}A OR {field}B), or put text in quotes"
            );
            return self.err(self.at, message);
        }
        if let Some((operator, _)) =
            OPS.iter().find(|(op, _)| self.rest().starts_with(op) && *op != "!")
        {
            let message = format!(
                "`{operator}` stands where a value of `{field}` is expected; there is one operator a term: = != : ~ > >= < <=. Text that begins so goes in quotes"
            );
            return self.err(self.at, message);
        }
        let at = self.at;
        match name {
            Name::Level => self.level(at, op),
            Name::Timestamp => self.timestamp(at, op),
            Name::Id => self.ids(at, op),
            Name::Field(field) => self.field_test(at, field, op),
        }
    }

    fn field_test(&mut self, at: usize, field: Field, op: Op) -> Result<Filter> {
        let wants_pattern = matches!(op, Op::Matches | Op::MatchesNot);
        let value = if matches!(op, Op::Is | Op::IsNot | Op::Compare(_)) {
            self.plain()?
        } else {
            self.value(wants_pattern)?
        };
        let test = match (op, value) {
            (Op::Matches | Op::MatchesNot | Op::Contains, Value::Pattern(pattern)) => {
                Test::Matches(pattern)
            }
            (Op::Matches | Op::MatchesNot, Value::Word(text) | Value::Quoted(text)) => {
                Test::Matches(self.pattern(at, &text)?)
            }
            (Op::Contains, Value::Word(text)) if text == "*" => Test::Contains(String::new()),
            (Op::Contains, Value::Word(text)) if text.starts_with('*') || text.ends_with('*') => {
                return self.err(at, format!(
                    "`*` is no wildcard: `:` finds parts of words already. Leave it out, write ~/pattern/, or put \"{}\" in quotes",
 shown(&text)
                ));
            }
            (Op::Contains, Value::Word(text) | Value::Quoted(text)) => Test::Contains(text),
            (Op::Is | Op::IsNot, Value::Word(text))
                if field == Field::Line && text.contains('-') =>
            {
                let filter = self.lines(at, &text)?;
                return Ok(if op == Op::IsNot { Filter::Not(Box::new(filter)) } else { filter });
            }
            (Op::Is | Op::IsNot, Value::Word(text) | Value::Quoted(text)) => Test::Is(text),
            (Op::Compare(comparison), Value::Word(text) | Value::Quoted(text)) => {
                let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
                let Some(number) = number else {
                    return self.err(at, format!(
                        "`{}` is no number, and > >= < <= compare numbers; write one without a unit, or compare with = or :", shown(&text)
                    ));
                };
                Test::Compare(comparison, number)
            }
            (Op::Is | Op::IsNot | Op::Compare(_), Value::Pattern(_)) => {
                return self.err(
                    at,
                    "a pattern stands where a text is expected; write ~ before it".to_owned(),
                );
            }
        };
        let filter = Filter::Field(field, test);
        Ok(match op {
            Op::IsNot | Op::MatchesNot => Filter::Not(Box::new(filter)),
            _ => filter,
        })
    }

    /// A range of lines.
    fn lines(&self, at: usize, text: &str) -> Result<Filter> {
        let range = text.split_once('-').and_then(|(from, to)| {
            Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?))
                .filter(|(from, to)| from <= to)
        });
        let Some((from, to)) = range else {
            return self.err(at, format!("`{}` is no range of lines; write 200-300", shown(text)));
        };
        let bound = |comparison, line: u32| {
            Filter::Field(Field::Line, Test::Compare(comparison, line.into()))
        };
        Ok(Filter::And(vec![bound(Comparison::AtLeast, from), bound(Comparison::AtMost, to)]))
    }

    fn level(&mut self, at: usize, op: Op) -> Result<Filter> {
        let set = match (op, self.value(matches!(op, Op::Matches | Op::MatchesNot))?) {
            (Op::Matches | Op::MatchesNot | Op::Contains, Value::Pattern(pattern)) => {
                let matches = |level: &Level| pattern.is_match(level.name().as_bytes());
                Level::ALL.into_iter().filter(matches).collect()
            }
            (Op::Compare(comparison), Value::Word(text) | Value::Quoted(text)) => {
                let bound = self.one_level(at, &text)?;
                let holds = |level: &Level| {
                    comparison.holds(f64::from(level.index()), f64::from(bound.index()))
                };
                Level::ALL.into_iter().filter(holds).collect()
            }
            (Op::Contains | Op::Is | Op::IsNot, Value::Word(text) | Value::Quoted(text)) => {
                let mut set = LevelSet::NONE;
                for part in text.split(',') {
                    set = set.with(self.one_level(at, part.trim())?);
                }
                set
            }
            (Op::Matches | Op::MatchesNot, Value::Word(text) | Value::Quoted(text)) => {
                let pattern = self.pattern(at, &text)?;
                let matches = |level: &Level| pattern.is_match(level.name().as_bytes());
                Level::ALL.into_iter().filter(matches).collect()
            }
            (_, Value::Pattern(_)) => {
                return self.err(
                    at,
                    "a pattern stands where a level is expected; write level>=WARNING".to_owned(),
                );
            }
        };
        let is_negated = matches!(op, Op::IsNot | Op::MatchesNot);
        Ok(Filter::Levels(if is_negated { set.complement() } else { set }))
    }

    fn one_level(&self, at: usize, text: &str) -> Result<Level> {
        match text.parse() {
            Ok(level) => Ok(level),
            Err(_) => self.err(at, format!(
                "`{}` is no level; write TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case, several with commas", shown(text)
            )),
        }
    }

    fn timestamp(&mut self, at: usize, op: Op) -> Result<Filter> {
        let (Value::Word(text) | Value::Quoted(text)) = self.plain()? else {
            return self.err(at, "a pattern stands where a time is expected".to_owned());
        };
        let [first, last] = match self.times.parse_bounds(&text) {
            Ok(bounds) => bounds,
            Err(e) => return self.err(at, e.to_string()),
        };
        self.written_times.push((at..self.at, text));
        let after = |t: Timestamp| Timestamp(t.0.saturating_add(1));
        let before = |t: Timestamp| Timestamp(t.0.saturating_sub(1));
        let within = || Filter::And(vec![Filter::Since(first), Filter::Until(last)]);
        Ok(match op {
            Op::Compare(Comparison::AtLeast) => Filter::Since(first),
            Op::Compare(Comparison::Greater) => Filter::Since(after(last)),
            Op::Compare(Comparison::AtMost) => Filter::Until(last),
            Op::Compare(Comparison::Less) => Filter::Until(before(first)),
            Op::Is => within(),
            Op::IsNot => Filter::Not(Box::new(within())),
            Op::Contains | Op::Matches | Op::MatchesNot => {
                return self
                    .err(at, "times are compared; write timestamp>=… and timestamp<=…".to_owned());
            }
        })
    }

    fn ids(&mut self, at: usize, op: Op) -> Result<Filter> {
        let is_exact = matches!(op, Op::Is | Op::IsNot | Op::Contains);
        let (Value::Word(text) | Value::Quoted(text)) = self.plain()? else {
            return self.err(at, "a pattern stands where an id is expected".to_owned());
        };
        if !is_exact {
            return self.err(
                at,
                "ids are opaque; write id=… with ids of entries, several with commas".to_owned(),
            );
        }
        let mut ids = Vec::new();
        for part in text.split(',') {
            match EntryId::parse_run(part.trim()) {
                Ok(run) => ids.extend(run),
                Err(e) => return self.err(at, e.to_string()),
            }
        }
        if ids.len() > Filter::IDS_MAX {
            return self.err(at, format!("there are more than {} ids", Filter::IDS_MAX));
        }
        let filter = Filter::Ids(ids);
        Ok(if op == Op::IsNot { Filter::Not(Box::new(filter)) } else { filter })
    }

    /// A word or a quoted text.
    fn plain(&mut self) -> Result<Value> {
        if self.peek() == Some('"') { self.quoted().map(Value::Quoted) } else { self.word() }
    }

    fn value(&mut self, wants_pattern: bool) -> Result<Value> {
        let start = self.at;
        if self.peek() == Some('/') {
            if let Some(pattern) = self.slashed()? {
                return Ok(Value::Pattern(pattern));
            }
            let word = self.word_here();
            if wants_pattern && word.matches('/').count() == 1 {
                return self.err(
                    start,
                    "this pattern is not closed; end it with a `/`, or put it in quotes".to_owned(),
                );
            }
        }
        self.plain()
    }

    /// What stands here up to the next space or parenthesis.
    fn word_here(&self) -> &'t str {
        let end = self.rest().find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
        &self.rest()[..end.unwrap_or(self.rest().len())]
    }

    fn word(&mut self) -> Result<Value> {
        let word = self.word_here();
        self.at += word.len();
        if let Some(c @ ('(' | '"')) = self.peek() {
            return self.err(self.at, format!(
                "`{c}` stands within a word; put text that holds it in quotes, or a space before it"
            ));
        }
        Ok(Value::Word(word.to_owned()))
    }

    fn quoted(&mut self) -> Result<String> {
        let open = self.at;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = open + i + 1;
                    return Ok(text);
                }
                '\\' => text.push(match chars.next() {
                    Some((_, c @ ('"' | '\\' | '/'))) => c,
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, 'u')) => {
                        let braces = self.rest()[i + 2..].strip_prefix('{').and_then(|b| b.split_once('}'));
                        match braces.and_then(|(hex, _)| numbered(hex).zip(chars.nth(hex.len() + 1))) {
                            Some((c, _)) => c,
                            None => return self.err(open + i, "a character by its number is written \\u{1f600}".to_owned()),
                        }
                    }
                    _ => return self.err(open + i, "a `\\` in quotes stands before \\ \" n r t or u{…}; write \\\\ for a backslash".to_owned()),
                }),
                c => text.push(c),
            }
        }
        self.err(open, "this quote is not closed; add a `\"`".to_owned())
    }

    /// `/pattern/flags`, if a `/` with nothing but flags behind it ends it.
    fn slashed(&mut self) -> Result<Option<Pattern>> {
        let start = self.at;
        let inner = &self.rest()[1..];
        let mut source = String::new();
        let mut chars = inner.char_indices();
        let end = loop {
            match chars.next() {
                None => return Ok(None),
                Some((i, '/')) => break i,
                Some((_, '\\')) => match chars.next() {
                    Some((_, '/')) => source.push('/'),
                    Some((_, c)) => source.extend(['\\', c]),
                    None => return Ok(None),
                },
                Some((_, c)) => source.push(c),
            }
        };
        let behind = &inner[end + 1..];
        let word_end = behind.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(behind.len());
        let flags = &behind[..word_end];
        if source.is_empty() || !flags.chars().all(|c| c.is_ascii_alphabetic()) || flags.len() > 4 {
            return Ok(None);
        }
        if let Some(unknown) = flags.chars().find(|c| !"imsx".contains(*c)) {
            // `/api/users` is a path; `/x/g` is a pattern with a flag of another language.
            if flags.len() > 2 {
                return Ok(None);
            }
            let at = start + 2 + end;
            return self.err(at, format!(
                "`{unknown}` is no flag of a pattern; there are i (any case), m, s and x. A path goes in quotes"
            ));
        }
        if !flags.is_empty() {
            source = format!("(?{flags}){source}");
        }
        let pattern = self.pattern(start, &source)?;
        self.at = start + 1 + end + 1 + flags.len();
        Ok(Some(pattern))
    }

    fn pattern(&mut self, at: usize, source: &str) -> Result<Pattern> {
        self.patterns += 1;
        if self.patterns > Filter::PATTERNS_MAX {
            let message = format!(
                "there are more than {} patterns; join some with | into one",
                Filter::PATTERNS_MAX
            );
            return self.err(at, message);
        }
        Pattern::new(source).or_else(|e| self.err(at, e.to_string()))
    }
}
