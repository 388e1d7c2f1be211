//! Traces as OpenJDK 17, Node 20, Go 1.22 and Rust 1.9x print them, of applications that are not.
//!
//! Each of [`SITES`] is reached by each of [`PATHS`]; a [`Run`] holds what must not matter.

use std::fmt::Write;

use super::{Labelled, Language};

/// Functions that fail, some of the same name in other modules.
const SITES: [(&str, &str); 10] = [
    ("cart", "total"),
    ("cart", "add"),
    ("cart", "check"),
    ("stock", "total"),
    ("stock", "take"),
    ("stock", "check"),
    ("users", "load"),
    ("users", "save"),
    ("pay", "charge"),
    ("pay", "check"),
];

/// Ways to a site.
const PATHS: [&str; 7] = ["direct", "nested", "recursive", "mutual", "wrapped", "lambda", "worker"];

/// One occurrence: what varies from one to the next of the same failure.
pub(crate) struct Run(u64);

impl Run {
    /// Below `n`; xorshift, so that a failure is the same each time.
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one_of<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        let at = self.below(N as u64);
        of[usize::try_from(at).expect("less than a usize")]
    }

    fn depth(&mut self) -> u64 {
        self.one_of([1, 2, 7, 90, 400])
    }

    fn message(&mut self) -> String {
        let words = ["pear", "no row 17", "", "a: b", "user 'x' [5]", "two\nlines at once (x)"];
        format!("{} {}", self.one_of(words), self.below(1000))
    }

    fn folder(&mut self) -> &'static str {
        self.one_of(["/app", "/home/u/app", "/srv/releases/20260102", "/opt/shop"])
    }
}

pub(crate) fn traces(
    language: Language,
    print: fn(&mut Run, (&str, &str), &str) -> String,
) -> Vec<Labelled> {
    let mut run = Run(0x9e37_79b9_7f4a_7c15);
    let mut traces = Vec::new();
    for round in 0..8 {
        for site in SITES {
            for path in PATHS {
                run.0 = run.0.wrapping_add(round);
                let name = format!("{}.{}", site.0, site.1);
                // There another type is raised than by the other ways to the site.
                let differs = [(Language::Go, "worker"), (Language::Rust, "wrapped")];
                let other = if differs.contains(&(language, path)) { path } else { "" };
                traces.push(Labelled {
                    language,
                    root: format!("{name}{other}"),
                    site: name,
                    path: path.to_owned(),
                    text: print(&mut run, site, path),
                });
            }
        }
    }
    traces
}

/// The application's functions from the failing one out, recursion as deep as the run says.
fn calls(run: &mut Run, site: (&str, &str), path: &str) -> Vec<(String, String)> {
    let call = |module: &str, name: &str| (module.to_owned(), name.to_owned());
    let mut calls = vec![call(site.0, site.1)];
    match path {
        "nested" => calls.extend([call("service", "call"), call("service", "enter")]),
        "recursive" => (0..run.depth()).for_each(|_| calls.push(call("tree", "walk"))),
        "mutual" => (0..run.depth()).for_each(|_| {
            calls.extend([call("tree", "leaf"), call("tree", "branch")]);
        }),
        _ => calls.push(call("paths", path)),
    }
    calls.push(call("main", "run"));
    calls
}

fn class(module: &str) -> String {
    module[..1].to_uppercase() + &module[1..]
}

pub(crate) fn java(run: &mut Run, site: (&str, &str), path: &str) -> String {
    let mut frames = String::new();
    let all = calls(run, site, path);
    // A JVM shows 1024 frames.
    for (module, name) in all.iter().take(1024) {
        let class = class(module);
        let line = 10 + run.below(90);
        if name == "lambda" {
            let (n, m) = (run.below(40), run.below(1 << 30));
            let _ = writeln!(frames, "\tat com.shop.{class}.lambda$run${n}({class}.java:{line})");
            let _ = writeln!(
                frames,
                "\tat com.shop.{class}$$Lambda${n}/0x00000008{m:08x}.apply(Unknown Source)"
            );
            frames += "\tat java.base/java.util.stream.ReferencePipeline$3$1.accept(ReferencePipeline.java:197)\n";
        } else {
            let _ = writeln!(frames, "\tat com.shop.{class}.{name}({class}.java:{line})");
        }
    }
    if path == "worker" {
        frames += "\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)\n";
        frames += "\tat java.base/java.lang.Thread.run(Thread.java:840)\n";
    } else {
        let n = run.below(300);
        let accessor = if run.below(2) == 0 {
            format!("\tat jdk.internal.reflect.GeneratedMethodAccessor{n}.invoke(Unknown Source)\n")
        } else {
            "\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)\n"
                .to_owned()
        };
        frames += &accessor;
    }
    let head = match run.below(3) {
        0 => format!("Exception in thread \"pool-{}-thread-{}\" ", run.below(9), run.below(9)),
        _ => String::new(),
    };
    let message = run.message();
    if path != "wrapped" {
        return format!("{head}com.shop.{}Exception: {message}\n{frames}", class(site.0));
    }
    let (shared, line) = (2 + run.below(30), 10 + run.below(90));
    let mut out = format!(
        "{head}java.lang.IllegalStateException: order {line}\n\tat com.shop.Paths.order(Paths.java:{line})\n\tat com.shop.Main.run(Main.java:{line})\n"
    );
    let _ = write!(
        out,
        "Caused by: com.shop.{}Exception: {message}\n{frames}\t... {shared} more\n",
        class(site.0)
    );
    if run.below(2) == 0 {
        out += "\tSuppressed: java.io.IOException: close\n\t\tat com.shop.Res.close(Res.java:5)\n\t\t... 9 more\n";
    }
    out
}

pub(crate) fn node(run: &mut Run, site: (&str, &str), path: &str) -> String {
    let folder = run.folder();
    let scheme = run.one_of(["", "file://"]);
    let all = calls(run, site, path);
    let mut frames = Vec::new();
    // V8 keeps as many as Error.stackTraceLimit says, of which some services raise the default.
    let mut has_awaited = false;
    for (module, name) in all {
        let (line, column) = (1 + run.below(400), 1 + run.below(80));
        let place = format!("{scheme}{folder}/src/{module}.js:{line}:{column}");
        has_awaited |= run.below(3) == 0 && name != site.1;
        let awaited = if has_awaited { "async " } else { "" };
        match &*name {
            "lambda" => {
                frames.push(format!("at {place}"));
                frames.push("at Array.map (<anonymous>)".to_owned());
            }
            "worker" => {
                frames.push(format!("at {awaited}Worker.{name} ({place})"));
                frames.push(format!("at async Promise.all (index {})", run.below(9)));
            }
            _ => frames.push(format!("at {awaited}{name} ({place})")),
        }
    }
    frames
        .push(format!("at Layer.handle ({folder}/node_modules/express/lib/router/layer.js:95:5)"));
    frames.push(
        "at process.processTicksAndRejections (node:internal/process/task_queues:95:5)".to_owned(),
    );
    let kind = format!("{}Error", class(site.0));
    let message = run.message();
    let stack = |margin: &str, frames: &[String]| -> String {
        frames.iter().map(|frame| format!("\n{margin}    {frame}")).collect()
    };
    if path != "wrapped" {
        let tail = if run.below(2) == 0 { " {\n  code: 'E_SHOP'\n}\n" } else { "" };
        return format!("{kind}: {message}{}{tail}", stack("", &frames));
    }
    let place = format!("{scheme}{folder}/src/paths.js:{}:5", 1 + run.below(400));
    format!(
        "Error: order failed\n    at order ({place}) {{\n  [cause]: {kind}: {message}{}\n}}",
        stack("  ", &frames)
    )
}

pub(crate) fn go(run: &mut Run, site: (&str, &str), path: &str) -> String {
    let folder = run.folder();
    let mut frames = String::new();
    for (module, name) in calls(run, site, path) {
        let line = 1 + run.below(400);
        let (address, offset) = (run.below(1 << 40), run.below(4096));
        let file = format!("{folder}/internal/{module}/{module}.go:{line} +{offset:#x}");
        let package = format!("github.com/acme/shop/internal/{module}");
        let function = match &*name {
            "lambda" => format!("{package}.run.func{}", 1 + run.below(4)),
            "check" => format!("{package}.(*{}).{name}", class(&module)),
            _ => format!("{package}.{name}"),
        };
        let _ = write!(frames, "{function}({address:#x}, {{0xc000, 0x2}})\n\t{file}\n");
        if name == "worker" && run.below(2) == 0 {
            let _ = write!(frames, "{package}.{name}.gowrap1()\n\t{file}\n");
        }
    }
    let n = run.below(900);
    frames += "net/http.HandlerFunc.ServeHTTP(...)\n\t/usr/local/go/src/net/http/server.go:2136\n";
    let _ = write!(
        frames,
        "created by net/http.(*Server).Serve in goroutine {n}\n\t/usr/local/go/src/net/http/server.go:3086 +0x5cb\n"
    );
    let runtime =
        "panic({0x4f2a60?, 0xc0000b4018?})\n\t/usr/local/go/src/runtime/panic.go:770 +0x132\n";
    let message = run.message().replace('\n', " ");
    let what = match path {
        "wrapped" => format!("panic: {message} [recovered]\n\tpanic: order: {message}"),
        "worker" => format!("panic: runtime error: index out of range [{n}] with length 3"),
        _ => format!("panic: {message}"),
    };
    let state = run.one_of(["running", "running, locked to thread"]);
    let mut out = format!("{what}\n\ngoroutine {n} [{state}]:\n{runtime}{frames}");
    if run.below(2) == 0 {
        out += "\ngoroutine 1 [select, 5 minutes]:\nmain.other()\n\t/app/other.go:1 +0x1\n";
    }
    out
}

pub(crate) fn rust(run: &mut Run, site: (&str, &str), path: &str) -> String {
    let folder = run.folder();
    let is_full = run.below(2) == 0;
    let mut frames = Vec::new();
    let std = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library";
    frames.push((
        "__rustc::rust_begin_unwind".to_owned(),
        format!("{std}/std/src/panicking.rs:689:5"),
    ));
    frames.push((
        "core::panicking::panic_fmt".to_owned(),
        format!("{std}/core/src/panicking.rs:80:14"),
    ));
    for (module, name) in calls(run, site, path) {
        let at = format!("{folder}/src/{module}.rs:{}:{}", 1 + run.below(400), 1 + run.below(80));
        match &*name {
            "lambda" => frames.push((format!("shop::{module}::run::{{{{closure}}}}"), at)),
            "worker" => {
                frames.push((format!("shop::{module}::{name}::{{{{closure}}}}"), at));
                frames.push((
                    "tokio::runtime::task::core::Core<T,S>::poll".to_owned(),
                    "/home/u/.cargo/registry/src/index-1949cf8c6b5b557f/tokio-1.54.0/src/runtime/task/core.rs:365:17".to_owned(),
                ));
            }
            "check" => {
                frames.push((format!("<shop::{module}::Checker as shop::Check>::{name}"), at))
            }
            _ => frames.push((format!("shop::{module}::{name}"), at)),
        }
    }
    frames.push((
        "core::ops::function::FnOnce::call_once".to_owned(),
        format!("{std}/core/src/ops/function.rs:250:5"),
    ));
    let message = run.message().replace('\n', " ");
    let mut out = if path == "wrapped" {
        format!(
            "Error: order {}\n\nCaused by:\n    0: {message}\n    1: No such row\n\nStack backtrace:\n",
            run.below(99)
        )
    } else {
        let thread = run.one_of(["main' (7)", "tokio-runtime-worker", "w1' (99)"]);
        let end = if thread.ends_with(')') { "" } else { "'" };
        let line = 1 + run.below(400);
        format!(
            "thread '{thread}{end} panicked at src/{}.rs:{line}:9:\n{message}\nstack backtrace:\n",
            site.0
        )
    };
    for (n, (function, at)) in frames.iter().enumerate() {
        let hash = run.below(u64::MAX);
        let name = if is_full {
            format!("{:#18x} - {function}::h{hash:016x}", run.below(1 << 46))
        } else {
            function.clone()
        };
        let _ = write!(out, "{n:4}: {name}\n             at {at}\n");
    }
    out
}
