//! Contexts: their options, their end, and what it does to their sockets.

use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::{LINGER, ROUTER_MANDATORY, SNDHWM, context};
use tightbeam::{
    Context, Dealer, ETERM, Error, Handle, Pub, Pull, Push, Readiness, Rep, Req, Result, Router,
    SocketType, Sub,
};
use tightbeam_tests::sockets::*;

const EITHER: Readiness = Readiness { readable: true, writable: true };

/// Runs a call that waits, shuts its context down, and expects the call to end.
fn ends_at_shutdown(what: &str, context: &Context, call: impl FnOnce() -> Result<()> + Send) {
    thread::scope(|scope| {
        let waiting = scope.spawn(call);
        // Mostly it waits by then; if not, it must end all the same.
        thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "{what} does not wait");
        context.shutdown();
        until(what, || waiting.is_finished());
        let error = waiting.join().unwrap().unwrap_err();
        assert_eq!(error.errno(), ETERM, "{what}: {error}");
    });
}

#[test]
fn max_sockets_is_a_limit_and_closing_makes_room() {
    let context = Context::new();
    context.set_option(context::MAX_SOCKETS, 2).unwrap();
    let first = open::<Push>(&context);
    let _second = open::<Push>(&context);
    let refused = context.socket::<Push>().unwrap_err();
    assert!(matches!(refused, Error::TooManySockets(2)));
    assert_eq!(refused.errno(), libc::EMFILE);
    first.close();
    let _third = open::<Push>(&context);
}

#[test]
fn context_options_are_checked_and_kept() {
    let context = Context::new();
    assert_eq!(context.option(context::IO_THREADS).unwrap(), 1);
    assert_eq!(context.set_option(context::IO_THREADS, -1).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(context.set_option(context::MAX_SOCKETS, 0).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(context.set_option(4711, 1).unwrap_err().errno(), libc::EINVAL);
    assert_eq!(context.option(4711).unwrap_err().errno(), libc::EINVAL);
    context.set_option(context::IO_THREADS, 3).unwrap();
    assert_eq!(context.option(context::IO_THREADS).unwrap(), 3);
}

#[test]
fn without_io_threads_there_is_no_tcp() {
    let context = Context::new();
    context.set_option(context::IO_THREADS, 0).unwrap();
    let push = open::<Push>(&context);
    assert_eq!(push.bind(ANY_PORT).unwrap_err().errno(), tightbeam::EMTHREAD);
    assert_eq!(push.connect("tcp://127.0.0.1:1").unwrap_err().errno(), tightbeam::EMTHREAD);
    assert!(push.try_send("x").unwrap_err().error.is_would_block());
    assert_eq!(push.close(), 0);
}

#[test]
fn several_io_threads_serve_a_context() {
    let context = Context::new();
    context.set_option(context::IO_THREADS, 3).unwrap();
    let pairs: Vec<_> = (0..5).map(|_| join::<Rep, Req>(&context)).collect();
    for round in 0..20 {
        for (_, req) in &pairs {
            req.send(format!("{round}")).unwrap();
        }
        for (rep, req) in &pairs {
            assert_eq!(rep.recv_timeout(LIMIT).unwrap(), format!("{round}"));
            rep.send("ok").unwrap();
            assert_eq!(req.recv_timeout(LIMIT).unwrap(), "ok");
        }
    }
    drop(pairs);
    assert!(context.term_timeout(LIMIT).unwrap());
}

#[test]
fn shutdown_ends_every_call_that_waits() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    ends_at_shutdown("recv without an endpoint", &context, || pull.recv().map(drop));
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    ends_at_shutdown("recv with a peer", &context, || pull.recv().map(drop));
    assert_eq!(push.send("x").unwrap_err().error.errno(), ETERM);
    let context = Context::new();
    let push = open::<Push>(&context);
    ends_at_shutdown("send without a peer", &context, || push.send("x").map_err(Error::from));
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 1), (LINGER, 0)]);
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.send("fills it").unwrap();
    ends_at_shutdown("send to a full peer", &context, || push.send("x").map_err(Error::from));
    let context = Context::new();
    let (_rep, req) = join::<Rep, Req>(&context);
    req.send("unanswered").unwrap();
    ends_at_shutdown("a request", &context, || req.recv().map(drop));
    let context = Context::new();
    let push = open::<Push>(&context);
    ends_at_shutdown("poll", &context, || push.poll(EITHER, None).map(drop));
    let context = Context::new();
    let (_publisher, sub) = join::<Pub, Sub>(&context);
    ends_at_shutdown("recv_part", &context, || sub.recv_part().map(drop));
    let context = Context::new();
    let push = open::<Push>(&context);
    ends_at_shutdown("send_part", &context, || push.send_part(&"x".into(), true));
    let context = Context::new();
    let pull = open::<Pull>(&context);
    ends_at_shutdown("recv_timeout", &context, || pull.recv_timeout(LIMIT * 6).map(drop));
}

#[test]
fn shutdown_ends_the_calls_of_many_threads_on_one_socket() {
    let context = Context::new();
    let (dealer, _other) = join::<Dealer, Dealer>(&context);
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| dealer.recv().map(drop))).collect();
        thread::sleep(Duration::from_millis(20));
        context.shutdown();
        until("all calls end", || waiting.iter().all(|thread| thread.is_finished()));
        for thread in waiting {
            assert!(matches!(thread.join().unwrap(), Err(Error::Terminated)));
        }
    });
}

struct Unparker(thread::Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn shutdown_ends_a_future() {
    let context = Context::new();
    let (pull, _push) = join::<Pull, Push>(&context);
    let mut future = std::pin::pin!(pull.recv_async());
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    let mut task = TaskContext::from_waker(&waker);
    assert!(future.as_mut().poll(&mut task).is_pending());
    context.shutdown();
    thread::park_timeout(LIMIT);
    assert!(matches!(future.as_mut().poll(&mut task), Poll::Ready(Err(Error::Terminated))));
}

#[test]
fn after_shutdown_sockets_can_only_be_closed() {
    let context = Context::new();
    let (router, dealer) = join::<Router, Dealer>(&context);
    dealer.send("unread").unwrap();
    await_waiting(&router, 1);
    context.shutdown();
    assert_eq!(router.try_recv().unwrap_err().errno(), ETERM);
    let refused = dealer.try_send("x").unwrap_err();
    assert_eq!((refused.error.errno(), refused.message), (ETERM, "x".into()));
    assert_eq!(router.bind(ANY_PORT).unwrap_err().errno(), ETERM);
    assert_eq!(router.connect("tcp://127.0.0.1:1").unwrap_err().errno(), ETERM);
    // Also where the endpoint is none.
    assert_eq!(router.bind("none").unwrap_err().errno(), ETERM);
    assert_eq!(router.connect("").unwrap_err().errno(), ETERM);
    assert_eq!(router.unbind("").unwrap_err().errno(), ETERM);
    assert_eq!(router.disconnect("none").unwrap_err().errno(), ETERM);
    assert_eq!(router.readiness().unwrap_err().errno(), ETERM);
    assert_eq!(router.option(ROUTER_MANDATORY).unwrap_err().errno(), ETERM);
    assert_eq!(router.poll(EITHER, Some(LIMIT)).unwrap_err().errno(), ETERM);
    assert_eq!(context.socket::<Push>().unwrap_err().errno(), ETERM);
    assert!(!context.term_timeout(Duration::from_millis(10)).unwrap());
    router.close();
    dealer.close();
    assert!(context.term_timeout(LIMIT).unwrap());
    assert!(context.term_timeout(LIMIT).unwrap(), "a second time");
}

#[test]
fn term_returns_when_the_last_socket_is_closed() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    thread::scope(|scope| {
        let ending = scope.spawn(|| context.term());
        let server = scope.spawn(move || {
            let ended = rep.recv().map(drop);
            drop(rep);
            ended
        });
        until("the server ends", || server.is_finished());
        assert!(matches!(server.join().unwrap(), Err(Error::Terminated)));
        assert!(!ending.is_finished());
        drop(req);
        until("term returns", || ending.is_finished());
        ending.join().unwrap().unwrap();
    });
}

#[test]
fn sockets_outlive_the_handle_of_their_context() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    drop(context);
    for i in 0..100 {
        push.send(format!("{i}")).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
}

#[test]
fn contexts_come_and_go() {
    for _ in 0..50 {
        let context = Context::new();
        let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
        connect(&push, &bind(&pull));
        push.send("x").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
        drop((pull, push));
        assert!(context.term_timeout(LIMIT).unwrap());
    }
}

#[test]
fn a_handle_names_an_open_socket_and_nothing_else() {
    let context = Context::new();
    let push = open::<Push>(&context);
    let handle = Handle::from_u64(push.handle().as_u64());
    let same = context.socket_by_handle(handle).unwrap();
    assert_eq!(same.socket_type(), SocketType::Push);
    drop(same);
    assert!(
        push.try_send("x").unwrap_err().error.is_would_block(),
        "a borrowed one closes nothing"
    );
    push.close();
    assert!(context.socket_by_handle(handle).is_none());
    for made_up in [0, 1, u64::MAX, 0x1_0000_0001, 0xdead_beef_dead_beef] {
        assert!(context.socket_by_handle(Handle::from_u64(made_up)).is_none());
    }
    let next = open::<Pull>(&context);
    assert_ne!(next.handle(), handle);
}

#[test]
fn close_ends_the_calls_of_other_threads() {
    let context = Context::new();
    let (pull, _push) = join::<Pull, Push>(&context);
    let other = context.socket_by_handle(pull.handle()).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| other.recv().map(drop));
        thread::sleep(Duration::from_millis(20));
        drop(pull);
        until("the call ends", || waiting.is_finished());
        assert!(matches!(waiting.join().unwrap(), Err(Error::Closed)));
    });
}

#[test]
fn a_socket_that_lingers_counts_until_it_has_ended() {
    let context = Context::new();
    context.set_option(context::MAX_SOCKETS, 1).unwrap();
    let push = open_with::<Push>(&context, &[(LINGER, -1)]);
    push.connect("tcp://127.0.0.1:1").unwrap();
    push.send("x").unwrap();
    drop(push);
    assert!(matches!(context.socket::<Pull>(), Err(Error::TooManySockets(1))));
    context.set_option(context::MAX_SOCKETS, 2).unwrap();
    open::<Pull>(&context).close();
    assert_eq!(context.stats().sockets, 1);
}

#[test]
fn whoever_terms_a_context_sees_it_end() {
    let context = Context::new();
    let socket = open::<Pull>(&context);
    thread::scope(|scope| {
        let ending: Vec<_> = (0..3).map(|_| scope.spawn(|| context.term())).collect();
        until("all are told", || matches!(socket.try_recv(), Err(Error::Terminated)));
        assert!(ending.iter().all(|thread| !thread.is_finished()));
        socket.close();
        for thread in ending {
            thread.join().unwrap().unwrap();
        }
    });
    assert!(matches!(context.socket::<Pull>(), Err(Error::Terminated)));
}

/// In whatever order: who is connected to whom does not matter.
#[test]
fn sockets_of_a_context_are_closed_in_any_order() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
        let context = Context::new();
        let (pull, push) = join::<Pull, Push>(&context);
        let (rep, req) = (open::<Rep>(&context), open::<Req>(&context));
        rep.bind("inproc://order").unwrap();
        req.connect("inproc://order").unwrap();
        push.send("x").unwrap();
        req.send("x").unwrap();
        pull.recv_timeout(LIMIT).unwrap();
        let mut sockets: [Option<Box<dyn FnOnce() -> usize + Send>>; 4] = [
            Some(Box::new(move || pull.close())),
            Some(Box::new(move || push.close())),
            Some(Box::new(move || rep.close())),
            Some(Box::new(move || req.close())),
        ];
        thread::scope(|scope| {
            let ending = scope.spawn(|| context.term_timeout(LIMIT));
            for at in order {
                let close = sockets[at].take().unwrap();
                scope.spawn(close).join().unwrap();
            }
            assert!(ending.join().unwrap().unwrap(), "{order:?}");
        });
    }
}

/// A close that waits for a peer for ever is ended by nobody but that peer: the wait for it can be bounded.
#[test]
fn term_may_be_bounded_while_a_close_lingers() {
    let context = Context::new();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", holder.local_addr().unwrap());
    let push = open::<Push>(&context);
    push.connect(&endpoint).unwrap();
    push.send("x").unwrap();
    thread::scope(|scope| {
        let closing = scope.spawn(move || push.close());
        assert!(!context.term_timeout(Duration::from_millis(30)).unwrap());
        assert!(!closing.is_finished());
        drop(holder);
        let other = Context::new();
        let pull = open::<Pull>(&other);
        pull.bind(&endpoint).unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "x");
        assert_eq!(closing.join().unwrap(), 0);
        assert!(context.term_timeout(LIMIT).unwrap());
    });
}

#[test]
fn a_context_that_is_not_blocky_gives_its_new_sockets_no_linger() {
    let context = Context::new();
    let before = open::<Push>(&context);
    context.set_option(context::BLOCKY, 0).unwrap();
    let after = open::<Push>(&context);
    let linger = |socket: &tightbeam::SocketBase| {
        socket.option(LINGER).unwrap().as_value() == Value::Int(-1)
    };
    assert!(linger(&before) && !linger(&after));
    set(&after, LINGER, -1);
    assert!(linger(&after), "and they may be told otherwise");
}
