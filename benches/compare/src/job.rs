//! What a program is told: `key=value` words, the same for all languages.

use std::env;
use std::time::Duration;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// REQ and REP in strict turn (`pair`: PAIR and PAIR).
    RoundTrip,
    /// PUSH to PULL as fast as it goes.
    Stream,
    /// PUSH to PULL at a given rate.
    Paced,
    /// DEALERs that each wait for the answer of one ROUTER.
    Router,
    /// PUB to SUBs.
    Publish,
    /// PUB to one SUB with many subscriptions.
    Match,
    /// Many connections that do nothing.
    Idle,
}

/// The words, read.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is to be done.
    pub work: Work,
    /// Whether this is the side that binds.
    pub server: bool,
    /// Whether one process is both sides, in a thread each.
    pub both: bool,
    /// Of `both`: the cores of the server and of the client.
    pub cores: Option<[usize; 2]>,
    /// Where the server binds.
    pub endpoint: String,
    /// A TCP address at which the server listens for the client's acknowledgements, outside of the library.
    pub control: String,
    /// Where the side that measures latencies writes them, as native u64 in nanoseconds.
    pub stamps: String,
    /// Messages that count.
    pub count: usize,
    /// Messages before those.
    pub warm: usize,
    /// Bytes of a part.
    pub size: usize,
    /// Parts of a message.
    pub parts: usize,
    /// Clients' sockets.
    pub peers: usize,
    /// Messages per second, of `Paced`.
    pub rate: f64,
    /// Subscriptions, of `Match`.
    pub topics: usize,
    /// How long nothing is done, of `Idle`.
    pub rest: Duration,
    /// Whether each subscriber has a topic of its own, of `Publish`.
    pub apart: bool,
    /// Whether connections are encrypted.
    pub curve: bool,
    /// Whether round trips are between two PAIRs.
    pub pair: bool,
    /// Whether one thread polls all clients' sockets, of `Router`, where the library can.
    pub polled: bool,
}

impl Job {
    /// Reads the words of the command line.
    pub fn parse() -> Result<Self, String> {
        let words: Vec<String> = env::args().skip(1).collect();
        let text = |key: &str| {
            let value = words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().to_owned()
        };
        let number = |key: &str, default: usize| match text(key).as_str() {
            "" => Ok(default),
            digits => digits.parse().map_err(|_| format!("{key}: not a number: {digits}")),
        };
        let cores = text("cores");
        let cores =
            cores.split_once(',').and_then(|(a, b)| Some([a.parse().ok()?, b.parse().ok()?]));
        let job = Self {
            work: work(&text("work"))?,
            server: text("role") == "server",
            both: text("role") == "both",
            cores,
            endpoint: text("endpoint"),
            control: text("control"),
            stamps: text("stamps"),
            count: number("count", 1)?,
            warm: number("warm", 0)?,
            size: number("size", 64)?,
            parts: number("parts", 1)?,
            peers: number("peers", 1)?,
            rate: number("rate", 1)? as f64,
            topics: number("topics", 1)?,
            rest: Duration::from_millis(number("rest_ms", 1000)? as u64),
            apart: number("apart", 0)? == 1,
            curve: number("curve", 0)? == 1,
            pair: number("pair", 0)? == 1,
            polled: number("polled", 0)? == 1,
        };
        let whole = job.count.is_multiple_of(job.peers) && job.warm.is_multiple_of(job.peers);
        match job.work {
            Work::Router | Work::Stream if !whole => {
                Err("count and warm are for all peers, in equal parts".into())
            }
            Work::Paced if job.size < 8 => {
                Err("a paced message has room for a stamp of 8 bytes".into())
            }
            Work::Publish | Work::Match if job.size < 16 => {
                Err("a published message begins with a topic of 16 bytes".into())
            }
            _ => Ok(job),
        }
    }

    /// Messages that are sent in all.
    pub fn total(&self) -> usize {
        self.warm + self.count
    }
}

fn work(name: &str) -> Result<Work, String> {
    Ok(match name {
        "round-trip" => Work::RoundTrip,
        "stream" => Work::Stream,
        "paced" => Work::Paced,
        "router" => Work::Router,
        "publish" => Work::Publish,
        "match" => Work::Match,
        "idle" => Work::Idle,
        _ => return Err(format!("work={name} is not known")),
    })
}
