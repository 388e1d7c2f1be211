//! `logrec.toml`: settings below flags and environment.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// The file that is read when it is there and no other was named.
pub(crate) const DEFAULT_FILE: &str = "logrec.toml";

/// What the file may say. A key that is none of these is an error that names it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) bind: Option<Bind>,
    pub(crate) token_file: Option<PathBuf>,
    #[serde(default)]
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) max_entries: Option<usize>,
    pub(crate) max_bytes: Option<Size>,
    pub(crate) keep_errors: Option<usize>,
    #[serde(default)]
    pub(crate) files: Vec<PathBuf>,
    pub(crate) rings: Option<Rings>,
}

/// An address, or a port alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Bind {
    Port(u16),
    Address(String),
}

/// Recordings to serve: those in a folder, or whether to at all.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Rings {
    Watched(bool),
    Folder(PathBuf),
}

/// A size: bytes, or a text that [`parse_size`] reads.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Size {
    Bytes(usize),
    Text(String),
}

impl Config {
    /// Reads the named file, else [`DEFAULT_FILE`] if there is one. Paths in it start from the
    /// folder it lies in.
    pub(crate) fn load(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut config: Self = toml::from_str(&text).map_err(|e| wrong(path, &text, &e))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let rings = match &mut config.rings {
            Some(Rings::Folder(path)) => Some(path),
            Some(Rings::Watched(_)) | None => None,
        };
        for file in config.files.iter_mut().chain(&mut config.token_file).chain(rings) {
            if file.as_os_str() != "-" {
                *file = folder.join(&*file);
            }
        }
        Ok(config)
    }
}

/// The file, the line and what is wrong, in one line.
fn wrong(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let message = error.message().trim().replace('\n', "; ");
    crate::error::usage(format!("{}:{line}: {message}", path.display()))
}

/// Reads `4194304`, `4MB`, `64 MiB`, `1g`: a unit counts in 1024s.
pub(crate) fn parse_size(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let shift = match lower[digits..].trim() {
        "" | "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        _ => None,
    };
    let bytes = shift.zip(lower[..digits].parse::<usize>().ok());
    bytes
        .and_then(|(shift, number)| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes <= BYTES_MAX)
        .ok_or_else(|| {
            format!("`{text}` is no size; give bytes, or 512KB, 64MB, 2GB, up to 1024GB")
        })
}

/// Largest ring that may be asked for: 1 TiB.
const BYTES_MAX: usize = 1 << 40;
/// Most entries that may be asked for.
pub(crate) const ENTRIES_MAX: usize = 100_000_000;

/// Reads a number of entries.
pub(crate) fn parse_entries(text: &str) -> Result<usize, String> {
    let entries = text.trim().parse().ok().filter(|n| (1..=ENTRIES_MAX).contains(n));
    entries.ok_or_else(|| format!("`{text}` is no number of entries; give 1 to {ENTRIES_MAX}"))
}

/// How many errors to keep besides.
pub(crate) fn parse_kept(text: &str) -> Result<usize, String> {
    let entries = text.trim().parse().ok().filter(|n| (0..=ENTRIES_MAX).contains(n));
    entries.ok_or_else(|| format!("`{text}` is no number of entries; give 0 to {ENTRIES_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("4194304"), Ok(4 << 20));
        assert_eq!(parse_size("64 MiB"), Ok(64 << 20));
        assert_eq!(parse_size("2g"), Ok(2 << 30));
        for bad in ["", "MB", "-1", "1.5MB", "9999999GB", "4 parsecs"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
