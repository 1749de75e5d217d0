//! What libraries on tokio have in common: a runtime of one thread, which is what fits a process that has one core, and a task
//! for each peer. Where one process is both sides, each of which has a core, the runtime has two threads.

use std::future::Future;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::Outcome;
use crate::library::read_byte;

/// The runtime of a process.
#[derive(Clone, Debug)]
pub struct Tokio(Arc<Runtime>);

impl Tokio {
    /// Of as many threads as this process has sides.
    pub fn new() -> Outcome<Self> {
        let both = std::env::args().any(|word| word == "role=both");
        let mut builder =
            if both { Builder::new_multi_thread() } else { Builder::new_current_thread() };
        Ok(Self(Arc::new(builder.worker_threads(2).enable_all().build()?)))
    }

    /// Runs what a thread does.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }
}

/// Runs the work of the peers as tasks.
pub async fn side_by_side<T, F: Future<Output = T>>(
    count: usize,
    work: impl Fn(usize) -> F,
) -> Vec<T> {
    join_all((0..count).map(work)).await
}

/// tokio's timers are not exact enough for what is due within milliseconds: whoever waits for that spins.
pub async fn sleep(time: Duration) {
    if time > Duration::from_millis(4) { tokio::time::sleep(time).await } else { yield_now().await }
}

/// Lets other tasks go on, and other threads on this core.
pub async fn yield_now() {
    std::thread::yield_now();
    tokio::task::yield_now().await;
}

/// In another thread, so that the runtime's goes on.
pub async fn acknowledged(control: &TcpStream) -> Outcome {
    let control = control.try_clone()?;
    Ok(tokio::task::spawn_blocking(move || read_byte(&control)).await??)
}

/// The methods of a [`Library`](crate::Library) of this kind that are the same for all; its runtime is in `self.tokio`.
#[macro_export]
macro_rules! on_tokio {
    () => {
        fn run<T>(&self, work: impl Future<Output = T>) -> T {
            self.tokio.run(work)
        }

        async fn side_by_side<T: Send, F: Future<Output = T>>(
            &self,
            count: usize,
            work: impl Fn(usize) -> F + Sync,
        ) -> Vec<T> {
            $crate::on_tokio::side_by_side(count, work).await
        }

        async fn sleep(&self, time: std::time::Duration) {
            $crate::on_tokio::sleep(time).await;
        }

        async fn yield_now(&self) {
            $crate::on_tokio::yield_now().await;
        }

        async fn acknowledged(&self, control: &std::net::TcpStream) -> $crate::Outcome {
            $crate::on_tokio::acknowledged(control).await
        }
    };
}
