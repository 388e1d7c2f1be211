//! Python: `logging`'s usual formats, Django, Flask, Celery, loguru, uvicorn.

use logrec_core::{Entry, Level, Timestamp};

use crate::{
    access as http,
    context::Context,
    scan::{self, Scan},
    stamp,
};

/// `LEVEL:logger:message`, `logging.basicConfig`'s.
pub(crate) fn basic(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = s.upper_level()?;
    s.eat(":")?;
    let logger = s.until(":")?;
    let plain = logger.bytes().all(|b| b.is_ascii_graphic());
    if logger.is_empty() || !plain {
        return None;
    }
    let mut entry = Entry::new(arrival, level, s.rest);
    logger.clone_into(&mut entry.logger);
    Some(entry)
}

/// uvicorn's access lines: `INFO:     127.0.0.1:51234 - "GET / HTTP/1.1" 200 OK`.
pub(crate) fn access(text: &str, arrival: Timestamp) -> Option<Entry> {
    let mut s = Scan::new(text);
    let level = s.upper_level()?;
    s.eat(":")?;
    s.blanks()?;
    let mut entry = http::uvicorn(s.rest, arrival)?;
    // What the line states counts, also of a status that makes an access line without a level ERROR.
    entry.level = level;
    Some(entry)
}

/// ` - name - LEVEL - message`, ` - LEVEL - message`, ` - LEVEL - name - message`; after the time.
pub(crate) fn dashed(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat("- ")?;
    let mut first = s.until(" - ")?.trim();
    if let Some(level) = scan::any_level(first) {
        entry.level = level;
        let mut next = s;
        if let Some(name) = next.until(" - ").filter(|name| scan::is_telling_logger(name)) {
            name.clone_into(&mut entry.logger);
            s = next;
        }
    } else {
        // `name [file.py:12]`
        let place = first
            .split_once(" [")
            .and_then(|(name, place)| Some((name, scan::file_line(place.strip_suffix(']')?)?)));
        let second = s.until(" - ").unwrap_or_else(|| std::mem::take(&mut s.rest));
        entry.level = scan::any_level(second.trim())?;
        if let Some((name, (file, line))) = place {
            entry.file = Some(file.to_owned());
            entry.line = Some(line);
            first = name;
        }
        first.clone_into(&mut entry.logger);
    }
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// ` | INFO     | module:function:12 - message`, loguru's default; after the time.
pub(crate) fn loguru(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat("|")?;
    entry.level = scan::any_level(s.until("|")?.trim())?;
    s.skip_blanks();
    let mut next = s;
    if let Some(place) = next.until(" - ")
        && let Some((name, function, line)) = place_of(place)
    {
        name.clone_into(&mut entry.logger);
        entry.module = Some(name.to_owned());
        entry.function = Some(function.to_owned());
        entry.line = Some(line);
        s = next;
    }
    // Some write only a name between two more bars.
    let mut next = s;
    if let Some(name) =
        next.until(" | ").map(str::trim).filter(|name| scan::is_telling_logger(name))
    {
        name.clone_into(&mut entry.logger);
        s = next;
    }
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `name LEVEL message`, `name[12] LEVEL message`, `host name[12] LEVEL message`; after the time.
pub(crate) fn name_level(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let mut name = s.token()?;
    s.blanks()?;
    if name.strip_suffix(':').and_then(scan::file_line).is_some() {
        // Go's `main.go:12: INFO …`.
        return None;
    }
    let mut level = s.upper_level();
    let mut host = None;
    if level.is_none() {
        // coloredlogs puts the host first.
        host = Some(std::mem::replace(&mut name, s.token()?));
        s.blanks()?;
        level = s.upper_level().filter(|_| name.ends_with(']'));
    }
    let level = level?;
    let _ = s.eat(":");
    if !s.rest.is_empty() {
        s.blanks()?;
    }
    let mut process = None;
    if let Some((plain, inner)) = name.strip_suffix(']').and_then(|name| name.rsplit_once('[')) {
        process = Some(inner.parse().ok()?);
        name = plain;
    }
    if !scan::is_logger(name) {
        return None;
    }
    entry.process = process;
    name.clone_into(&mut entry.logger);
    entry.level = level;
    entry.attributes.extend(host.map(|host| ("host.name".to_owned(), host.into())));
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `{taskinstance.py:1103} INFO - message`, Airflow's; after the time.
pub(crate) fn airflow(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat("{")?;
    let (file, line) = scan::file_line(s.until("} ")?)?;
    let level = s.upper_level()?;
    s.eat(" - ")?;
    entry.level = level;
    entry.file = Some(file.to_owned());
    entry.line = Some(line);
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `[I 260102 03:04:05 web:2239] message` (Tornado), `[I 2026-01-02 03:04:05.678 ServerApp] …`
/// (Jupyter): the brackets' inside, and what follows them.
pub(crate) fn tornado(
    mut entry: Entry,
    mut within: Scan<'_>,
    mut s: Scan<'_>,
    cx: Context<'_>,
) -> Option<Entry> {
    let letter = within.token().filter(|token| token.len() == 1)?;
    entry.level = Level::from_name(letter)?;
    within.blanks()?;
    entry.timestamp = stamp::iso(&mut within, cx).or_else(|| stamp::short_date(&mut within, cx))?;
    within.skip_blanks();
    if !within.rest.is_empty() && !scan::is_logger(within.rest) {
        return None;
    }
    match within.rest.rsplit_once(':').map(|(module, line)| (module, line.parse())) {
        Some((module, Ok(line))) => {
            entry.module = Some(module.to_owned());
            entry.line = Some(line);
        }
        _ => within.rest.clone_into(&mut entry.logger),
    }
    s.skip_blanks();
    s.rest.clone_into(&mut entry.message);
    Some(entry)
}

fn place_of(place: &str) -> Option<(&str, &str, u32)> {
    let (head, line) = place.trim().rsplit_once(':')?;
    let (name, function) = head.rsplit_once(':')?;
    Some((name, function, line.parse().ok()?))
}

/// `in module: message`, Flask's; after the level.
pub(crate) fn flask(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat("in ")?;
    let module = s.until(": ")?;
    if module.contains(' ') {
        return None;
    }
    entry.module = Some(module.to_owned());
    module.clone_into(&mut entry.logger);
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `name 123 140234 message`, Django's verbose form; after level and time.
pub(crate) fn name_pid_tid(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    let name = s.token().filter(|name| scan::is_logger(name))?;
    s.blanks()?;
    let process = s.number()?;
    s.blanks()?;
    let thread = s.number()?;
    s.blanks()?;
    name.clone_into(&mut entry.logger);
    entry.process = Some(process);
    entry.thread = Some(thread);
    s.rest.clone_into(&mut entry.message);
    Some(())
}

/// `[2026-01-02 03:04:05,678: INFO/MainProcess] message`; the brackets' inside after the time's
/// colon, and what follows the brackets.
pub(crate) fn celery(mut entry: Entry, mut within: Scan<'_>, mut s: Scan<'_>) -> Option<Entry> {
    within.skip_blanks();
    entry.level = within.upper_level()?;
    if within.eat("/").is_some() {
        entry.thread_name = Some(within.rest.to_owned());
    } else if !within.rest.is_empty() {
        return None;
    }
    s.skip_blanks();
    // `task.name[id]: message` of the task logger.
    let mut next = s;
    if let Some(task) =
        next.until("[").filter(|task| scan::is_dotted(task) && scan::is_logger(task))
        && let Some(id) = next.until("]: ")
    {
        task.clone_into(&mut entry.logger);
        entry.attributes.push(("task_id".to_owned(), id.into()));
        s = next;
    }
    s.rest.clone_into(&mut entry.message);
    Some(entry)
}
