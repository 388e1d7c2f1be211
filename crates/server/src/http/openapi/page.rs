//! The documentation page: the OpenAPI document as HTML, readable without a script and without anything
//! from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>logrec: HTTP API</title>
<style>
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 15%, Canvas); --soft: color-mix(in srgb, CanvasText 60%, Canvas); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2.5rem 0 .25rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 .75rem; max-width: 70ch; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
h2 code { font-size: 1em; } .method { text-transform: uppercase; color: var(--soft); margin-right: .5ch; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 600; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .75rem .35rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { width: 10rem; } .takes { color: var(--soft); display: block; font-size: .9em; }
pre { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; overflow-x: auto; }
@media (max-width: 40rem) { td { display: block; border: 0; padding: 0; } td:first-child { width: auto; padding-top: .6rem; } tr { border-bottom: 1px solid var(--line); } thead { display: none; } }
</style>
</head>
<body>
<main>
"#;

pub(super) fn html(document: &Value) -> String {
    let mut out = String::from(HEAD);
    let info = &document["info"];
    let _ = write!(
        out,
        "<h1>logrec {}: HTTP API</h1>\n<p>{}</p>\n<p>{}</p>\n<p>The same for programs: <a href=\"openapi.json\">openapi.json</a></p>\n",
        escaped(text(&info["version"])),
        escaped(text(&info["summary"])),
        escaped(text(&info["description"])),
    );
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            section(&mut out, path, method, operation);
        }
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn section(out: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(
        out,
        "<h2 id=\"{id}\"><code><span class=\"method\">{method}</span>{path}</code> {summary}</h2>\n<p>{about}</p>\n",
        id = escaped(text(&operation["operationId"])),
        path = escaped(path),
        summary = escaped(text(&operation["summary"])),
        about = escaped(text(&operation["description"])),
    );
    let params = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if params.is_empty() {
        return;
    }
    out.push_str(
        "<table>\n<thead><tr><th>parameter</th><th>what it does</th></tr></thead>\n<tbody>\n",
    );
    for param in params {
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td>{}<span class=\"takes\">{}</span></td></tr>",
            escaped(text(&param["name"])),
            escaped(text(&param["description"])),
            escaped(&takes(param)),
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

/// What values a parameter takes, and one that works.
fn takes(param: &Value) -> String {
    let schema = &param["schema"];
    let kind = match (&schema["enum"], text(&schema["type"])) {
        (Value::Array(words), _) => {
            words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | ")
        }
        (_, kind @ ("integer" | "number")) => {
            format!("{kind}, {} to {}", schema["minimum"], schema["maximum"])
        }
        (_, "object") => return "text, as attr.room=abc123".to_owned(),
        (_, _) => "text".to_owned(),
    };
    let example = match &param["example"] {
        Value::String(example) => example.clone(),
        other => other.to_string(),
    };
    format!("{kind}, as {example}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
