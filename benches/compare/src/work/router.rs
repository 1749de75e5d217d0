//! Many clients of one ROUTER, each of which waits for its answer.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Job, Library};
use crate::Outcome;
use crate::library::{Role, Socket};
use crate::system::{Used, now_ns};

pub(super) async fn answer<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    super::round_trip::echo_all(job, library, Role::Router).await
}

pub(super) async fn ask<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let control = job.control()?;
    let start = Start::default();
    let clients = library.side_by_side(job.peers, |_| async {
        let asked = client(job, library, &start).await;
        asked.map_err(|error| error.to_string())
    });
    let mut stamps_ns = Vec::with_capacity(job.count);
    for stamps in clients.await {
        stamps_ns.extend(stamps?);
    }
    let (before, started_ns) = *start.at.get().ok_or("nobody started")?;
    let seconds = (now_ns() - started_ns) as f64 / 1e9;
    let used = Used::since(before);
    job.leave(&stamps_ns)?;
    super::acknowledge(&control)?;
    Ok(format!("{{\"seconds\": {seconds:.6}, {}}}", used.json()))
}

/// The clients start together, when the last one has warmed up.
#[derive(Default)]
struct Start {
    warm: AtomicUsize,
    at: OnceLock<(Used, u64)>,
}

async fn client<L: Library>(job: &Job, library: &L, start: &Start) -> Outcome<Vec<u64>> {
    let mut socket = library.connect(&job.setup(Role::Dealer), &job.endpoint).await?;
    let body = vec![0; job.size];
    let mut stamps_ns = Vec::with_capacity(job.total() / job.peers);
    for _ in 0..job.warm / job.peers {
        ask_once(&mut socket, &body).await?;
    }
    if start.warm.fetch_add(1, Ordering::Relaxed) + 1 == job.peers {
        start.at.set((Used::so_far(), now_ns())).map_err(|_| "started twice")?;
    }
    while start.at.get().is_none() {
        library.sleep(Duration::from_millis(1)).await;
        library.yield_now().await;
    }
    for _ in 0..job.count / job.peers {
        let start_ns = now_ns();
        ask_once(&mut socket, &body).await?;
        stamps_ns.push(now_ns() - start_ns);
    }
    socket.close().await?;
    Ok(stamps_ns)
}

async fn ask_once<S: Socket>(socket: &mut S, body: &[u8]) -> Outcome {
    socket.send(body, 1).await?;
    if socket.recv().await?.len != body.len() {
        return Err("the answer has another size".into());
    }
    Ok(())
}
