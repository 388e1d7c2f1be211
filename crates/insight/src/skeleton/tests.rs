use proptest::prelude::*;

use super::*;

/// A skeleton as text: `*` for a value, one blank for blanks.
#[derive(Default)]
struct Text(Vec<u8>);

impl Sink for Text {
    fn blank(&mut self) {
        self.0.push(b' ');
    }
    fn mark(&mut self, mark: u8) {
        self.0.push(mark);
    }
    fn word(&mut self, message: &[u8], start: usize, end: usize) {
        self.0.extend_from_slice(&message[start..end]);
    }
    fn value(&mut self, start: usize, end: usize, _: u8) {
        assert!(start < end);
        self.0.push(b'*');
    }
}

fn text(message: impl AsRef<[u8]>) -> String {
    let mut text = Text::default();
    scan(message.as_ref(), &mut text);
    String::from_utf8(text.0).unwrap()
}

fn check(message: &str, expected: &str) {
    assert_eq!(text(message), expected, "of {message:?}");
}

#[test]
fn words_are_told_from_values_by_what_they_are_made_of() {
    for (message, expected) in [
        ("", ""),
        ("  \t ", ""),
        ("  started ", "started"),
        ("took 12 ms", "took * ms"),
        ("took 12.5ms.", "took *."),
        ("-3 +4 1e9 0x1f 50% 1,024", "* * * * * *"),
        ("block blk_38865049064139660 gone", "block * gone"),
        ("id 9f1c2a4e-77aa-4b12-b0ab-0242ac120002", "id *"),
        ("commit deadbeef of faded", "commit * of faded"),
        ("to 10.0.0.1:8080, from host.example.org:443", "to *, from *"),
        ("10.0.0.1:8080:Got it", "*:Got it"),
        ("at 2026-01-02T03:04:05,678Z and 03:04", "at * and *"),
        ("at Sat Jun 11 03:28:22 2005", "at * * * * *"),
        ("on Mon, 15 Aug 2005; may Mar be", "on *, * * *; may Mar be"),
        ("peer fe80::1%eth0 and ::1 and 2001:db8::8a2e:370:7334 up", "peer * and * and * up"),
        ("mac de:ad:be:ef:ca:fe and 00:1b:44:11:3a:b7.", "mac * and *."),
        ("Foo::bar said a::b", "Foo::bar said a::b"),
        ("open /etc/hosts: denied", "open *: denied"),
        ("GET https://example.org/a?b=c, \"ftp://x\"", "GET *, \"*\""),
        ("in C:\\Windows\\x (D:/y)", "in * (*)"),
        ("DOMAIN\\joe and joe@example.org asked", "* and * asked"),
        ("read/write n/a and/or a/b/c", "read/write n/a and/or *"),
        ("uid=0 user=root dir=a/b cls=a.b tty=", "uid=* user=root dir=* cls=* tty="),
        ("java.lang.IllegalStateException: no", "java.lang.IllegalStateException: no"),
        ("ready...", "ready.."),
        ("enable.........1 wait ...... 5", "enable..* wait .. *"),
        ("eth0: via eth12, CPU#3, IRQ5 u17 to e1", "eth*: via eth*, *, IRQ* * to *"),
        ("ee0 fbeeaae9 beef1 worker17 worker-17 abc123", "ee* * * worker* * *"),
        ("lifetime <1 sec, <2> a<3", "lifetime * sec, <*> a<*"),
        ("open /search?q=rust&n=1, /tmp/[one]/x ok", "open *, * ok"),
        ("***** NEW *****", "***** NEW *****"),
        ("[instance: 17] it's \"x\"", "[instance: *] it's \"x\""),
        ("naïve Grüße 世界 ok", "naïve Grüße 世界 ok"),
        ("用户17登录失败，共3次 Jürgen7", "用户*登录失败，共*次 *"),
        ("a\u{1b}b c", "* c"),
    ] {
        check(message, expected);
    }
}

#[test]
fn what_is_beyond_the_limit_is_one_value() {
    let long = format!("head {}", "ö".repeat(1 << 20));
    check(&long, "head **");
    let words = "word ".repeat(10_000);
    assert!(text(&words).ends_with("word*") || text(&words).ends_with('*'));
    assert!(text(&words).len() <= SCANNED_BYTES_MAX + 1);
}

#[test]
fn the_hash_is_of_the_skeleton() {
    let of = |message: &str| hash(message.as_bytes());
    assert_eq!(of("took 12 ms"), of("  took  7\tms"));
    for other in [
        "took 12ms",
        "took ms",
        "took 12 12 ms",
        "Took 12 ms",
        "took 12 ms.",
        "took12 ms",
        "tookms 12",
        "",
    ] {
        assert_ne!(of("took 12 ms"), of(other), "{other}");
    }
    // Words of eight bytes and more, and of the last bytes of a message.
    assert_ne!(of("checkpointing done"), of("checkpointed done"));
    assert_eq!(of("checkpointing 1"), of("checkpointing 1\n"));
}

#[test]
fn values_are_told_where_they_lie() {
    let message = "took 45 ms (45ms) at 10.0.0.1:80, eth0: ok";
    let mut found = Vec::new();
    values(message.as_bytes(), |range| found.push(&message[range]));
    assert_eq!(found, ["45", "45ms", "10.0.0.1:80", "0"]);
}

proptest! {
    /// Same skeleton, same hash; other skeleton, other hash.
    #[test]
    fn hash_and_pieces_agree(a in "[ab1=:. /]{0,12}", b in "[ab1=:. /]{0,12}") {
        prop_assert_eq!(pieces(&a) == pieces(&b), hash(a.as_bytes()) == hash(b.as_bytes()), "{:?} {:?}", a, b);
    }

    /// Any bytes: no panic, and every byte that is no blank is in exactly one piece, in order.
    #[test]
    fn pieces_cover_any_bytes(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"a1:/.\\@ =,f".to_vec())], 0..300)) {
        let mut cover = Cover { bytes: &bytes, at: 0 };
        scan(&bytes, &mut cover);
        prop_assert!(bytes[cover.at..].iter().all(|&b| class_of(b) == BLANK));
        hash(&bytes);
    }
}

/// The pieces with their borders, which text alone does not show.
fn pieces(message: &str) -> Vec<String> {
    struct Pieces(Vec<String>);
    impl Sink for Pieces {
        fn blank(&mut self) {
            self.0.push(" ".into());
        }
        fn mark(&mut self, mark: u8) {
            self.0.push(char::from(mark).into());
        }
        fn word(&mut self, message: &[u8], start: usize, end: usize) {
            self.0.push(format!("word {}", String::from_utf8_lossy(&message[start..end])));
        }
        fn value(&mut self, _: usize, _: usize, _: u8) {
            self.0.push("value".into());
        }
    }
    let mut pieces = Pieces(Vec::new());
    scan(message.as_bytes(), &mut pieces);
    pieces.0
}

/// Checks that pieces follow one another with nothing but blanks between.
struct Cover<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cover<'_> {
    fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(|&byte| class_of(byte) == BLANK) {
            self.at += 1;
        }
    }
}

impl Sink for Cover<'_> {
    fn blank(&mut self) {
        assert_eq!(class_of(self.bytes[self.at]), BLANK);
        self.skip_blanks();
    }
    fn mark(&mut self, mark: u8) {
        self.skip_blanks();
        assert_eq!(self.bytes[self.at], mark);
        self.at += 1;
    }
    fn word(&mut self, _: &[u8], start: usize, end: usize) {
        self.skip_blanks();
        assert_eq!(self.at, start);
        self.at = end;
        if &self.bytes[start..end] == b".." {
            self.at += self.bytes[end..].iter().take_while(|&&byte| byte == b'.').count();
        }
    }
    fn value(&mut self, start: usize, end: usize, made_of: u8) {
        self.skip_blanks();
        assert_eq!(self.at, start);
        assert!(made_of != 0);
        self.at = end;
    }
}
