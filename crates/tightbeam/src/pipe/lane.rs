//! One direction of a connection between two sockets of this process: messages pass from hand to
//! hand, without bytes on a wire, a descriptor or a thread.
//!
//! The sender appends under the lane's own small lock, which is a leaf: nothing is locked under it.
//! The receiver takes all there is at once, and comes back when that is used up. So the sender has to
//! call it only when it has nothing left (`awake` is false), and the receiver calls the sender only
//! when that found no room and half of the mark is free again.
//!
//! ```text
//!   sender's socket --push--> [ queue ] --refill--> the receiver's in-queue --recv--> application
//!                     <------- room ------- report
//! ```

use std::sync::PoisonError;

use super::in_queue::InQueue;
use super::parts::Parts;
use super::sync::{Arc, AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, Turnstile};

/// What one socket tells the other beside messages.
#[derive(Debug)]
pub(crate) enum News {
    Subscribe(Box<[u8]>),
    Cancel(Box<[u8]>),
}

/// Why nothing was pushed, or whether the receiver has to be called.
#[derive(Debug)]
pub(crate) enum Pushed {
    /// The receiver will come by itself.
    Quietly,
    /// The receiver has used up what it took, and must be called.
    CallReceiver,
    /// There is no room, or nobody to receive.
    Refused,
    /// It took the place of these, and the receiver must be called.
    Replaced(Box<InQueue>),
}

/// On cache lines of its own (two, which some processors fetch together), as two threads write to it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Lane {
    queue: InQueue,
    /// With each, how many messages were pushed before it.
    news: Vec<(u64, News)>,
    /// Messages that the receiver has taken.
    taken: u64,
    /// Messages pushed, and not reported as received.
    outstanding: usize,
    /// So many may be outstanding for a push to need no second look: [`settle`](Lane::settle).
    plain: usize,
    /// The sender's SNDHWM; 0 is no limit.
    send_hwm: usize,
    /// The receiver's RCVHWM, once there is a receiver; 0 is no limit.
    recv_hwm: Option<usize>,
    /// The receiver has messages, or has been called.
    awake: bool,
    /// The sender found no room.
    sender_waits: bool,
    receiver_gone: bool,
    /// Only the last message is kept, and there is no limit.
    conflated: bool,
}

impl Lane {
    /// The messages that may be on their way: both marks together; 0 is no limit.
    fn limit(&self) -> usize {
        match (self.send_hwm, self.recv_hwm) {
            _ if self.conflated => 0,
            (0, _) | (_, Some(0)) => 0,
            (send, recv) => send.saturating_add(recv.unwrap_or(0)),
        }
    }

    /// The limit has changed, or who is there, or what is kept.
    fn settle(&mut self) {
        self.plain = match self.limit() {
            _ if self.receiver_gone || self.conflated => 0,
            0 => usize::MAX,
            limit => limit,
        };
    }

    /// The messages that may still be pushed, if so many are `underway`.
    fn room(&self, underway: usize) -> usize {
        match self.limit() {
            _ if self.receiver_gone => 0,
            0 => usize::MAX,
            limit => limit.saturating_sub(underway),
        }
    }

    /// A push that found no room, or of which only the last part is kept, and nothing before it. Then
    /// the receiver must be called: it may have an older one, which it is not to receive.
    #[cold]
    fn refuse_or_replace(&mut self, parts: Parts<'_>) -> Pushed {
        if self.room(self.outstanding) == 0 {
            self.sender_waits = true;
            return Pushed::Refused;
        }
        let replaced = std::mem::take(&mut self.queue);
        self.queue.push_message(&[], parts.last());
        self.outstanding = 1;
        self.awake = true;
        Pushed::Replaced(Box::new(replaced))
    }

    /// Messages after which the receiver reports: half of what may be on its way.
    fn batch(&self) -> usize {
        match self.limit() {
            0 => usize::MAX,
            limit => limit.div_ceil(2),
        }
    }

    /// Messages were received. True if the sender must be told.
    fn report(&mut self, messages: usize) -> bool {
        self.outstanding -= messages.min(self.outstanding);
        let enough = self.limit() == 0 || self.outstanding <= self.limit() / 2;
        enough && std::mem::take(&mut self.sender_waits)
    }
}

#[derive(Debug)]
struct Shared {
    turnstile: Turnstile,
    /// Whether there are news, for those who do not hold the lock; the sender calls after it is set.
    has_news: AtomicBool,
    /// Of the outstanding messages, how many the receiver had received when it ran dry. Changed only by the receiver.
    unreported: AtomicUsize,
    lane: Mutex<Lane>,
}

impl Shared {
    /// Messages pushed, and not received.
    fn underway(&self, lane: &Lane) -> usize {
        lane.outstanding.saturating_sub(self.unreported.load(Ordering::Relaxed))
    }

    fn room(&self, lane: &Lane) -> usize {
        lane.room(self.underway(lane))
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Lane> {
    shared.lane.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes what [`Lane::settle`] goes by.
fn change(lane: &Shared, f: impl FnOnce(&mut Lane)) {
    let mut lane = lock(lane);
    f(&mut lane);
    lane.settle();
}

/// One socket's end of the two lanes between it and another. The other end is another thread's, and made at the same time:
/// each has cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct LaneEnd {
    outgoing: Arc<Shared>,
    incoming: Arc<Shared>,
    /// Messages handed to the application since the lane was told.
    received: usize,
    /// When to tell it.
    batch: usize,
}

impl LaneEnd {
    /// Both ends of a connection; the first belongs to the socket with these marks.
    pub(crate) fn pair(send_hwm: usize, recv_hwm: usize) -> (LaneEnd, LaneEnd) {
        let lane = |mut lane: Lane| {
            lane.settle();
            Arc::new(Shared {
                turnstile: Turnstile::default(),
                has_news: AtomicBool::new(false),
                unreported: AtomicUsize::new(0),
                lane: Mutex::new(lane),
            })
        };
        let there = lane(Lane { send_hwm, ..Lane::default() });
        let back = lane(Lane { recv_hwm: Some(recv_hwm), ..Lane::default() });
        let end = |outgoing: &Arc<Shared>, incoming: &Arc<Shared>| LaneEnd {
            outgoing: Arc::clone(outgoing),
            incoming: Arc::clone(incoming),
            received: 0,
            batch: 1,
        };
        (end(&there, &back), end(&back, &there))
    }

    /// The marks of this end's socket.
    pub(crate) fn set_marks(&mut self, send_hwm: usize, recv_hwm: usize) {
        change(&self.outgoing, |lane| lane.send_hwm = send_hwm);
        change(&self.incoming, |lane| lane.recv_hwm = Some(recv_hwm));
    }

    /// Keeps only the last message of each direction from here on, whatever the other end wants.
    pub(crate) fn conflate(&self) {
        change(&self.outgoing, |lane| lane.conflated = true);
        change(&self.incoming, |lane| lane.conflated = true);
    }

    /// Whether a push would succeed. If not, this end is called when it would.
    pub(crate) fn has_room(&self) -> bool {
        let mut lane = lock(&self.outgoing);
        let room = self.outgoing.room(&lane) > 0;
        lane.sender_waits |= !room;
        room
    }

    /// Messages that may still be sent.
    pub(crate) fn room(&self) -> usize {
        self.outgoing.room(&lock(&self.outgoing))
    }

    /// Sends a message, if there is room.
    #[inline]
    pub(crate) fn push(&self, prefix: &[u8], parts: Parts<'_>) -> Pushed {
        self.outgoing.turnstile.let_go_first();
        let mut lane = lock(&self.outgoing);
        if lane.outstanding >= lane.plain && self.outgoing.underway(&lane) >= lane.plain {
            return lane.refuse_or_replace(parts);
        }
        lane.queue.push_message(prefix, parts);
        lane.outstanding += 1;
        if std::mem::replace(&mut lane.awake, true) {
            return Pushed::Quietly;
        }
        Pushed::CallReceiver
    }

    /// Tells the other end something; it has to be called.
    pub(crate) fn tell(&self, news: News) {
        let mut lane = lock(&self.outgoing);
        let at = lane.taken + lane.queue.messages() as u64;
        lane.news.push((at, news));
        self.outgoing.has_news.store(true, Ordering::Release);
    }

    /// How many messages this end has taken so far, and what the other end has told, each with the
    /// number of messages that it sent before.
    pub(crate) fn take_news(&self) -> (u64, Vec<(u64, News)>) {
        if !self.incoming.has_news.load(Ordering::Acquire) {
            return (0, Vec::new());
        }
        let mut lane = lock(&self.incoming);
        self.incoming.has_news.store(false, Ordering::Relaxed);
        (lane.taken, std::mem::take(&mut lane.news))
    }

    /// A whole message was handed to the application. True if the lane should be told.
    #[inline]
    pub(crate) fn count_received(&mut self) -> bool {
        self.received += 1;
        self.has_report()
    }

    /// Whether the lane should be told what was received.
    pub(crate) fn has_report(&self) -> bool {
        self.received >= self.batch
    }

    /// All that was taken was received, and the lane is not told: the other end is to know all the same what is still underway.
    #[inline]
    pub(crate) fn ran_dry(&self) {
        self.incoming.unreported.store(self.received, Ordering::Relaxed);
    }

    /// Tells the lane what was received, and takes all messages if `queue` has none left. True if the
    /// sender, who had found no room, is to be called. Where only the last message is kept it takes the
    /// place of what `queue` has, which goes to `stale`. If there are none, the sender calls for the next one, unless this
    /// end `comes_back` by itself.
    pub(crate) fn refill(
        &mut self,
        queue: &mut InQueue,
        stale: &mut Option<InQueue>,
        comes_back: bool,
    ) -> bool {
        self.incoming.turnstile.ask();
        let mut lane = lock(&self.incoming);
        self.incoming.unreported.store(0, Ordering::Relaxed);
        let call_sender = lane.report(std::mem::take(&mut self.received));
        self.batch = lane.batch();
        if lane.conflated && lane.queue.messages() > 0 {
            *stale = Some(std::mem::take(queue));
        }
        if queue.messages() == 0 {
            queue.start_over();
            std::mem::swap(queue, &mut lane.queue);
            queue.seal();
            lane.taken += queue.messages() as u64;
            lane.awake = queue.messages() > 0 || (comes_back && lane.awake);
        }
        drop(lane);
        self.incoming.turnstile.done();
        call_sender
    }

    /// This end sends nothing more, and has room for nothing more; what is in the lanes may still be
    /// received.
    pub(crate) fn close(&self) {
        self.incoming.unreported.store(self.received, Ordering::Relaxed);
        change(&self.incoming, |lane| lane.receiver_gone = true);
    }

    /// What nobody will receive at this end, to be dropped once the socket's lock is released.
    pub(crate) fn take_rest(&self) -> InQueue {
        std::mem::take(&mut lock(&self.incoming).queue)
    }

    /// What the other end has not taken, and how many messages that are.
    pub(crate) fn take_back(&self) -> (usize, InQueue) {
        let mut lane = lock(&self.outgoing);
        let queue = std::mem::take(&mut lane.queue);
        lane.outstanding -= queue.messages().min(lane.outstanding);
        (queue.messages(), queue)
    }

    /// Messages that may still be sent; `None` if the other end is closed.
    pub(crate) fn outlook(&self) -> Option<usize> {
        let lane = lock(&self.outgoing);
        (!lane.receiver_gone).then(|| self.outgoing.room(&lane))
    }

    /// Messages sent that nobody has received.
    pub(crate) fn unreceived(&self) -> usize {
        self.outgoing.underway(&lock(&self.outgoing))
    }

    /// Messages that wait in the lane to be received here.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.incoming).queue.messages()
    }
}
