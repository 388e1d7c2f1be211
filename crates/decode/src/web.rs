//! Error logs of web servers: nginx and Apache. Their access logs are in [`crate::access`].

use logrec_core::Entry;

use crate::{
    access,
    scan::{self, Scan},
    words,
};

/// ` [error] 12#12: *3 message, client: 1.2.3.4, …`, nginx's; after the time.
pub(crate) fn nginx(entry: &mut Entry, mut s: Scan<'_>) -> Option<()> {
    s.eat(" [")?;
    let level = scan::any_level(s.until("] ")?)?;
    let process = s.number()?;
    s.eat("#")?;
    let thread = s.number()?;
    s.eat(": ")?;
    entry.level = level;
    "nginx".clone_into(&mut entry.logger);
    entry.process = Some(process);
    entry.thread = Some(thread);
    let mut next = s;
    if next.eat("*").is_some()
        && let Some(connection) = next.number()
        && next.eat(" ").is_some()
    {
        entry.attributes.push(("connection".to_owned(), connection.into()));
        s = next;
    }
    s.rest.clone_into(&mut entry.message);
    nginx_context(entry, s.rest);
    Some(())
}

/// The client and the request nginx adds to a message, as attributes.
fn nginx_context(entry: &mut Entry, message: &str) {
    if let Some((_, tail)) = message.split_once(", client: ") {
        let client = tail.split(',').next().unwrap_or(tail);
        entry.attributes.push(("client.address".to_owned(), client.into()));
    }
    if let Some(request) =
        message.split_once(", request: \"").and_then(|(_, tail)| tail.split_once('"'))
    {
        access::put_request(entry, request.0);
    }
}

/// `1.2.3.4:80` as address and port; an address alone, or IPv6, as it stands.
fn put_client(entry: &mut Entry, client: &str) {
    let (address, port) = client.rsplit_once(':').unwrap_or((client, ""));
    let port = port.parse::<u16>().ok().filter(|_| !address.contains(':'));
    let address = if port.is_some() { address } else { client };
    entry.attributes.push(("client.address".to_owned(), address.into()));
    if let Some(port) = port {
        entry.attributes.push(("client.port".to_owned(), u32::from(port).into()));
    }
}

/// `[core:error] [pid 35708:tid 43] [client 1.2.3.4:5] message`, Apache's; after the time.
pub(crate) fn apache(mut entry: Entry, mut s: Scan<'_>) -> Option<Entry> {
    s.blanks()?;
    let Some(inner) = s.bracketed() else {
        // Something else with asctime's date, PHP's server for one.
        s.rest.clone_into(&mut entry.message);
        return Some(entry);
    };
    let (module, level) = inner.rsplit_once(':').unwrap_or(("", inner));
    entry.level = scan::any_level(level.trim_end_matches(|c: char| c.is_ascii_digit()))?;
    module.clone_into(&mut entry.logger);
    s.skip_blanks();
    loop {
        let mut next = s;
        let Some(group) = next.bracketed() else { break };
        if let Some(process) = group.strip_prefix("pid ") {
            let (process, thread) = process.split_once(":tid ").unwrap_or((process, "0"));
            let (Ok(process), Ok(thread)) = (process.parse(), thread.parse()) else { break };
            entry.process = Some(process);
            entry.thread = Some(thread).filter(|thread| *thread > 0);
        } else if let Some(client) = group.strip_prefix("client ") {
            put_client(&mut entry, client);
        } else {
            break;
        }
        next.skip_blanks();
        s = next;
    }
    s.rest.clone_into(&mut entry.message);
    Some(entry)
}

/// `PHP Warning:  message in file on line 3`, and PHP-FPM's `NOTICE: …` elsewhere; after the time.
pub(crate) fn php(entry: &mut Entry, s: Scan<'_>) -> Option<()> {
    let words = s.rest.strip_prefix("PHP ")?;
    entry.level = words::at_start(words).unwrap_or_default();
    s.rest.clone_into(&mut entry.message);
    Some(())
}
