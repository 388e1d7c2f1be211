//! Scenarios of two small systems, a mail service and a gateway of sensors, with one thing wrong in each,
//! and the same systems with nothing wrong. The systems, their words and their figures are made up here.

mod world;

use logrec_core::Level;

use super::{Change, Digest, Finding};
use world::{MINUTE, SECOND, World};

const SEEDS: std::ops::Range<u64> = 1..7;
const HOUR: i64 = 60 * MINUTE;

/// The first findings, as many as a small budget holds, have one whose message or exception has this.
fn tells<'d>(digest: &'d Digest, text: &str) -> Option<&'d Finding> {
    digest.findings.iter().take(10).find(|finding| {
        finding.sample.message.contains(text)
            || finding.sample.exception.as_deref().is_some_and(|e| e.contains(text))
    })
}

#[track_caller]
fn calm(digest: &Digest) {
    let anomaly = digest.findings.iter().find(|finding| finding.is_anomaly);
    assert!(anomaly.is_none() && digest.anomalies == 0, "{anomaly:?}");
}

#[track_caller]
fn began(digest: &Digest, at: i64, within: i64) {
    let onset = digest.onset.expect("an onset").0;
    assert!((onset - at).abs() <= within, "{} s off", (onset - at) / SECOND);
}

#[test]
fn nothing_wrong_is_no_anomaly() {
    for seed in SEEDS {
        for mut world in [World::mail(seed), World::gateway(seed)] {
            world.burst();
            let digest = world.digest();
            calm(&digest);
            assert!(digest.onset.is_none() && digest.findings.iter().all(|f| !f.is_suspect));
        }
    }
}

#[test]
fn a_release_that_rewords_its_messages_is_no_anomaly() {
    for seed in SEEDS {
        let mut world = World::mail(seed);
        world.reword(HOUR);
        let digest = world.digest();
        calm(&digest);
    }
}

#[test]
fn a_setting_changed_before_a_flood_is_a_suspect() {
    for seed in SEEDS {
        let mut world = World::mail(seed);
        let at = 70 * MINUTE + 17 * SECOND;
        world.say(at, Level::Info, "mta.settings", "greylisting window set to 0 by ops");
        world.during(at + 6 * SECOND, 100 * MINUTE, 400, |world, t| {
            let user = world.number(4000);
            world.say(
                t,
                Level::Warning,
                "mta.inbound",
                &format!("mailbox {user} over quota, deferring"),
            );
        });
        let digest = world.digest();
        began(&digest, at + 6 * SECOND, 60 * SECOND);
        assert!(tells(&digest, "greylisting window").expect("the cause").is_suspect);
        assert!(tells(&digest, "over quota").expect("the symptom").is_anomaly);
    }
}

#[test]
fn an_error_that_stands_in_a_trace_once_is_a_suspect_among_benign_ones() {
    for seed in SEEDS {
        let mut world = World::gateway(seed);
        let at = 80 * MINUTE;
        let trace = |kind: &str, line: u32, function: &str| {
            format!(
                "Traceback (most recent call last):\n  File \"/srv/gw/loop.py\", line {line}, in {function}\n    handle(frame)\n{kind}"
            )
        };
        world.during(0, 2 * HOUR, 300, |world, t| {
            let trace = trace("ConnectionResetError: peer reset", 40, "receive");
            world.raise(t, "gw.link", "link handler died", &trace);
        });
        world.raise(
            at,
            "gw.link",
            "link handler died",
            &trace("IndexError: ring slot", 77, "advance_ring"),
        );
        world.during(at + 20 * SECOND, 2 * HOUR, 60, |world, t| {
            let node = world.number(900);
            world.say(t, Level::Warning, "gw.watch", &format!("node {node} lags behind"));
        });
        let digest = world.digest();
        assert!(tells(&digest, "ring slot").is_some(), "{seed}");
        assert!(tells(&digest, "lags behind").expect("the symptom").is_anomaly);
    }
}

#[test]
fn one_of_many_jobs_that_stops_is_silent() {
    for seed in SEEDS {
        let mut world = World::gateway(seed);
        world.stop("calibrate_probes", 75 * MINUTE);
        let digest = world.digest();
        let finding = tells(&digest, "calibrate_probes").expect("the silence");
        assert!(
            matches!(finding.change, Change::Silent { period_ns } if (period_ns - 150 * SECOND).abs() < 20 * SECOND)
        );
        began(&digest, 75 * MINUTE, 155 * SECOND);
    }
}

#[test]
fn a_shard_that_stops_is_silent_though_only_its_number_tells() {
    for seed in SEEDS {
        let mut world = World::gateway(seed);
        world.stop("shard 3", 70 * MINUTE);
        let digest = world.digest();
        let silent = digest.findings.iter().find(|f| matches!(f.change, Change::Silent { .. }));
        assert_eq!(silent.expect("the silence").value.as_deref(), Some("3"), "{seed}");
    }
}

#[test]
fn a_status_that_becomes_frequent_is_found_inside_its_pattern() {
    for seed in SEEDS {
        let mut world = World::mail(seed);
        world.fail_requests(65 * MINUTE, 95 * MINUTE);
        let digest = world.digest();
        let more = digest.findings.iter().find(|finding| finding.value.as_deref() == Some("503"));
        assert!(more.expect("the status").is_anomaly, "{seed}");
        began(&digest, 65 * MINUTE, 90 * SECOND);
    }
}

#[test]
fn what_becomes_slow_shifts_and_a_slow_growth_begins_at_its_beginning() {
    for seed in SEEDS {
        let mut world = World::mail(seed);
        world.slow_down(60 * MINUTE);
        let digest = world.digest();
        let slower = digest.findings.iter().find_map(|finding| match &finding.change {
            Change::Shift { numbers } => Some((finding, &numbers[0])),
            _ => None,
        });
        let (finding, number) = slower.expect("the shift");
        assert!(finding.is_anomaly && number.is_up() && number.size() > 2.0, "{number:?}");
        began(&digest, 60 * MINUTE, 20 * MINUTE);
    }
}

#[test]
fn what_drops_to_nothing_is_less() {
    for seed in SEEDS {
        let mut world = World::mail(seed);
        world.no_deliveries_from(80 * MINUTE);
        let digest = world.digest();
        let less = digest.findings.iter().find(|f| matches!(f.change, Change::Less { .. }));
        assert!(less.expect("the drop").is_anomaly, "{seed}");
        began(&digest, 80 * MINUTE, 3 * MINUTE);
    }
}

#[test]
fn the_order_of_entries_does_not_matter() {
    let mut world = World::mail(3);
    world.slow_down(60 * MINUTE);
    let (forth, back) = (world.digest(), world.digest_backwards());
    assert_eq!((forth.anomalies, forth.onset), (back.anomalies, back.onset));
}

#[test]
fn any_text_makes_a_digest() {
    let mut world = World::empty();
    assert_eq!(world.digest().anomalies, 0);
    for (i, text) in
        ["", "\u{0}\u{1b}[2J", "日本 3 ms", &"x".repeat(1 << 20), "9".repeat(5000).as_str()]
            .iter()
            .cycle()
            .take(300)
            .enumerate()
    {
        let t = i64::try_from(i).unwrap();
        world.raise(t * SECOND, text, text, text);
        world.say(i64::MAX - t, Level::Error, "", text);
        world.say(i64::MIN + t, Level::Error, "", text);
    }
    world.digest();
}
