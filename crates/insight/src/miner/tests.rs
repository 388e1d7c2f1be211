use proptest::prelude::*;
use regex::Regex;

use super::*;
use crate::template::REGEX_BYTES_MAX;

fn mine<M: AsRef<[u8]>>(messages: &[M]) -> (Patterns, Vec<Handle>) {
    let mut miner = Miner::new(Options::default());
    let handles = messages.iter().map(|message| miner.add(message.as_ref())).collect();
    (miner.patterns(), handles)
}

/// The templates of a log, sorted.
fn templates(log: &str) -> Vec<String> {
    let messages: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut templates: Vec<String> =
        mine(&messages).0.iter().map(|pattern| pattern.template().to_string()).collect();
    templates.sort();
    templates
}

#[track_caller]
fn check(log: &str, expected: &[&str]) {
    assert_eq!(templates(log), expected);
}

#[test]
fn lists_of_any_length_are_one_value() {
    check("freed 1 2 3\nfreed 4\nfreed 5, 6, 7, 8", &["freed <*>"]);
    check("map a=1 b=2 a=3 b=4 done\nmap a=1 b=2 done", &["map a=<*> b=<*> done"]);
    check("key 0|a1|12 ok\nkey 0|7 ok", &["key <*> ok"]);
    check("from 10.0.0.1: 11: bye", &["from <*>: <*>: bye"]);
}

#[test]
fn units_do_not_tell_apart_but_show_when_all_agree() {
    check("took 5 ms to load\ntook 7 ms to load", &["took <*> ms to load"]);
    check("took 5 ms to load\ntook 2 s to load\ntook 00:03 to load", &["took <*> to load"]);
    let id = |log: &[&str]| mine(log).0.iter().next().unwrap().id();
    assert_eq!(id(&["took 5 ms to load"]), id(&["took 5 ms to load", "took 2 s to load"]));
}

#[test]
fn what_a_number_can_stand_for_is_a_value() {
    check("lock held by thread main\nlock held by thread 17", &["lock held by thread <*>"]);
    check(
        "bound to local(3) at stratum 2\nbound to 10.0.0.1 at stratum 3",
        &["bound to <*> at stratum <*>"],
    );
    check("call owner=null for 1\ncall owner=x9 for 2", &["call owner=<*> for <*>"]);
    check(
        "connect from 10.0.0.1 () at 3\nconnect from 10.0.0.2 (a.b.c) at 4",
        &["connect from <*> (<*>) at <*>"],
    );
}

#[test]
fn few_alternatives_are_the_programs_own_words() {
    check(
        "cache flush started\ncache flush finished",
        &["cache flush finished", "cache flush started"],
    );
    check("job paused by 1\njob resumed by 2", &["job paused by <*>", "job resumed by <*>"]);
    check(
        "set ready=true armed=false\nset ready=false armed=false",
        &["set ready=false armed=false", "set ready=true armed=false"],
    );
    // States are often written in capitals, and move along known ways.
    check(
        "task 1 went from NEW to READY\ntask 2 went from READY to BUSY\ntask 3 went from BUSY to DONE\n\
         task 4 went from DONE to GONE\ntask 5 went from GONE to LOST",
        &[
            "task <*> went from BUSY to DONE",
            "task <*> went from DONE to GONE",
            "task <*> went from GONE to LOST",
            "task <*> went from NEW to READY",
            "task <*> went from READY to BUSY",
        ],
    );
}

#[test]
fn verbs_are_the_programs_own_words() {
    let verbs = ["placed", "cancelled", "shipped", "packing", "billed"];
    let log: String = verbs.map(|verb| format!("order 17 {verb} by 4 for 3 items\n")).concat();
    assert_eq!(templates(&log).len(), 5);
    let names = ["anna", "frank", "susan", "peter", "fred"];
    let log: String = names.map(|name| format!("order 17 {name} by 4 for 3 items\n")).concat();
    check(&log, &["order <*> by <*> for <*> items"]);
}

#[test]
fn many_alternatives_are_values() {
    let log: String = ["ann", "bob", "cyd", "dan"]
        .map(|user| format!("session opened for user {user} by 0\n"))
        .concat();
    check(&log, &["session opened for user <*> by <*>"]);
    // Names of packages and files need fewer.
    check(
        "loaded plugin from module a.b.c at start\nloaded plugin from module a.d at start",
        &["loaded plugin from module <*> at start"],
    );
    // But not names of constants.
    check(
        "got action: a.b.ON\ngot action: a.b.OFF\ngot action: a.b.UP",
        &["got action: a.b.OFF", "got action: a.b.ON", "got action: a.b.UP"],
    );
    // The first word says what a message is about; it takes more around it to be a value.
    let services = ["cron", "ntp", "dns", "ssh", "ftp", "web"];
    let log: String = services.map(|service| format!("{service} startup succeeded\n")).concat();
    assert_eq!(templates(&log).len(), 6);
    let log: String = services
        .map(|service| format!("{service} will not be started before noon today\n"))
        .concat();
    check(&log, &["<*> will not be started before noon today"]);
}

#[test]
fn a_value_known_from_one_place_is_one_in_another() {
    let mut log: String = ["ann", "bob", "cyd", "dan"]
        .map(|user| format!("session closed for user {user}\n"))
        .concat();
    log += "mail sent to ann\nmail sent to bob\n";
    check(&log, &["mail sent to <*>", "session closed for user <*>"]);
    // In a long sentence one more may be new; in a setting not, where words of the program's are frequent.
    log += "denied access to the archive for ann\ndenied access to the archive for guest\n";
    log += "denied access to the archive; flag=ann\ndenied access to the archive; flag=none\n";
    check(
        &log,
        &[
            "denied access to the archive for <*>",
            "denied access to the archive; flag=ann",
            "denied access to the archive; flag=none",
            "mail sent to <*>",
            "session closed for user <*>",
        ],
    );
}

#[test]
fn settings_and_free_pairs_are_values() {
    let log: String = [("a", "x"), ("b", "y"), ("c", "z"), ("d", "x"), ("e", "q")]
        .map(|(tag, owner)| format!("acquire tag=\"{tag}q\", owner={owner}x, flags=1\n"))
        .concat();
    // `tag` has five different; of `owner` each is alone with its tag, and four.
    assert!(templates(&log).iter().all(|template| template.starts_with("acquire tag=\"<*>\"")));
    let mut log = String::new();
    for one in ["LOOKING", "LEADING", "FOLLOWING"] {
        for other in ["LOOKING", "LEADING"] {
            log +=
                &format!("notified of leader 1 with state {one} by peer 2 in state {other} now\n");
        }
    }
    check(&log, &["notified of leader <*> with state <*> by peer <*> in state <*> now"]);
}

#[test]
fn several_plain_words_of_one_statement_are_values() {
    let word = |seed: usize| {
        let letter = |by: usize| char::from(b'a' + u8::try_from(seed * 7 / by % 26).unwrap());
        format!("q{}{}{}", letter(1), letter(3), letter(11))
    };
    let log: String = (0..20)
        .map(|at| {
            format!(
                "user {} logged in from {} with role {}\n",
                word(at),
                word(at + 40),
                word(at * 3)
            )
        })
        .collect();
    // One more whose role is known for a value by what it is made of.
    check(
        &(log + "user zq logged in from zz with role x17"),
        &["user <*> logged in from <*> with role <*>"],
    );
    // Of two statements of one shape each keeps its own words.
    let log: String = (0..20)
        .map(|at| {
            let (one, other) = (word(at), word(at + 40));
            format!(
                "queue {one} took over from {other} today\nqueue {other} gave way to {one} today\n"
            )
        })
        .collect();
    check(&log, &["queue <*> gave way to <*> today", "queue <*> took over from <*> today"]);
}

#[test]
fn a_message_that_looks_like_a_template_is_its_template() {
    let (patterns, handles) = mine(&["user <*> left", "user 7 left"]);
    assert_eq!(patterns.len(), 1);
    assert_eq!(patterns.find(handles[0]), patterns.find(handles[1]));
}

#[test]
fn values_of_one_skeleton_with_and_without_a_digit_both_match() {
    // Found by `every_message_matches_its_pattern`.
    check("opened /a/b\nopened 17", &["opened <*>"]);
    let (patterns, _) = mine(&["opened 17", "opened /a/b"]);
    assert!(patterns.get(0).unwrap().template().matches(b"opened /a/b"));
    for message in ["copied a 5 ms ok /a/b ok", "<*>5 ms"] {
        assert!(
            mine(&[message]).0.get(0).unwrap().template().matches(message.as_bytes()),
            "{message}"
        );
    }
}

#[test]
fn messages_not_added_find_their_pattern() {
    let log: Vec<String> = ["ann", "bob", "cyd", "dan", "eve"]
        .map(|user| format!("session opened for user {user}"))
        .into();
    let (patterns, _) = mine(&log);
    assert_eq!(patterns.of_message(b"session opened for user zoe"), Some(0));
    assert_eq!(patterns.of_message(b"session opened for user 17"), Some(0));
    assert_eq!(patterns.of_message(b"session closed for user ann"), None);
}

#[test]
fn ids_are_written_and_read() {
    let (patterns, _) = mine(&["user 7 left"]);
    let id = patterns.get(0).unwrap().id();
    assert_eq!(
        id.to_string(),
        "6s7wm0hwd6y4z",
        "ids must not change: they are kept in queries and reports"
    );
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    for bad in ["", "6s7wm0hwd6y4", "6s7wm0hwd6y4u", "zzzzzzzzzzzzz", "6s7wm0hwd6y4é"] {
        assert_eq!(bad.parse::<PatternId>(), Err(ParseIdError), "{bad}");
    }
}

#[test]
fn an_endless_stream_of_different_messages_stays_within_bounds() {
    let options = Options { skeletons_max: 256, text_bytes_max: 64 << 10 };
    let mut miner = Miner::new(options);
    let word = |at: u32| {
        let letter = |by: u32| char::from(b'a' + u8::try_from(at / by % 26).unwrap());
        [letter(1), letter(26), letter(676), letter(17_576)].iter().collect::<String>()
    };
    let mut users = 0;
    for at in 0..20_000 {
        miner.add(format!("{} {} {}", word(at), word(at + 7), word(at * 3)).as_bytes());
        if at % 10 == 0 {
            miner.add(b"still alive");
            miner.add(format!("user {} logged in from the web", word(at)).as_bytes());
            users += 1;
        }
        assert!(miner.by_hash.len() <= 256 && miner.text_bytes <= 64 << 10);
        assert!(
            miner.slots.len() <= 256 + 1
                && miner.by_hash.len() + miner.free.len() == miner.slots.len()
        );
    }
    let patterns = miner.patterns();
    let count = |text: &str| {
        patterns.iter().find(|pattern| pattern.template().to_string() == text).map(Pattern::count)
    };
    // What is still being seen is there, and its count is whole, whatever its skeletons were.
    assert_eq!(count("still alive"), Some(2_000));
    assert_eq!(count("user <*> logged in from the web"), Some(users));
    let counted: u64 = patterns.iter().map(Pattern::count).sum();
    assert_eq!(counted + miner.forgotten(), miner.messages());
    // Messages whose own skeleton is long gone find their pattern still.
    let text = "user <*> logged in from the web";
    let place = patterns.iter().position(|pattern| pattern.template().to_string() == text);
    for at in (0..20_000).step_by(500) {
        let message = format!("user {} logged in from the web", word(at));
        assert_eq!(patterns.of_message(message.as_bytes()), place, "{message}");
    }
}

#[test]
fn a_labelled_log_of_a_made_up_system_is_told_apart() {
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let names =
        ["ann", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida", "joe", "kim", "lea"];
    let hosts = ["db.example.org", "cache.example.org", "10.0.0.7", "localhost:5432", "fe80::1"];
    let mut log: Vec<(usize, String)> = Vec::new();
    for _ in 0..600 {
        let (name, other, host) = (names[random(12)], names[random(12)], hosts[random(5)]);
        let (few, many, id) = (random(5), random(100_000), random(usize::MAX >> 33));
        let list: Vec<String> = (0..=few).map(|item| (item * 3).to_string()).collect();
        let unit = ["ms", "s"][random(2)];
        let state = ["open", "closed"][random(2)];
        let label = random(15);
        let message = match label {
            0 => format!("order {id:08x} placed by {name} for {few} items"),
            1 => format!("order {id:08x} paid by {name} for {few} items"),
            2 => format!("could not reach {host}: connection refused"),
            3 => format!("could not reach {host}: timed out after {many} {unit}"),
            4 => format!("GET /shop/{many} {few}00 in {many}{unit}"),
            5 => format!("POST /shop/{many} {few}00 in {many}{unit}"),
            6 => format!("stock of items {} is low", list.join(", ")),
            7 => format!("mail to {name}@example.org queued as {id:x}-{few}"),
            8 => format!("breaker for {host} is now {state} again")
                .replace("closed again", "open again"),
            9 => format!("breaker for {host} is now half closed"),
            10 => format!("cart user={name} items={few} total={many}.{few}"),
            11 => "nightly cleanup started".into(),
            12 => format!("nightly cleanup finished, {many} rows removed"),
            13 => format!("{name} moved the ticket of {other} to the archive"),
            _ => format!("worker-{few} picked up job {many} from queue q{few}"),
        };
        log.push((label, message));
    }
    let messages: Vec<&str> = log.iter().map(|(_, message)| message.as_str()).collect();
    let (patterns, handles) = mine(&messages);
    let mut pairs: Vec<(usize, usize)> = log
        .iter()
        .zip(handles)
        .map(|((label, _), handle)| (*label, patterns.find(handle).unwrap()))
        .collect();
    pairs.sort_unstable();
    pairs.dedup();
    let texts: Vec<String> =
        patterns.iter().map(|pattern| pattern.template().to_string()).collect();
    assert_eq!((pairs.len(), patterns.len()), (15, 15), "{texts:#?}");
}

#[test]
fn long_different_messages_stay_within_bounds_too() {
    let mut miner = Miner::new(Options { skeletons_max: 64, ..Options::default() });
    for at in 0..400_u32 {
        let word = |by: u32| char::from(b'a' + u8::try_from((at / by) % 26).unwrap());
        let message: String =
            (0..500_u32).map(|by| format!("{}{}=x ", word(by % 5 + 1), word(26))).collect();
        miner.add(message.as_bytes());
        assert!(miner.pieces <= 64 * PIECES_A_SKELETON && miner.by_hash.len() <= 64);
    }
    let counted: u64 = miner.patterns().iter().map(Pattern::count).sum();
    assert_eq!(counted + miner.forgotten(), 400);
}

#[test]
fn a_handle_of_a_forgotten_skeleton_finds_nothing() {
    let mut miner = Miner::new(Options { skeletons_max: 64, ..Options::default() });
    let handle = miner.add(b"once upon a time");
    for at in 0..200_u8 {
        miner.add(&[b'a' + at % 26, b'a' + at / 26, b' ', b'q', b'a' + at % 25]);
    }
    let patterns = miner.patterns();
    assert_eq!(patterns.find(handle), None);
    let alone = mine(&["once upon a time"]).0.get(0).unwrap().id();
    assert_eq!(patterns.id_of(handle, b"once upon a time"), alone);
}

#[test]
fn long_binary_and_strange_messages_take_bounded_time_and_room() {
    let long: Vec<u8> =
        b"word 1, <*> a=b \xff\x00\"(".iter().copied().cycle().take(1 << 20).collect();
    let messages: [&[u8]; 8] = [
        b"",
        b" ",
        b"\n",
        b"\0",
        &[0xff; 300],
        &long,
        "\u{202e}naïve 世界 \u{a0}\u{2028}".as_bytes(),
        b"<*>",
    ];
    let (patterns, handles) = mine(&messages);
    for (message, handle) in messages.iter().zip(handles) {
        let pattern = patterns.get(patterns.find(handle).unwrap()).unwrap();
        assert!(pattern.template().matches(message), "{}", pattern.template());
        assert!(pattern.template().to_string().len() < 1 << 16);
        assert!(
            Regex::new(&pattern.template().regex())
                .unwrap()
                .is_match(&String::from_utf8_lossy(message))
        );
    }
}

/// A message of a made-up program: a statement of few, with values of all kinds.
fn message() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[0-9]{1,4}",
        "[a-d]{1,2}",
        "[a-c]\\.[a-c]",
        Just("null".to_owned()),
        Just("/a/b".to_owned()),
        Just("10.0.0.1:80".to_owned()),
        Just("<1".to_owned()),
        Just("<*>".to_owned()),
        Just("\"a b\"".to_owned()),
        Just("1, 2, 3".to_owned()),
        Just("5 ms".to_owned()),
        Just("f(3)".to_owned()),
        Just(String::new()),
        Just("日本".to_owned()),
    ];
    let statement = prop::sample::select(vec![
        "took {} to load {}",
        "user={} name={} left",
        "went {} {}",
        "{} done",
        "({}) [{}] {}",
        "size......{}",
        "copied {} {} ok {} {} ok",
        "key={}, flag='{}' eth{}",
        "{}{}",
        "  {}\t{}\n",
    ]);
    (statement, prop::collection::vec(value, 4)).prop_map(|(statement, values)| {
        let mut values = values.into_iter();
        statement
            .split("{}")
            .map(str::to_owned)
            .reduce(|text, part| text + &values.next().unwrap() + &part)
            .unwrap()
    })
}

/// Messages, and the same in another order.
fn twice() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let messages = prop::collection::vec(message(), 0..80);
    messages.prop_flat_map(|messages| (Just(messages.clone()), Just(messages).prop_shuffle()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// What a pattern says of itself is true of each of its messages.
    #[test]
    fn every_message_matches_its_pattern(messages in prop::collection::vec(message(), 0..80)) {
        let (patterns, handles) = mine(&messages);
        for (message, handle) in messages.iter().zip(&handles) {
            let at = patterns.find(*handle).unwrap();
            let template = patterns.get(at).unwrap().template();
            prop_assert!(template.matches(message.as_bytes()), "{:?} of {:?}", template, message);
            prop_assert!(Regex::new(&template.regex()).unwrap().is_match(message), "{} of {:?}", template.regex(), message);
            prop_assert_eq!(patterns.of_message(message.as_bytes()), Some(at));
            prop_assert_eq!(patterns.id_of(*handle, message.as_bytes()), patterns.get(at).unwrap().id());
        }
        prop_assert_eq!(patterns.iter().map(Pattern::count).sum::<u64>(), messages.len() as u64);
    }

    /// Nor does it matter in which order they came.
    #[test]
    fn patterns_do_not_depend_on_the_order((messages, shuffled) in twice()) {
        let seen = |messages: &[String]| {
            mine(messages).0.iter().map(|pattern| (pattern.id(), pattern.count(), pattern.template().to_string())).collect::<Vec<_>>()
        };
        let mut one = seen(&messages);
        let mut other = seen(&shuffled);
        one.sort();
        other.sort();
        prop_assert_eq!(one, other);
    }

    /// Any bytes: no panic, and all of that still holds.
    #[test]
    fn any_bytes_will_do(messages in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"a1 =.<*>,()".to_vec())], 0..40), 0..40)) {
        let (patterns, handles) = mine(&messages);
        for (message, handle) in messages.iter().zip(handles) {
            let template = patterns.get(patterns.find(handle).unwrap()).unwrap().template();
            prop_assert!(template.matches(message), "{:?} of {:?}", template, message);
            let regex = template.regex();
            prop_assert!(regex.len() <= REGEX_BYTES_MAX);
            prop_assert!(Regex::new(&regex).unwrap().is_match(&String::from_utf8_lossy(message)), "{} of {:?}", regex, message);
        }
    }
}
