//! Tests that do not care for the transport run a second time, over ipc.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::paths::Directory;

const TRANSPORT: &str = "TIGHTBEAM_TEST_TRANSPORT";

/// Whether this process runs its tests over ipc.
#[must_use]
pub fn over_ipc() -> bool {
    std::env::var(TRANSPORT).is_ok_and(|transport| transport == "ipc")
}

/// A bind to a port of the system's choice, or to a path that nobody uses.
#[must_use]
pub fn anywhere() -> String {
    anywhere_over(over_ipc())
}

/// The same, over ipc or over tcp.
#[must_use]
pub fn anywhere_over(ipc: bool) -> String {
    static PATHS: AtomicUsize = AtomicUsize::new(0);
    if !ipc {
        return "tcp://127.0.0.1:*".to_owned();
    }
    let count = PATHS.fetch_add(1, Ordering::Relaxed);
    let name = format!("socket-{}-{count}", std::process::id());
    format!("ipc://{}", std::env::temp_dir().join(name).display())
}

/// Runs the tests of this program whose names contain one of these once more, over ipc.
///
/// # Panics
/// One of them fails, or there are none.
pub fn again_over_ipc(names: &[&str], but: &[&str]) {
    let directory = Directory::new();
    let program = std::env::current_exe().expect("the test program has a path");
    let mut command = Command::new(program);
    command.args(names).args(but.iter().flat_map(|name| ["--skip", name]));
    command.env(TRANSPORT, "ipc").env("TMPDIR", directory.path(""));
    let output = command.stdin(Stdio::null()).output().expect("the test program starts again");
    let said = String::from_utf8_lossy(&output.stdout);
    let ran = said.contains("test result: ok") && !said.contains(" 0 passed");
    assert!(output.status.success() && ran, "{said}{}", String::from_utf8_lossy(&output.stderr));
}
