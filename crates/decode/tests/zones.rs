//! Times that state no zone, on a machine outside UTC; the zones are POSIX rules, so that no time
//! zone database is needed.
//!
//! A format is a `strftime` template; what it means is written out, not computed by jiff again.

use jiff::{
    civil::{DateTime, date},
    tz::TimeZone,
};
use logrec_core::{Entry, Timestamp};
use logrec_decode::{LineDecoder, Origin, decode_ingest, decode_line, decode_line_in};

/// Every format that has a date and may lack the zone, as its program writes it.
const FORMATS: [&str; 45] = [
    // Python
    "%Y-%m-%d %H:%M:%S,678 - game.engine - INFO - hello",
    "%Y-%m-%d %H:%M:%S,678 INFO sqlalchemy.engine.Engine SELECT 1",
    "%Y-%m-%d %H:%M:%S [INFO] app.main: hello",
    "[%Y-%m-%d %H:%M:%S,678] ERROR in app: Exception on /boom [GET]",
    "INFO %Y-%m-%d %H:%M:%S,678 basehttp 123 140234567 hello",
    "INFO [%Y-%m-%d %H:%M:%S,678] hello",
    "[INFO] %Y-%m-%d %H:%M:%S,678 hello",
    "[%Y-%m-%d %H:%M:%S,678: INFO/MainProcess] hello",
    "%Y-%m-%d %H:%M:%S.678 | INFO     | app:main:12 - hello",
    "%Y-%m-%d %H:%M:%S [info     ] hello                          [app] a=1",
    "[%Y-%m-%d %H:%M:%S,678] {taskinstance.py:1103} INFO - hello",
    "[I %y%m%d %H:%M:%S web:2239] 200 GET / (127.0.0.1) 1.23ms",
    "[I %Y-%m-%d %H:%M:%S.678 ServerApp] hello",
    "127.0.0.1 - - [%d/%b/%Y %H:%M:%S] \"GET / HTTP/1.1\" 200 -",
    // the JVM
    "%Y-%m-%d %H:%M:%S,678 INFO  [main] com.foo.Bar - hello",
    "%Y-%m-%d %H:%M:%S.678  INFO 123 --- [main] c.f.Bar : hello",
    "[%Y-%m-%d %H:%M:%S,678] INFO hello (kafka.server.KafkaServer)",
    "%d-%b-%Y %H:%M:%S.678 INFO [main] org.apache.catalina.startup.Catalina.start hello",
    "%b %d, %Y %-I:%M:%S %p com.foo.Bar main",
    "%y%m%d %H%M%S 148 INFO dfs.DataNode: hello",
    "%m-%d %H:%M:%S.678  1702  2395 D WindowManager: hello",
    // Go
    "%Y/%m/%d %H:%M:%S hello",
    "%Y/%m/%d %H:%M:%S.678901 main.go:12: hello",
    "I%m%d %H:%M:%S.678901   123 file.go:12] hello",
    "I%Y%m%d %H:%M:%S.678901   123 file.go:12] hello",
    "[GIN] %Y/%m/%d - %H:%M:%S | 200 |  1.2ms |  127.0.0.1 | GET  \"/ping\"",
    "%Y-%m-%dT%H:%M:%S.678\tINFO\tapp\tmain.go:12\thello",
    // Rust, Node, Ruby, PHP
    "%Y-%m-%dT%H:%M:%S.678901  INFO app: hello",
    "[Nest] 123  - %m/%d/%Y, %-I:%M:%S %p     LOG [Context] hello",
    "%Y-%m-%d %H:%M:%S info: hello",
    "I, [%Y-%m-%dT%H:%M:%S.678901 #123]  INFO -- app: hello",
    "Started GET \"/\" for 127.0.0.1 at %Y-%m-%d %H:%M:%S",
    "[%Y-%m-%d %H:%M:%S] production.ERROR: hello",
    // servers
    "%Y/%m/%d %H:%M:%S [error] 12#12: *3 hello, client: 1.2.3.4",
    "[%a %b %d %H:%M:%S.678901 %Y] [core:error] [pid 35708:tid 43] hello",
    "123:M %d %b %Y %H:%M:%S.678 * Ready to accept connections",
    "%Y-%m-%d %H:%M:%S.678 [123] LOG:  hello",
    "%b %e %H:%M:%S host app[123]: hello",
    "<34>%b %e %H:%M:%S host app[123]: hello",
    "<34>%b %e %Y %H:%M:%S host app[123]: hello",
    "app.log %Y-%m-%d %H:%M:%S,678 INFO hello",
    // pairs
    "time=\"%Y-%m-%d %H:%M:%S\" level=info msg=hello",
    "{\"asctime\": \"%Y-%m-%d %H:%M:%S,678\", \"levelname\": \"INFO\", \"message\": \"hello\"}",
    "{\"level\":\"info\",\"time\":\"%Y-%m-%dT%H:%M:%S.678\",\"msg\":\"hello\"}",
    "{\"message\":\"hello\",\"level\":\"info\",\"timestamp\":\"%Y-%m-%d %H:%M:%S\"}",
];

fn berlin() -> TimeZone {
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
}

fn zone(posix: &str) -> TimeZone {
    TimeZone::posix(posix).expect("a zone as POSIX writes it")
}

fn moment(text: &str) -> Timestamp {
    let moment = text.parse().expect("a time in RFC 3339");
    Timestamp::from_jiff(moment).expect("a time of this century")
}

/// 2026-07-16T00:00:00Z.
fn arrival() -> Timestamp {
    moment("2026-07-16T00:00:00Z")
}

fn decode(line: &str, zone: &TimeZone) -> Entry {
    decode_line_in(line.as_bytes(), Origin::Stdout, arrival(), zone)
}

/// The moment of a line in a zone, to the second.
fn at(line: &str, zone: &TimeZone) -> String {
    format!("{}Z", &decode(line, zone).timestamp.to_string()[..19])
}

/// Checks every format at a time of the clock in Berlin and in UTC.
fn check_formats(clock: DateTime, in_berlin: &str) {
    for format in FORMATS {
        let line = clock.strftime(format).to_string();
        assert_eq!(at(&line, &berlin()), in_berlin, "{line}");
        assert_eq!(at(&line, &TimeZone::UTC), format!("{clock}Z"), "{line}");
        let by_default = decode_line(line.as_bytes(), Origin::Stdout, arrival());
        assert_eq!(by_default, decode(&line, &TimeZone::UTC));
        assert_eq!(by_default, decode(&line, &TimeZone::unknown()));
    }
}

#[test]
fn in_winter_and_in_summer() {
    check_formats(date(2026, 1, 15).at(15, 30, 5, 0), "2026-01-15T14:30:05Z");
    check_formats(date(2026, 1, 15).at(0, 30, 5, 0), "2026-01-14T23:30:05Z");
    check_formats(date(2026, 7, 15).at(15, 30, 5, 0), "2026-07-15T13:30:05Z");
    check_formats(date(2026, 1, 1).at(0, 0, 0, 0), "2025-12-31T23:00:00Z");
}

/// The clock goes from 02:00 to 03:00: 02:30 is half an hour after 01:59:59.
#[test]
fn in_the_hour_that_is_skipped() {
    check_formats(date(2026, 3, 29).at(1, 59, 59, 0), "2026-03-29T00:59:59Z");
    check_formats(date(2026, 3, 29).at(2, 30, 5, 0), "2026-03-29T01:30:05Z");
    check_formats(date(2026, 3, 29).at(3, 0, 0, 0), "2026-03-29T01:00:00Z");
}

/// The clock goes from 03:00 back to 02:00: 02:30 is the first.
#[test]
fn in_the_hour_that_comes_twice() {
    check_formats(date(2025, 10, 26).at(1, 59, 59, 0), "2025-10-25T23:59:59Z");
    check_formats(date(2025, 10, 26).at(2, 30, 5, 0), "2025-10-26T00:30:05Z");
    check_formats(date(2025, 10, 26).at(3, 0, 0, 0), "2025-10-26T02:00:00Z");
}

#[test]
fn in_zones_at_the_ends_of_the_world() {
    let line = "2026-01-02 03:04:05,678 - app - INFO - hello";
    assert_eq!(at(line, &zone("<+14>-14")), "2026-01-01T13:04:05Z");
    assert_eq!(at(line, &zone("<-12>12")), "2026-01-02T15:04:05Z");
    assert_eq!(at(line, &zone("<+0545>-5:45")), "2026-01-01T21:19:05Z");
    assert_eq!(at(line, &TimeZone::fixed(jiff::tz::offset(-8))), "2026-01-02T11:04:05Z");
    // A leap second is the next minute's first.
    assert_eq!(at("2017-01-01 00:59:60,1 INFO hello", &berlin()), "2017-01-01T00:00:00Z");
}

#[test]
fn a_stated_zone_is_kept() {
    let lines = [
        ("2026-07-15T12:30:05Z INFO app: hello", "2026-07-15T12:30:05Z"),
        ("2026-07-15T12:30:05.678901+01:00 INFO app: hello", "2026-07-15T11:30:05Z"),
        ("[2026-07-15 12:30:05 +0000] [123] [INFO] hello", "2026-07-15T12:30:05Z"),
        ("2026-07-15 12:30:05 +0530 INFO hello", "2026-07-15T07:00:05Z"),
        ("2026-07-15 12:30:05.678 UTC [123] LOG:  hello", "2026-07-15T12:30:05Z"),
        ("2026-07-15 12:30:05.678 GMT [123] LOG:  hello", "2026-07-15T12:30:05Z"),
        // Berlin's name for its other half year.
        ("2026-07-15 12:30:05.678 CET [123] LOG:  hello", "2026-07-15T11:30:05Z"),
        ("2026-07-15 12:30:05.678 PDT [123] LOG:  hello", "2026-07-15T19:30:05Z"),
        ("[15-Jul-2026 12:30:05 UTC] PHP Warning:  hello", "2026-07-15T12:30:05Z"),
        (
            "1.2.3.4 - - [15/Jul/2026:12:30:05 -0700] \"GET / HTTP/1.1\" 200 6",
            "2026-07-15T19:30:05Z",
        ),
        ("Started GET \"/\" for 1.2.3.4 at 2026-07-15 12:30:05 +0200", "2026-07-15T10:30:05Z"),
        ("<34>1 2026-07-15T12:30:05Z host app - - - hello", "2026-07-15T12:30:05Z"),
        (
            "- 1784118605 2026.07.15 dn228 Jul 15 05:30:05 dn228/dn228 app: hello",
            "2026-07-15T12:30:05Z",
        ),
        ("time=2026-07-15T12:30:05.678Z level=INFO msg=hello", "2026-07-15T12:30:05Z"),
        ("{\"time\":1784118605678,\"level\":30,\"msg\":\"hello\"}", "2026-07-15T12:30:05Z"),
        (
            "{\"timestamp\":\"2026-07-15T12:30:05+00:00\",\"message\":\"hello\"}",
            "2026-07-15T12:30:05Z",
        ),
        (
            "{\"t\":{\"$date\":\"2026-07-15T12:30:05.678+00:00\"},\"s\":\"I\",\"c\":\"NETWORK\",\"msg\":\"hello\"}",
            "2026-07-15T12:30:05Z",
        ),
    ];
    for (line, expected) in lines {
        assert_eq!(at(line, &TimeZone::UTC), expected, "{line}");
        for zone in [berlin(), zone("EST5EDT,M3.2.0,M11.1.0"), zone("<+14>-14")] {
            assert_eq!(decode(line, &zone), decode(line, &TimeZone::UTC), "{line}");
        }
    }
}

#[test]
fn a_clock_without_a_date_is_the_arrival() {
    for line in [
        "03:04:05.678 [main] DEBUG com.foo.Bar - hello",
        "3:04AM INF hello",
        "[03:04:05] INFO hello",
        "WARNING:root:hello",
        "a sentence",
    ] {
        assert_eq!(decode(line, &berlin()).timestamp, arrival(), "{line}");
    }
}

#[test]
fn the_year_is_the_zones() {
    let check = |text: &str, arrives: &str, posix: &str, expected: &str| {
        for line in [format!("{text} host app: hello"), format!("<34>{text} host app: hello")] {
            let entry =
                decode_line_in(line.as_bytes(), Origin::Stdout, moment(arrives), &zone(posix));
            assert_eq!(entry.timestamp, moment(expected), "{line} at {arrives} in {posix}");
        }
    };
    let (east, west) = ("CET-1CEST,M3.5.0,M10.5.0/3", "PST8PDT,M3.2.0,M11.1.0");
    // New Year's Eve is not everywhere at once.
    check("Jan  1 00:29:00", "2026-12-31T23:30:00Z", east, "2026-12-31T23:29:00Z");
    check("Dec 31 23:59:00", "2026-12-31T23:30:00Z", east, "2026-12-31T22:59:00Z");
    check("Dec 31 20:59:00", "2027-01-01T05:00:00Z", west, "2027-01-01T04:59:00Z");
    check("Jan  1 13:00:00", "2026-12-31T23:00:00Z", "<+14>-14", "2026-12-31T23:00:00Z");
    check("Dec 31 11:00:00", "2027-01-01T23:00:00Z", "<-12>12", "2026-12-31T23:00:00Z");
    // Half a year back, in the other half of the year's offset.
    check("Jul 15 12:00:00", "2026-01-05T00:00:00Z", east, "2025-07-15T10:00:00Z");
    check("Feb 29 12:00:00", "2026-01-05T00:00:00Z", east, "2024-02-29T11:00:00Z");
}

/// An abbreviation means the machine's zone before anybody else's.
#[test]
fn names_of_the_own_zone() {
    let postgres = |name: &str, posix: &str, clock: &str| {
        let entry = decode(&format!("{clock} {name} [123] LOG:  hello"), &zone(posix));
        assert_eq!((entry.process, &*entry.message), (Some(123), "hello"), "{name}");
        format!("{}Z", &entry.timestamp.to_string()[..19])
    };
    let winter = "2026-01-15 12:30:05.678";
    assert_eq!(postgres("CST", "UTC0", winter), "2026-01-15T18:30:05Z");
    assert_eq!(postgres("CST", "CST-8", winter), "2026-01-15T04:30:05Z");
    assert_eq!(postgres("IST", "IST-2IDT,M3.4.4/26,M10.5.0", winter), "2026-01-15T10:30:05Z");
    assert_eq!(postgres("HKT", "HKT-8", winter), "2026-01-15T04:30:05Z");
    assert_eq!(postgres("-03", "<-03>3", winter), "2026-01-15T15:30:05Z");
    assert_eq!(postgres("+0545", "<+0545>-5:45", winter), "2026-01-15T06:45:05Z");
    // They tell the two hours apart which the clock shows alike.
    let auckland = "NZST-12NZDT,M9.5.0,M4.1.0/3";
    let fold = "2026-04-05 02:30:05.678";
    assert_eq!(postgres("NZDT", auckland, fold), "2026-04-04T13:30:05Z");
    assert_eq!(postgres("NZST", auckland, fold), "2026-04-04T14:30:05Z");
    let fold = "2025-10-26 02:30:05.678";
    assert_eq!(postgres("CEST", "CET-1CEST,M3.5.0,M10.5.0/3", fold), "2025-10-26T00:30:05Z");
    assert_eq!(postgres("CET", "CET-1CEST,M3.5.0,M10.5.0/3", fold), "2025-10-26T01:30:05Z");
    // `UTC` is UTC, even where somebody set `TZ=UTC-3`.
    assert_eq!(postgres("UTC", "UTC-3", winter), "2026-01-15T12:30:05Z");
}

/// A zone with a name and one set of rules, in the format of RFC 9636.
fn named_zone(name: &str, posix: &str) -> TimeZone {
    let counts: [u32; 6] = [0, 0, 0, 0, 1, 4];
    let mut block = b"TZif2".to_vec();
    block.extend([0; 15]);
    block.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    block.extend([0, 0, 0, 0, 0, 0]);
    block.extend(b"LMT\0");
    let data = [&*block, &*block, b"\n", posix.as_bytes(), b"\n"].concat();
    TimeZone::tzif(name, &data).expect("a whole TZif file")
}

#[test]
fn the_databases_name_of_the_own_zone() {
    let line = "[15-Jul-2026 12:30:05 Europe/Berlin] PHP Warning:  hello";
    let berlin = named_zone("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_eq!(at(line, &berlin), "2026-07-15T10:30:05Z");
    assert_eq!(decode(line, &berlin).message, "PHP Warning:  hello");
}

#[test]
fn a_stream_is_read_in_its_zone() {
    let input = "2026-07-15 12:30:05,678 - app - ERROR - failed\n\
        Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: x\n\
        2026-07-15T12:30:05Z INFO app: stated\nWARNING:root:no time\n";
    let mut decoder = LineDecoder::new(Origin::Stderr).with_zone(berlin());
    let mut out = Vec::new();
    decoder.feed(input.as_bytes(), arrival(), &mut out);
    decoder.finish(&mut out);
    let times: Vec<_> = out.iter().map(|entry| entry.timestamp).collect();
    let expected = [moment("2026-07-15T10:30:05.678Z"), moment("2026-07-15T12:30:05Z"), arrival()];
    assert_eq!(times, expected);
    assert!(out[0].exception.is_some());
}

#[test]
fn an_ingest_body_is_in_utc() {
    let body = br#"{"message":"hello","timestamp":"2026-07-15 12:30:05"}"#;
    let ingest = decode_ingest(body, arrival()).unwrap();
    assert_eq!(ingest.entries[0].timestamp, moment("2026-07-15T12:30:05Z"));
}
