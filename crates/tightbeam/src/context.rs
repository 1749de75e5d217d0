//! Contexts: a set of sockets, and the I/O threads that serve them.

mod gate;
pub(crate) mod lookups;
pub(crate) mod names;
mod threads;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use slotmap::{Key, KeyData, SlotMap, new_key_type};
use zmtp::SocketType;

use self::gate::Gate;
use self::lookups::Lookups;
use self::names::Names;
use self::threads::Threads;
use crate::auth::Authenticate;
use crate::error::{Error, Result};
use crate::options::{ContextOptions, Options};
use crate::pattern::Pattern;
use crate::reactor::io_thread::IoThread;
use crate::reactor::shared::IoShared;
use crate::socket::{AnySocket, Core, Socket, Typed, Unsent};
use crate::sys::{self, Woken};

new_key_type! {
    /// Names a socket of a context; never reused for another.
    pub(crate) struct SocketId;
}

/// A number that names an open socket: for bindings that cannot hold a Rust value. A number of a
/// closed socket, or one made up, names nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    pub(crate) fn new(id: SocketId) -> Handle {
        Handle(id.data().as_ffi())
    }

    /// The number.
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// A handle from a number, whatever it is.
    #[must_use]
    pub fn from_u64(number: u64) -> Handle {
        Handle(number)
    }

    fn id(self) -> SocketId {
        KeyData::from_ffi(self.0).into()
    }
}

/// A set of sockets that share I/O threads. Cloning gives another handle to the same context.
///
/// A context may be shared between threads. Its I/O threads start with the first socket that needs
/// one, and end when the context was [terminated](Context::term), or when the last handle and the
/// last socket are gone.
///
/// ```
/// let context = tightbeam::Context::new();
/// let replier = context.socket::<tightbeam::Rep>()?;
/// let endpoint = replier.bind("tcp://127.0.0.1:*")?;
/// let requester = context.socket::<tightbeam::Req>()?;
/// requester.connect(&endpoint)?;
/// requester.send("hello")?;
/// assert_eq!(replier.recv()?.to_string_lossy(), "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Context {
    shared: Arc<ContextShared>,
}

/// What the sockets of a context share.
#[derive(Debug)]
pub(crate) struct ContextShared {
    state: Mutex<ContextState>,
    names: Mutex<Names>,
    pub(crate) lookups: Lookups,
    gate: Gate,
    /// Counts the sockets that have ended; those who wait for the last one sleep on it.
    ended: AtomicU32,
    fork_generation: u32,
}

#[derive(Debug)]
struct ContextState {
    options: ContextOptions,
    sockets: SlotMap<SocketId, Arc<Core>>,
    threads: Threads,
    shut_down: bool,
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

impl Context {
    /// A context with one I/O thread.
    #[must_use]
    pub fn new() -> Context {
        let state = ContextState {
            options: ContextOptions::default(),
            sockets: SlotMap::with_key(),
            threads: Threads::default(),
            shut_down: false,
        };
        let shared = ContextShared {
            state: Mutex::new(state),
            names: Mutex::default(),
            lookups: Lookups::default(),
            gate: Gate::default(),
            ended: AtomicU32::new(0),
            fork_generation: sys::fork_generation(),
        };
        Context { shared: Arc::new(shared) }
    }

    /// Opens a socket of the type named by `T`.
    ///
    /// # Errors
    /// [`Error::TooManySockets`]; [`Error::Terminated`] after a shutdown; [`Error::Forked`].
    pub fn socket<T: Typed>(&self) -> Result<Socket<T>> {
        self.any_socket(T::TYPE).map(Socket::new)
    }

    /// Opens a socket of a type that is known only at run time.
    ///
    /// # Errors
    /// As [`socket`](Context::socket).
    pub fn any_socket(&self, socket_type: SocketType) -> Result<AnySocket> {
        self.shared.open(socket_type)
    }

    /// The open socket with this handle, if there is one.
    #[must_use]
    pub fn socket_by_handle(&self, handle: Handle) -> Option<AnySocket> {
        let state = self.shared.lock().ok()?;
        state.sockets.get(handle.id()).map(|core| AnySocket::borrowed(Arc::clone(core)))
    }

    /// Sets an option of the context by its number; see
    /// [`CONTEXT_TABLE`](crate::options::CONTEXT_TABLE). Those about I/O threads hold if they are set
    /// before the first socket is opened.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`], [`Error::Forked`].
    pub fn set_option(&self, number: i32, value: i32) -> Result<()> {
        self.shared.lock()?.options.set(number, value)
    }

    /// Reads an option of the context by its number.
    ///
    /// # Errors
    /// [`Error::UnknownOption`]; [`Error::BadOption`] when it can only be set; [`Error::Forked`].
    pub fn option(&self, number: i32) -> Result<i32> {
        self.shared.lock()?.options.get(number)
    }

    /// Sets an option of the context that is text: THREAD_NAME_PREFIX, of at most 16 bytes.
    ///
    /// # Errors
    /// [`Error::UnknownOption`], [`Error::BadOption`], [`Error::Forked`].
    ///
    /// ```
    /// use tightbeam::options::number::context::THREAD_NAME_PREFIX;
    ///
    /// let context = tightbeam::Context::new();
    /// context.set_text_option(THREAD_NAME_PREFIX, "feed")?;
    /// assert_eq!(context.text_option(THREAD_NAME_PREFIX)?, "feed");
    /// # Ok::<(), tightbeam::Error>(())
    /// ```
    pub fn set_text_option(&self, number: i32, text: &str) -> Result<()> {
        self.shared.lock()?.options.set_text(number, text)
    }

    /// Reads an option of the context that is text.
    ///
    /// # Errors
    /// As [`set_text_option`](Context::set_text_option).
    pub fn text_option(&self, number: i32) -> Result<String> {
        self.shared.lock()?.options.get_text(number)
    }

    /// Has every peer that must be authenticated judged by `authenticator`, in place of a handler that is bound to
    /// `inproc://zeromq.zap.01`, and of one installed before. It holds for handshakes that follow. See [`auth`](crate::auth).
    /// In a forked child it does nothing.
    pub fn set_authenticator(&self, authenticator: impl Authenticate) {
        drop(self.shared.install(Some(Arc::new(authenticator))));
    }

    /// Takes the authenticator back.
    pub fn remove_authenticator(&self) {
        drop(self.shared.install(None));
    }

    /// Ends every call that waits in a socket of this context with [`Error::Terminated`]; from now on
    /// sockets can only be closed. Does not wait.
    pub fn shutdown(&self) {
        let Ok(mut state) = self.shared.lock() else { return };
        state.shut_down = true;
        let sockets: Vec<Arc<Core>> = state.sockets.values().cloned().collect();
        drop(state);
        for core in sockets {
            core.terminate();
        }
        let in_vain = self.shared.names().shut_down();
        drop(in_vain);
    }

    /// Shuts the context down and waits until every socket was closed and has sent what it holds,
    /// or its linger period is over; then its I/O threads end.
    ///
    /// # Errors
    /// [`Error::Interrupted`] by a signal: call it again to go on waiting. [`Error::Forked`] in a forked
    /// child, which has nothing to wait for.
    pub fn term(&self) -> Result<()> {
        self.term_within(None).map(|_| ())
    }

    /// The same, waiting no longer than `timeout`. False if sockets were left; then it may be called
    /// again.
    ///
    /// # Errors
    /// As [`term`](Context::term).
    pub fn term_timeout(&self, timeout: Duration) -> Result<bool> {
        self.term_within(Some(timeout))
    }

    fn term_within(&self, timeout: Option<Duration>) -> Result<bool> {
        self.shutdown();
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (mut state, done) = loop {
            let state = self.shared.lock()?;
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let done = state.sockets.is_empty();
            if done || left == Some(Duration::ZERO) {
                break (state, done);
            }
            let ended = self.shared.ended.load(Ordering::SeqCst);
            drop(state);
            if sys::futex_wait(&self.shared.ended, ended, left) == Woken::Interrupted {
                return Err(Error::Interrupted);
            }
        };
        let threads = done.then(|| state.threads.take());
        drop(state);
        for thread in threads.into_iter().flatten() {
            thread.stop();
        }
        Ok(done)
    }

    /// A handle that does not keep the context.
    #[must_use]
    pub fn downgrade(&self) -> WeakContext {
        WeakContext { shared: Arc::downgrade(&self.shared) }
    }

    /// What its sockets, closed ones too, still have to send to other processes: what would be lost if this process
    /// ended now. What can be written is written first, without waiting. Without what nobody lingers for (LINGER 0), and
    /// empty in a forked child.
    ///
    /// ```
    /// let context = tightbeam::Context::new();
    /// let push = context.socket::<tightbeam::Push>()?;
    /// push.connect("ipc://@nobody-is-here")?;
    /// push.send("hello")?;
    /// let [unsent] = &context.unsent()[..] else { panic!("one peer") };
    /// assert_eq!((unsent.messages, unsent.connected), (1, false));
    /// # push.set_linger(Some(std::time::Duration::ZERO))?;
    /// # Ok::<(), tightbeam::Error>(())
    /// ```
    #[must_use]
    pub fn unsent(&self) -> Vec<Unsent> {
        let Ok(state) = self.shared.lock() else { return Vec::new() };
        let sockets: Vec<Arc<Core>> = state.sockets.values().cloned().collect();
        drop(state);
        sockets.iter().flat_map(|core| core.unsent()).collect()
    }

    /// How the I/O threads of this context are doing.
    #[must_use]
    pub fn stats(&self) -> ContextStats {
        let Ok(state) = self.shared.lock() else { return ContextStats::default() };
        let shared = || state.threads.iter().map(IoThread::shared);
        ContextStats {
            sockets: state.sockets.len(),
            io_wakeups: shared().map(|io| io.turns()).sum(),
            burst_looks: shared().map(|io| io.burst_looks()).sum(),
            contained_panics: shared().map(|io| io.panics()).sum(),
        }
    }
}

/// A context that is looked at without being kept.
///
/// ```
/// let context = tightbeam::Context::new();
/// let watched = context.downgrade();
/// assert!(watched.upgrade().is_some());
/// drop(context);
/// assert!(watched.upgrade().is_none());
/// ```
#[derive(Debug, Clone)]
pub struct WeakContext {
    shared: Weak<ContextShared>,
}

impl WeakContext {
    /// The context, unless all handles and sockets are gone. A socket that was closed is there until it has sent what it
    /// lingers for.
    #[must_use]
    pub fn upgrade(&self) -> Option<Context> {
        self.shared.upgrade().map(|shared| Context { shared })
    }
}

/// Counters of a context.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextStats {
    /// Sockets that are open, or closed and still sending.
    pub sockets: usize,
    /// How often the I/O threads have woken; an idle process adds none.
    pub io_wakeups: u64,
    /// How often they have looked whether a burst of sends goes on; sends that are not a burst add
    /// none.
    pub burst_looks: u64,
    /// Panics that cost a socket instead of the process; always 0, or there is a bug to report.
    pub contained_panics: u64,
}

impl ContextShared {
    /// Opens a socket of this context.
    pub(crate) fn open(self: &Arc<Self>, socket_type: SocketType) -> Result<AnySocket> {
        let mut state = self.lock()?;
        if state.shut_down {
            return Err(Error::Terminated);
        }
        let most = state.options.max_sockets;
        if state.sockets.len() >= most {
            return Err(Error::TooManySockets(most));
        }
        let pattern = Pattern::new(socket_type);
        let options = Options::new(socket_type, &state.options);
        let ContextState { options: of_context, threads, .. } = &mut *state;
        threads.plan(of_context);
        let shared = Arc::clone(self);
        let id = state
            .sockets
            .insert_with_key(|id| Core::new(id, socket_type, shared, options, pattern));
        Ok(AnySocket::new(Arc::clone(&state.sockets[id])))
    }

    /// A socket for the context's own use, which nobody sees and nobody has to wait for.
    fn hidden(self: &Arc<Self>, socket_type: SocketType) -> Result<Arc<Core>> {
        let options = Options::new(socket_type, &self.lock()?.options);
        let pattern = Pattern::new(socket_type);
        Ok(Core::new(SocketId::default(), socket_type, Arc::clone(self), options, pattern))
    }

    fn lock(&self) -> Result<MutexGuard<'_, ContextState>> {
        if self.fork_generation != sys::fork_generation() {
            return Err(Error::Forked);
        }
        Ok(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The inproc names. To be asked without a socket's lock.
    pub(crate) fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The I/O thread for a socket, among those that `affinity` names as bits; started if need be.
    pub(crate) fn io_thread(&self, affinity: u64) -> Result<Arc<IoShared>> {
        self.lock()?.threads.pick(affinity)
    }

    /// A socket has ended: nothing is left to send.
    pub(crate) fn socket_ended(&self, id: SocketId) {
        let Ok(mut state) = self.lock() else { return };
        let core = state.sockets.remove(id);
        drop(state);
        if let Some(core) = core {
            core.leave_reactor();
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        sys::futex_wake(&self.ended, u32::MAX);
    }
}

impl Drop for ContextShared {
    fn drop(&mut self) {
        if self.fork_generation != sys::fork_generation() {
            // The threads live in the parent; waiting for them would never end.
            if let Ok(mut state) = self.state.try_lock() {
                state.threads.take().for_each(std::mem::forget);
            }
            return;
        }
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        for thread in state.threads.take() {
            thread.stop();
        }
    }
}
