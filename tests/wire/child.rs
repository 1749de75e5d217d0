//! Tests that need a process of their own: limits and counters are the process's.

use std::process::Command;

const MARK: &str = "TIGHTBEAM_WIRE_CHILD";

/// Runs the test of this name again in a process that runs nothing else. True in that process: then
/// the test is to do its work; false in the parent, once the child has succeeded.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("this program");
    let mut child = Command::new(this);
    child.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(MARK, "1");
    let output = child.output().expect("a child");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter(|line| line.contains("measured:")).for_each(|line| println!("{line}"));
    false
}
