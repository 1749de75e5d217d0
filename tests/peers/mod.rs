//! The harness's side of the peers that `README.md` describes: finds or builds them, starts them in processes of their own,
//! hears what they say and ends them in time. Standard library only; `crates/xtask` and the interop tests include this file.
#![allow(dead_code, reason = "each harness uses a part of it")]

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// How long a peer may take until it is bound or connecting (a Python starts slowly, valgrind more so).
const START_LIMIT: Duration = Duration::from_secs(30);

/// A peer program: which language it is written in and how it is started.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) language: &'static str,
    command: Vec<OsString>,
}

impl Program {
    pub(crate) fn new(language: &'static str, program: impl Into<OsString>) -> Self {
        Self { language, command: vec![program.into()] }
    }

    /// The pyzmq peer; `None` where no Python has pyzmq.
    pub(crate) fn python() -> Option<Self> {
        let python = env::var_os("TIGHTBEAM_PYTHON").map(PathBuf::from).or_else(|| {
            let own = directory()?.join("../../.venv/bin/python");
            own.exists().then_some(own)
        })?;
        Some(Self::new("python", python).with(directory()?.join("peer.py")))
    }

    /// The libzmq peer, built if it has to be; `None` where libzmq or a compiler is missing.
    pub(crate) fn c() -> Option<Self> {
        if let Some(built) = env::var_os("TIGHTBEAM_PEERS") {
            let peer = Path::new(&built).join("peer");
            return peer.exists().then(|| Self::new("c", peer));
        }
        let here = env::current_exe().ok()?;
        let profile = here.ancestors().find(|dir| dir.join(".fingerprint").exists())?;
        let peer = profile.parent()?.join("peers/peer");
        build_c(&directory()?.join("peer.c"), &peer, &["-lzmq"]).ok()?;
        Some(Self::new("c", peer))
    }

    /// A program beside this file that asks libzmq something, built if it has to be; `None` where libzmq or a compiler is missing.
    pub(crate) fn question(name: &str) -> Option<Self> {
        Self::question_of(name, &["-lzmq"])
    }

    /// A program beside this file that asks these libraries something.
    pub(crate) fn question_of(name: &str, libraries: &[&str]) -> Option<Self> {
        let built = env::var_os("TIGHTBEAM_PEERS").map(PathBuf::from).or_else(|| {
            let here = env::current_exe().ok()?;
            let profile = here.ancestors().find(|dir| dir.join(".fingerprint").exists())?;
            Some(profile.parent()?.join("peers"))
        })?;
        let program = built.join(name);
        build_c(&directory()?.join(format!("{name}.c")), &program, libraries).ok()?;
        Some(Self::new("c", program))
    }

    /// The puppet of the Python's libzmq.
    pub(crate) fn python_puppet() -> Option<Self> {
        Self::python_script("puppet.py")
    }

    /// A script beside this file for the Python that has pyzmq.
    pub(crate) fn python_script(name: &str) -> Option<Self> {
        let mut program = Self::python()?;
        *program.command.last_mut()? = directory()?.join(name).into();
        Some(program)
    }

    /// Runs the program to its end with this as its standard input; answers its standard output.
    pub(crate) fn filter(&self, input: &str) -> Result<String, String> {
        let name = self.command[0].display();
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let mut stdin = child.stdin.take().ok_or("no standard input")?;
        let input = input.to_owned();
        // A program that reads no more ends, which its status says.
        let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().map_err(|error| format!("{name}: {error}"))?;
        let _ = writer.join();
        if !output.status.success() {
            return Err(format!("{name}: {}", output.status));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The same program under another name.
    pub(crate) fn called(mut self, language: &'static str) -> Self {
        self.language = language;
        self
    }

    /// The same program with one more argument.
    pub(crate) fn with(mut self, argument: impl Into<OsString>) -> Self {
        self.command.push(argument.into());
        self
    }

    /// The same program, run by another (valgrind, taskset).
    pub(crate) fn under(mut self, runner: &[&str]) -> Self {
        self.command.splice(0..0, runner.iter().map(OsString::from));
        self
    }

    /// Starts a peer and waits until it is bound or connecting.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Peer, String> {
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", self.command[0].display()))?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let (sender, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|l| sender.send(l))
        });
        let name = format!("{} {}", self.language, arguments.join(" "));
        let language = self.language;
        let mut peer =
            Peer { name, language, child, lines, endpoint: String::new(), heard: Vec::new() };
        let ready = peer.wait_for("READY", START_LIMIT)?;
        peer.endpoint = ready["READY".len()..].trim_start().to_owned();
        Ok(peer)
    }
}

/// A running peer; killed when dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    name: String,
    language: &'static str,
    child: Child,
    lines: Receiver<String>,
    endpoint: String,
    heard: Vec<String>,
}

impl Peer {
    /// The endpoint that it resolved: where to connect to.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads on until a line that starts so.
    pub(crate) fn wait_for(&mut self, start: &str, limit: Duration) -> Result<String, String> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = match self.lines.recv_timeout(left) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("{}: no {start:?} within {limit:?}", self.name));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let last = self.heard.last().map_or("nothing", String::as_str);
                    return Err(format!("{} ended before {start:?}, it said: {last}", self.name));
                }
            };
            self.heard.push(line.clone());
            if line.starts_with(start) {
                return Ok(line);
            }
        }
    }

    /// Writes the line that a publisher waits for.
    pub(crate) fn go(&mut self) -> Result<(), String> {
        self.tell("go")
    }

    /// Writes a line.
    pub(crate) fn tell(&mut self, line: &str) -> Result<(), String> {
        let input = self.child.stdin.as_mut().ok_or("no standard input")?;
        let line = format!("{line}\n");
        input.write_all(line.as_bytes()).map_err(|error| format!("{}: {error}", self.name))
    }

    pub(crate) fn language(&self) -> &'static str {
        self.language
    }

    /// Waits for the result and the end of the process. An `Err` unless all went well.
    pub(crate) fn finish(mut self, limit: Duration) -> Result<Report, String> {
        let json = self.wait_for("{", limit)?;
        let status = self.exit(limit)?;
        let said = self.heard.iter().filter(|line| line.starts_with("SAID ")).cloned().collect();
        let report = Report { said, json };
        match report.error() {
            Some(error) => Err(format!("{}: {error}", self.name)),
            None if !status => Err(format!("{}: failed after its result", self.name)),
            None => Ok(report),
        }
    }

    /// Waits for the exit; whether it was a good one.
    fn exit(&mut self, limit: Duration) -> Result<bool, String> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status.success()),
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(error) => return Err(format!("{}: {error}", self.name)),
            }
        }
        Err(format!("{}: did not end within {limit:?}", self.name))
    }

    /// Ends it at once, without a chance to say goodbye.
    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.end();
    }
}

/// What a peer reported at its end.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Its `SAID` lines.
    pub(crate) said: Vec<String>,
    /// Its result: one flat JSON object.
    pub(crate) json: String,
}

impl Report {
    /// The number under this key.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        json_value(&self.json, key)?.parse().ok()
    }

    /// Why it failed, if it did.
    fn error(&self) -> Option<&str> {
        match json_value(&self.json, "ok") {
            Some("true") => None,
            _ => Some(json_value(&self.json, "error").unwrap_or(&self.json)),
        }
    }
}

/// The raw value of a key in a flat JSON object as the peers print it: one line, `"key": value`.
fn json_value<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let label = format!("\"{key}\": ");
    let value = &json[json.find(&label)? + label.len()..];
    match value.strip_prefix('"') {
        Some(text) => Some(text.split_once(['"', '}']).map_or(text, |(text, _)| text)),
        None => value.split([',', '}']).next().map(str::trim),
    }
}

/// One side of a conversation: a program, and its command line without endpoint, `--bind` and `--connect`.
#[derive(Clone, Debug)]
pub(crate) struct Side<'a> {
    pub(crate) program: &'a Program,
    pub(crate) role: &'a str,
    pub(crate) socket_type: &'a str,
    pub(crate) options: &'a [&'a str],
}

impl Side<'_> {
    fn start(&self, endpoint: &str, how: &str) -> Result<Peer, String> {
        let mut arguments = vec![self.role, self.socket_type, endpoint, how];
        arguments.extend(self.options);
        self.program.start(&arguments)
    }
}

/// Lets two peers talk, the first one bound to `endpoint`, the second connected to it. Both reports in the same order.
pub(crate) fn converse(
    endpoint: &str,
    binder: &Side<'_>,
    connector: &Side<'_>,
    limit: Duration,
) -> Result<(Report, Report), String> {
    let mut bound = binder.start(endpoint, "--bind")?;
    let resolved = bound.endpoint().to_owned();
    let mut connected = connector.start(&resolved, "--connect")?;
    if binder.socket_type == "pub" {
        connected.wait_for("SYNC", limit)?;
        bound.go()?;
    } else if connector.socket_type == "pub" {
        bound.wait_for("SYNC", limit)?;
        connected.go()?;
    }
    match connected.finish(limit) {
        Ok(report) => Ok((bound.finish(limit)?, report)),
        // The other side may know more about why.
        Err(error) => match bound.finish(Duration::from_secs(2)) {
            Ok(_) => Err(error),
            Err(other) => Err(format!("{error}; {other}")),
        },
    }
}

/// The directory of this file.
pub(crate) fn directory() -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().map(|dir| dir.join("tests/peers")).find(|dir| dir.join("peer.c").exists())
}

/// Compiles a C program, unless the one that is there is newer than its source.
pub(crate) fn build_c(source: &Path, program: &Path, libraries: &[&str]) -> Result<(), String> {
    let age = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    if age(program).is_some_and(|built| age(source).is_some_and(|written| written < built)) {
        return Ok(());
    }
    if let Some(parent) = program.parent() {
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    }
    // Several tests may build at once: each under a name of its own, then moved into place.
    let draft = program.with_extension(std::process::id().to_string());
    let output = Command::new("cc")
        .args(["-std=gnu11", "-Wall", "-Wextra", "-O2", "-o"])
        .args([&draft, source])
        .args(libraries)
        .output()
        .map_err(|error| format!("cc: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    fs::rename(&draft, program).map_err(|error| format!("{}: {error}", program.display()))
}
