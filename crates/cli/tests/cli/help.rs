//! What `--help` says is a contract: flags, their names and values. A golden file for each command, that
//! `UPDATE_GOLDEN=1 cargo test -p logrec-cli --test cli help` writes anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{Place, text};

/// Columns of the terminal that help is laid out for.
const COLUMNS: &str = "100";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn help(place: &Place, args: &[&str]) -> String {
    let mut command = place.logrec(args);
    let output = command.arg("--help").env("COLUMNS", COLUMNS).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The commands that help names, the one for help excepted.
fn commands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn help_of_every_command() {
    let place = Place::new();
    let own = help(&place, &[]);
    let mut texts = vec![("logrec".to_owned(), own.clone())];
    texts.extend(commands(&own).into_iter().map(|name| {
        let said = help(&place, &[&name]);
        (format!("logrec-{name}"), said)
    }));
    assert!(texts.len() > 8, "{own}");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for (name, said) in texts {
        let path = golden().join(format!("{name}.txt"));
        if update {
            fs::create_dir_all(golden()).unwrap();
            fs::write(&path, said).unwrap();
        } else {
            let expected = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(said, expected, "{name}: if it is meant to change, set UPDATE_GOLDEN=1");
        }
    }
}
