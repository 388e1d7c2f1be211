//! What the golden tests share: how an entry is shown, and the moment lines arrive.

use std::{fmt::Write as _, path::Path};

use logrec_core::{Entry, Timestamp, Value};

/// 2026-01-05T00:00:00Z: years that a format leaves out are found from here.
pub(crate) const ARRIVAL: Timestamp = Timestamp(1_767_571_200_000_000_000);

/// An entry as the golden files show it: level, logger and message, then what is known, a line each.
pub(crate) fn show(entry: &Entry) -> String {
    let mut out =
        format!("{} {}| {}\n", entry.level, entry.logger, entry.message.replace('\n', "\n    "));
    if entry.timestamp != ARRIVAL {
        let _ = writeln!(out, "  @{}", entry.timestamp);
    }
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "  {name} = {value}");
        }
    };
    put("module", entry.module.clone());
    put("function", entry.function.clone());
    put("file", entry.file.clone());
    put("line", entry.line.map(|n| n.to_string()));
    put("process", entry.process.map(|n| n.to_string()));
    put("thread", entry.thread.map(|n| n.to_string()));
    put("thread_name", entry.thread_name.clone());
    put("service", entry.service.clone());
    put("trace_id", entry.trace_id.clone());
    put("span_id", entry.span_id.clone());
    for (name, value) in &entry.attributes {
        put(&format!("[{name}]"), Some(show_value(value)));
    }
    put(
        "exception",
        entry.exception.as_ref().map(|text| format!("\n    {}", text.replace('\n', "\n    "))),
    );
    out
}

fn show_value(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::UInt(n) => n.to_string(),
        Value::Float(n) => format!("{n:?}"),
        Value::Str(text) => format!("{text:?}"),
        Value::Array(items) => format!("[{}]", list(items.iter().map(show_value).collect())),
        Value::Map(members) => {
            format!(
                "{{{}}}",
                list(members.iter().map(|(k, v)| format!("{k}: {}", show_value(v))).collect())
            )
        }
    }
}

/// Compares with the file, or writes it when `UPDATE_GOLDEN` is set.
pub(crate) fn check_golden(path: &Path, given: &str, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, found).expect("the golden file can be written");
        return;
    }
    for (number, (given, found)) in given.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, given, "{}:{} (UPDATE_GOLDEN=1 rewrites it)", path.display(), number + 1);
    }
    assert_eq!(found, given, "{}", path.display());
}

/// The golden files of a folder of `tests`, sorted by name.
pub(crate) fn golden_files(folder: &str) -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder of golden files is there");
    let mut files: Vec<_> = entries.map(|file| file.expect("it can be listed").path()).collect();
    files.sort();
    files
}
