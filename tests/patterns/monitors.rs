//! Monitors: which events come when, in which order, with which values and endpoints.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::*;
use tightbeam::{
    Context, Endpoint, EventKind, Monitor, MonitorEvent, ProtocolError, Pub, Pull, Push, Sub,
};
use tightbeam_tests::sockets::*;

/// The next event, which is of this kind.
fn next(monitor: &Monitor, kind: EventKind) -> MonitorEvent {
    let event = monitor.next_timeout(LIMIT).unwrap_or_else(|| panic!("no event; {kind:?} is due"));
    assert_eq!(event.kind, kind, "{event:?}");
    event
}

/// Endpoint, local and remote end of an event.
fn place(event: &MonitorEvent) -> (Option<&Endpoint>, &str, &str) {
    (event.endpoint.as_ref(), &event.local, &event.remote)
}

fn raw_peer(endpoint: &Endpoint) -> TcpStream {
    TcpStream::connect(endpoint.as_str().trim_start_matches("tcp://")).unwrap()
}

/// A greeting of ZMTP 3.1 with this mechanism.
fn greeting(mechanism: &str) -> Vec<u8> {
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1];
    greeting.extend(mechanism.bytes());
    greeting.resize(64, 0);
    greeting
}

fn command(name: &str, data: &[u8]) -> Vec<u8> {
    let length = 1 + name.len() + data.len();
    let mut command = vec![4, u8::try_from(length).unwrap(), u8::try_from(name.len()).unwrap()];
    command.extend(name.bytes());
    command.extend(data);
    command
}

#[test]
fn a_connection_is_told_of_from_beginning_to_end() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let (bound, made) = (pull.monitor().unwrap(), push.monitor().unwrap());
    let endpoint = bind(&pull);
    connect(&push, &endpoint);
    let (at, text) = (Some(&endpoint), endpoint.as_str());
    let listening = next(&bound, EventKind::Listening);
    assert_eq!(place(&listening), (at, text, ""));
    assert!(listening.value() > 0 && listening.reason.is_none());
    let delayed = next(&made, EventKind::ConnectDelayed);
    assert_eq!((place(&delayed), delayed.value()), ((at, "", text), libc::EINPROGRESS as u64));
    let connected = next(&made, EventKind::Connected);
    let client = connected.local.clone();
    assert!(client.starts_with("tcp://127.0.0.1:") && client != text, "{client}");
    assert_eq!((connected.address(), connected.remote.as_str()), (text, text));
    let accepted = next(&bound, EventKind::Accepted);
    assert_eq!((place(&accepted), accepted.address()), ((at, text, &*client), text));
    let ready = next(&made, EventKind::HandshakeSucceeded);
    assert_eq!((place(&ready), ready.values()), ((at, &*client, text), &[0][..]));
    next(&bound, EventKind::HandshakeSucceeded);
    push.close();
    next(&made, EventKind::MonitorStopped);
    assert_eq!(made.wait_next(), None);
    let gone = next(&bound, EventKind::Disconnected);
    assert_eq!((place(&gone), gone.value()), ((at, text, &*client), accepted.value()));
    assert!(gone.reason.unwrap().contains("peer closed"));
    pull.close();
    let closed = next(&bound, EventKind::Closed);
    assert_eq!((place(&closed), closed.value()), ((at, text, ""), listening.value()));
    assert_eq!(place(&next(&bound, EventKind::MonitorStopped)), (None, "", ""));
    assert_eq!((bound.wait_next(), bound.try_next(), bound.dropped()), (None, None, 0));
}

#[test]
fn unix_domain_connections_have_one_name() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let (bound, made) = (pull.monitor().unwrap(), push.monitor().unwrap());
    let endpoint = pull.bind("ipc://*").unwrap();
    connect(&push, &endpoint);
    let (at, text) = (Some(&endpoint), endpoint.as_str());
    assert_eq!(place(&next(&bound, EventKind::Listening)), (at, text, ""));
    assert_eq!(place(&next(&made, EventKind::Connected)), (at, "ipc://", text));
    assert_eq!(place(&next(&bound, EventKind::Accepted)), (at, text, "ipc://"));
    assert_eq!(place(&next(&made, EventKind::HandshakeSucceeded)), (at, "ipc://", text));
}

#[test]
fn an_attempt_that_fails_closes_and_is_planned_again() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(LINGER, 0), (RECONNECT_IVL, 20)]);
    let events = push.monitor().unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    for _ in 0..2 {
        next(&events, EventKind::ConnectDelayed);
        let closed = next(&events, EventKind::Closed);
        assert_eq!((closed.local.as_str(), closed.remote.as_str()), ("", "tcp://127.0.0.1:1"));
        assert!(closed.value() > 0);
        let retried = next(&events, EventKind::ConnectRetried);
        assert!((20..40).contains(&retried.value()), "{retried:?}");
        assert!(retried.reason.unwrap().contains("refused"));
    }
    let counters = push.stats().unwrap().counters;
    assert!(counters.connect_retries >= 2 && counters.connected == 0, "{counters:?}");
    push.close();
    let rest: Vec<EventKind> = events.map(|event| event.kind).collect();
    assert_eq!(rest.last(), Some(&EventKind::MonitorStopped));
}

#[test]
fn a_listener_of_this_machine_whose_queue_is_full_is_asked_again_before_the_system_asks() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // SAFETY: the descriptor is open, and a listener's queue may be given another length.
    assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let context = Context::new();
    // The first fill the queue; not to connect again when the network refuses changes nothing for the last one.
    let options = [(LINGER, 0), (RECONNECT_IVL, -1)];
    let pushes: Vec<_> = (0..4).map(|_| open_with::<Push>(&context, &options)).collect();
    let events = pushes[3].monitor().unwrap();
    pushes.iter().for_each(|push| drop(push.connect(&endpoint).unwrap()));
    for _ in 0..2 {
        next(&events, EventKind::ConnectDelayed);
        let closed = next(&events, EventKind::Closed);
        assert!(closed.reason.unwrap().contains("queue is full"));
    }
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    let rest = std::iter::from_fn(|| events.next_timeout(LIMIT));
    assert!(rest.into_iter().any(|event| event.kind == EventKind::Connected));
    drop(pushes);
}

#[test]
fn without_reconnecting_nothing_is_planned() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(LINGER, 0), (RECONNECT_IVL, -1)]);
    let events = push.monitor().unwrap();
    push.connect("tcp://127.0.0.1:1").unwrap();
    next(&events, EventKind::ConnectDelayed);
    next(&events, EventKind::Closed);
    push.close();
    next(&events, EventKind::MonitorStopped);
}

#[test]
fn a_name_that_does_not_resolve_is_told_of_before_the_next_attempt() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(LINGER, 0)]);
    let events = push.monitor().unwrap();
    push.connect("tcp://no.such.host.invalid:1").unwrap();
    let failed = next(&events, EventKind::ResolveFailed);
    assert_eq!(failed.remote, "tcp://no.such.host.invalid:1");
    assert!(failed.reason.is_some() && !failed.kind.is_of_libzmq());
    next(&events, EventKind::ConnectRetried);
    assert!(push.stats().unwrap().counters.resolves_failed >= 1);
}

#[test]
fn a_bind_that_fails_says_why() {
    let context = Context::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", taken.local_addr().unwrap());
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    pull.bind(&endpoint).unwrap_err();
    let failed = next(&events, EventKind::BindFailed);
    assert_eq!((failed.value(), &failed.local), (libc::EADDRINUSE as u64, &endpoint));
    assert_eq!(failed.address(), endpoint.trim_start_matches("tcp://"), "as libzmq has it");
    pull.bind("tcp://").unwrap_err();
    assert_eq!(events.try_next(), None, "that was no endpoint");
}

#[test]
fn types_that_cannot_talk_are_refused_and_disconnected() {
    let context = Context::new();
    let (publisher, push) = (open::<Pub>(&context), open_with::<Push>(&context, &[(LINGER, 0)]));
    let (bound, made) = (publisher.monitor().unwrap(), push.monitor().unwrap());
    connect(&push, &bind(&publisher));
    for _ in 0..2 {
        assert!(bound.wait_next().is_some());
        assert!(made.wait_next().is_some());
    }
    for events in [&bound, &made] {
        let refused = next(events, EventKind::Refused);
        assert!(refused.reason.unwrap().contains("PUSH"));
        next(events, EventKind::Disconnected);
    }
    assert_eq!(publisher.stats().unwrap().counters.handshakes_failed, 1);
}

#[test]
fn a_peer_that_breaks_the_protocol_is_told_of_with_libzmqs_code() {
    let null = greeting("NULL");
    let after = |rest: &[u8]| [&null[..], rest].concat();
    let cases = [
        (greeting("PLAIN"), ProtocolError::ZmtpMechanismMismatch),
        (after(&command("BOGUS", b"")), ProtocolError::ZmtpUnexpectedCommand),
        (after(&[0, 1, b'x']), ProtocolError::ZmtpUnexpectedCommand),
        (after(&[0xf8, 4, 1, 2, 3, 4]), ProtocolError::ZmtpUnexpectedCommand),
        (after(&command("ERROR", &[9])), ProtocolError::ZmtpMalformedError),
        (after(&command("READY", &[11, b'S'])), ProtocolError::ZmtpInvalidMetadata),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), ProtocolError::ZmtpUnspecified),
    ];
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let endpoint = bind(&pull);
    for (bytes, code) in cases {
        let events = pull.monitor().unwrap();
        let mut peer = raw_peer(&endpoint);
        peer.write_all(&bytes).unwrap();
        let accepted = next(&events, EventKind::Accepted);
        let failed = next(&events, EventKind::HandshakeFailedProtocol);
        assert_eq!(failed.protocol_error(), Some(code), "{failed:?}");
        assert_eq!(failed.value(), u64::from(code.number()));
        let gone = next(&events, EventKind::Disconnected);
        assert_eq!((gone.value(), gone.remote), (accepted.value(), accepted.remote));
    }
}

#[test]
fn handshakes_fail_with_an_errno_or_the_status_of_a_refusal() {
    let context = Context::new();
    let pull = open_with::<Pull>(&context, &[(HANDSHAKE_IVL, 100)]);
    let endpoint = bind(&pull);
    let events = pull.monitor().unwrap();
    drop(raw_peer(&endpoint));
    next(&events, EventKind::Accepted);
    let cut = next(&events, EventKind::HandshakeFailedNoDetail);
    assert_eq!(cut.value(), libc::ECONNRESET as u64);
    next(&events, EventKind::Disconnected);
    let silent = raw_peer(&endpoint);
    next(&events, EventKind::Accepted);
    let late = next(&events, EventKind::HandshakeFailedNoDetail);
    assert_eq!(late.value(), libc::EAGAIN as u64);
    next(&events, EventKind::Disconnected);
    drop(silent);
    for (reason, kind, value) in
        [("400", EventKind::HandshakeFailedAuth, 400), ("no", EventKind::Refused, 0)]
    {
        let mut data = vec![u8::try_from(reason.len()).unwrap()];
        data.extend(reason.bytes());
        let mut peer = raw_peer(&endpoint);
        peer.write_all(&[greeting("NULL"), command("ERROR", &data)].concat()).unwrap();
        next(&events, EventKind::Accepted);
        let failed = next(&events, kind);
        assert_eq!(failed.value(), value);
        assert!(failed.reason.unwrap().contains(reason));
        next(&events, EventKind::Disconnected);
    }
}

#[test]
fn a_peer_over_its_budget_is_told_of_before_it_goes() {
    let context = Context::new();
    let publisher = open::<Pub>(&context);
    set(&publisher, MAX_SUBSCRIPTIONS, 3);
    let sub = open::<Sub>(&context);
    join_up(&publisher, &sub);
    let events = publisher.monitor().unwrap();
    for topic in ["a", "b", "c", "d"] {
        sub.subscribe(topic).unwrap();
    }
    let exceeded = next(&events, EventKind::BudgetExceeded);
    assert!(exceeded.reason.unwrap().contains("subscriptions"));
    next(&events, EventKind::Disconnected);
    assert_eq!(publisher.stats().unwrap().counters.budgets_exceeded, 1);
}

#[test]
fn what_this_side_ends_is_no_disconnection() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    let endpoint = join_up(&pull, &push);
    let (bound, made) = (pull.monitor().unwrap(), push.monitor().unwrap());
    push.disconnect(&endpoint).unwrap();
    next(&bound, EventKind::Disconnected);
    assert_eq!(made.try_next(), None);
    pull.unbind(&endpoint).unwrap();
    next(&bound, EventKind::Closed);
    assert_eq!(push.stats().unwrap().counters.disconnected, 0);
}

#[test]
fn a_monitor_hears_only_what_it_asked_for() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let mask = EventKind::Closed.number() | EventKind::Accepted.number();
    let events = pull.monitor_events(mask).unwrap();
    let endpoint = bind(&pull);
    drop(raw_peer(&endpoint));
    next(&events, EventKind::Accepted);
    pull.close();
    next(&events, EventKind::Closed);
    assert_eq!(events.wait_next(), None);
}

#[test]
fn a_monitor_that_is_not_read_drops_events_and_says_how_many() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    let endpoint = bind(&pull);
    until("events are dropped", || {
        drop(raw_peer(&endpoint));
        events.dropped() > 0
    });
    let mut kept = Vec::new();
    while let Some(event) = events.next_timeout(Duration::from_millis(100)) {
        kept.push(event);
    }
    assert!(kept.len() >= 1024);
    let push = open::<Push>(&context);
    connect(&push, &endpoint);
    while kept.last().is_none_or(|event| event.kind != EventKind::HandshakeSucceeded) {
        kept.extend(events.next_timeout(LIMIT));
    }
    let missing = kept.iter().filter(|event| event.kind == EventKind::EventsDropped);
    assert_eq!(missing.map(MonitorEvent::value).sum::<u64>(), events.dropped());
    assert_eq!(pull.stats().unwrap().events_dropped, events.dropped());
    push.send("still works").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "still works");
}

struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Woken>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn events_are_awaited_without_an_executor() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut cx = TaskContext::from_waker(&waker);
    let mut next = pin!(events.next_async());
    for _ in 0..3 {
        assert!(next.as_mut().poll(&mut cx).is_pending());
    }
    bind(&pull);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1, "woken once");
    let Poll::Ready(Some(event)) = next.as_mut().poll(&mut cx) else { panic!("no event") };
    assert_eq!(event.kind, EventKind::Listening);
    assert!(next.as_mut().poll(&mut cx).is_pending());
    pull.close();
    until("the end wakes, too", || woken.0.load(Ordering::SeqCst) >= 2);
    let mut poll = |monitor: &Monitor| pin!(monitor.next_async()).poll(&mut cx);
    let mut rest = Vec::new();
    while let Poll::Ready(Some(event)) = poll(&events) {
        rest.push(event.kind);
    }
    assert_eq!(rest, [EventKind::Closed, EventKind::MonitorStopped]);
    assert_eq!(poll(&events), Poll::Ready(None));
}

#[test]
fn a_thread_that_waits_is_woken_and_a_time_out_ends_a_wait() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let events = pull.monitor().unwrap();
    assert_eq!(events.next_timeout(Duration::from_millis(1)), None);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| events.wait_next().map(|event| event.kind));
        bind(&pull);
        assert_eq!(waits.join().unwrap(), Some(EventKind::Listening));
    });
    pull.set_option(LINGER, Value::Int(0)).unwrap();
}
