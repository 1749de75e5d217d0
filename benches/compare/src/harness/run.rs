//! One run of one contender: a server and a client process, or one with both, pinned, with addresses of its own and a limit.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

use hdrhistogram::Histogram;

use super::contender::Contender;
use super::results::{Figures, Outcome};
use super::workload::{Depth, Group, Transport, Workload};

/// A run that takes so much longer than it should has failed.
const PATIENCE: Duration = Duration::from_secs(8);

/// The cores that processes are pinned to, where that is possible: of the server and of the client.
pub(crate) struct Cores(Option<[usize; 2]>);

impl Cores {
    /// The last two cores that we may use: the first one serves more interrupts.
    pub(crate) fn find() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let cores = parse_cores(list.unwrap_or_default());
        let taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).status();
        match cores.as_slice() {
            [.., one, two] if taskset.is_ok() => Self(Some([*one, *two])),
            _ => Self(None),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self.0 {
            Some([one, two]) => {
                format!("Processes are pinned to core {one}, or to cores {one} and {two}")
            }
            None => "Processes are not pinned: that needs Linux, taskset and two cores".to_owned(),
        }
    }

    fn of(&self, workload: &Workload) -> Option<[usize; 2]> {
        self.0.map(|[one, two]| [one, if workload.one_core { one } else { two }])
    }
}

/// `0-2,5` as 0, 1, 2, 5.
fn parse_cores(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// A process that is killed when it is forgotten.
struct Process {
    child: Child,
    lines: Receiver<String>,
}

/// Why a run failed that was not done by its deadline.
const TOO_LATE: &str = "not done in time";

/// What a program says that cannot do what it was asked to.
const UNSUPPORTED: &str = "UNSUPPORTED";

impl Process {
    fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let (sender, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        Ok(Self { child, lines })
    }

    fn line(&self, deadline: Instant) -> Result<String, String> {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = self.lines.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => TOO_LATE.to_owned(),
            RecvTimeoutError::Disconnected => "ended without a result".to_owned(),
        })?;
        if line.starts_with(UNSUPPORTED) { Err(UNSUPPORTED.to_owned()) } else { Ok(line) }
    }

    /// Waits for the line with which a server says that it is bound.
    fn wait_ready(&self, contender: &Contender, deadline: Instant) -> Result<(), String> {
        let line = self.line(deadline)?;
        match line.as_str() {
            "READY" if contender.is_on_its_library(self.child.id()) => Ok(()),
            "READY" => Err("it runs on another library than it is meant to".to_owned()),
            _ => Err(format!("not READY but {line:?}")),
        }
    }

    /// Waits for the JSON line and the end.
    fn finish(mut self, deadline: Instant) -> Result<String, String> {
        let json = self.line(deadline)?;
        while Instant::now() < deadline {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) if status.success() => return Ok(json),
                Some(status) => return Err(status.to_string()),
                None => thread::sleep(Duration::from_millis(1)),
            }
        }
        Err(TOO_LATE.to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the two sides of a run meet, and where latencies are left.
struct Place {
    endpoint: String,
    control: String,
    directory: PathBuf,
}

impl Place {
    /// Each run has its own, so that no connection of the last one lingers there.
    fn new(transport: Transport) -> io::Result<Self> {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let (run, id) = (RUNS.fetch_add(1, Ordering::Relaxed), process::id());
        let directory = env::temp_dir().join(format!("tightbeam-compare-{id}-{run}"));
        fs::create_dir_all(&directory)?;
        // Both are held until both are known, or they might be the same.
        let (one, two) = (TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?);
        let endpoint = match transport {
            Transport::Tcp => format!("tcp://{}", one.local_addr()?),
            Transport::Ipc => format!("ipc://{}", directory.join("socket").display()),
            Transport::Inproc => "inproc://bench".to_owned(),
        };
        Ok(Self { endpoint, control: two.local_addr()?.to_string(), directory })
    }

    fn words(&self, role: &str) -> [String; 4] {
        [
            format!("role={role}"),
            format!("endpoint={}", self.endpoint),
            format!("control={}", self.control),
            format!("stamps={}", self.directory.join("stamps").display()),
        ]
    }

    /// The latencies of the run, if there are any.
    fn latencies(&self) -> Option<Histogram<u64>> {
        let bytes = fs::read(self.directory.join("stamps")).ok()?;
        let mut latencies = Histogram::new(3).ok()?;
        for stamp in bytes.chunks_exact(8) {
            let ns = u64::from_ne_bytes(stamp.try_into().ok()?);
            latencies.record(ns).ok()?;
        }
        Some(latencies)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Does a piece of work once with so many messages.
pub(crate) fn once(
    workload: &Workload,
    contender: &Contender,
    cores: &Cores,
    depth: Depth,
    count: usize,
) -> Outcome {
    match try_once(workload, contender, cores, depth, count) {
        Ok(outcome) => outcome,
        Err(error) if error.ends_with(UNSUPPORTED) => Outcome::Unsupported,
        Err(error) => Outcome::Failed(error),
    }
}

fn try_once(
    workload: &Workload,
    contender: &Contender,
    cores: &Cores,
    depth: Depth,
    count: usize,
) -> Result<Outcome, String> {
    let place = Place::new(workload.transport).map_err(|error| format!("no place: {error}"))?;
    let Some(program) = contender.program(workload) else { return Ok(Outcome::Unsupported) };
    let command = |role: &str, core: Option<usize>| {
        let mut command = Command::new(program);
        if let Some(core) = core {
            command = Command::new("taskset");
            command.args(["-c", &core.to_string()]).arg(program);
        }
        contender.equip(&mut command);
        command.args(workload.words(count, depth)).args(place.words(role));
        command
    };
    let deadline = Instant::now() + Duration::from_secs_f64(2.0 * workload.run_s(depth)) + PATIENCE;
    let both = workload.transport == Transport::Inproc;
    let pinned = cores.of(workload);
    let [server, client] = if both {
        let mut command = command("both", None);
        command.args(pinned.map(|[server, client]| format!("cores={server},{client}")));
        one_process(command, contender, deadline)?
    } else {
        let server = command("server", pinned.map(|cores| cores[0]));
        let client = command("client", pinned.map(|cores| cores[1]));
        two_processes(server, client, contender, deadline)?
    };
    let latencies = place.latencies();
    let figures = figures(workload, count, [&server, &client], latencies.as_ref(), both);
    let figures = figures.ok_or_else(|| format!("no result: {server}{client}"))?;
    Ok(Outcome::Done { figures, latencies })
}

/// The results of the server and the client.
fn two_processes(
    server: Command,
    client: Command,
    contender: &Contender,
    deadline: Instant,
) -> Result<[String; 2], String> {
    let server = Process::start(server)?;
    server.wait_ready(contender, deadline).map_err(|error| format!("server: {error}"))?;
    let client = Process::start(client)?;
    let client = client.finish(deadline).map_err(|error| format!("client: {error}"))?;
    let server = server.finish(deadline).map_err(|error| format!("server: {error}"))?;
    Ok([server, client])
}

/// The same where one process does both.
fn one_process(
    command: Command,
    contender: &Contender,
    deadline: Instant,
) -> Result<[String; 2], String> {
    let process = Process::start(command)?;
    process.wait_ready(contender, deadline)?;
    let server = process.line(deadline)?;
    let client = process.finish(deadline)?;
    Ok([server, client])
}

/// What the two sides said, as figures by the message.
fn figures(
    workload: &Workload,
    count: usize,
    sides: [&str; 2],
    latencies: Option<&Histogram<u64>>,
    both: bool,
) -> Option<Figures> {
    // Whoever measures how long it takes says so; in one process it also says what both sides have used.
    let measuring = sides.into_iter().find(|side| number(side, "seconds").is_some())?;
    let used = |key| {
        let sides = sides.into_iter().filter(|side| !both || *side == measuring);
        sides.map(|side| number(side, key)).sum::<Option<f64>>()
    };
    let delivered = workload.delivered(count) as f64;
    let seconds = number(measuring, "seconds")?;
    let mut figures = Figures::from([("seconds", seconds)]);
    if workload.group != Group::Paced {
        figures.insert("rate", delivered / seconds);
        figures.insert("mb_s", delivered / seconds * (workload.size * workload.parts) as f64 / 1e6);
    }
    if workload.group != Group::Idle {
        figures.insert("cpu_us", used("cpu_s")? * 1e6 / delivered);
        figures.insert("switches", used("switches")? / delivered);
    }
    if let Some(latencies) = latencies {
        for (key, quantile) in [("p50_us", 0.5), ("p99_us", 0.99), ("p999_us", 0.999)] {
            figures.insert(key, latencies.value_at_quantile(quantile) as f64 / 1e3);
        }
    }
    for key in ["none_ns", "one_ns", "subscribe_s", "heap_each", "wakeups"] {
        if let Some(value) = sides.into_iter().find_map(|side| number(side, key)) {
            figures.insert(key, value);
        }
    }
    if workload.group == Group::Idle {
        figures.insert("idle_cpu_ms", number(sides[0], "cpu_s")? * 1e3);
    }
    Some(figures)
}

/// The number under a key of the flat JSON object that a program prints.
fn number(json: &str, key: &str) -> Option<f64> {
    let (_, value) = json.split_once(&format!("\"{key}\": "))?;
    value.split([',', '}']).next()?.trim().parse().ok()
}
