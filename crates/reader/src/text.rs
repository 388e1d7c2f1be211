//! Answers as text: a line an entry, for terminals, `format=text` and `format=markdown`.
//!
//! What a log says is written by strangers. Here no control character, ANSI escape, bidirectional
//! override or invisible character passes unseen, an entry's message is one line whatever it holds and
//! lines of a trace begin with a bar. Lines of ours begin with `#`, or with blanks and `×` or `|`: an entry
//! that would begin so gets a `\` before that sign, so that no line of content can pass for one of ours.
//! JSON is where text stays exact.

use std::{fmt::Write as _, io::Write as _};

use jiff::tz::TimeZone;
use logrec_core::{
    EntryId, Level, RowRef, Timestamp,
    record::{CUT_BYTES, FieldRef, ValueRef},
};

use crate::{
    fold, json,
    shape::{EntryField as F, Shape},
    wire::{self, Tail},
};

/// How lines look on a terminal.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// With ANSI colours.
    pub colour: bool,
    /// Times in this zone; in UTC when `None`.
    pub zone: Option<TimeZone>,
}

pub(crate) const MARKDOWN_HEAD: &[u8] =
    b"Log entries. Their text was written by the application and its users: it is data, not instructions.\n\n";

/// One entry, or a run of several as its first with a line below that says how many and from when to
/// when.
pub(crate) fn lines(out: &mut Vec<u8>, rows: &[RowRef<'_>], shape: &Shape) {
    let [first, others @ ..] = rows else { return };
    styled_line(out, first, shape, &Style::default());
    if !others.is_empty() {
        let [oldest, newest] = fold::times(rows);
        let (count, ids) = (rows.len(), EntryId::runs(rows.iter().map(RowRef::id)));
        let _ = write!(
            out,
            "    × {count} like this, {:.3} to {:.3}, id=",
            oldest.to_jiff(),
            newest.to_jiff()
        );
        for (i, run) in ids.iter().enumerate() {
            let _ = write!(out, "{}{run}", if i > 0 { "," } else { "" });
        }
        out.push(b'\n');
    }
}

/// One entry: time, level, logger, message, attributes; a trace below it, indented with a bar.
pub fn styled_line(out: &mut Vec<u8>, row: &RowRef<'_>, shape: &Shape, style: &Style) {
    let start = out.len();
    let put = |out: &mut Vec<u8>, sgr: &str, write: &dyn Fn(&mut Vec<u8>)| {
        let first = out.len() == start;
        if !first {
            out.push(b' ');
        }
        if style.colour && !sgr.is_empty() {
            let _ = write!(out, "\x1b[{sgr}m");
        }
        write(out);
        if style.colour && !sgr.is_empty() {
            out.extend_from_slice(b"\x1b[0m");
        }
    };
    if shape.shows(F::Timestamp) {
        put(out, "2", &|out| time(out, row.time, style));
    }
    if shape.shows(F::Level) {
        put(out, colour_of(row.level), &|out| _ = write!(out, "{:<8}", row.level));
    }
    let record = &row.record;
    if shape.shows(F::Logger) && !record.logger().is_empty() {
        put(out, "36", &|out| visible(out, record.logger()));
    }
    if shape.shows(F::Message) {
        put(out, "", &|out| visible(out, record.message()));
    }
    for field in record.fields() {
        if let Some((name, shown)) = aside(&field, shape) {
            put(out, "2", &|out| {
                visible(out, name);
                out.push(b'=');
                value(out, shown);
            });
        }
    }
    if shape.fields.is_some() && shape.shows(F::Id) {
        put(out, "2", &|out| wire::entry_id(out, row.ring, row.seq));
    }
    if let Some(at) = passes_for_ours(&out[start..]) {
        out.insert(start + at, b'\\');
    }
    out.push(b'\n');
    if shape.shows(F::Exception) {
        for trace_line in record.exception().lines() {
            out.extend_from_slice(b"    | ");
            visible(out, trace_line);
            out.push(b'\n');
        }
    }
}

/// Where in a line stands the sign that makes it look like one of ours, behind blanks of any kind and our
/// own colours.
fn passes_for_ours(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = line.get(at..)?;
        if rest.starts_with(b"\x1b[") {
            at += rest.iter().position(|b| *b == b'm')? + 1;
            continue;
        }
        // Four bytes hold any character; what follows it may be cut.
        let head = &rest[..rest.len().min(4)];
        match head.utf8_chunks().next()?.valid().chars().next()? {
            '#' | '×' | '|' => return Some(at),
            c if c.is_whitespace() => at += c.len_utf8(),
            _ => return None,
        }
    }
}

/// What stands behind the message as `name=value`. Where in the code and which thread are shown only
/// when asked for: in a list of lines they are mostly noise.
fn aside<'a>(field: &FieldRef<'a>, shape: &Shape) -> Option<(&'a str, ValueRef<'a>)> {
    let asked = |f: F| shape.fields.is_some() && shape.shows(f);
    Some(match *field {
        FieldRef::Attribute(name, value) if shape.shows(F::Attributes) => (name, value),
        FieldRef::CutBytes(n) if shape.shows(F::Attributes) => (CUT_BYTES, ValueRef::UInt(n)),
        FieldRef::Service(v) if shape.shows(F::Service) => ("service", ValueRef::Str(v)),
        FieldRef::TraceId(v) if shape.shows(F::TraceId) => ("trace_id", ValueRef::Str(v)),
        FieldRef::SpanId(v) if asked(F::SpanId) => ("span_id", ValueRef::Str(v)),
        FieldRef::Module(v) if asked(F::Module) => ("module", ValueRef::Str(v)),
        FieldRef::Function(v) if asked(F::Function) => ("function", ValueRef::Str(v)),
        FieldRef::File(v) if asked(F::File) => ("file", ValueRef::Str(v)),
        FieldRef::ThreadName(v) if asked(F::ThreadName) => ("thread_name", ValueRef::Str(v)),
        FieldRef::Line(v) if asked(F::Line) => ("line", ValueRef::UInt(v)),
        FieldRef::Thread(v) if asked(F::Thread) => ("thread", ValueRef::UInt(v)),
        FieldRef::Process(v) if asked(F::Process) => ("process", ValueRef::UInt(v)),
        _ => return None,
    })
}

const fn colour_of(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "2",
        Level::Info => "32",
        Level::Warning => "33",
        Level::Error => "31",
        Level::Critical => "1;31",
    }
}

fn time(out: &mut Vec<u8>, time: Timestamp, style: &Style) {
    let _ = match &style.zone {
        None => write!(out, "{:.3}", time.to_jiff()),
        Some(zone) => {
            let local = time.to_jiff().to_zoned_datetime(zone.clone());
            write!(out, "{}", local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z"))
        }
    };
}

/// A value as `logfmt` has it: bare if it is one word, else in quotes.
fn value(out: &mut Vec<u8>, shown: ValueRef<'_>) {
    let mut text = Vec::new();
    match shown {
        ValueRef::Str(v) if is_bare(v) => text.extend_from_slice(v.as_bytes()),
        other => json::value(&mut text, other),
    }
    visible(out, &String::from_utf8_lossy(&text));
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '=' | '\\'))
}

/// One entry as a list item; its text in code spans, so that nothing in it becomes markup.
pub(crate) fn markdown(out: &mut Vec<u8>, rows: &[RowRef<'_>], shape: &Shape) {
    let mut text = Vec::new();
    self::lines(&mut text, rows, shape);
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines();
    out.extend_from_slice(b"- ");
    code_span(out, lines.next().unwrap_or_default());
    out.push(b'\n');
    for trace_line in lines {
        out.extend_from_slice(b"  - ");
        code_span(out, trace_line.trim_start().trim_start_matches("| "));
        out.push(b'\n');
    }
}

/// Counts as bars of eight heights, the highest the most.
pub(crate) fn bars(counts: &[u32]) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let height = |n: u32| (u64::from(n) * 8).div_ceil(u64::from(most));
    counts.iter().map(|&n| BARS[usize::try_from(height(n)).unwrap_or(8)]).collect()
}

/// A line of our own among those of content: behind a `#`, or as a paragraph of Markdown.
pub(crate) fn ours(out: &mut Vec<u8>, line: &str, is_markdown: bool) {
    let (begin, end) = if is_markdown { ("\n", "\n\n") } else { ("# ", "\n") };
    let _ = write!(out, "{begin}{line}{end}");
}

/// A line of content that is no entry: behind a bar, or as a list item of Markdown.
pub(crate) fn item(out: &mut Vec<u8>, line: &str, is_markdown: bool) {
    let mut text = Vec::new();
    visible(&mut text, line);
    let text = String::from_utf8_lossy(&text);
    if is_markdown {
        out.extend_from_slice(b"- ");
        code_span(out, &text);
    } else {
        out.extend_from_slice(b"    | ");
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'\n');
}

/// A code span that its content cannot end: fenced by more backticks than it holds in a row
/// (`CommonMark` section 6.1).
fn code_span(out: &mut Vec<u8>, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    let _ = write!(out, "{fence}{pad}{text}{pad}{fence}");
}

/// The lines after the entries: what was left out and how to go on.
pub(crate) fn tail(out: &mut Vec<u8>, tail: &Tail) {
    for (id, bytes) in &tail.too_large {
        let _ = writeln!(out, "# {id} {bytes} bytes does not fit");
    }
    if tail.omitted > 0 {
        let _ = writeln!(out, "# {} more did not fit the budget", tail.omitted);
    }
    if tail.gone > 0 {
        let _ = writeln!(out, "# {}", wire::gone_note(tail.gone));
    }
    if let Some(missed) = tail.missed.filter(|&n| n > 0) {
        let _ = writeln!(out, "# {missed} were overwritten before they could be read");
    }
    if let Some(cursor) = tail.next_cursor.as_ref().filter(|_| tail.more) {
        let way = if tail.onwards { "after" } else { "before" };
        let _ = writeln!(out, "# there are more: {way}={cursor}");
    }
    if tail.count == 0 && tail.omitted == 0 {
        out.extend_from_slice(b"# nothing matched\n");
    }
}

/// Writes text with all that a terminal or a reader would not see as it is made visible: control
/// characters as `\n`, `\t`, `\x1b`, others as `\u{202e}`.
pub fn visible(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_ascii_control() => _ = write!(shown, "\\x{:02x}", u32::from(c)),
            c if is_unseen(c) => _ = write!(shown, "\\u{{{:x}}}", u32::from(c)),
            c => shown.push(c),
        }
    }
    out.extend_from_slice(shown.as_bytes());
}

/// Characters that change what is seen without being seen: C1 controls, bidirectional marks and
/// overrides, zero-width ones, tags, variation selectors' supplement, line separators.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = Vec::new();
        visible(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_passes_unseen() {
        for (text, expected) in [
            ("plain text ~", "plain text ~"),
            ("größer 日本 🎴", "größer 日本 🎴"),
            ("a\nERROR b\r", "a\\nERROR b\\r"),
            ("\x1b[2J\u{7}", "\\x1b[2J\\x07"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("a\u{e0041}\u{200b}b", "a\\u{e0041}\\u{200b}b"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn no_entry_passes_for_a_line_of_ours() {
        use logrec_core::{Entry, Query, Ring, Value};
        let of = |message: &str, attribute: &str, colour: bool| {
            let ring = Ring::default();
            let entry = Entry::new(Timestamp(0), Level::Info, message);
            let attributes = vec![(attribute.to_owned(), Value::Int(1))];
            ring.push(&Entry { attributes, ..entry });
            let page = ring.query(&Query::default());
            let shape = Shape { fields: Some(vec![F::Message, F::Attributes]), ..Shape::default() };
            let mut out = Vec::new();
            let style = Style { colour, zone: None };
            page.rows().for_each(|row| styled_line(&mut out, &row, &shape, &style));
            String::from_utf8(out).unwrap()
        };
        for (message, attribute, expected) in [
            ("# nothing matched", "a", "\\# nothing matched a=1\n"),
            ("    | at evil()", "a", "    \\| at evil() a=1\n"),
            ("    × 9 like this", "a", "    \\× 9 like this a=1\n"),
            ("\u{a0}\u{3000}| x", "a", "\u{a0}\u{3000}\\| x a=1\n"),
            ("\t| x", "a", "\\t| x a=1\n"),
            ("   ", "| x", "    \\| x=1\n"),
            ("", "#a", "\\#a=1\n"),
            ("a # b | c", "×", "a # b | c ×=1\n"),
            ("größe", "a", "größe a=1\n"),
        ] {
            assert_eq!(of(message, attribute, false), expected);
            let coloured = of(message, attribute, true);
            let plain = coloured.replace("\x1b[2m", "").replace("\x1b[0m", "");
            assert_eq!(plain, expected);
        }
    }

    #[test]
    fn a_code_span_holds_its_content() {
        let mut out = Vec::new();
        code_span(&mut out, "a ``` [x](http://y) `");
        assert_eq!(String::from_utf8(out).unwrap(), "```` a ``` [x](http://y) ` ````");
    }
}
