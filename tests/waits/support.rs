//! A watchdog, processes of a test's own, an executor, and an I/O thread that can be held up.

use std::future::Future;
use std::pin::{Pin, pin};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use futures_core::Stream;
use tightbeam::{Context, Messages, Pull, Push, Socket};
use tightbeam_tests::sockets::{LIMIT, join_up, open};

/// How long a whole test may take, on a busy machine.
const TEST_LIMIT: Duration = Duration::from_secs(60);

/// Runs a test; it fails if it hangs.
pub(crate) fn guarded(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = channel::<()>();
    let runner = thread::spawn(move || {
        let _done = done;
        test();
    });
    match ended.recv_timeout(TEST_LIMIT) {
        Err(RecvTimeoutError::Timeout) => panic!("hangs: not done within {TEST_LIMIT:?}"),
        _ => finish(runner),
    }
}

/// Joins a thread and passes its panic on.
pub(crate) fn finish<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

const OWN_PROCESS: &str = "TIGHTBEAM_TEST_OWN_PROCESS";

/// Runs a test in a process where nothing else runs; `name` is its path in this program.
pub(crate) fn in_own_process(name: &str, test: impl FnOnce() + Send + 'static) {
    if std::env::var_os(OWN_PROCESS).is_some() {
        return guarded(test);
    }
    let program = std::env::current_exe().expect("the test program has a path");
    let output = Command::new(program)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(OWN_PROCESS, "1")
        .stdin(Stdio::null())
        .output()
        .expect("the test program starts again");
    let said = String::from_utf8_lossy(&output.stdout);
    let said = format!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{name}: {said}");
}

/// Wakes a thread that runs futures.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs one future.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once, to be woken by nobody.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

/// A waker that does something.
pub(crate) struct CallOnWake<F: Fn() + Send + Sync>(pub(crate) F);

impl<F: Fn() + Send + Sync> Wake for CallOnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

/// A waker that does something when it is let go.
pub(crate) struct CallOnDrop<F: Fn() + Send + Sync>(pub(crate) F);

impl<F: Fn() + Send + Sync> Wake for CallOnDrop<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn() + Send + Sync> Drop for CallOnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// An I/O thread that is held up in a waker: whatever moves meanwhile is moved by callers.
pub(crate) struct HeldUp {
    release: Option<Sender<()>>,
    _messages: Messages,
    _sockets: (Socket<Pull>, Socket<Push>),
    /// The other end's context, which goes last.
    _other: Context,
}

/// Holds up the only I/O thread of the context. Its sockets must be connected before.
pub(crate) fn hold_up(context: &Context) -> HeldUp {
    let other = Context::new();
    let sockets: (Socket<Pull>, Socket<Push>) = (open(context), open(&other));
    join_up(&sockets.0, &sockets.1);
    let (release, released) = channel::<()>();
    let (entered, inside) = channel::<()>();
    let released: std::sync::Mutex<Receiver<()>> = released.into();
    let waker = Waker::from(Arc::new(CallOnWake(move || {
        let _ = entered.send(());
        // Ends with an error when the sender is dropped.
        let _ = released.lock().map(|released| released.recv());
    })));
    let mut messages = sockets.0.messages();
    let polled = Pin::new(&mut messages).poll_next(&mut TaskContext::from_waker(&waker));
    assert!(polled.is_pending());
    sockets.1.send("hold it up").expect("there is room");
    inside.recv_timeout(LIMIT).expect("the I/O thread wakes the task");
    HeldUp { release: Some(release), _messages: messages, _sockets: sockets, _other: other }
}

impl HeldUp {
    /// Lets it go on.
    pub(crate) fn release(&mut self) {
        self.release = None;
    }
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        self.release();
    }
}
