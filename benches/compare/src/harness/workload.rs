//! What is measured.

/// A table of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    RoundTrip,
    Stream,
    Curve,
    FanIn,
    Router,
    Publish,
    Match,
    Paced,
    Idle,
}

impl Group {
    pub(crate) const ALL: [Self; 9] = [
        Self::RoundTrip,
        Self::Stream,
        Self::Curve,
        Self::FanIn,
        Self::Router,
        Self::Publish,
        Self::Match,
        Self::Paced,
        Self::Idle,
    ];

    /// How titles begin, and what `--only` understands.
    fn name(self) -> &'static str {
        match self {
            Self::RoundTrip => "round-trip",
            Self::Stream => "stream",
            Self::Curve => "curve",
            Self::FanIn => "fan-in",
            Self::Router => "router",
            Self::Publish => "publish",
            Self::Match => "match",
            Self::Paced => "paced",
            Self::Idle => "idle",
        }
    }

    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::RoundTrip => "Round trips: REQ and REP, and PAIRs",
            Self::Stream => "Streams: PUSH to PULL",
            Self::Curve => "Streams through CURVE: PUSH to PULL",
            Self::FanIn => "Fan-in: many PUSH to one PULL",
            Self::Router => "Closed loop: DEALERs that wait for one ROUTER",
            Self::Publish => "Publishing: one PUB, many SUB",
            Self::Match => "Matching: one PUB, one SUB with many subscriptions",
            Self::Paced => "One-way latency of a paced sender: PUSH to PULL",
            Self::Idle => "Idle connections: PUSHes that connect, send one message and wait",
        }
    }

    /// What the programs are told.
    fn work(self) -> &'static str {
        match self {
            Self::Curve | Self::FanIn => "stream",
            other => other.name(),
        }
    }
}

/// What the two sides are connected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
    /// One process, in which each side is a thread.
    Inproc,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Full,
    Quick,
    /// A handful of messages: does it run?
    Smoke,
}

impl Depth {
    pub(crate) fn rounds(self) -> usize {
        match self {
            Self::Full => 7,
            Self::Quick => 3,
            Self::Smoke => 1,
        }
    }

    /// How long the part of a run that counts is to take.
    pub(crate) fn seconds(self) -> f64 {
        match self {
            Self::Full => 0.25,
            Self::Quick => 0.15,
            Self::Smoke => 0.0,
        }
    }
}

/// One piece of work that every contender does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Workload {
    pub(crate) group: Group,
    pub(crate) transport: Transport,
    /// Whether both sides share a core; otherwise each has one.
    pub(crate) one_core: bool,
    pub(crate) size: usize,
    pub(crate) parts: usize,
    pub(crate) peers: usize,
    /// Messages per second, of `Paced`.
    pub(crate) rate: usize,
    /// Subscriptions, of `Match`.
    pub(crate) topics: usize,
    /// Whether each subscriber has a topic of its own.
    pub(crate) apart: bool,
    /// Whether round trips are between two PAIRs.
    pub(crate) pair: bool,
    /// Whether one thread polls all DEALERs.
    pub(crate) polled: bool,
}

/// Messages that subscribers acknowledge together, in all programs.
const WINDOW: usize = 2000;

impl Workload {
    const fn new(group: Group, transport: Transport, size: usize) -> Self {
        Self {
            group,
            transport,
            one_core: false,
            size,
            parts: 1,
            peers: 1,
            rate: 1,
            topics: 1,
            apart: false,
            pair: false,
            polled: false,
        }
    }

    /// The number of messages is a multiple of this.
    pub(crate) fn step(&self) -> usize {
        match self.group {
            Group::Publish if self.apart => WINDOW / 10 * self.peers,
            Group::Publish | Group::Match => WINDOW,
            _ => self.peers,
        }
    }

    /// Messages of the first, short run, by which the others are made as long as they are to be.
    pub(crate) fn first_count(&self, depth: Depth) -> usize {
        let least = match (self.group, depth) {
            (Group::Idle, _) => 1,
            (Group::Paced, _) => (self.rate as f64 * depth.seconds() * 4.0) as usize,
            (_, Depth::Smoke) => 20,
            (Group::RoundTrip | Group::Router, _) => 500,
            (Group::Publish, _) => 3000,
            _ => (50_000_000 / (self.size + 10_000)).max(100),
        };
        self.round(least.max(20))
    }

    /// Up to a number that can be done.
    pub(crate) fn round(&self, count: usize) -> usize {
        count.next_multiple_of(self.step())
    }

    /// How long nothing is done, of `Idle`.
    fn rest_ms(depth: Depth) -> usize {
        if depth == Depth::Smoke { 100 } else { 2000 }
    }

    /// About how long a run takes, with what is around the part that counts.
    pub(crate) fn run_s(&self, depth: Depth) -> f64 {
        match self.group {
            Group::Idle => Self::rest_ms(depth) as f64 * 1.25e-3 + 1.5,
            Group::Paced => depth.seconds() * 4.4 + 0.1,
            _ => depth.seconds() * 1.2 + 0.05,
        }
    }

    /// How often it is done where others are done so often: doing nothing takes long, and is the same each time.
    pub(crate) fn rounds(&self, rounds: usize) -> usize {
        if self.group == Group::Idle { rounds.div_ceil(2) } else { rounds }
    }

    /// Runs of one contender.
    pub(crate) fn runs(&self, rounds: usize) -> usize {
        // One more, which says how long the others are to be.
        self.rounds(rounds) + usize::from(self.is_adjusted())
    }

    /// Whether the number of messages says how long a run takes.
    pub(crate) fn is_adjusted(&self) -> bool {
        !matches!(self.group, Group::Paced | Group::Idle)
    }

    /// How many messages arrive if so many are sent.
    pub(crate) fn delivered(&self, count: usize) -> usize {
        match self.group {
            Group::Publish if !self.apart => count * self.peers,
            Group::Idle => self.peers,
            _ => count,
        }
    }

    /// What a program is told beside its role and addresses.
    pub(crate) fn words(&self, count: usize, depth: Depth) -> Vec<String> {
        let warm = match self.group {
            Group::RoundTrip | Group::Router | Group::Paced | Group::Match => {
                self.round(count / 10)
            }
            // One of each sender, by which it is known to be connected.
            Group::FanIn => self.peers,
            Group::Stream | Group::Curve | Group::Publish | Group::Idle => 0,
        };
        let flags = [
            ("apart", self.apart),
            ("pair", self.pair),
            ("polled", self.polled),
            ("curve", self.group == Group::Curve),
        ];
        let numbers = [
            ("count", count),
            ("warm", warm),
            ("size", self.size),
            ("parts", self.parts),
            ("peers", self.peers),
            ("rate", self.rate),
            ("topics", self.topics),
            ("rest_ms", Self::rest_ms(depth)),
        ];
        let flags = flags.map(|(key, flag)| (key, usize::from(flag)));
        let words = numbers.iter().chain(&flags).map(|(key, value)| format!("{key}={value}"));
        std::iter::once(format!("work={}", self.group.work())).chain(words).collect()
    }

    /// What distinguishes it within its group.
    pub(crate) fn label(&self) -> String {
        let mut label = match self.transport {
            Transport::Tcp => "tcp",
            Transport::Ipc => "ipc",
            Transport::Inproc => "inproc",
        }
        .to_owned();
        if self.pair {
            label += " PAIR";
        }
        label += &format!(" {}", size(self.size));
        if self.parts > 1 {
            label += &format!(" x {}", self.parts);
        }
        label += &match self.group {
            Group::FanIn => format!(" from {}", self.peers),
            Group::Router if self.polled => format!(" for {}, polled by one thread", self.peers),
            Group::Router => format!(" for {}", self.peers),
            Group::Publish if self.apart => format!(" to {}, a topic each", self.peers),
            Group::Publish => format!(" to {}", self.peers),
            Group::Match => format!(", {} subscriptions", self.topics),
            Group::Paced => format!(" at {}/s", self.rate),
            Group::Idle => format!(" from {}", self.peers),
            Group::RoundTrip if self.one_core => ", one core".to_owned(),
            Group::RoundTrip => ", two cores".to_owned(),
            Group::Stream | Group::Curve => String::new(),
        };
        label
    }

    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.group.name(), self.label())
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        size if size >= 1 << 20 => format!("{} MB", size >> 20),
        size if size >= 1 << 10 => format!("{} KB", size >> 10),
        size => format!("{size} B"),
    }
}

/// Everything, in the order of the report.
pub(crate) fn all() -> Vec<Workload> {
    use Transport::{Inproc, Ipc, Tcp};
    let mut all = Vec::new();
    for transport in [Tcp, Ipc, Inproc] {
        for size in [1, 64, 1 << 10, 1 << 16] {
            for one_core in [true, false] {
                all.push(Workload { one_core, ..Workload::new(Group::RoundTrip, transport, size) });
            }
        }
    }
    for one_core in [true, false] {
        let pair = Workload::new(Group::RoundTrip, Inproc, 64);
        all.push(Workload { one_core, pair: true, ..pair });
    }
    for transport in [Tcp, Ipc, Inproc] {
        for size in [16, 64, 1 << 10, 1 << 13, 1 << 16, 1 << 20] {
            all.push(Workload::new(Group::Stream, transport, size));
        }
    }
    all.push(Workload { parts: 3, ..Workload::new(Group::Stream, Tcp, 64) });
    all.extend([64, 1 << 10, 1 << 13, 1 << 16].map(|size| Workload::new(Group::Curve, Tcp, size)));
    let tcp = |group| Workload::new(group, Tcp, 64);
    all.extend([10, 100].map(|peers| Workload { peers, ..tcp(Group::FanIn) }));
    all.extend([1, 10, 100].map(|peers| Workload { peers, ..tcp(Group::Router) }));
    all.push(Workload { peers: 100, polled: true, ..tcp(Group::Router) });
    all.extend([1, 10, 100].map(|peers| Workload { peers, ..tcp(Group::Publish) }));
    all.push(Workload { peers: 100, apart: true, ..tcp(Group::Publish) });
    all.extend([1_000, 100_000].map(|topics| Workload { topics, ..tcp(Group::Match) }));
    all.extend([1_000, 10_000, 100_000].map(|rate| Workload { rate, ..tcp(Group::Paced) }));
    all.extend([1_000, 5_000].map(|peers| Workload { peers, ..tcp(Group::Idle) }));
    all
}

/// What is tried in the smoke run: each kind of work once, the last of each kind.
pub(crate) fn smoke() -> Vec<Workload> {
    let mut found: Vec<Workload> = Vec::new();
    for workload in all() {
        let kind = |w: &Workload| (w.group, w.transport, w.pair, w.parts, w.apart, w.polled);
        found.retain(|other| kind(other) != kind(&workload));
        found.push(Workload {
            peers: workload.peers.min(10),
            topics: workload.topics.min(100),
            size: workload.size.min(1 << 13),
            ..workload
        });
    }
    found
}
