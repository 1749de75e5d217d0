//! Many peers that connect, send one message, and then do nothing.

use std::time::{Duration, Instant};

use super::{Job, Library};
use crate::Outcome;
use crate::library::{Role, Socket};
use crate::system::{Used, heap_bytes, now_ns};

pub(super) async fn serve<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let before = heap_bytes();
    let (mut socket, control) = job.serve(library, Role::Pull).await?;
    for _ in 0..job.peers {
        socket.recv().await?;
    }
    super::acknowledge(&control)?;
    rest(library, job.rest / 4).await;
    let heap = heap_bytes().saturating_sub(before) as f64 / job.peers as f64;
    let used = Used::so_far();
    rest(library, job.rest).await;
    let used = Used::since(used);
    super::acknowledge(&control)?;
    library.acknowledged(&control).await?;
    socket.close().await?;
    let wakeups = wakeups(used.switches);
    Ok(format!("{{\"heap_each\": {heap:.0}, \"wakeups\": {wakeups}, {}}}", used.json()))
}

pub(super) async fn connect<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let control = job.control()?;
    let body = vec![0; job.size];
    let mut sockets = Vec::with_capacity(job.peers);
    let start_ns = now_ns();
    for _ in 0..job.peers {
        let mut socket = library.connect(&job.setup(Role::Push), &job.endpoint).await?;
        socket.send(&body, 1).await?;
        socket.flush().await?;
        sockets.push(socket);
    }
    library.acknowledged(&control).await?;
    let seconds = (now_ns() - start_ns) as f64 / 1e9;
    library.acknowledged(&control).await?;
    super::acknowledge(&control)?;
    for socket in sockets {
        socket.close().await?;
    }
    Ok(format!("{{\"seconds\": {seconds:.6}, \"cpu_s\": 0, \"switches\": 0}}"))
}

/// One long sleep, for libraries whose sleeps are as long as they are told.
async fn rest<L: Library>(library: &L, time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    {
        library.sleep(left).await;
    }
}

/// The end of the sleep is one that does not count.
fn wakeups(switches: i64) -> i64 {
    (switches - 1).max(0)
}
