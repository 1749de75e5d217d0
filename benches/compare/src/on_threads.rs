//! What libraries with blocking calls have in common: a thread for each peer.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;

/// Runs what a thread does: calls block, so that there is never anything to wait for.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(result) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

/// Runs the work of each peer in a thread; that of a single one here.
pub fn side_by_side<T: Send, F: Future<Output = T>>(
    count: usize,
    work: impl Fn(usize) -> F + Sync,
) -> Vec<T> {
    if count == 1 {
        return vec![run(work(0))];
    }
    thread::scope(|scope| {
        let work = &work;
        let start = |peer| scope.spawn(move || run(work(peer)));
        let threads: Vec<_> = (0..count).map(start).collect();
        let join =
            |thread: thread::ScopedJoinHandle<'_, T>| thread.join().expect("a peer panicked");
        threads.into_iter().map(join).collect()
    })
}

/// The methods of a [`Library`](crate::Library) of this kind that are the same for all.
#[macro_export]
macro_rules! threaded {
    () => {
        fn run<T>(&self, work: impl Future<Output = T>) -> T {
            $crate::on_threads::run(work)
        }

        async fn side_by_side<T: Send, F: Future<Output = T>>(
            &self,
            count: usize,
            work: impl Fn(usize) -> F + Sync,
        ) -> Vec<T> {
            $crate::on_threads::side_by_side(count, work)
        }

        async fn sleep(&self, time: std::time::Duration) {
            std::thread::sleep(time);
        }

        async fn yield_now(&self) {
            std::thread::yield_now();
        }

        async fn acknowledged(&self, control: &std::net::TcpStream) -> $crate::Outcome {
            Ok($crate::library::read_byte(control)?)
        }
    };
}
