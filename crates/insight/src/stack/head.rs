//! Whose trace a text is, and the line that names an exception: `shop.CartError: no pears left`.

use std::borrow::Cow;

use super::{Cause, Language, Link, Stack, tree};

/// Whose trace it is by the first line that can be no other's; `None` if it names no exception.
pub(super) fn language(text: &str) -> Option<Language> {
    text.lines().find_map(sign).or_else(|| alone(text).map(|_| Language::Unknown))
}

/// What one line says about the language.
fn sign(line: &str) -> Option<Language> {
    let text = line.trim_start_matches([' ', '\t', '|', '+']);
    let is_go_place = || line.starts_with('\t') && text.contains(".go:");
    let found = match text.bytes().next()? {
        b'T' | b'E' if text.ends_with("Traceback (most recent call last):") => Language::Python,
        b'F' if text.starts_with("File \"") && text.contains(", line ") => Language::Python,
        b'g' if text.starts_with("goroutine ") && text.trim_end().ends_with("]:") => Language::Go,
        b'p' if line.starts_with("panic: ") => Language::Go,
        b'f' if line.starts_with("fatal error: ") => Language::Go,
        b't' if text.starts_with("thread '") && text.contains(" panicked at ") => Language::Rust,
        b's' | b'S' if text.trim_end().eq_ignore_ascii_case("stack backtrace:") => Language::Rust,
        b'C' if text.trim_end() == "Caused by:" => Language::Rust,
        b'C' if text.starts_with("Caused by: ") => Language::Jvm,
        b'c' if text.starts_with("caused by: ") => Language::JavaScript,
        b'S' if text.starts_with("Suppressed: ") => Language::Jvm,
        b'S' if text.trim_end() == "Stack trace:" => Language::Php,
        b'#' if text.starts_with("#0 ") => Language::Php,
        b'P' | b'F' if text.contains("atal error:") && text.contains("Uncaught ") => Language::Php,
        b'*' if text.starts_with("** (") && text.contains(") ") => Language::Elixir,
        b'.' if is_more(text).is_some() => Language::Jvm,
        b'-' if text.starts_with("---> ") || text.starts_with("--- End of ") => Language::Dotnet,
        b'[' if text.starts_with("[cause]: ") || text.starts_with("[errors]: [") => {
            Language::JavaScript
        }
        b'0'..=b'9' if is_rust_frame(text) => Language::Rust,
        b'a' if text.starts_with("at ") => return at_frame(line, text),
        _ if is_go_place() => Language::Go,
        _ if is_ruby_frame(text) => Language::Ruby,
        _ => return None,
    };
    Some(found)
}

/// `... 12 more`, `... 12 common frames omitted`: how many.
pub(super) fn is_more(text: &str) -> Option<u32> {
    let (number, what) = text.strip_prefix("... ")?.split_once(' ')?;
    (what == "more" || what.starts_with("common frames")).then(|| number.parse().ok())?
}

/// `12: core::panicking::panic_fmt`, as Rust numbers frames.
fn is_rust_frame(text: &str) -> bool {
    text.split_once(':').is_some_and(|(number, name)| {
        number.len() <= 5
            && number.bytes().all(|b| b.is_ascii_digit())
            && name.starts_with(' ')
            && name.contains("::")
    })
}

/// ``app.rb:3:in `f'`` and newer `app.rb:3:in 'C#f'`.
pub(super) fn is_ruby_frame(text: &str) -> bool {
    [":in `", ":in '"].iter().any(|sign| {
        text.split_once(sign).is_some_and(|(place, _)| {
            place.rsplit_once(':').is_some_and(|(_, line)| line.parse::<u32>().is_ok())
        })
    })
}

/// `\tat a.b.C.d(C.java:5)`, `    at f (file.js:1:2)`, `   at A.B() in C.cs:line 3`.
fn at_frame(line: &str, text: &str) -> Option<Language> {
    let text = text.trim_end_matches([' ', '{']);
    if text.contains(":line ") {
        return Some(Language::Dotnet);
    }
    let mut numbers = text.trim_end_matches(')').rsplit(':').take(2).map(str::parse::<u32>);
    let two = matches!((numbers.next(), numbers.next()), (Some(Ok(_)), Some(Ok(_))));
    let places = ["(<anonymous>)", "(native)"];
    if two || text.contains("(node:") || places.iter().any(|place| text.ends_with(place)) {
        return Some(Language::JavaScript);
    }
    let jvm = [".java", ".kt:", ".scala:", "(Native Method)", "(Unknown Source"];
    if line.starts_with('\t') || jvm.iter().any(|sign| text.contains(sign)) {
        return text.contains('(').then_some(Language::Jvm);
    }
    // A sentence may begin with "at": a call has parentheses and no space in its name.
    let name = text.strip_prefix("at ")?.split_once('(')?.0;
    (text.ends_with(')') && !name.contains(' ') && name.contains('.')).then_some(Language::Dotnet)
}

/// Splits `Type: message`; `None` when what stands before the colon is no type's name.
///
/// The name may be dotted or have `::`, be followed by a code (`Error [ERR_X]: …`,
/// `PostgresException (0x80004005): …`), and stand alone.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end();
    let end = line
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '<' | '>' | '`')))
        .unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    // `a::b::C` has colons of its own.
    if rest.starts_with("::") {
        let (head, message) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        return is_name(head).then_some((head, message));
    }
    if !is_name(name) {
        return None;
    }
    if rest.is_empty() || rest == ":" {
        return Some((name, ""));
    }
    if let Some(message) = rest.strip_prefix(": ") {
        return Some((name, message));
    }
    let coded = rest.strip_prefix(" [").and_then(|rest| rest.split_once("]: "));
    let coded = coded.or_else(|| rest.strip_prefix(" (0x").and_then(|r| r.split_once("): ")));
    coded.filter(|(code, _)| !code.contains(' ')).map(|(_, message)| (name, message))
}

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && text.len() <= 300
        && !text.contains("...")
        && !text.contains(' ')
}

/// Whether a name is a type's beyond doubt: it says so, or has a path and begins its last part
/// with a capital.
pub(super) fn is_type(name: &str) -> bool {
    let last = name.rsplit(['.', ':', '$']).next().unwrap_or(name);
    if !last.starts_with(|c: char| c.is_uppercase()) {
        return false;
    }
    let says = ["Error", "Exception", "Throwable", "Interrupt", "Failure", "Fault", "Warning"];
    last.len() < name.len() || says.iter().any(|word| last.contains(word))
}

/// `Type: message` of which the type is certain.
pub(super) fn typed(line: &str) -> Option<(&str, &str)> {
    split(line).filter(|(name, _)| is_type(name))
}

/// The cause a line names: with its type if it has one, else all of it is the message.
pub(super) fn cause(line: &str, link: Link) -> Cause<'_> {
    let line = line.trim();
    let (kind, message) = typed(line).unwrap_or(("", line));
    Cause::new(kind, message, link)
}

/// A text without a frame: `ValueError: bad`, the rest of it the message.
pub(super) fn alone(text: &str) -> Option<Stack<'_>> {
    let (at, first) = tree::lines(text).find(|(_, line)| !line.trim().is_empty())?;
    let bare = first.trim_start();
    let start = at + first.len() - bare.len();
    let (kind, message) = typed(bare)?;
    let message_at = start + bare.len() - bare.trim_start_matches(kind).len();
    let mut cause = Cause::new(kind, message, Link::Outermost);
    if text.len() > start + bare.len() {
        let from = text[message_at..].find(message).map_or(message_at, |at| message_at + at);
        cause.message = Cow::Borrowed(text[from..].trim_end());
    }
    let mut tree = tree::Tree::new();
    tree.add(cause, None);
    tree.finish(Language::Unknown, 0)
}
