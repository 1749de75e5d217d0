//! What is measured.

/// The first argument of every contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Round trips.
    Lat,
    /// One-way streaming as fast as it goes.
    Thr,
    /// One-way latency at a given rate.
    Paced,
    /// A publisher with many subscriptions.
    Match,
    /// One-way streaming, encrypted.
    Curve,
}

impl Mode {
    pub(crate) const ALL: [Self; 5] = [Self::Lat, Self::Thr, Self::Curve, Self::Paced, Self::Match];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lat => "lat",
            Self::Thr => "thr",
            Self::Paced => "paced",
            Self::Match => "match",
            Self::Curve => "curve",
        }
    }

    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|mode| mode.name() == name);
        found.ok_or_else(|| format!("no mode {name:?}: lat, thr, curve, paced or match"))
    }
}

/// On which cores the two processes run, or the two threads of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    OneCore,
    TwoCores,
}

/// What the two processes are connected by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
    /// One process, in which each side is a thread.
    Inproc,
}

impl Transport {
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "tcp" => Ok(Self::Tcp),
            "ipc" => Ok(Self::Ipc),
            "inproc" => Ok(Self::Inproc),
            _ => Err(format!("no transport {name:?}: tcp, ipc or inproc")),
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Full,
    Quick,
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
}

/// One piece of work that every contender does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) mode: Mode,
    pub(crate) transport: Transport,
    pub(crate) placement: Placement,
    pub(crate) size: usize,
    /// Messages per second, where it is paced.
    pub(crate) rate: Option<u32>,
    /// Subscriptions, where there are any.
    pub(crate) topics: Option<usize>,
    /// Messages in a full run.
    full_count: usize,
}

impl Workload {
    pub(crate) fn count(&self, depth: Depth) -> usize {
        match depth {
            Depth::Full => self.full_count,
            Depth::Quick => (self.full_count / 5).max(1000),
            Depth::Smoke => (self.full_count / 1000).max(20),
        }
    }

    /// What a contender is told behind the endpoint: COUNT SIZE [RATE|SENDS].
    pub(crate) fn arguments(&self, depth: Depth) -> Vec<String> {
        let count = self.count(depth);
        let numbers = match (self.rate, self.topics) {
            (Some(rate), _) => vec![count, self.size, rate as usize],
            (_, Some(topics)) => vec![topics, self.size, count],
            (None, None) => vec![count, self.size],
        };
        numbers.iter().map(usize::to_string).collect()
    }

    /// What distinguishes it within its mode.
    pub(crate) fn label(&self) -> String {
        let size = match self.size {
            size if size >= 1 << 20 => format!("{} MB", size >> 20),
            size if size >= 1 << 10 => format!("{} KB", size >> 10),
            size => format!("{size} B"),
        };
        let cores = match self.placement {
            Placement::OneCore => "one core",
            Placement::TwoCores => "two cores",
        };
        let transport = match self.transport {
            Transport::Tcp => "",
            Transport::Ipc => "ipc, ",
            Transport::Inproc => "inproc, ",
        };
        match (self.rate, self.topics) {
            (Some(rate), _) => format!("{transport}{rate} msg/s, {size}, {cores}"),
            (_, Some(topics)) => format!("{transport}{topics} subscriptions, {size}, {cores}"),
            (None, None) => format!("{transport}{size}, {cores}"),
        }
    }

    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.mode.name(), self.label())
    }
}

/// Everything, in the order of the report.
pub(crate) fn all() -> Vec<Workload> {
    let plain = |mode, placement, size, full_count| Workload {
        mode,
        transport: Transport::Tcp,
        placement,
        size,
        rate: None,
        topics: None,
        full_count,
    };
    let mut all = vec![
        plain(Mode::Lat, Placement::OneCore, 64, 50_000),
        plain(Mode::Lat, Placement::TwoCores, 64, 50_000),
        plain(Mode::Thr, Placement::TwoCores, 64, 10_000_000),
        plain(Mode::Thr, Placement::TwoCores, 1 << 10, 2_000_000),
        plain(Mode::Thr, Placement::TwoCores, 1 << 16, 50_000),
        plain(Mode::Thr, Placement::TwoCores, 1 << 20, 5_000),
    ];
    let over_ipc = |workload| Workload { transport: Transport::Ipc, ..workload };
    all.extend([
        over_ipc(plain(Mode::Lat, Placement::OneCore, 64, 50_000)),
        over_ipc(plain(Mode::Lat, Placement::TwoCores, 64, 50_000)),
        over_ipc(plain(Mode::Thr, Placement::TwoCores, 64, 10_000_000)),
        over_ipc(plain(Mode::Thr, Placement::TwoCores, 1 << 16, 50_000)),
    ]);
    let inproc = |workload| Workload { transport: Transport::Inproc, ..workload };
    all.extend([
        inproc(plain(Mode::Lat, Placement::OneCore, 64, 100_000)),
        inproc(plain(Mode::Lat, Placement::TwoCores, 64, 100_000)),
        inproc(plain(Mode::Thr, Placement::OneCore, 64, 10_000_000)),
        inproc(plain(Mode::Thr, Placement::TwoCores, 64, 10_000_000)),
        inproc(plain(Mode::Thr, Placement::TwoCores, 1 << 10, 5_000_000)),
        inproc(plain(Mode::Thr, Placement::TwoCores, 1 << 16, 200_000)),
    ]);
    all.extend([
        plain(Mode::Curve, Placement::TwoCores, 64, 2_000_000),
        plain(Mode::Curve, Placement::TwoCores, 1 << 10, 500_000),
        plain(Mode::Curve, Placement::TwoCores, 1 << 16, 20_000),
    ]);
    all.extend([1_000, 10_000, 100_000].map(|rate| Workload {
        rate: Some(rate),
        ..plain(Mode::Paced, Placement::TwoCores, 64, 5 * rate as usize)
    }));
    all.extend([1_000, 100_000].map(|topics| Workload {
        topics: Some(topics),
        ..plain(Mode::Match, Placement::TwoCores, 64, 1_000_000)
    }));
    all
}
