//! Two hours of a small system's log, made from a seed.

use logrec_core::{
    Level, RingId, RowRef, Seq, Timestamp,
    record::{RecordRef, RecordWriter},
};

use super::super::{Digest, Digester};

pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
const SPAN: i64 = 120 * MINUTE;

struct Line {
    time: i64,
    level: Level,
    logger: String,
    message: String,
    exception: String,
}

pub(super) struct World {
    state: u64,
    lines: Vec<Line>,
}

impl World {
    pub(super) fn empty() -> Self {
        Self { state: 1, lines: Vec::new() }
    }

    fn new(seed: u64) -> Self {
        let mut world = Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), ..Self::empty() };
        (0..8).for_each(|_| _ = world.next());
        world
    }

    /// A mail service: requests with a status, deliveries with a duration, odd warnings, rare one-offs.
    pub(super) fn mail(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.during(0, SPAN, 3000, |world, t| {
            let status = [200, 200, 200, 200, 204, 404, 200, 200][world.below(8)];
            let status = if world.below(300) == 0 { 503 } else { status };
            let (ms, id) = (world.duration(20.0), world.number(90_000));
            world.say(
                t,
                Level::Info,
                "web.access",
                &format!("PUT /box/{id} answered {status} in {ms:.1} ms"),
            );
        });
        world.during(0, SPAN, 2500, |world, t| {
            let (ms, id) = (world.duration(140.0), world.number(1 << 30));
            world.say(
                t,
                Level::Info,
                "mta.outbound",
                &format!("delivered {id:x}f0 to relay in {ms:.0}ms"),
            );
        });
        world.during(0, SPAN, 120, |world, t| {
            let user = world.number(4000);
            world.say(t, Level::Warning, "mta.inbound", &format!("sender {user} failed dkim"));
        });
        world.oddities("mta", &["alias", "spool", "bounce", "filter", "folder", "digest"]);
        world
    }

    /// A gateway of sensors: readings, shards that report by number, jobs that run like clockwork.
    pub(super) fn gateway(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.during(0, SPAN, 4000, |world, t| {
            let (node, value) = (world.number(900), world.duration(21.0));
            world.say(t, Level::Debug, "gw.reading", &format!("node {node} reads {value:.2}"));
        });
        for shard in 0..6 {
            world.every(70 * SECOND, |world, t| {
                let rows = world.number(5000);
                world.say(
                    t,
                    Level::Info,
                    "gw.store",
                    &format!("shard {shard} flushed {rows} rows"),
                );
            });
        }
        for (job, seconds) in
            [("calibrate_probes", 150), ("rotate_keys", 240), ("prune_history", 90)]
        {
            world.every(seconds * SECOND, |world, t| {
                let ms = world.duration(300.0);
                world.say(t, Level::Info, "gw.jobs", &format!("task {job} done in {ms:.0} ms"));
            });
        }
        world.during(0, SPAN, 90, |world, t| {
            let node = world.number(900);
            world.say(t, Level::Warning, "gw.radio", &format!("weak signal from node {node}"));
        });
        world.oddities("gw", &["antenna", "battery", "beacon", "firmware", "lease", "topic"]);
        world
    }

    /// Statements that speak a few times, some late for the first time.
    fn oddities(&mut self, system: &str, things: &[&str]) {
        for thing in things {
            for (level, phrase) in [
                (Level::Info, "reloaded"),
                (Level::Info, "was exported for"),
                (Level::Warning, "looks stale to"),
                (Level::Error, "could not be read by"),
            ] {
                let times = self.below(7);
                self.during(0, SPAN, times, |world, t| {
                    let user = world.number(4000);
                    let logger = format!("{system}.{thing}");
                    world.say(t, level, &logger, &format!("{thing} {phrase} client {user}"));
                });
            }
        }
    }

    /// A minute in which a known warning comes by the dozen.
    pub(super) fn burst(&mut self) {
        let like = self.lines.iter().find(|line| line.level == Level::Warning).unwrap();
        let (logger, message) = (like.logger.clone(), like.message.clone());
        let from = 30 * MINUTE + i64::try_from(self.below(60)).unwrap() * MINUTE;
        self.during(from, from + MINUTE, 60, |world, t| {
            world.say(t, Level::Warning, &logger, &message)
        });
    }

    /// From then on the deliveries are told in other words, and twice.
    pub(super) fn reword(&mut self, from: i64) {
        self.lines.retain(|line| line.logger != "mta.outbound" || line.time < from);
        self.during(from, SPAN, 2500, |world, t| {
            let (ms, id) = (world.duration(140.0), world.number(1 << 30));
            world.say(t, Level::Info, "mta.outbound", &format!("relay took={ms:.2}ms msg={id}"));
            world.say(t, Level::Debug, "mta.outbound", &format!("span closed msg={id}"));
        });
    }

    pub(super) fn stop(&mut self, text: &str, from: i64) {
        self.lines.retain(|line| line.time < from || !line.message.contains(text));
    }

    pub(super) fn no_deliveries_from(&mut self, from: i64) {
        self.lines.retain(|line| line.time < from || line.logger != "mta.outbound");
    }

    pub(super) fn fail_requests(&mut self, from: i64, until: i64) {
        let mut seen = 0;
        for line in self.lines.iter_mut().filter(|line| (from..until).contains(&line.time)) {
            seen += usize::from(line.logger == "web.access");
            if line.logger == "web.access" && seen % 3 == 0 {
                line.message = line.message.replace("answered 200", "answered 503");
            }
        }
    }

    /// Deliveries take up to five times as long, more and more.
    pub(super) fn slow_down(&mut self, from: i64) {
        for line in self.lines.iter_mut().filter(|line| line.time >= from) {
            let Some((head, tail)) = line.message.split_once(" relay in ") else { continue };
            let ms: f64 = tail.trim_end_matches("ms").parse().unwrap();
            let factor = 1.0 + 4.0 * ((line.time - from) as f64 / (40 * MINUTE) as f64).min(1.0);
            line.message = format!("{head} relay in {:.0}ms", ms * factor);
        }
    }

    pub(super) fn say(&mut self, time: i64, level: Level, logger: &str, message: &str) {
        let (logger, message) = (logger.to_owned(), message.to_owned());
        self.lines.push(Line { time, level, logger, message, exception: String::new() });
    }

    pub(super) fn raise(&mut self, time: i64, logger: &str, message: &str, exception: &str) {
        self.say(time, Level::Error, logger, message);
        self.lines.last_mut().unwrap().exception = exception.to_owned();
    }

    /// So many events at random times.
    pub(super) fn during(
        &mut self,
        from: i64,
        until: i64,
        count: usize,
        mut say: impl FnMut(&mut Self, i64),
    ) {
        for _ in 0..count {
            let share = self.share();
            #[expect(clippy::cast_possible_truncation, reason = "a part of the span")]
            let time = from + ((until - from) as f64 * share) as i64;
            say(self, time);
        }
    }

    fn every(&mut self, period: i64, mut say: impl FnMut(&mut Self, i64)) {
        let mut time = i64::try_from(self.below(60)).unwrap() * SECOND;
        while time < SPAN {
            say(self, time);
            time += period + i64::try_from(self.below(4)).unwrap() * SECOND;
        }
    }

    pub(super) fn digest(&mut self) -> Digest {
        self.lines.sort_by_key(|line| line.time);
        Self::of(self.lines.iter())
    }

    pub(super) fn digest_backwards(&mut self) -> Digest {
        self.lines.sort_by_key(|line| line.time);
        Self::of(self.lines.iter().rev())
    }

    fn of<'l>(lines: impl Iterator<Item = &'l Line>) -> Digest {
        let (mut digester, mut record) = (Digester::new(), Vec::new());
        for (seq, line) in (0..).zip(lines) {
            let mut writer = RecordWriter::new(&mut record, 1 << 21);
            writer.message_str(&line.message);
            writer.logger(&line.logger);
            if !line.exception.is_empty() {
                writer.exception(&line.exception);
            }
            writer.finish();
            let time = Timestamp(line.time);
            digester.add(&RowRef {
                time,
                observed: time,
                level: line.level,
                ring: RingId(1),
                seq: Seq::new(0, seq),
                record: RecordRef::new(&record),
            });
        }
        digester.finish()
    }

    pub(super) fn number(&mut self, below: u64) -> u64 {
        self.next() % below
    }

    fn below(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % below as u64).unwrap()
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// About this much, as durations are: some half of it, some twice.
    fn duration(&mut self, usual: f64) -> f64 {
        let sum: f64 = (0..4).map(|_| self.share()).sum();
        usual * (sum - 2.0).exp()
    }

    /// Xorshift, by Marsaglia.
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}
