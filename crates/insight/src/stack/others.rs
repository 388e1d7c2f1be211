//! .NET, Ruby, PHP and Elixir: the common forms of each.

use super::{
    Cause, Frame, Language, Link, Stack, app, head,
    tree::{self, Tree},
};

/// .NET: heads from the outermost to the innermost (`--->`), then their frames from the innermost
/// out, with a line where one ends.
pub(super) fn dotnet(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    // From the outermost to the innermost that has not ended.
    let mut open: Vec<usize> = Vec::new();
    let mut in_message = false;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if bare.is_empty() {
            continue;
        }
        if let Some(frame) = bare.strip_prefix("at ").and_then(dotnet_frame) {
            in_message = false;
            if tree.is_empty() {
                open.push(tree.add(Cause::new("", "", Link::Outermost), None));
            }
            if let Some(node) = open.last() {
                tree.node(*node).push(frame);
            }
        } else if bare.starts_with("--- End of inner exception") {
            in_message = false;
            if open.len() > 1 {
                open.pop();
            }
        } else if bare.starts_with("--- ") {
            in_message = false;
        } else if tree.is_empty() || bare.starts_with("---> ") {
            in_message = true;
            let bare = bare.strip_prefix("Unhandled exception. ").unwrap_or(bare);
            let bare = bare.strip_prefix("Unhandled Exception: ").unwrap_or(bare);
            for said in bare.split("---> ").map(str::trim).filter(|said| !said.is_empty()) {
                let member = said.strip_prefix("(Inner Exception #").and_then(|rest| {
                    rest.split_once(") ").filter(|(n, _)| n.bytes().all(|b| b.is_ascii_digit()))
                });
                let (link, said) = match member {
                    Some((_, said)) => (Link::Member, said),
                    None => (Link::Cause, said),
                };
                if link == Link::Member {
                    open.truncate(1);
                }
                let cause = head::cause(said.trim_end_matches("<---"), link);
                open.push(tree.add(cause, open.last().copied()));
            }
        } else if let (true, Some(node)) = (in_message, open.last()) {
            tree::extend(text, tree.node(*node), line);
        }
    }
    tree.finish(Language::Dotnet, 0)
}

/// `Shop.Cart.Total(String item) in /src/Cart.cs:line 9`.
fn dotnet_frame(call: &str) -> Option<Frame<'_>> {
    let (function, rest) = call.split_once('(')?;
    let place = rest.rsplit_once(") in ").and_then(|(_, place)| place.rsplit_once(":line "));
    let (file, line) = place.map_or(("", None), |(file, line)| (file, line.parse().ok()));
    let is_app = app::dotnet(function);
    Some(Frame { function, file, line, code: None, is_app, repeats: 0 })
}

/// Ruby: ``app.rb:3:in `total': no pears (KeyError)``, `\tfrom app.rb:7:in …`, and after them the
/// same again for what caused it. Rails puts `KeyError (no pears):` above frames without `from`.
pub(super) fn ruby(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    let mut last = None;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        let call = bare.strip_prefix("from ").unwrap_or(bare);
        if let Some((frame, said)) = ruby_frame(call) {
            if let Some((kind, message)) = said.and_then(ruby_said) {
                let link = if last.is_some() { Link::Cause } else { Link::Outermost };
                last = Some(tree.add(Cause::new(kind, message, link), last));
            }
            let node = match last {
                Some(node) => node,
                None => tree.add(Cause::new("", "", Link::Outermost), None),
            };
            last = Some(node);
            tree.node(node).push(frame);
        } else if last.is_none() && !bare.is_empty() {
            let rails = bare.strip_suffix("):").and_then(|rest| rest.split_once(" ("));
            let cause = match rails {
                Some((kind, message)) if head::is_type(kind) => {
                    Cause::new(kind, message, Link::Outermost)
                }
                _ => head::cause(bare, Link::Outermost),
            };
            last = Some(tree.add(cause, None));
        }
    }
    tree.finish(Language::Ruby, 0)
}

/// A frame, and what follows it on its line.
fn ruby_frame(text: &str) -> Option<(Frame<'_>, Option<&str>)> {
    let at = text.find(":in `").or_else(|| text.find(":in '"))?;
    let (file, line) = text[..at].rsplit_once(':')?;
    let rest = &text[at + ":in `".len()..];
    let (function, rest) = rest.split_once('\'')?;
    let frame = Frame {
        function,
        file,
        line: Some(line.parse().ok()?),
        code: None,
        is_app: app::script(file),
        repeats: 0,
    };
    Some((frame, rest.strip_prefix(": ")))
}

fn ruby_said(said: &str) -> Option<(&str, &str)> {
    let (message, kind) = said.strip_suffix(')')?.rsplit_once(" (")?;
    Some((kind, message))
}

/// PHP: the innermost first, each that wraps it after `Next `. A frame is a place and what was
/// called there; so the function of a place is in the line after it.
pub(super) fn php(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    let mut last: Option<usize> = None;
    let mut place = ("", None);
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if bare.is_empty() || bare == "Stack trace:" || bare.starts_with("thrown in ") {
            continue;
        }
        if let Some((file, number, call)) = php_frame(bare) {
            let node = match last {
                Some(node) => node,
                None => tree.add(Cause::new("", "", Link::Outermost), None),
            };
            last = Some(node);
            let function = call.split('(').next().unwrap_or(call).trim_end_matches(' ');
            // Without the head the first place is not known.
            let (at, line) = place;
            let is_app = app::script(at);
            let frame = Frame { function, file: at, line, code: None, is_app, repeats: 0 };
            tree.node(node).push(frame);
            place = (file, number);
        } else if let (Some(inner), Some(said)) = (last, bare.strip_prefix("Next ")) {
            let (cause, at) = php_said(said);
            let outer = tree.add(cause, None);
            tree.attach(inner, outer, Link::Cause);
            (last, place) = (Some(outer), at);
        } else if last.is_none() {
            let said = bare.split_once("Uncaught ").map_or(bare, |(_, said)| said);
            let (cause, at) = php_said(said);
            (last, place) = (Some(tree.add(cause, None)), at);
        }
    }
    tree.finish(Language::Php, last.unwrap_or(0))
}

/// `KeyError: no pears in /app/cart.php:3`.
fn php_said(said: &str) -> (Cause<'_>, (&str, Option<u32>)) {
    let (said, place) = match said.rsplit_once(" in ") {
        Some((said, place)) => (said, tree::place(place)),
        None => (said, ("", None)),
    };
    let (kind, message) = head::split(said).unwrap_or(("", said));
    (Cause::new(kind, message, Link::Outermost), place)
}

/// `#0 /app/cart.php(7): total('pear')`, `#1 [internal function]: f()`, `#2 {main}`.
fn php_frame(line: &str) -> Option<(&str, Option<u32>, &str)> {
    let (number, rest) = line.strip_prefix('#')?.split_once(' ')?;
    number.parse::<u32>().ok()?;
    if rest == "{main}" {
        return Some(("", None, rest));
    }
    let (place, call) = rest.split_once(": ")?;
    match place.strip_suffix(')').and_then(|place| place.rsplit_once('(')) {
        Some((file, line)) => Some((file, line.parse().ok(), call)),
        None => Some((place, None, call)),
    }
}

/// Elixir: `** (KeyError) no pears`, then `    (shop 0.1.0) lib/cart.ex:5: Shop.Cart.total/1`.
pub(super) fn elixir(text: &str) -> Option<Stack<'_>> {
    let mut tree = Tree::new();
    let mut in_message = false;
    for (_, line) in tree::lines(text) {
        let bare = line.trim();
        if let Some((kind, message)) = bare
            .strip_prefix("** (")
            .and_then(|rest| rest.split_once(") "))
            .filter(|_| tree.is_empty())
        {
            tree.add(Cause::new(kind, message, Link::Outermost), None);
            in_message = true;
        } else if let Some(frame) = elixir_frame(bare).filter(|_| !tree.is_empty()) {
            tree.node(0).push(frame);
            in_message = false;
        } else if in_message && !bare.is_empty() {
            tree::extend(text, tree.node(0), line);
        }
    }
    tree.finish(Language::Elixir, 0)
}

/// The function without its arity's arguments stays as it is printed: `Shop.Cart.total/1`.
fn elixir_frame(line: &str) -> Option<Frame<'_>> {
    let (application, rest) = match line.strip_prefix('(') {
        Some(rest) => rest.split_once(") ")?,
        None => ("", line),
    };
    let (place, function) = rest.split_once(": ")?;
    let (file, line) = tree::place(place);
    line?;
    let name = application.split(' ').next().unwrap_or_default();
    // A project that is being compiled has no application's name before its files.
    let is_app = app::elixir(name) || (name.is_empty() && !file.starts_with("deps/"));
    Some(Frame { function, file, line, code: None, is_app, repeats: 0 })
}
