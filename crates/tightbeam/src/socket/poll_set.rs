//! `Poller`: a set of sockets and descriptors that is waited for again and again.

use std::collections::{HashMap, VecDeque};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use slotmap::{Key, KeyData, SlotMap, new_key_type};

use super::core::Core;
use super::descriptor::{Found, Wanted};
use super::poller::{DRIVEN, interrupted};
use super::wait::{Driver, remaining};
use super::watch::{Inbox, Watch};
use super::{Readiness, SocketBase, flush, linger};
use crate::error::{Error, Result};
use crate::sys::PollFd;

/// Events of descriptors taken from the system at once.
const EVENTS: usize = 256;
/// The token of the inbox in the poller's own poll.
const INBOX: Token = Token(usize::MAX);
/// Waits that need no sleep after which the kernel is asked for news of the sockets, so that those that
/// are always ready do not hide the others.
const ASK_AFTER: u32 = 16;

mod wait;

new_key_type! {
    /// Names what is in the set; never reused.
    struct ItemId;
}

/// What [`Poller::wait`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollEvent {
    /// The key that the socket, the descriptor or the waker was added with.
    pub key: u64,
    /// What of the wanted is possible; nothing, for a waker.
    pub ready: Readiness,
    /// A descriptor has urgent data, and that was wanted; sockets never have.
    pub urgent: bool,
    /// A descriptor was closed, hung up or in error; sockets never are.
    pub failed: bool,
}

impl PollEvent {
    fn new(key: u64, found: Found) -> PollEvent {
        PollEvent { key, ready: found.ready, urgent: found.urgent, failed: found.failed }
    }
}

#[derive(Debug)]
struct Item {
    target: Target,
    key: u64,
    wanted: Wanted,
    /// Stands in the list of those that may be ready.
    listed: bool,
}

#[derive(Debug)]
enum Target {
    Socket { core: Arc<Core>, watch: Arc<Watch>, pinned: bool },
    Descriptor { fd: RawFd, heard: Heard },
}

/// How the poller hears of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Nothing is wanted of it.
    Not,
    /// The system tells.
    InPoll,
    /// The system has no events for it (a file): each wait looks.
    ByLooking,
}

/// A set of sockets and descriptors to wait for, made once and used for many waits. Each is added with
/// a key of the caller's choice, which its events carry.
///
/// A wait costs as much as there is news, not as the set is large, and the set has no limit. Sockets
/// that are always ready take turns with the others. Up to 16 sockets are driven by the thread
/// that waits; more are left to the I/O thread.
///
/// A poller is used by one thread at a time, and may be sent to another. The sockets may be used by
/// other threads meanwhile; then a receive that follows an event may find nothing. Another thread
/// ends a wait with a [`PollWaker`].
///
/// ```
/// use std::time::Duration;
/// use tightbeam::{Context, Poller, Pull, Push, Readiness};
///
/// let context = Context::new();
/// let (left, right) = (context.socket::<Pull>()?, context.socket::<Pull>()?);
/// left.bind("tcp://127.0.0.1:*")?;
/// let push = context.socket::<Push>()?;
/// push.connect(right.bind("tcp://127.0.0.1:*")?)?;
///
/// let readable = Readiness { readable: true, writable: false };
/// let mut poller = Poller::new()?;
/// poller.add(&left, 1, readable)?;
/// poller.add(&right, 2, readable)?;
/// push.send("hello")?;
/// let event = poller.wait(Some(Duration::from_secs(5)))?;
/// assert_eq!(event.key, 2);
/// assert_eq!(right.try_recv()?, "hello");
/// // Nothing else: the time is over.
/// assert!(poller.wait(Some(Duration::from_millis(1))).unwrap_err().is_would_block());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Poller {
    items: SlotMap<ItemId, Item>,
    /// By the address of what they share; it is held, so the address stays.
    sockets: HashMap<usize, ItemId>,
    descriptors: HashMap<RawFd, ItemId>,
    /// Those that may be ready, in turn.
    candidates: VecDeque<ItemId>,
    inbox: Arc<Inbox>,
    /// The descriptors and the inbox.
    poll: Poll,
    events: Events,
    told: Vec<u64>,
    called: Vec<u64>,
    found: Vec<PollEvent>,
    /// A waker was made: a wait may end although the set is empty.
    has_waker: bool,
    unasked: u32,
}

/// Ends the wait of a [`Poller`] from another thread: the wait answers an event with the waker's key.
///
/// Used while nobody waits, it ends the next wait; used several times before a wait, it ends one.
#[derive(Debug, Clone)]
pub struct PollWaker {
    inbox: Arc<Inbox>,
    key: u64,
}

impl PollWaker {
    /// Ends the wait. Does not wait itself.
    pub fn wake(&self) {
        self.inbox.call(self.key);
    }
}

fn id_of(number: u64) -> ItemId {
    KeyData::from_ffi(number).into()
}

fn number_of(id: ItemId) -> u64 {
    id.data().as_ffi()
}

fn address_of(core: &Arc<Core>) -> usize {
    Arc::as_ptr(core) as usize
}

const NOT_THERE: Error = Error::BadArgument("it is not in the poller");
const THERE_ALREADY: Error = Error::BadArgument("it is in the poller already");

impl Poller {
    /// An empty set.
    ///
    /// # Errors
    /// [`Error::Io`]: the process or the system has no descriptors left.
    pub fn new() -> Result<Poller> {
        let inbox = Inbox::new()?;
        let poll = Poll::new().map_err(Error::io("open a poller's poll"))?;
        let wake = inbox.wake.as_raw_fd();
        let registered = poll.registry().register(&mut SourceFd(&wake), INBOX, Interest::READABLE);
        registered.map_err(Error::io("register a poller's wake-ups"))?;
        Ok(Poller {
            items: SlotMap::with_key(),
            sockets: HashMap::new(),
            descriptors: HashMap::new(),
            candidates: VecDeque::new(),
            inbox,
            poll,
            events: Events::with_capacity(EVENTS),
            told: Vec::new(),
            called: Vec::new(),
            found: Vec::new(),
            has_waker: false,
            unasked: 0,
        })
    }

    /// How many sockets and descriptors are in the set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds a socket. It may be closed while it is in the set: then the next wait answers
    /// [`Error::Closed`], once.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is in the set already; [`Error::Terminated`], [`Error::Forked`].
    pub fn add(&mut self, socket: &SocketBase, key: u64, wanted: Readiness) -> Result<()> {
        let core = Arc::clone(socket.core());
        if self.sockets.contains_key(&address_of(&core)) {
            return Err(THERE_ALREADY);
        }
        let (inbox, address) = (Arc::clone(&self.inbox), address_of(&core));
        let id = self.items.insert_with_key(|id| {
            let watch = Watch::of_poller(&inbox, number_of(id), wanted);
            let target = Target::Socket { core: Arc::clone(&core), watch, pinned: false };
            Item { target, key, wanted: wanted.into(), listed: false }
        });
        if let Target::Socket { watch, .. } = &self.items[id].target
            && let Err(error) = core.add_watch(watch)
        {
            self.items.remove(id);
            return Err(error);
        }
        self.sockets.insert(address, id);
        self.list(id);
        self.pin();
        Ok(())
    }

    /// Changes what is wanted of a socket; nothing, too.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is not in the set.
    pub fn modify(&mut self, socket: &SocketBase, wanted: Readiness) -> Result<()> {
        let id = *self.sockets.get(&address_of(socket.core())).ok_or(NOT_THERE)?;
        self.items[id].wanted = wanted.into();
        self.list(id);
        Ok(())
    }

    /// The same, if it is not what is wanted already.
    pub(crate) fn want(&mut self, socket: &SocketBase, wanted: Readiness) -> Result<()> {
        let id = *self.sockets.get(&address_of(socket.core())).ok_or(NOT_THERE)?;
        if self.items[id].wanted.ready != wanted {
            self.items[id].wanted = wanted.into();
            self.list(id);
        }
        Ok(())
    }

    /// Removes a socket.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is not in the set.
    pub fn remove(&mut self, socket: &SocketBase) -> Result<()> {
        let id = *self.sockets.get(&address_of(socket.core())).ok_or(NOT_THERE)?;
        self.drop_item(id);
        Ok(())
    }

    /// Adds any other descriptor of the system. It must stay open while it is in the set: one that is
    /// closed meanwhile is not heard of again, or is taken for another with the same number.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is in the set already; [`Error::Io`] with `EBADF` if it is not open.
    pub fn add_descriptor(
        &mut self,
        descriptor: &impl AsRawFd,
        key: u64,
        wanted: impl Into<Wanted>,
    ) -> Result<()> {
        let (fd, wanted) = (descriptor.as_raw_fd(), wanted.into());
        if self.descriptors.contains_key(&fd) {
            return Err(THERE_ALREADY);
        }
        let target = Target::Descriptor { fd, heard: Heard::Not };
        let id = self.items.insert(Item { target, key, wanted, listed: false });
        self.descriptors.insert(fd, id);
        let heard = self.hear(fd, id, wanted);
        if heard.is_err() {
            self.drop_item(id);
        }
        heard
    }

    /// Changes what is wanted of a descriptor; with nothing, it is never reported.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is not in the set; [`Error::Io`] with `EBADF` if it is not open.
    pub fn modify_descriptor(
        &mut self,
        descriptor: &impl AsRawFd,
        wanted: impl Into<Wanted>,
    ) -> Result<()> {
        let (fd, wanted) = (descriptor.as_raw_fd(), wanted.into());
        let id = *self.descriptors.get(&fd).ok_or(NOT_THERE)?;
        self.hear(fd, id, wanted)?;
        self.items[id].wanted = wanted;
        Ok(())
    }

    /// Removes a descriptor, whether or not it is still open.
    ///
    /// # Errors
    /// [`Error::BadArgument`] if it is not in the set.
    pub fn remove_descriptor(&mut self, descriptor: &impl AsRawFd) -> Result<()> {
        let id = *self.descriptors.get(&descriptor.as_raw_fd()).ok_or(NOT_THERE)?;
        self.drop_item(id);
        Ok(())
    }

    /// A waker whose use ends a wait with an event of this key.
    pub fn waker(&mut self, key: u64) -> PollWaker {
        self.has_waker = true;
        PollWaker { inbox: Arc::clone(&self.inbox), key }
    }

    /// Lets the system tell of a descriptor, or stop telling.
    fn hear(&mut self, fd: RawFd, id: ItemId, wanted: Wanted) -> Result<()> {
        let Target::Descriptor { heard, .. } = &mut self.items[id].target else { return Ok(()) };
        let (registry, mut source) = (self.poll.registry(), SourceFd(&fd));
        let token = Token(usize::try_from(number_of(id)).unwrap_or(usize::MAX));
        let done = match (wanted.interest(), *heard) {
            (None, Heard::InPoll) => registry.deregister(&mut source),
            (None, _) => Ok(()),
            (Some(interest), Heard::InPoll) => registry.reregister(&mut source, token, interest),
            (Some(interest), _) => registry.register(&mut source, token, interest),
        };
        *heard = match (done, wanted.is_anything()) {
            (Ok(()), true) => Heard::InPoll,
            (Ok(()), false) => Heard::Not,
            (Err(error), _) if error.raw_os_error() == Some(libc::EPERM) => Heard::ByLooking,
            (Err(error), _) => return Err(Error::io("add a descriptor to a poller")(error)),
        };
        self.list(id);
        Ok(())
    }

    /// It may be ready: the next wait looks.
    fn list(&mut self, id: ItemId) {
        if let Some(item) = self.items.get_mut(id)
            && !std::mem::replace(&mut item.listed, true)
        {
            self.candidates.push_back(id);
        }
    }

    /// Leaves the sockets to the I/O thread once there are too many to drive.
    fn pin(&mut self) {
        if self.sockets.len() <= DRIVEN {
            return;
        }
        for item in self.items.values_mut() {
            if let Target::Socket { core, pinned, .. } = &mut item.target
                && !*pinned
            {
                *pinned = core.pin_for_watch();
            }
        }
    }

    fn drop_item(&mut self, id: ItemId) {
        let Some(item) = self.items.remove(id) else { return };
        match item.target {
            Target::Socket { core, watch, pinned } => {
                self.sockets.remove(&address_of(&core));
                core.remove_watch(&watch, pinned);
            }
            Target::Descriptor { fd, heard } => {
                self.descriptors.remove(&fd);
                if heard == Heard::InPoll {
                    // Fails if it was closed meanwhile: then it is out already.
                    let _ = self.poll.registry().deregister(&mut SourceFd(&fd));
                }
            }
        }
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        for item in self.items.values() {
            if let Target::Socket { core, watch, pinned } = &item.target {
                core.remove_watch(watch, *pinned);
            }
        }
    }
}
