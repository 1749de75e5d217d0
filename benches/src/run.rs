//! One run of one contender: a server and a client process, or one with both, pinned, with an endpoint of its own and a limit.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::contender::Contender;
use crate::workload::{Depth, Mode, Placement, Transport, Workload};

const LIMIT: Duration = Duration::from_secs(60);

/// What a run measured, by name.
pub(crate) type Figures = BTreeMap<&'static str, f64>;

/// The cores that processes are pinned to, where that is possible.
#[derive(Debug)]
pub(crate) struct Placements {
    cores: Option<(usize, usize)>,
}

impl Placements {
    /// The last two cores that we may use: the first one serves more interrupts.
    pub(crate) fn find() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let cores = parse_cores(list.unwrap_or_default());
        let taskset = Command::new("taskset").arg("--version").stdout(Stdio::null()).status();
        match cores.as_slice() {
            [.., one, two] if taskset.is_ok() => Self { cores: Some((*one, *two)) },
            _ => Self { cores: None },
        }
    }

    pub(crate) fn describe(&self) -> String {
        let pinned = match self.cores {
            Some((one, two)) => format!("pinned to core {one}, or to cores {one} and {two}"),
            None => "not pinned: that needs Linux, taskset and two cores".to_owned(),
        };
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or("?");
        format!("Processes {pinned}; load average at the end {load}.")
    }

    /// The core of the server and that of the client.
    fn cores(&self, placement: Placement) -> Option<[usize; 2]> {
        let (one, two) = self.cores?;
        Some(match placement {
            Placement::OneCore => [one, one],
            Placement::TwoCores => [one, two],
        })
    }

    fn command(&self, program: &Contender, workload: &Workload, server: bool) -> Command {
        let path = program.program(workload);
        let mut command = match self.cores(workload.placement) {
            None => Command::new(path),
            Some([one, two]) => {
                let core = if server { one } else { two };
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(path);
                command
            }
        };
        program.equip(&mut command);
        command
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
        self.lines.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("not done in {LIMIT:?}"),
            RecvTimeoutError::Disconnected => "ended without a result".to_owned(),
        })
    }

    /// Waits for the line with which a server says that it is bound.
    fn wait_ready(&self, deadline: Instant) -> Result<(), String> {
        let line = self.line(deadline)?;
        if line == "READY" { Ok(()) } else { Err(format!("not READY but {line:?}")) }
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
        Err(format!("not done in {LIMIT:?}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a workload once.
pub(crate) fn once(
    workload: &Workload,
    contender: &Contender,
    placements: &Placements,
    depth: Depth,
) -> Result<Figures, String> {
    let endpoint = endpoint(workload.transport).map_err(|error| format!("no endpoint: {error}"))?;
    let deadline = Instant::now() + LIMIT;
    let [server, client] = if workload.transport == Transport::Inproc {
        let mut command = Command::new(contender.program(workload));
        contender.equip(&mut command);
        command.args([workload.mode.name(), "both", &endpoint]).args(workload.arguments(depth));
        let cores = placements.cores(workload.placement);
        command.args(cores.iter().flatten().map(usize::to_string));
        one_process(command, deadline)?
    } else {
        let command = |server: bool| {
            let mut command = placements.command(contender, workload, server);
            let role = if server { "server" } else { "client" };
            command.args([workload.mode.name(), role, &endpoint]).args(workload.arguments(depth));
            command
        };
        two_processes(command(true), command(false), deadline)?
    };
    if let Some(path) = endpoint.strip_prefix("ipc://") {
        // Not everybody tidies up.
        let _ = fs::remove_file(path);
    }
    let figures = figures(workload, workload.count(depth), &server, &client);
    figures.ok_or_else(|| format!("no result: {server}{client}"))
}

/// The results of the server and the client.
fn two_processes(
    server: Command,
    client: Command,
    deadline: Instant,
) -> Result<[String; 2], String> {
    let server = Process::start(server)?;
    server.wait_ready(deadline).map_err(|error| format!("server: {error}"))?;
    let client = Process::start(client)?;
    let client = client.finish(deadline).map_err(|error| format!("client: {error}"))?;
    let server = server.finish(deadline).map_err(|error| format!("server: {error}"))?;
    Ok([server, client])
}

/// The same where one process does both.
fn one_process(command: Command, deadline: Instant) -> Result<[String; 2], String> {
    let process = Process::start(command)?;
    process.wait_ready(deadline)?;
    let server = process.line(deadline)?;
    let client = process.finish(deadline)?;
    Ok([server, client])
}

/// An address that is free now. Each run has one of its own, so that no connection of the last one lingers on it.
fn endpoint(transport: Transport) -> io::Result<String> {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    match transport {
        Transport::Tcp => {
            let listener = TcpListener::bind("127.0.0.1:0")?;
            Ok(format!("tcp://{}", listener.local_addr()?))
        }
        Transport::Inproc => Ok("inproc://bench".to_owned()),
        Transport::Ipc => {
            let (run, id) = (RUNS.fetch_add(1, Ordering::Relaxed), std::process::id());
            let path = std::env::temp_dir().join(format!("tightbeam-bench-{id}-{run}"));
            Ok(format!("ipc://{}", path.display()))
        }
    }
}

fn figures(workload: &Workload, count: usize, server: &str, client: &str) -> Option<Figures> {
    if workload.mode == Mode::Match {
        return match_figures(server, client);
    }
    let cpu_s = number(server, "cpu_s")? + number(client, "cpu_s")?;
    let mut figures = Figures::from([("cpu_us", cpu_s * 1e6 / count as f64)]);
    if matches!(workload.mode, Mode::Thr | Mode::Curve) {
        let rate = number(server, "rate")?;
        figures.insert("mmsg_s", rate / 1e6);
        figures.insert("mb_s", rate * workload.size as f64 / 1e6);
        figures.insert("sender_cpu_us", number(client, "cpu_s")? * 1e6 / count as f64);
        return Some(figures);
    }
    let measuring = if workload.mode == Mode::Lat { client } else { server };
    for (name, key) in [("p50_us", "p50_ns"), ("p99_us", "p99_ns"), ("p999_us", "p999_ns")] {
        figures.insert(name, number(measuring, key)? / 1e3);
    }
    Some(figures)
}

fn match_figures(server: &str, client: &str) -> Option<Figures> {
    let mut figures = Figures::from([("subscribe_ms", number(client, "subscribe_s")? * 1e3)]);
    for key in ["none_ns", "one_ns", "one_cpu_ns"] {
        figures.insert(key, number(server, key)?);
    }
    Some(figures)
}

/// The number under a key of the flat JSON object that a contender prints.
fn number(json: &str, key: &str) -> Option<f64> {
    let (_, value) = json.split_once(&format!("\"{key}\": "))?;
    value.split([',', '}']).next()?.trim().parse().ok()
}
