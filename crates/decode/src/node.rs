//! Node.js: pino-pretty, NestJS, winston's readable forms. JSON, which most write, is in
//! [`crate::json`].

use logrec_core::{Entry, Level};

use crate::{
    context::Context,
    dotnet,
    scan::{self, Scan},
    stamp,
};

/// `(4242): message` and `(name/4242): message`, pino-pretty's; after the level.
pub(crate) fn pino_pretty(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat("(")?;
    let inner = s.until("): ")?;
    let (name, process) = inner.rsplit_once('/').unwrap_or(("", inner));
    entry.process = Some(process.parse().ok()?);
    name.clone_into(&mut entry.logger);
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `info: message` after a time: winston's, and .NET's console with a time format.
pub(crate) fn small_level(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let word = s.run(|b| b.is_ascii_lowercase());
    s.eat(":")?;
    if let Some(found) = dotnet::console(word, s.rest, entry.timestamp) {
        *entry = found;
        return Some(());
    }
    entry.level = match word {
        "silly" | "verbose" | "trace" => Level::Trace,
        _ => scan::any_level(word)?,
    };
    s.blanks()?;
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `[Nest] 123  - 01/02/2026, 3:04:05 AM     LOG [Context] message`.
pub(crate) fn nest(text: &str, cx: Context<'_>) -> Option<Entry> {
    let mut s = Scan::new(text);
    s.eat("[Nest] ")?;
    s.skip_blanks();
    let process = s.number()?;
    s.blanks()?;
    s.eat("- ")?;
    let timestamp = stamp::american(&mut s, cx)?;
    s.blanks()?;
    let level = Level::from_name(s.token()?)?;
    s.skip_blanks();
    let mut entry = Entry::new(timestamp, level, "");
    if let Some(context) = s.bracketed() {
        context.clone_into(&mut entry.logger);
        s.skip_blanks();
    }
    entry.process = Some(process);
    s.rest.clone_into(&mut entry.message);
    Some(entry)
}
