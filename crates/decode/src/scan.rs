//! A cursor over one line: the few moves every recogniser is written in.
//!
//! Each move either succeeds and advances, or returns `None` and the recogniser gives up with `?`.
//! Cheap by construction: nothing is copied, nothing is compiled, and most lines fail at the
//! first byte.

use logrec_core::Level;

/// What is left of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) rest: &'a str,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// The next byte, not taken.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.bytes().next()
    }

    /// Exactly this text.
    pub(crate) fn eat(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// Any blanks and tabs, at least one.
    pub(crate) fn blanks(&mut self) -> Option<()> {
        let before = self.rest.len();
        self.skip_blanks();
        (self.rest.len() < before).then_some(())
    }

    /// Any blanks and tabs, or none.
    pub(crate) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// The longest run of bytes that satisfy `keep`; ASCII only, so the cut is a char boundary.
    pub(crate) fn run(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let end =
            self.rest.bytes().position(|b| !b.is_ascii() || !keep(b)).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.rest = tail;
        head
    }

    /// Up to the next blank or tab, not empty.
    pub(crate) fn token(&mut self) -> Option<&'a str> {
        let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
        let (head, tail) = self.rest.split_at(end);
        self.rest = tail;
        (!head.is_empty()).then_some(head)
    }

    /// Up to `end`, which is taken and not returned.
    pub(crate) fn until(&mut self, end: &str) -> Option<&'a str> {
        let (head, tail) = self.rest.split_once(end)?;
        self.rest = tail;
        Some(head)
    }

    /// `[…]` without inner brackets.
    pub(crate) fn bracketed(&mut self) -> Option<&'a str> {
        let mut next = *self;
        next.eat("[")?;
        let inner = next.until("]")?;
        if inner.contains('[') {
            return None;
        }
        *self = next;
        Some(inner)
    }

    /// A whole number of at least one digit.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut next = *self;
        let number = next.run(|b| b.is_ascii_digit()).parse().ok()?;
        *self = next;
        Some(number)
    }

    /// Exactly `n` digits.
    pub(crate) fn digits(&mut self, n: usize) -> Option<u32> {
        let head = self.rest.get(..n)?;
        if !head.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.rest = &self.rest[n..];
        head.parse().ok()
    }

    /// A level in capitals, as `INFO`, followed by no letter.
    pub(crate) fn upper_level(&mut self) -> Option<Level> {
        let mut next = *self;
        let level = upper_level(next.run(|b| b.is_ascii_alphabetic()))?;
        *self = next;
        Some(level)
    }

    /// `[INFO]`, `[info ]`: a level in brackets, in any case.
    pub(crate) fn bracketed_level(&mut self) -> Option<Level> {
        let mut next = *self;
        let level = any_level(next.bracketed()?.trim())?;
        *self = next;
        Some(level)
    }
}

/// A level written in capitals; not the one-letter forms, nor words such as `LOG` or `HTTP` which
/// begin ordinary lines too.
pub(crate) fn upper_level(word: &str) -> Option<Level> {
    if word.bytes().all(|b| b.is_ascii_uppercase()) { any_level(word) } else { None }
}

/// A level word of at least three letters, in any case, that is hardly ever anything else.
pub(crate) fn any_level(word: &str) -> Option<Level> {
    if word.len() < 3
        || ["log", "http", "config", "fine", "silly"].iter().any(|w| word.eq_ignore_ascii_case(w))
    {
        return None;
    }
    Level::from_name(word)
}

/// A name as loggers bear: letters, digits and `._:$/-#<>~`, no blanks, beginning with a letter or `_`.
pub(crate) fn is_logger(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'.' | b'_' | b':' | b'$' | b'/' | b'-' | b'#' | b'<' | b'>' | b'~')
        })
}

/// A name no ordinary sentence begins with: dotted, underscored, or one everybody knows.
pub(crate) fn is_telling_logger(name: &str) -> bool {
    const KNOWN: [&str; 14] = [
        "root",
        "app",
        "werkzeug",
        "uvicorn",
        "gunicorn",
        "celery",
        "django",
        "flask",
        "asyncio",
        "sqlalchemy",
        "httpx",
        "urllib3",
        "aiohttp",
        "alembic",
    ];
    is_logger(name)
        && !name.ends_with(['.', ':', '-', '/'])
        && (name.contains(['_', '$'])
            || name.contains("::")
            || is_dotted(name)
            || KNOWN.contains(&name))
}

/// `a.b` with something on both sides of every dot, and a letter on at least one.
pub(crate) fn is_dotted(name: &str) -> bool {
    name.contains('.')
        && name.split('.').all(|part| !part.is_empty())
        && name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && !name.contains('/')
}

/// Splits `path/file.ext:12`; `None` unless a file name with an extension and a number.
pub(crate) fn file_line(text: &str) -> Option<(&str, u32)> {
    let (file, line) = text.rsplit_once(':')?;
    let line = line.parse().ok()?;
    let name = file.rsplit(['/', '\\']).next()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let ok = !stem.is_empty()
        && (1..=5).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphabetic())
        && !file.contains([' ', '\t']);
    ok.then_some((file, line))
}

/// Text cut to `n` characters, for an error message.
pub(crate) fn shown(text: &str, n: usize) -> String {
    text.chars().take(n).collect()
}
