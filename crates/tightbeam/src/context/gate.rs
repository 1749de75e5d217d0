//! Who decides on peers: what the application installed, or a handler of RFC 27 that it has bound.
//!
//! The handler is asked through a DEALER that no one sees. Its replies are taken by whoever sends them, the handler's
//! own thread: there is no other for it.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use zmtp::{SocketType, Verdict};

use super::ContextShared;
use crate::auth::{Authenticate, Credentials, Request};
use crate::socket::{Asker, Core, Question, TaskPlace, Timing};
use crate::sys;
use crate::zap::{self, HANDLER, Judgement, ZapFault};

/// The most requests that may wait for a handler's replies.
const MOST_WAITING: usize = 16 * 1024;

/// Who decides on the peers of a context's sockets.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
}

#[derive(Default)]
struct GateState {
    authenticator: Option<Arc<dyn Authenticate>>,
    client: Option<Arc<Client>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let installed = state.authenticator.is_some();
        write!(f, "Gate {{ authenticator: {installed}, handler: {} }}", state.client.is_some())
    }
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ContextShared {
    /// Answers what is to be dropped: what was installed before, or in a forked child what is of no use there.
    pub(super) fn install(
        &self,
        authenticator: Option<Arc<dyn Authenticate>>,
    ) -> Option<Arc<dyn Authenticate>> {
        if self.fork_generation != sys::fork_generation() {
            return authenticator;
        }
        std::mem::replace(&mut self.gate.lock().authenticator, authenticator)
    }

    /// Has it decided whether a peer may come in; the asker is told, perhaps at once. To be called without a lock.
    pub(crate) fn ask(self: &Arc<Self>, question: &Question, asker: Asker) {
        let request = &question.request;
        let authenticator = self.gate.lock().authenticator.clone();
        if let Some(authenticator) = authenticator {
            return asker.tell(judge(&*authenticator, request));
        }
        let unasked = question.needs_domain && request.domain.is_empty();
        let handler = if unasked { None } else { self.names().holder(HANDLER) };
        let Some(handler) = handler else { return asker.tell(without_handler(request)) };
        match self.client_of(&handler) {
            Some(client) => client.ask(question, asker),
            None => asker.tell(Err(ZapFault::NoHandler)),
        }
    }

    /// The client of the handler; a new one if there is none, or if it asked another one.
    fn client_of(self: &Arc<Self>, handler: &Arc<Core>) -> Option<Arc<Client>> {
        let known = self.gate.lock().client.clone();
        if let Some(client) = known {
            if client.is_of(handler) && !client.waiting().over {
                return Some(client);
            }
            self.forget(&client);
        }
        let fresh = Client::new(self, handler)?;
        let mut gate = self.gate.lock();
        let client = Arc::clone(gate.client.get_or_insert_with(|| Arc::clone(&fresh)));
        drop(gate);
        if !Arc::ptr_eq(&client, &fresh) {
            fresh.fail();
        }
        Some(client)
    }

    /// The handler has left: those who wait for it are told.
    fn forget(&self, client: &Arc<Client>) {
        let mut gate = self.gate.lock();
        let current = gate.client.take_if(|current| Arc::ptr_eq(current, client));
        drop(gate);
        drop(current);
        client.fail();
    }
}

fn judge(authenticator: &dyn Authenticate, request: &Request) -> Judgement {
    catch_unwind(AssertUnwindSafe(|| authenticator.authenticate(request)))
        .map_err(|_| ZapFault::Panicked)
}

/// What holds where there is nobody to ask: whoever has proved to own a key may come in, unless the socket belongs to a
/// domain.
fn without_handler(request: &Request) -> Judgement {
    match request.credentials {
        Credentials::Curve(_) if request.domain.is_empty() => {
            Ok(Verdict::Accept { user_id: None, properties: Vec::new() })
        }
        _ => Err(ZapFault::NoHandler),
    }
}

/// What asks one handler.
struct Client {
    context: Weak<ContextShared>,
    handler: Weak<Core>,
    dealer: Arc<Core>,
    waiting: Mutex<Waiting>,
    replies: Mutex<TaskPlace<Arc<Core>>>,
    /// How often it was woken since somebody began to take replies: one at a time does.
    woken: AtomicU32,
}

#[derive(Default)]
struct Waiting {
    last: u64,
    askers: BTreeMap<u64, Asker>,
    /// There will be no more replies.
    over: bool,
}

impl Waiting {
    /// Who is meant by a reply, and what it says. A second reply to a request means nobody. One that names no request
    /// there was answers, as from a REP, the oldest: so a handler that errs lets nobody in, and holds nobody up.
    fn take(&mut self, (id, judgement): (Option<u64>, Judgement)) -> Option<(Asker, Judgement)> {
        if let Some(id) = id.filter(|id| (1..=self.last).contains(id)) {
            return self.askers.remove(&id).map(|asker| (asker, judgement));
        }
        let (_, oldest) = self.askers.pop_first()?;
        let fault = match judgement {
            Err(fault @ (ZapFault::MalformedReply | ZapFault::BadVersion)) => fault,
            _ => ZapFault::BadRequestId,
        };
        Some((oldest, Err(fault)))
    }
}

impl Client {
    fn new(context: &Arc<ContextShared>, handler: &Arc<Core>) -> Option<Arc<Client>> {
        let dealer = context.hidden(SocketType::Dealer).ok()?;
        let client = Arc::new(Client {
            context: Arc::downgrade(context),
            handler: Arc::downgrade(handler),
            replies: Mutex::new(TaskPlace::to_receive(Arc::clone(&dealer))),
            dealer,
            waiting: Mutex::default(),
            woken: AtomicU32::new(0),
        });
        client.dealer.connect(&format!("inproc://{HANDLER}")).ok()?;
        Arc::clone(&client).wake();
        Some(client)
    }

    fn is_of(&self, handler: &Arc<Core>) -> bool {
        self.handler.ptr_eq(&Arc::downgrade(handler))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, question: &Question, asker: Asker) {
        let mut waiting = self.waiting();
        if waiting.over || waiting.askers.len() >= MOST_WAITING {
            let fault = if waiting.over { ZapFault::HandlerLeft } else { ZapFault::Busy };
            drop(waiting);
            return asker.tell(Err(fault));
        }
        waiting.last += 1;
        let id = waiting.last;
        // Before it is sent: the reply may come on another thread at once.
        waiting.askers.insert(id, asker);
        drop(waiting);
        let message = zap::request(id, &question.identity, &question.request);
        if self.dealer.send(message.frames(), Some(Timing::Never)).is_err() {
            let asker = self.waiting().askers.remove(&id);
            if let Some(asker) = asker {
                asker.tell(Err(ZapFault::Busy));
            }
        }
    }

    /// Takes the replies that are here. False if there will be no more.
    fn take_replies(self: &Arc<Self>) -> bool {
        let waker = Waker::from(Arc::clone(self));
        let cx = TaskContext::from_waker(&waker);
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match replies.poll_recv(&cx) {
                Poll::Pending => return self.dealer.has_neighbour(),
                Poll::Ready(Err(_)) => return false,
                Poll::Ready(Ok(message)) => {
                    let answered = self.waiting().take(zap::reply(&message));
                    if let Some((asker, judgement)) = answered {
                        // Going on with a handshake may wake tasks, which is foreign code. If that panics, it is not
                        // the business of the handler, whose thread this is, and other peers wait, too.
                        let _ = catch_unwind(AssertUnwindSafe(|| asker.tell(judgement)));
                    }
                }
            }
        }
    }

    fn fail(&self) {
        let mut waiting = self.waiting();
        waiting.over = true;
        let askers = std::mem::take(&mut waiting.askers);
        drop(waiting);
        for asker in askers.into_values() {
            asker.tell(Err(ZapFault::HandlerLeft));
        }
        self.dealer.close();
    }
}

impl Wake for Client {
    fn wake(self: Arc<Self>) {
        if self.woken.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let mut seen = 1;
        loop {
            if !self.take_replies() {
                if let Some(context) = self.context.upgrade() {
                    context.forget(&self);
                }
                return;
            }
            match self.woken.compare_exchange(seen, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }
}
