//! Exception groups, measured on labelled traces: those of one site and path must be one group,
//! those of others other groups, at least 99 % of the pairs each way.
//!
//! `shop.py` and `shop.mjs` write small applications and run them, `imitated` prints as other
//! runtimes do; all vary what must not matter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "`--nocapture` shows the figures of tests that pass")]

mod imitated;

use std::{collections::HashMap, hash::Hash, process::Command};

use logrec_insight::stack::{self, GroupId, Language};

const GOAL: f64 = 0.99;

/// A trace whose failure is known.
#[derive(Debug)]
struct Labelled {
    language: Language,
    site: String,
    /// The site of the innermost cause.
    root: String,
    path: String,
    text: String,
}

/// How well groups follow labels, 1 at best.
#[derive(Debug)]
struct Figures {
    /// Of the pairs with one label, those with one group.
    same: f64,
    /// Of the pairs with two labels, those with two groups.
    other: f64,
    /// Of the labels, those that are one group which is no other label's. With many labels nearly
    /// all pairs are of two, so a few labels that are merged show only here.
    whole: f64,
}

impl Figures {
    fn of<L: Hash + Eq>(items: &[(L, GroupId)]) -> Self {
        let pairs = |n: usize| (n * n.saturating_sub(1) / 2) as f64;
        let (mut labels, mut groups, mut both) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (label, group) in items {
            *labels.entry(label).or_insert(0) += 1;
            *groups.entry(group).or_insert(0) += 1;
            *both.entry((label, group)).or_insert(0) += 1;
        }
        let same: f64 = labels.values().map(|n| pairs(*n)).sum();
        let together: f64 = groups.values().map(|n| pairs(*n)).sum();
        let right: f64 = both.values().map(|n| pairs(*n)).sum();
        let whole =
            both.iter().filter(|((label, group), n)| labels[label] == **n && groups[group] == **n);
        Self {
            same: right / same,
            other: 1.0 - (together - right) / (pairs(items.len()) - same),
            whole: whole.count() as f64 / labels.len() as f64,
        }
    }

    fn are_good(&self) -> bool {
        self.same >= GOAL && self.other >= GOAL && self.whole >= GOAL
    }
}

#[track_caller]
fn check(traces: &[Labelled], labels_min: usize) {
    let mut groups = Vec::new();
    let mut sites = Vec::new();
    for trace in traces {
        let stack = stack::parse(&trace.text).unwrap_or_else(|| panic!("no trace: {trace:#?}"));
        assert_eq!(stack.language, trace.language, "{}", trace.text);
        assert!(stack.has_app, "{}", trace.text);
        groups.push(((&trace.site, &trace.path), stack.group()));
        sites.push((&trace.root, stack.site()));
    }
    let labels: std::collections::HashSet<_> = groups.iter().map(|(label, _)| label).collect();
    assert!(labels.len() >= labels_min, "{} labels", labels.len());
    let (by_group, by_site) = (Figures::of(&groups), Figures::of(&sites));
    let said = format!(
        "{:?}: {} traces, {} labels; groups {by_group:?}; sites {by_site:?}",
        traces[0].language,
        traces.len(),
        labels.len(),
    );
    println!("{said}");
    let good = by_group.are_good() && by_site.are_good();
    assert!(good, "{said}\n{}", wrong(traces, &groups, &sites));
}

/// Labels that were split and groups that were merged.
fn wrong(
    traces: &[Labelled],
    groups: &[((&String, &String), GroupId)],
    sites: &[(&String, GroupId)],
) -> String {
    let mut out = String::new();
    let mut first: HashMap<_, (usize, GroupId)> = HashMap::new();
    for (at, (label, group)) in groups.iter().enumerate() {
        let (one, seen) = *first.entry(label).or_insert((at, *group));
        if seen != *group && out.len() < 20_000 {
            out += &format!("split {label:?}\n{}\n{}\n", traces[one].text, traces[at].text);
        }
    }
    for (at, (root, site)) in sites.iter().enumerate() {
        let other = sites[..at].iter().find(|(r, s)| (r == root) != (s == site));
        if let Some((other, _)) = other.filter(|_| out.len() < 40_000) {
            out += &format!("site {root} and {other}\n{}\n", traces[at].text);
        }
    }
    out
}

/// Python 3.11 or newer, which knows exception groups.
fn python() -> Option<&'static str> {
    ["python3", "python3.14", "python3.13", "python3.12", "python3.11"].into_iter().find(|python| {
        let test = "import sys; sys.exit(sys.version_info < (3, 11))";
        Command::new(python).args(["-c", test]).status().is_ok_and(|status| status.success())
    })
}

/// Runs a generator with four seeds and reads what it printed.
fn generated(language: Language, runtime: &str, script: &str) -> Vec<Labelled> {
    let folder = std::env::temp_dir().join(format!(
        "logrec-traces-{}-{}",
        std::process::id(),
        language.as_str()
    ));
    let mut traces = Vec::new();
    for seed in 1..=4 {
        let out = Command::new(runtime)
            .arg(format!("{}/tests/traces/{script}", env!("CARGO_MANIFEST_DIR")))
            .arg(folder.join(seed.to_string()))
            .arg(seed.to_string())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let out = String::from_utf8(out.stdout).unwrap();
        traces.extend(out.split("\x1e ").filter(|part| !part.is_empty()).map(|part| {
            let (head, text) = part.split_once('\n').unwrap();
            let [site, root, path] = head.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{head}")
            };
            Labelled {
                language,
                site: site.to_owned(),
                root: root.to_owned(),
                path: path.to_owned(),
                text: text.to_owned(),
            }
        }));
    }
    std::fs::remove_dir_all(&folder).unwrap();
    traces
}

// The workspace's tests need neither Python nor Node: without them these two show nothing.

#[test]
fn python_traces_of_a_real_application() {
    let Some(python) = python() else { return eprintln!("skipped: no Python of 3.11 or newer") };
    check(&generated(Language::Python, python, "shop.py"), 275);
}

#[test]
fn node_traces_of_a_real_application() {
    let test = "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)";
    if !Command::new("node").args(["-e", test]).status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: no Node of 18 or newer");
    }
    check(&generated(Language::JavaScript, "node", "shop.mjs"), 63);
}

#[test]
fn java_traces() {
    check(&imitated::traces(Language::Jvm, imitated::java), 60);
}

#[test]
fn node_traces() {
    check(&imitated::traces(Language::JavaScript, imitated::node), 60);
}

#[test]
fn go_traces() {
    check(&imitated::traces(Language::Go, imitated::go), 60);
}

#[test]
fn rust_traces() {
    check(&imitated::traces(Language::Rust, imitated::rust), 60);
}
