use proptest::prelude::*;
use regex::Regex;

use super::*;

/// A template from `<n>` for a number, `<v>` for a chunk, `<m>` for chunks, `<a>` for anything, ` ` for a blank,
/// `..` for dots.
fn template(text: &str) -> Template {
    let piece = Regex::new(r"<[nvamo23d]>| |\.\.|<|\.|[^<. ]+").unwrap();
    Template::new(piece.find_iter(text).map(|piece| match piece.as_str() {
        "<n>" => Piece::Value(Extent::NUMBER),
        "<v>" => Piece::Value(Extent::CHUNK),
        "<a>" => Piece::Value(Extent::ANY),
        "<m>" => Piece::Value(Extent::CHUNKS),
        "<o>" => Piece::Value(Extent::new(0, 2, false)),
        "<2>" => Piece::Value(Extent::new(2, 2, true)),
        "<3>" => Piece::Value(Extent::new(2, 3, false)),
        "<d>" => Piece::Value(Extent::new(1, 99, true)),
        " " => Piece::Blank,
        ".." => Piece::Dots,
        other => Piece::Text(other.into()),
    }))
}

#[track_caller]
fn check(text: &str, message: &str, expected: bool) {
    let template = template(text);
    assert_eq!(template.matches(message.as_bytes()), expected, "{text:?} of {message:?}");
    assert_eq!(
        Regex::new(&template.regex()).unwrap().is_match(message),
        expected,
        "{} of {message:?}",
        template.regex()
    );
}

#[test]
fn a_template_matches_whole_messages() {
    check("disk full", "disk full", true);
    check("disk full", "  disk \t full\n", true);
    check("disk full", "disk full!", false);
    check("disk full", "the disk full", false);
    check("disk full", "diskfull", false);
    check("", "", true);
    check("", " ", true);
    check("", "a", false);
    check("a.b*c(d)[e]{f}^$|?+\\/-#&~", "a.b*c(d)[e]{f}^$|?+\\/-#&~", true);
    check("a.b", "a-b", false);
}

#[test]
fn a_number_holds_a_digit_and_no_blank() {
    check("took <n> ms", "took 12 ms", true);
    check("took <n> ms", "took x1y ms", true);
    check("took <n> ms", "took long ms", false);
    check("took <n> ms", "took 1 2 ms", false);
    check("took <n>", "took", false);
    check("eth<n>", "eth0", true);
}

#[test]
fn a_value_is_one_word_and_anything_is_anything() {
    check("user <v> left", "user ann left", true);
    check("user <v> left", "user ann b left", false);
    check("user <v> left", "user  left", false);
    check("got <a>", "got a b\nc", true);
    check("got(<a>)", "got()", true);
    check("<a>", "", true);
    check("<v>-x", "a-x-x", true);
    check("<v>-<v>", "-", false);
    check("<v>-<v>", "---", true);
    check("enable..<n>", "enable.........1", true);
    check("enable..<n>", "enable.1", false);
    check("<v>é", "éé", true);
    check("got <2> ok", "got 1 2 ok", true);
    check("got <2> ok", "got 1 ok", false);
    check("got <2> ok", "got 1 x ok", false);
    check("got <3> ok", "got a b c ok", true);
    check("got <3> ok", "got a b c d ok", false);
    check("got(<o>)", "got()", true);
    check("got(<o>)", "got(a b)", true);
    check("got(<o>)", "got(a b c)", false);
    check("<d> end", "1 2 3 4 5 6 7 8 9 x1 end", true);
    check("<d> end", "1 2 x 3 end", false);
}

#[test]
fn the_text_has_placeholders() {
    assert_eq!(template("a <n> b..<v>(<a>)").to_string(), "a <*> b..<*>(<*>)");
    assert_eq!(template("a <n> b..<v>(<a>)").values(), 3);
}

#[test]
fn a_long_template_has_a_bounded_regex_that_matches() {
    let words: Vec<String> = (0..800).map(|at| format!("(word{at}) <v>")).collect();
    let template = template(&words.join(" "));
    let message = words.join(" ").replace("<v>", "x");
    let regex = template.regex();
    assert!(regex.len() <= REGEX_BYTES_MAX && regex.len() > REGEX_BYTES_MAX - 100);
    assert!(Regex::new(&regex).unwrap().is_match(&message));
    assert!(template.matches(message.as_bytes()));
    assert!(!template.matches(&message.as_bytes()[1..]));
}

#[test]
fn the_largest_regex_compiles_within_a_mebibyte() {
    for extent in [
        Extent::new(4, 99, true),
        Extent::new(1, 4, true),
        Extent::new(0, 99, true),
        Extent::NUMBER,
    ] {
        let pieces = (0..200).flat_map(|_| [Piece::Value(extent), Piece::Text("a".into())]);
        let regex = Template::new(pieces).regex();
        assert!(regex.len() > REGEX_BYTES_MAX - 200);
        let compiled = regex::RegexBuilder::new(&regex).size_limit(1 << 20).build();
        assert!(compiled.is_ok(), "{extent:?} {}", compiled.unwrap_err());
    }
}

proptest! {
    /// The matcher and the regex agree, whatever the template and the message.
    #[test]
    fn matcher_and_regex_agree(text in "(<[nvamo23d]>| |\\.\\.|a|b|-|1){0,7}", message in "[ab1 .-]{0,9}") {
        let template = template(&text);
        let regex = Regex::new(&template.regex()).unwrap();
        prop_assert_eq!(template.matches(message.as_bytes()), regex.is_match(&message), "{} of {:?}", template.regex(), message);
    }
}
