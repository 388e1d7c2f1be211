//! Prints the id of each message's pattern: `assign FILE`, a message a line.
//!
//! With `--templates` the patterns themselves: count, skeletons, id, template.

use std::io::{BufWriter, Write};

use logrec_insight::miner::{Miner, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file =
        arguments.iter().find(|argument| !argument.starts_with("--")).ok_or("give a file")?;
    let text = std::fs::read(file)?;
    let lines = || text.strip_suffix(b"\n").unwrap_or(&text).split(|&byte| byte == b'\n');
    let mut miner = Miner::new(Options::default());
    let handles: Vec<_> = lines().map(|line| miner.add(line)).collect();
    let patterns = miner.patterns();
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    if arguments.iter().any(|argument| argument == "--templates") {
        for pattern in &patterns {
            writeln!(
                out,
                "{:8} {:5} {} {}",
                pattern.count(),
                pattern.skeletons(),
                pattern.id(),
                pattern.template()
            )?;
        }
        return Ok(());
    }
    let ids: Vec<String> = patterns.iter().map(|pattern| format!("{}\n", pattern.id())).collect();
    for (line, handle) in lines().zip(handles) {
        match patterns.find(handle) {
            Some(at) => out.write_all(ids[at].as_bytes())?,
            None => writeln!(out, "{}", patterns.id_of(handle, line))?,
        }
    }
    Ok(())
}
