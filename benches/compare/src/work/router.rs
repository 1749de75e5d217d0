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
    let mut stamps_ns = Vec::with_capacity(job.total());
    if job.polled && L::POLLS {
        ask_all(job, library, &start, &mut stamps_ns).await?;
    } else {
        let clients = library.side_by_side(job.peers, |_| async {
            let asked = client(job, library, &start).await;
            asked.map_err(|error| error.to_string())
        });
        for stamps in clients.await {
            stamps_ns.extend(stamps?);
        }
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

/// All clients in one thread, which polls their sockets.
async fn ask_all<L: Library>(
    job: &Job,
    library: &L,
    start: &Start,
    stamps_ns: &mut Vec<u64>,
) -> Outcome {
    let mut sockets = Vec::with_capacity(job.peers);
    for _ in 0..job.peers {
        sockets.push(library.connect(&job.setup(Role::Dealer), &job.endpoint).await?);
    }
    ask_polled(job, library, &mut sockets, job.warm / job.peers, stamps_ns).await?;
    stamps_ns.clear();
    start.at.set((Used::so_far(), now_ns())).map_err(|_| "started twice")?;
    ask_polled(job, library, &mut sockets, job.count / job.peers, stamps_ns).await?;
    for socket in sockets {
        socket.close().await?;
    }
    Ok(())
}

/// Each of the sockets asks so often.
async fn ask_polled<L: Library>(
    job: &Job,
    library: &L,
    sockets: &mut [L::Socket],
    rounds: usize,
    stamps_ns: &mut Vec<u64>,
) -> Outcome {
    let body = vec![0; job.size];
    let mut clients = Vec::with_capacity(job.peers);
    for socket in sockets.iter_mut().filter(|_| rounds > 0) {
        clients.push((rounds, now_ns()));
        socket.send(&body, 1).await?;
    }
    let (mut awaited, mut ready) = (rounds * job.peers, Vec::with_capacity(job.peers));
    while awaited > 0 {
        library.poll(sockets, &mut ready).await?;
        for at in ready.drain(..) {
            let (left, sent_ns) = &mut clients[at];
            if sockets[at].recv().await?.len != body.len() {
                return Err("the answer has another size".into());
            }
            let received_ns = now_ns();
            stamps_ns.push(received_ns - *sent_ns);
            (*left, *sent_ns) = (*left - 1, received_ns);
            awaited -= 1;
            if *left > 0 {
                sockets[at].send(&body, 1).await?;
            }
        }
    }
    Ok(())
}
