use super::{
    super::{group, parse, samples::*},
    *,
};

/// Every change in a pair leaves the group as it is.
#[test]
fn the_same_site_is_one_group() {
    let same = [
        (PYTHON, "/app/", "/home/u/app/"),
        (PYTHON, "/app/", "/srv/release-7/"),
        (PYTHON, "line 1", "line 21"),
        (PYTHON, "pear", "plum"),
        (GROUP, "3 more times", "900 more times"),
        (
            GROUP,
            "    |   File \"/app/p.py\", line 4, in boom\n    |     if n: return boom(n-1)\n",
            "",
        ),
        (GROUP, "TypeError: 2\n", "TypeError: 9\n"),
        (JAVA, "pool-1-thread-7", "main"),
        (JAVA, "lambda$total$0", "lambda$total$12"),
        (JAVA, "\tat com.shop.A.f(A.java:5)\n", ""),
        (JAVA, SUPPRESSED, ""),
        (NODE, "/app/", "/home/u/"),
        (NODE, "async outer", "outer"),
        (NODE, "    at async Promise.all (index 0)\n", ""),
        (AGGREGATE, "index 1", "index 5"),
        (GO, "goroutine 18", "goroutine 7"),
        (GO, "[5] with length 3", "[9] with length 2"),
        (GO, "func1", "func2"),
        (RUST, "'w1' (28542)", "'tokio-runtime-worker'"),
        (RUST, "the index is 0", "the index is 7"),
        (RUST, "::h0123456789abcdef", ""),
        (DOTNET, "d__5", "d__17"),
    ];
    for (text, from, to) in same {
        let changed = text.replace(from, to);
        assert_ne!(text, changed, "{from} is not there");
        assert_eq!(group(text), group(&changed), "{from} -> {to}");
    }
}

#[test]
fn another_site_is_another_group() {
    let other = [
        (PYTHON, "in checkout", "in preview"),
        (PYTHON, "raise CartError(f\"no {item}\") from e", "raise CartError(\"empty\") from e"),
        (PYTHON, "KeyError: 'pear'", "IndexError: 'pear'"),
        (PYTHON, "shop/cart.py", "shop/stock.py"),
        (GROUP, "TypeError: 2", "NameError: 2"),
        (JAVA, "com.shop.A.f", "com.shop.B.f"),
        (JAVA, "Caused by: java.lang.Error: root", "Caused by: java.lang.LinkageError: root"),
        (NODE, "foo.js", "bar.js"),
        (GO, "main.(*Cart).total", "main.(*Cart).count"),
        (GO, "index out of range [5] with length 3", "integer divide by zero"),
        (RUST, "index out of bounds", "attempt to divide by zero"),
        (RUST, "shop::main", "shop::serve"),
        (PHP, "total(", "count("),
        (RUBY, "`total'", "`count'"),
    ];
    for (text, from, to) in other {
        let changed = text.replace(from, to);
        assert_ne!(text, changed, "{from} is not there");
        assert_ne!(group(text), group(&changed), "{from} -> {to}");
    }
}

/// anyhow's context, added at each level of a recursion.
#[test]
fn recursion_that_wraps_is_one_group() {
    let deep = ANYHOW.replace("    1: No", "    1: could not open file\n    2: No");
    let typed = |depth: usize| {
        let level = "Caused by: a.B: x\n\tat a.C.f(C.java:3)\n".repeat(depth);
        format!("a.B: y\n\tat a.C.f(C.java:9)\n{level}Caused by: a.Root: z\n\tat a.C.g(C.java:3)\n")
    };
    assert_eq!(group(ANYHOW), group(&deep));
    assert_eq!(group(&typed(1)), group(&typed(17)));
    let bare = |n: u8| {
        format!("Error: loading {n}\n\nCaused by:\n    0: loading {n}\n    1: no row {n}\n")
    };
    assert_eq!(group(&bare(1)), group(&bare(2)));
    assert_ne!(group(&bare(1)), group(&bare(1).replace("no row", "no table")));
    assert_ne!(
        parse(&bare(1)).unwrap().site(),
        parse(&bare(1).replace("no row", "no table")).unwrap().site()
    );
}

/// Which function of a recursion meets the limit is chance.
#[test]
fn recursion_to_the_limit_is_one_group() {
    let python = |first: usize, leaf: &str| {
        let mut text = String::from("Traceback (most recent call last):\n");
        text += "  File \"/app/m.py\", line 9, in main\n    a(x)\n";
        for n in 0..900 + first {
            let name = ["a", "b", "c"][n % 3];
            text += &format!("  File \"/app/m.py\", line {n}, in {name}\n    next(x)\n");
        }
        text + leaf + "RecursionError: maximum recursion depth exceeded\n"
    };
    let leaf = "  File \"/app/m.py\", line 1, in leaf\n    x + 1\n";
    assert_eq!(group(&python(0, "")), group(&python(1, leaf)));
    assert_ne!(group(&python(0, "")), group(&python(0, "").replace("in b", "in d")));
}

#[test]
fn a_site_is_one_by_all_its_paths() {
    let other = PYTHON.replace("in checkout", "in preview").replace("SystemExit", "ValueError");
    assert_ne!(group(PYTHON), group(&other));
    assert_eq!(parse(PYTHON).unwrap().site(), parse(&other).unwrap().site());
}

#[test]
fn group_ids_are_text_and_never_change() {
    assert_eq!(group("ValueError: bad").to_string().len(), 16);
    let id = parse(GO).unwrap().group();
    assert_eq!(id.to_string().parse::<GroupId>().unwrap(), id);
    // Ids are kept in queries and alerts: another here is a breaking change.
    let ids = SAMPLES.map(|text| group(text).to_string());
    let expected = [
        "eb617257b27714e2",
        "0002d31d027b699c",
        "0522dd73c15f721b",
        "0d2fd914e831174c",
        "2d0d9fd2f6b58c77",
        "4ad391ce2d5c293a",
        "525a27dfb0777cb4",
        "077c1b010cb6a0f5",
        "1753f0c563f93b97",
        "7a32881616b9a4e4",
        "ff49b3343bb2c9e5",
        "a6b5265fe85aa9c2",
        "2c077ce9ab766dbe",
    ];
    assert_eq!(ids, expected);
}
