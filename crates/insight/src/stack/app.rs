//! Whose a frame is: the application's, or a library's or the runtime's.
//!
//! By signs of structure where there are any: the folder a package manager installs into, the
//! runtime's own names for its files. Only where a runtime shows no such thing (a JVM prints no
//! folder) it is a list of name prefixes.

/// Folders of installed code, whatever the language. Compared with `/` for `\`.
const INSTALLED: &[&str] = &[
    "/site-packages/",
    "/dist-packages/",
    "/node_modules/",
    "/.pnpm/",
    "/.yarn/",
    "/pkg/mod/",
    "/.cargo/registry/",
    "/.cargo/git/",
    "/rustc/",
    "/.rustup/toolchains/",
    "/gems/",
    "/rubygems/",
    "/lib/ruby/",
    "/vendor/",
    "/third_party/",
];

fn is_installed(file: &str) -> bool {
    INSTALLED.iter().any(|folder| file.contains(folder) || file.starts_with(&folder[1..]))
}

/// With `/` for `\`; borrows where there is nothing to replace.
pub(super) fn slashes(file: &str) -> std::borrow::Cow<'_, str> {
    if file.contains('\\') { file.replace('\\', "/").into() } else { file.into() }
}

/// `<frozen importlib._bootstrap>`, `<attrs generated init shop.Cart>`: made, not written. What is
/// given to `exec` and `python -c` is `<string>` and the application's own, and so are the methods
/// that `dataclass` makes, but those have names of the language's.
fn is_generated(function: &str, file: &str) -> bool {
    let is_given = file.starts_with("<stdin") || file.starts_with("<ipython");
    let is_own = file == "<string>" && !(function.starts_with("__") && function.ends_with("__"));
    file.starts_with('<') && !is_given && !is_own
}

pub(super) fn python(function: &str, file: &str) -> bool {
    let file = slashes(file);
    // The standard library: `…/lib/python3.11/json/decoder.py`, `C:/Python311/Lib/json/decoder.py`.
    let is_std = ["/lib/python", "/lib64/python", "/Lib/"].iter().any(|folder| {
        file.split_once(folder).is_some_and(|(before, rest)| {
            rest.starts_with(|c: char| c.is_ascii_digit())
                || (folder.starts_with("/Lib") && before.to_ascii_lowercase().contains("python"))
        })
    });
    // `/usr/local/bin/uvicorn`: the script pip makes for a package's command.
    let is_script = file.contains("/bin/") && !file.ends_with(".py");
    !(is_generated(function, &file) || is_std || is_script || is_installed(&file))
}

#[rustfmt::skip] // a table
/// Packages of JVM runtimes and of what most services stand on.
const JVM: &[&str] = &[
    "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.",
    "groovy.", "clojure.", "android.", "androidx.", "com.android.", "dalvik.", "libcore.",
    "org.springframework.", "org.apache.", "org.hibernate.", "org.eclipse.", "org.jboss.",
    "org.junit.", "org.gradle.", "org.slf4j.", "org.postgresql.", "org.mongodb.", "org.glassfish.",
    "org.aspectj.", "org.codehaus.", "io.netty.", "io.undertow.", "io.grpc.", "io.vertx.",
    "io.micronaut.", "io.quarkus.", "io.ktor.", "io.lettuce.", "io.reactivex.", "io.opentelemetry.",
    "io.micrometer.", "reactor.", "akka.", "rx.", "okhttp3.", "okio.", "retrofit2.", "feign.",
    "ch.qos.", "com.fasterxml.", "com.zaxxer.", "com.mysql.", "com.mongodb.", "com.google.common.",
    "com.google.inject.", "com.google.gson.", "com.netflix.", "net.bytebuddy.", "net.sf.",
    "oracle.", "redis.clients.", "worker.",
];

/// `name` is the class and method without its module; `jar` what logback adds, `spring-web.jar:6.1`.
pub(super) fn jvm(module: &str, name: &str, file: &str, jar: &str) -> bool {
    if module.starts_with("java.") || module.starts_with("jdk.") || file == "<generated>" {
        return false;
    }
    if name.contains("$$Lambda") || name.contains("BySpringCGLIB$$") || name.starts_with("$Proxy") {
        return false;
    }
    if JVM.iter().any(|package| name.starts_with(package)) {
        return false;
    }
    // Logback tells jars from the application's own classes: `[classes!/:na]`.
    !jar.contains(".jar") || jar.contains("classes")
}

pub(super) fn javascript(file: &str) -> bool {
    let path = slashes(file);
    let runtime = ["node:", "internal/", "ext:", "webpack/", "native", "<anonymous>", "bun:"];
    let is_runtime = path.is_empty() || runtime.iter().any(|start| path.starts_with(start));
    // Before Node 16 its own files were bare names: `module.js`, `events.js`.
    let is_old = !path.contains('/') && !path.contains(':') && path != "[eval]";
    !(is_runtime || is_old || is_installed(&path))
}

#[rustfmt::skip] // a table
/// First parts of the standard library's import paths. None has a dot, a module's path of another
/// author has one as a rule.
const GO_STD: &[&str] = &[
    "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto",
    "database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash",
    "html", "image", "index", "io", "iter", "log", "maps", "math", "mime", "net", "os", "panic",
    "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings",
    "sync", "syscall", "testing", "text", "time", "unicode", "unique", "unsafe", "weak",
];

pub(super) fn go(function: &str, file: &str) -> bool {
    let path = slashes(file);
    // With -trimpath a dependency's file is `github.com/a/b@v1.2.3/c.go`.
    if is_installed(&path) || path.contains("@v") {
        return false;
    }
    let first = function.split(['/', '.', '(']).next().unwrap_or_default();
    let is_std = GO_STD.contains(&first) && {
        // An application's package may be called `log`: its folder is not a toolchain's.
        let package = function.split('(').next().unwrap_or_default();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.is_empty()
            || folder.contains("/src/")
            || folder.starts_with(first)
            || package.starts_with("runtime")
    };
    !(is_std || function.starts_with("golang.org/x/"))
}

#[rustfmt::skip] // a table
/// Crates that stand below an application, for backtraces without files.
const CRATES: &[&str] = &[
    "core", "std", "alloc", "test", "proc_macro", "backtrace", "anyhow", "eyre", "color_eyre",
    "tokio", "tokio_util", "hyper", "hyper_util", "axum", "axum_core", "tower", "tower_http",
    "tower_service", "futures", "futures_core", "futures_util", "futures_executor", "async_std",
    "smol", "rayon", "rayon_core", "crossbeam", "actix", "actix_rt", "actix_web", "actix_server",
    "warp", "tonic", "tracing", "tracing_core", "tracing_subscriber", "log", "serde", "serde_json",
    "reqwest", "sqlx", "sqlx_core", "diesel", "rustls", "mio", "clap", "once_cell", "parking_lot",
    "scoped_tls", "stable_deref_trait", "hashbrown", "itertools", "regex", "regex_automata",
];

pub(super) fn rust(function: &str, file: &str) -> bool {
    let path = slashes(file);
    if is_installed(&path) || path.starts_with("library/") {
        return false;
    }
    if !path.is_empty() {
        // libc and the C runtime: `./csu/../sysdeps/nptl/libc_start_call_main.h`.
        return path.ends_with(".rs");
    }
    if !function.contains("::") {
        return false;
    }
    // `<alloc::boxed::Box<F> as core::ops::FnOnce<A>>::call_once`: the type decides, and of a
    // primitive or generic one the trait.
    let bare = function.trim_start_matches(['<', '&', '*', '(', '[']);
    let (type_, rest) = bare.split_once(" as ").unwrap_or((bare, ""));
    let subject = if type_.contains("::") { type_ } else { rest };
    let subject = subject.strip_prefix("dyn ").unwrap_or(subject);
    let krate = subject.split("::").next().unwrap_or_default();
    !(CRATES.contains(&krate) || krate.starts_with("__rust") || krate.is_empty())
}

pub(super) fn dotnet(function: &str) -> bool {
    let library = [
        "System.",
        "Microsoft.",
        "Npgsql.",
        "Newtonsoft.",
        "MySql.",
        "MongoDB.",
        "StackExchange.",
        "Serilog.",
        "NLog.",
        "AutoMapper.",
        "MediatR.",
        "Grpc.",
        "Polly.",
        "Dapper.",
        "Xunit.",
        "lambda_method",
    ];
    !library.iter().any(|prefix| function.starts_with(prefix))
}

/// Elixir: by the OTP application a frame is of; dependencies' are listed as one's own are.
pub(super) fn elixir(application: &str) -> bool {
    let library = [
        "",
        "elixir",
        "stdlib",
        "kernel",
        "logger",
        "ex_unit",
        "mix",
        "phoenix",
        "plug",
        "ecto",
        "cowboy",
        "ranch",
        "bandit",
        "thousand_island",
        "telemetry",
        "db_connection",
        "oban",
    ];
    let family = ["phoenix_", "plug_", "ecto_", "cowboy_"];
    !library.contains(&application) && !family.iter().any(|start| application.starts_with(start))
}

/// Ruby and PHP: by the folder, or the runtime's name for code of its own.
pub(super) fn script(file: &str) -> bool {
    let path = slashes(file);
    !(path.is_empty()
        || path.starts_with("<internal:")
        || path.starts_with('[')
        || path.contains("/bin/")
        || is_installed(&path))
}

#[cfg(test)]
mod tests {
    #[test]
    fn python_files() {
        for (function, file) in [
            ("f", "/app/shop/cart.py"),
            ("f", "cart.py"),
            ("f", "/srv/lib/shop/cart.py"),
            ("<module>", "<stdin>"),
            ("f", "<string>"),
            ("f", r"C:\shop\cart.py"),
        ] {
            assert!(super::python(function, file), "{file}");
        }
        for (function, file) in [
            ("f", "/usr/lib/python3/dist-packages/x.py"),
            ("f", "/usr/lib/python3.11/json/decoder.py"),
            ("f", "/app/.venv/lib/python3.12/site-packages/x/y.py"),
            ("f", r"C:\Python311\Lib\json\decoder.py"),
            ("f", r"C:\venv\Lib\site-packages\x.py"),
            ("f", "<frozen importlib._bootstrap>"),
            ("__init__", "<string>"),
            ("__init__", "<attrs generated init shop.Cart>"),
            ("<module>", "/usr/local/bin/uvicorn"),
        ] {
            assert!(!super::python(function, file), "{file}");
        }
    }

    #[test]
    fn jvm_classes() {
        assert!(super::jvm("app", "com.shop.Cart.total", "Cart.java", "[classes!/:1.0]"));
        assert!(super::jvm("", "javaclub.Cart.total", "Cart.java", ""));
        for (module, name, file, jar) in [
            ("java.base", "x.Y.z", "Y.java", ""),
            ("", "javax.servlet.http.HttpServlet.service", "HttpServlet.java", ""),
            ("", "com.shop.Cart$$SpringCGLIB$$0.total", "<generated>", ""),
            ("", "com.shop.Cart$$Lambda$14/0x00.run", "", ""),
            ("", "com.vendor.Thing.run", "Thing.java", "[thing-1.0.jar:1.0]"),
        ] {
            assert!(!super::jvm(module, name, file, jar), "{name}");
        }
    }

    #[test]
    fn go_packages() {
        assert!(super::go("main.main", "/app/main.go"));
        assert!(super::go("github.com/acme/shop/log.Write", "/app/log/log.go"));
        assert!(super::go("log.Write", "/app/log2/log.go"));
        for (function, file) in [
            ("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go"),
            ("net/http.(*conn).serve", "net/http/server.go"),
            ("runtime.goexit", "/opt/hostedtoolcache/go/1.22/x64/src/runtime/asm_amd64.s"),
            ("panic", "/usr/local/go/src/runtime/panic.go"),
            ("github.com/x/y.Do", "/home/u/go/pkg/mod/github.com/x/y@v1.2.3/y.go"),
            ("github.com/x/y.Do", "github.com/x/y@v1.2.3/y.go"),
            ("github.com/x/y.Do", "/app/vendor/github.com/x/y/y.go"),
        ] {
            assert!(!super::go(function, file), "{function} {file}");
        }
    }

    #[test]
    fn rust_functions() {
        assert!(super::rust("shop::cart::total", ""));
        assert!(super::rust("<shop::Cart as core::fmt::Display>::fmt", ""));
        assert!(super::rust("core::ops::FnOnce::call_once", "./src/main.rs"));
        for (function, file) in [
            ("<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once", ""),
            ("<usize as core::slice::index::SliceIndex<[T]>>::index", ""),
            ("<&dyn core::ops::Fn<()> as core::ops::FnOnce<()>>::call_once", ""),
            ("tokio::runtime::task::raw::poll", ""),
            ("shop::cart::total", "/rustc/5980/library/std/src/panicking.rs"),
            ("__libc_start_call_main", "./csu/../sysdeps/nptl/libc_start_call_main.h"),
            ("main", ""),
        ] {
            assert!(!super::rust(function, file), "{function}");
        }
    }

    #[test]
    fn scripts() {
        assert!(super::javascript("/app/src/cart.js"));
        assert!(super::javascript("webpack-internal:///./src/cart.js"));
        for file in ["", "node:internal/x", "/app/node_modules/x/i.js", "module.js", "<anonymous>"]
        {
            assert!(!super::javascript(file), "{file}");
        }
        assert!(super::script("app/models/cart.rb"));
        assert!(!super::script("/usr/lib/ruby/3.2.0/net/http.rb"));
        assert!(!super::script("/app/vendor/autoload.php"));
    }
}
