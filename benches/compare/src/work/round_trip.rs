//! A request at a time.

use super::{Job, Library};
use crate::Outcome;
use crate::library::{Role, Socket};
use crate::system::{Used, now_ns};

pub(super) async fn answer<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let role = if job.pair { Role::Pair } else { Role::Rep };
    echo_all(job, library, role).await
}

/// Sends back what comes, until the work is done.
pub(super) async fn echo_all<L: Library>(job: &Job, library: &L, role: Role) -> Outcome<String> {
    let (mut socket, control) = job.serve(library, role).await?;
    for _ in 0..job.warm {
        socket.echo().await?;
    }
    let before = Used::so_far();
    for _ in 0..job.count {
        socket.echo().await?;
    }
    let used = Used::since(before);
    socket.flush().await?;
    library.acknowledged(&control).await?;
    socket.close().await?;
    Ok(format!("{{{}}}", used.json()))
}

pub(super) async fn ask<L: Library>(job: &Job, library: &L) -> Outcome<String> {
    let role = if job.pair { Role::Pair } else { Role::Req };
    let control = job.control()?;
    let mut socket = library.connect(&job.setup(role), &job.endpoint).await?;
    let body = vec![0; job.size];
    let mut stamps_ns = Vec::with_capacity(job.total());
    let (mut before, mut started_ns) = (Used::default(), 0);
    for i in 0..job.total() {
        let start_ns = now_ns();
        if i == job.warm {
            (before, started_ns) = (Used::so_far(), start_ns);
        }
        socket.send(&body, job.parts).await?;
        if socket.recv().await?.len != job.size * job.parts {
            return Err("the answer has another size".into());
        }
        stamps_ns.push(now_ns() - start_ns);
    }
    let seconds = (now_ns() - started_ns) as f64 / 1e9;
    let used = Used::since(before);
    job.leave(&stamps_ns[job.warm..])?;
    super::acknowledge(&control)?;
    socket.close().await?;
    Ok(format!("{{\"seconds\": {seconds:.6}, {}}}", used.json()))
}
