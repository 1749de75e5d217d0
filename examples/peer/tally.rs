//! What passed, and how long it took.

use std::time::{Duration, Instant};

use tightbeam::Frame;

use super::arguments::Arguments;
use super::say;

/// How many bytes of a message `--show` prints.
const SHOWN: usize = 72;
/// The modulus of Adler-32.
const ADLER: u32 = 65_521;
/// So many bytes can be added up before a sum of Adler-32 overflows.
const ADLER_BLOCK: usize = 5_552;

/// Counts what passes.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Whole messages.
    pub(crate) count: u64,
    bytes: u64,
    /// The two sums of Adler-32.
    sums: (u32, u32),
    /// How many messages are still to be shown.
    show: u64,
    started: Option<Instant>,
    ended: Option<Instant>,
    round_trips: Vec<Duration>,
}

impl Tally {
    pub(crate) fn new(show: u64) -> Tally {
        Tally {
            count: 0,
            bytes: 0,
            sums: (1, 0),
            show,
            started: None,
            ended: None,
            round_trips: Vec::new(),
        }
    }

    /// The clock starts now, or else with the first message.
    pub(crate) fn start(&mut self) {
        self.started = Some(Instant::now());
    }

    /// A message with these parts passed in the direction of the arrow.
    pub(crate) fn add(&mut self, arrow: &str, parts: &[Frame]) {
        let now = Instant::now();
        self.started.get_or_insert(now);
        self.ended = Some(now);
        if self.show > 0 {
            self.show -= 1;
            let first = parts.first().map_or(&[][..], |part| part);
            say(&format!("SAID {arrow} {}", printable(&first[..first.len().min(SHOWN)])));
        }
        self.count += 1;
        for part in parts {
            self.bytes += part.len() as u64;
            self.add_to_sums(part);
        }
    }

    pub(crate) fn round_trip(&mut self, took: Duration) {
        self.round_trips.push(took);
    }

    fn add_to_sums(&mut self, bytes: &[u8]) {
        let (mut a, mut b) = self.sums;
        for block in bytes.chunks(ADLER_BLOCK) {
            for &byte in block {
                a += u32::from(byte);
                b += a;
            }
            (a, b) = (a % ADLER, b % ADLER);
        }
        self.sums = (a, b);
    }

    /// The result as JSON, in one line.
    pub(crate) fn report(&mut self, arguments: &Arguments, error: Option<&String>) -> String {
        let seconds = match (self.started, self.ended) {
            (Some(started), Some(ended)) => (ended - started).as_secs_f64(),
            _ => 0.0,
        };
        let mut json = format!(
            "{{\"ok\": {}, \"language\": \"rust\", \"role\": \"{}\", \"type\": \"{}\", \
             \"count\": {}, \"bytes\": {}, \"checksum\": {}, \"seconds\": {seconds:.6}",
            error.is_none(),
            arguments.role.name(),
            arguments.socket_type.name().to_lowercase(),
            self.count,
            self.bytes,
            self.sums.1 << 16 | self.sums.0,
        );
        if let Some(error) = error {
            let error = error.replace('\\', "\\\\").replace('"', "'");
            json += &format!(", \"error\": \"{}\"", printable(error.as_bytes()));
        } else {
            json += &self.latencies().unwrap_or_default();
        }
        json + "}"
    }

    fn latencies(&mut self) -> Option<String> {
        self.round_trips.sort_unstable();
        let n = self.round_trips.len();
        let us = |at: usize| Some(self.round_trips.get(at)?.as_secs_f64() * 1e6);
        let (p50, p99, max) = (us(n * 50 / 100)?, us(n * 99 / 100)?, us(n.checked_sub(1)?)?);
        Some(format!(", \"p50_us\": {p50:.2}, \"p99_us\": {p99:.2}, \"max_us\": {max:.2}"))
    }
}

/// Bytes as text, with those that a terminal might not like in hexadecimal.
fn printable(bytes: &[u8]) -> String {
    let text = |&byte: &u8| match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(text).collect()
}
