use proptest::prelude::*;

use super::{samples::*, *};

/// Compares the distilled text, ten frames at most.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let stack = parse(text).expect("a trace");
    let lines: Vec<String> = stack.distilled(10).lines().collect();
    assert_eq!(lines, expected, "{stack:#?}");
}

/// A shape of the tree: kind, link, parent.
fn shape<'a>(stack: &Stack<'a>) -> Vec<(&'a str, Link, Option<usize>)> {
    stack.causes.iter().map(|cause| (cause.kind, cause.link, cause.parent)).collect()
}

#[test]
fn python_chains_both_ways() {
    check(
        PYTHON,
        &[
            "ValueError: note from add_note",
            "  … 1 library frame, from get (lib/x.py:1)",
            "  at <module> (/app/main.py:13): {}[\"k\"]",
            "  … 1 library frame",
            "while handling shop.errors.CartError: no pear (+2 lines)",
            "  at total (/app/shop/cart.py:10): raise CartError(f\"no {item}\") from e",
            "  at checkout (/app/shop/views.py:10): return total(item)",
            "caused by KeyError: 'pear' [root cause]",
            "  at total (/app/shop/cart.py:8): try: prices[item]",
        ],
    );
    let stack = parse(PYTHON).unwrap();
    let message = &stack.causes[1].message;
    assert_eq!(message, "no pear\n  File \"fake.py\", line 3, in z\nsecond line");
    assert!(matches!(message, Cow::Borrowed(_)));
}

#[test]
fn python_groups_are_trees() {
    check(
        GROUP,
        &[
            "SystemExit: 1",
            "  at <module> (/app/p.py:30): raise SystemExit(1)",
            "while handling ExceptionGroup: unhandled errors in a TaskGroup (3 sub-exceptions)",
            "  … 1 library frame, from run (asyncio/runners.py:190)",
            "  at <module> (/app/p.py:20): asyncio.run(main())",
            "  member KeyError: 'k'",
            "    at b (/app/p.py:13): {}[\"k\"]",
            "  while handling ValueError: bad (+1 line) [root cause]",
            "    at boom (/app/p.py:5) ×6: raise ValueError(\"bad\")",
            "  member OSError",
            "    at h (/app/p.py:24): raise OSError",
            "  while handling ExceptionGroup: inner (2 sub-exceptions)",
            "    at g (/app/p.py:23): raise",
            "    member TypeError: 1 (×2)",
            "… 5 more causes",
        ],
    );
}

#[test]
fn java_causes_and_what_was_suppressed() {
    let stack = parse(JAVA).unwrap();
    assert_eq!(
        shape(&stack),
        [
            ("java.lang.RuntimeException", Link::Outermost, None),
            ("java.lang.Exception", Link::Cause, Some(0)),
            ("java.lang.IllegalStateException", Link::Cause, Some(1)),
            ("java.lang.Error", Link::Cause, Some(2)),
            ("java.lang.RuntimeException", Link::Suppressed, Some(2)),
            ("java.io.IOException", Link::Cause, Some(4)),
        ]
    );
    assert_eq!(stack.causes[2].message, "bad 0\nsecond line: x");
    assert_eq!((stack.causes[2].common, stack.root().kind), (7, "java.lang.Error"));
    check(
        JAVA,
        &[
            "java.lang.RuntimeException: wrapped",
            "  at com.shop.Cart.lambda$total$0 (Cart.java:9)",
            "  … 2 library frames",
            "  at com.shop.Main.main (Main.java:3)",
            "caused by java.lang.Exception",
            "caused by java.lang.IllegalStateException: bad 0 (+1 line)",
            "  at com.shop.A.f (A.java:4) ×3",
            "  … 1 library frame",
            "caused by java.lang.Error: root [root cause]",
            "  … 1 library frame, from lib.Thing.run (Thing.java:1)",
            "  suppressed java.lang.RuntimeException: close",
            "    at com.shop.Res.close (A.java:5)",
            "  caused by java.io.IOException: disk",
            "    … 1 library frame, from org.postgresql.Driver.x (Driver.java:5)",
        ],
    );
}

#[test]
fn node_causes_and_aggregates() {
    check(
        NODE,
        &[
            "PaymentError: no money 3 (+1 line)",
            "  at inner (/app/n.mjs:2)",
            "  at outer (/app/n.mjs:3)",
            "  … 2 library frames",
            "  at /app/n.mjs:11",
            "caused by TypeError: root",
            "  … 1 library frame, from Object.m (lib/index.js:2)",
            "  at Foo (/app/foo.js:3)",
            "caused by Error: deep [root cause]",
            "  at deep (/app/deep.js:1)",
        ],
    );
    check(
        AGGREGATE,
        &[
            "AggregateError: All promises were rejected",
            "  member PaymentError: no money 3 (×2)",
            "    at inner (/app/n.mjs:2)",
            "    … 1 library frame",
            "  caused by TypeError: root [root cause]",
            "    at inner (/app/n.mjs:2)",
            "  member RangeError: other",
            "    at f (/app/n.mjs:9)",
        ],
    );
}

#[test]
fn go_panics_and_wrapped_errors() {
    check(
        GO,
        &[
            "runtime error: index out of range: [5] with length 3",
            "  … 1 library frame",
            "  at main.(*Cart).total.func1 (/app/main.go:12)",
            "  … 1 library frame",
            "  at main.main (/app/main.go:5)",
            "  … 1 library frame",
            "while handling panic: first [root cause]",
        ],
    );
    check(
        PKG_ERRORS,
        &[
            "serving",
            "caused by loading cart",
            "  at main.main (/app/main.go:21)",
            "caused by no such row [root cause]",
            "  at main.load (/app/store.go:12)",
            "  at main.main (/app/main.go:20)",
            "  … 1 library frame",
        ],
    );
}

#[test]
fn rust_panics_and_error_chains() {
    check(
        RUST,
        &[
            "panic: index out of bounds: the len is 0 but the index is 0",
            "  … 3 library frames",
            "  at shop::store::load (./src/store.rs:1)",
            "  at shop::store::load::{{closure}} (./src/store.rs:1)",
            "  … the 2 above 1 more time",
            "  at shop::store::load (./src/store.rs:1)",
            "  at shop::main",
            "  … 2 library frames",
        ],
    );
    check(
        ANYHOW,
        &[
            "failed to start",
            "  … 1 library frame",
            "  at shop::start (/app/src/main.rs:4)",
            "caused by could not open file (+1 line)",
            "caused by No such file [root cause]",
        ],
    );
    check(
        "thread 'main' panicked at 'old: msg', src/x.rs:1:2\nnote: run with",
        &["panic: old: msg", "  at src/x.rs:1"],
    );
}

#[test]
fn dotnet_ruby_php_and_elixir() {
    check(
        ELIXIR,
        &[
            "KeyError: key :pear not found (+1 line)",
            "  at Shop.Cart.total/1 (lib/shop/cart.ex:5)",
            "  … 2 library frames",
            "  at Shop.Web.show/2 (lib/shop/web.ex:9)",
        ],
    );
    check(
        DOTNET,
        &[
            "System.InvalidOperationException: outer",
            "  at Shop.Views.<Checkout>d__5.MoveNext (/src/Views.cs:9)",
            "  at Shop.Main",
            "caused by System.ArgumentException: inner",
            "  … 1 library frame, from System.Linq.Enumerable.First[T]",
            "caused by Shop.CartException: root [root cause]",
            "  at Shop.Cart.Total (/src/Cart.cs:3)",
        ],
    );
    check(
        RUBY,
        &[
            "KeyError: no pears",
            "  at total (app.rb:3)",
            "  … 1 library frame",
            "  at <main> (app.rb:7)",
            "caused by RuntimeError: gone [root cause]",
            "  at fetch (app.rb:1)",
            "  at total (app.rb:3)",
        ],
    );
    check(
        PHP,
        &[
            "CartError: cart",
            "  at {main} (/app/index.php:11)",
            "caused by KeyError: no pears [root cause]",
            "  at total (/app/cart.php:3)",
            "  … 1 library frame",
            "  at {main} (/app/index.php:9)",
        ],
    );
}

#[test]
fn without_frames() {
    check("ValueError: bad\nand more", &["ValueError: bad (+1 line)"]);
    check(
        "outer failed\nCaused by: inner\nCaused by: root",
        &["outer failed", "caused by inner", "caused by root [root cause]"],
    );
    for text in ["", "\n \n", "all is well: 3", "ERROR: no", "at the end (of all)", "10: x"] {
        assert_eq!(parse(text), None, "{text}");
    }
    assert_eq!(group("ValueError: a"), group("ValueError: b 2"));
    assert_ne!(group("ValueError: a"), group("KeyError: a"));
    assert_eq!(group("lost 10.0.0.1:80 after 3"), group("lost 10.0.0.2:81 after 4"));
    assert_ne!(group("lost 10.0.0.1:80 after 3"), group("found 10.0.0.2:81 after 4"));
}

#[test]
fn a_worker_tells_its_traceback_in_a_message() {
    let text = "concurrent.futures.process._RemoteTraceback: \n\"\"\"\n\
        Traceback (most recent call last):\n  File \"/app/w.py\", line 3, in work\n    f()\n\
        ValueError: bad\n\"\"\"\n\nThe above exception was the direct cause of the following \
        exception:\n\nTraceback (most recent call last):\n  File \"/app/m.py\", line 9, in main\n    \
        pool.get()\nValueError: bad\n";
    let stack = parse(text).unwrap();
    let kinds = [("ValueError", Link::Outermost, None), ("ValueError", Link::Cause, Some(0))];
    assert_eq!(shape(&stack), kinds);
    assert_eq!(stack.root().frames[0].function, "work");
}

#[test]
fn recursion_is_folded_and_frames_are_bounded() {
    let mut text = String::from("java.lang.StackOverflowError\n");
    for n in 0..1024 {
        let name = if n % 2 == 0 { "even" } else { "odd" };
        text.push_str(&format!("\tat com.shop.A.{name}(A.java:4)\n"));
    }
    let stack = parse(&text).unwrap();
    let cause = stack.root();
    assert_eq!(cause.frames.len(), FRAMES_MAX);
    assert_eq!(cause.gap, Some(Gap { at: FRAMES_MAX / 2, count: 1024 - FRAMES_MAX }));
    check(
        &text,
        &[
            "java.lang.StackOverflowError",
            "  at com.shop.A.even (A.java:4)",
            "  at com.shop.A.odd (A.java:4)",
            "  … the 2 above 31 more times",
            "  … 896 more frames",
            "  at com.shop.A.even (A.java:4)",
            "  at com.shop.A.odd (A.java:4)",
            "  … the 2 above 31 more times",
        ],
    );
}

#[test]
fn a_group_that_was_never_raised_and_what_loguru_marks() {
    let text = "  | ExceptionGroup:  (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    \
        | Exception Group Traceback (most recent call last):\n    |   File \"/a.py\", line 2, in f\n    \
        | ExceptionGroup: inner (1 sub-exception)\n    +-+---------------- 1 ----------------\n      \
        | ValueError: 1\n      +------------------------------------\n    \
        +---------------- 2 ----------------\n    | KeyError: 'z'\n    \
        +------------------------------------\n";
    let stack = parse(text).unwrap();
    assert_eq!(
        shape(&stack),
        [
            ("ExceptionGroup", Link::Outermost, None),
            ("ExceptionGroup", Link::Member, Some(0)),
            ("ValueError", Link::Member, Some(1)),
            ("KeyError", Link::Member, Some(0)),
        ]
    );
    check(
        "Traceback (most recent call last):\n\n  File \"/app/a.py\", line 9, in g\n    f(x)\n    │ └ 3\n    \
         └ <function f at 0x7f>\n\n> File \"/app/a.py\", line 4, in f\n    raise ValueError(x)\n\n\
         ValueError: 3",
        &[
            "ValueError: 3",
            "  at f (/app/a.py:4): raise ValueError(x)",
            "  at g (/app/a.py:9): f(x)",
        ],
    );
}

#[test]
fn a_long_chain_keeps_its_ends() {
    let mut text = String::from("a.B: 0\n");
    (1..1000)
        .for_each(|n| text.push_str(&format!("Caused by: a.B: {n}\n\tat a.C.f(C.java:{n})\n")));
    let stack = parse(&text).unwrap();
    assert_eq!((stack.causes.len(), stack.causes_omitted), (CAUSES_MAX, 1000 - CAUSES_MAX));
    assert_eq!((&*stack.outermost().message, &*stack.root().message), ("0", "999"));
}

#[test]
fn recursion_that_wraps_is_told_once() {
    let level = "Caused by: a.B: x\n\tat a.C.f(C.java:3)\n\t... 1 more\n".repeat(20);
    let head = "a.B: y\n\tat a.C.f(C.java:3)\n\tat a.C.main(C.java:1)\n";
    check(
        &format!("{head}{level}Caused by: a.Root: z\n\tat a.C.g(C.java:8)\n\t... 2 more\n"),
        &[
            "a.B: y",
            "  at a.C.f (C.java:3)",
            "  at a.C.main (C.java:1)",
            "… 20 more causes like it",
            "caused by a.Root: z [root cause]",
            "  at a.C.g (C.java:8)",
        ],
    );
}

#[test]
fn few_frames_go_to_the_root_cause() {
    let stack = parse(PYTHON).unwrap();
    let lines: Vec<String> = stack.distilled(0).lines().collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with("  at ")).count(), 3);
    assert!(lines.contains(&"  … 1 more frame".to_owned()), "{lines:?}");
}

/// What must hold for any text.
fn holds(text: &str) {
    let _ = group(text);
    let Some(stack) = parse(text) else { return };
    assert!(!stack.causes.is_empty() && stack.causes.len() <= CAUSES_MAX);
    for (at, cause) in stack.causes.iter().enumerate() {
        assert!(cause.frames.len() <= FRAMES_MAX && cause.count > 0);
        assert_eq!(cause.parent.is_none(), at == 0);
        assert_eq!(cause.link == Link::Outermost, at == 0);
        assert!(cause.parent.is_none_or(|parent| parent < at));
    }
    assert!(stack.root_at() < stack.causes.len());
    let (group, site) = (stack.group(), stack.site());
    assert_eq!((group, site), (stack.clone().group(), stack.clone().site()));
    for most in [0, 1, 7, 1000] {
        let distilled = stack.distilled(most);
        let frames: usize = distilled
            .causes
            .iter()
            .map(|c| c.rows.iter().filter(|row| matches!(row, Row::Frame { .. })).count())
            .sum();
        assert!(frames <= most.max(stack.causes.len()), "{frames} of {most}");
        assert!(distilled.lines().all(|line| !line.contains('\n')));
    }
}

/// A megabyte of what could cost more than its length.
#[test]
fn large_texts_are_read_within_bounds() {
    let fill = |head: &str, line: &str| head.to_owned() + &line.repeat((1 << 20) / line.len());
    for (head, line) in [
        ("a.B: x\n", "Caused by: a.B: x\n"),
        ("a.B: x\n", "\tSuppressed: a.B: x\n\t\tat a.B.c(D.java:1)\n"),
        ("a.B: x\n\tat a.B.c(D.java:1)\n", "a message that never ends\n"),
        ("not named\nCaused by: ", "a message that never ends\n"),
        ("Traceback (most recent call last):\n", "  File \"a.py\", line 1, in f\n"),
        ("Traceback (most recent call last):\nValueError: a\n", "and more\n"),
        (
            "",
            "Traceback (most recent call last):\nValueError: a\n\nDuring handling of the above exception, another exception occurred:\n\n",
        ),
        (
            "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: x\n  +-+---------------- 1 ----------------\n",
            "    | ValueError: 1\n    +---------------- 2 ----------------\n",
        ),
        (
            "  + Exception Group Traceback (most recent call last):\n",
            "  | ExceptionGroup: x\n  +-+---------------- 1 ----------------\n",
        ),
        (
            "[AggregateError: x] {\n  [errors]: [\n",
            "    Error: x\n        at f (/a.js:1:1) {\n      [cause]: Error: y\n    },\n",
        ),
        ("Error: x\n    at f (/a.js:1:1) {\n", "  [cause]: Error: y\n"),
        ("panic: x\n", "\tpanic: y\n"),
        ("Error: x\n\nCaused by:\n", "    0: y\n"),
        ("System.Exception: x\n", " ---> System.Exception: y\n"),
        ("", "KeyError: x in /a.php:1\n#0 /a.php(3): f()\nNext "),
        ("KeyError: ", "x"),
        ("at f (", "("),
        ("", "\u{2028}é"),
    ] {
        holds(&fill(head, line));
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(?s).{0,400}") {
        holds(&text);
    }

    /// Lines of real traces, cut, doubled, mixed and indented.
    #[test]
    fn changed_traces_are_read(
        changes in prop::collection::vec((0usize..13, 0usize..60, 0u8..6, any::<prop::sample::Index>()), 1..80),
    ) {
        let mut text = String::new();
        for (sample, line, change, index) in changes {
            let lines: Vec<&str> = SAMPLES[sample].lines().collect();
            let line = lines[line % lines.len()];
            let cut = (0..=line.len()).rev().filter(|at| line.is_char_boundary(*at));
            let cut = cut.min_by_key(|at| at.abs_diff(index.index(line.len() + 1))).unwrap_or(0);
            match change {
                0 => text.push_str(&line[..cut]),
                1 => text.push_str(&line[cut..]),
                2 => { text.push_str("    "); text.push_str(line); }
                3 => { text.push_str(&line[..cut]); text.push('é'); text.push_str(&line[cut..]); }
                4 => { text.push_str(line); text.push('\n'); text.push_str(line); }
                _ => text.push_str(line),
            }
            text.push('\n');
        }
        holds(&text);
    }

    #[test]
    fn cut_traces_are_read(sample in 0usize..13, from in 0usize..3000, to in 0usize..3000) {
        let text = SAMPLES[sample];
        let at = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n));
        if let (Some(from), Some(to)) = (at(from), at(to)) && from <= to {
            holds(&text[from..to]);
        }
    }
}
