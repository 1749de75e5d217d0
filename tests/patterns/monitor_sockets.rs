//! Monitor sockets: events as libzmq's frames, on an inproc endpoint.

use tightbeam::options::number::*;
use tightbeam::{
    Context, EventKind, Message, Pair, Pull, Push, Receives, Socket, SocketBase, SocketType, Sub,
    Typed,
};
use tightbeam_tests::sockets::*;

fn monitor(socket: &SocketBase, name: &str, events: u64, version: u32) {
    socket.monitor_socket(name, events, version, SocketType::Pair).unwrap();
}

fn reader<T: Typed>(context: &Context, name: &str) -> Socket<T> {
    let socket = open::<T>(context);
    socket.connect(name).unwrap();
    socket
}

/// Event, value and endpoint of a version 1 message.
fn v1(message: &Message) -> (u64, u32, String) {
    assert_eq!((message.len(), message[0].len()), (2, 6), "{message:?}");
    let event = u16::from_ne_bytes(message[0][..2].try_into().unwrap());
    let value = u32::from_ne_bytes(message[0][2..].try_into().unwrap());
    (event.into(), value, String::from_utf8(message[1].to_vec()).unwrap())
}

/// Event, values, local and remote endpoint of a version 2 message.
fn v2(message: &Message) -> (u64, Vec<u64>, String, String) {
    let number = |at: usize| u64::from_ne_bytes(message[at][..].try_into().unwrap());
    let text = |at: usize| String::from_utf8(message[at].to_vec()).unwrap();
    let count = usize::try_from(number(1)).unwrap();
    assert_eq!(message.len(), 4 + count, "{message:?}");
    (number(0), (2..2 + count).map(number).collect(), text(2 + count), text(3 + count))
}

fn next<T: Receives>(socket: &Socket<T>) -> Message {
    socket.recv_timeout(LIMIT).unwrap()
}

#[test]
fn version_1_is_two_frames() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    monitor(&pull, "inproc://pull", EventKind::ALL_V1, 1);
    monitor(&push, "inproc://push", EventKind::ALL_V1, 1);
    let bound = reader::<Pair>(&context, "inproc://pull");
    let made = reader::<Pair>(&context, "inproc://push");
    let endpoint = join_up(&pull, &push);
    push.close();
    for kind in [
        EventKind::ConnectDelayed,
        EventKind::Connected,
        EventKind::HandshakeSucceeded,
        EventKind::MonitorStopped,
    ] {
        let (event, value, address) = v1(&next(&made));
        assert_eq!(event, kind.number());
        let stopped = kind == EventKind::MonitorStopped;
        assert_eq!(address, if stopped { "" } else { endpoint.as_str() });
        assert_eq!(value == 0, stopped || kind == EventKind::HandshakeSucceeded);
    }
    let mut listener = 0;
    for kind in [
        EventKind::Listening,
        EventKind::Accepted,
        EventKind::HandshakeSucceeded,
        EventKind::Disconnected,
    ] {
        let (event, value, address) = v1(&next(&bound));
        assert_eq!((event, address.as_str()), (kind.number(), endpoint.as_str()));
        listener = if kind == EventKind::Listening { value } else { listener };
    }
    pull.close();
    let closed = (EventKind::Closed.number(), listener, endpoint.to_string());
    assert_eq!(v1(&next(&bound)), closed);
    assert_eq!(v1(&next(&bound)), (EventKind::MonitorStopped.number(), 0, String::new()));
}

#[test]
fn version_2_has_both_ends_and_the_queues_of_peers() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    monitor(&pull, "inproc://pull", EventKind::ALL_V2, 2);
    let events = reader::<Pair>(&context, "inproc://pull");
    assert_eq!(pull.monitor_pipes_stats().unwrap_err().errno(), libc::EAGAIN, "no peer");
    let endpoint = join_up(&pull, &push);
    for _ in 0..5 {
        push.send("x").unwrap();
    }
    await_waiting(&pull, 5);
    pull.monitor_pipes_stats().unwrap();
    let (event, values, local, remote) = v2(&next(&events));
    assert_eq!((event, values.len(), local), (8, 1, endpoint.to_string()));
    assert_eq!(remote, "");
    let (event, _, _, client) = v2(&next(&events));
    assert_eq!(event, EventKind::Accepted.number());
    assert!(client.starts_with("tcp://127.0.0.1:"));
    next(&events);
    let queues = (EventKind::PipesStats.number(), vec![0, 5], endpoint.to_string(), client);
    assert_eq!(v2(&next(&events)), queues);
}

#[test]
fn pipes_stats_ask_for_a_monitor_that_wants_them() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open::<Push>(&context));
    join_up(&pull, &push);
    assert_eq!(pull.monitor_pipes_stats().unwrap_err().errno(), libc::EINVAL);
    monitor(&pull, "inproc://a", EventKind::ALL_V1, 2);
    assert_eq!(pull.monitor_pipes_stats().unwrap_err().errno(), libc::EAGAIN);
}

#[test]
fn what_cannot_be_is_refused_with_libzmqs_errno() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let taken = open::<Pair>(&context);
    taken.bind("inproc://taken").unwrap();
    for (name, events, version, socket_type, errno) in [
        ("tcp://127.0.0.1:5555", 0xffff, 1, SocketType::Pair, libc::EPROTONOSUPPORT),
        ("foo://a", 0xffff, 1, SocketType::Pair, libc::EPROTONOSUPPORT),
        ("inproc", 0xffff, 1, SocketType::Pair, libc::EINVAL),
        ("", 0xffff, 1, SocketType::Pair, libc::EINVAL),
        ("inproc://", 0xffff, 1, SocketType::Pair, libc::EINVAL),
        ("inproc://a", 0x1_0000, 1, SocketType::Pair, libc::EINVAL),
        ("inproc://a", 0xffff, 0, SocketType::Pair, libc::EINVAL),
        ("inproc://a", 0xffff, 3, SocketType::Pair, libc::EINVAL),
        ("inproc://a", 0xffff, 2, SocketType::Dealer, libc::EINVAL),
        ("inproc://a", 0xffff, 2, SocketType::Pull, libc::EINVAL),
        ("inproc://taken", 0xffff, 2, SocketType::Pair, libc::EADDRINUSE),
    ] {
        let refused = pull.monitor_socket(name, events, version, socket_type).unwrap_err();
        assert_eq!(refused.errno(), errno, "{name} {events} {version} {socket_type}");
    }
    assert_eq!(context.stats().sockets, 2, "nothing is left of them");
    pull.stop_monitor_socket().unwrap();
}

#[test]
fn the_next_monitor_ends_the_one_before_and_stopping_ends_it_too() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    let stopped = EventKind::MonitorStopped.number();
    monitor(&pull, "inproc://first", EventKind::ALL_V1, 1);
    let first = reader::<Pair>(&context, "inproc://first");
    monitor(&pull, "inproc://second", EventKind::ALL_V1, 1);
    assert_eq!(v1(&next(&first)).0, stopped);
    let second = reader::<Pair>(&context, "inproc://second");
    bind(&pull);
    assert_eq!(v1(&next(&second)).0, EventKind::Listening.number());
    pull.stop_monitor_socket().unwrap();
    assert_eq!(v1(&next(&second)).0, stopped);
    bind(&pull);
    assert!(second.try_recv().is_err() && first.try_recv().is_err());
    // Its name is free again.
    monitor(&pull, "inproc://second", EventKind::Listening.number(), 1);
    let again = reader::<Pair>(&context, "inproc://second");
    bind(&pull);
    assert_eq!(v1(&next(&again)).0, EventKind::Listening.number());
    pull.close();
    until("the monitor socket is gone", || context.stats().sockets == 3);
    assert!(again.try_recv().is_err(), "the end was not asked for");
}

#[test]
fn subscribers_choose_events_by_their_number() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    pull.monitor_socket("inproc://pub", EventKind::ALL_V2, 2, SocketType::Pub).unwrap();
    let sub = open::<Sub>(&context);
    sub.subscribe(EventKind::Closed.number().to_ne_bytes()).unwrap();
    sub.connect("inproc://pub").unwrap();
    let endpoint = bind(&pull);
    pull.unbind(&endpoint).unwrap();
    assert_eq!(v2(&next(&sub)).0, EventKind::Closed.number());
    assert!(sub.try_recv().is_err());
}

#[test]
fn a_push_hands_events_to_pullers() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    pull.monitor_socket("inproc://push", EventKind::ALL_V1, 1, SocketType::Push).unwrap();
    let endpoint = bind(&pull);
    // Nobody reads so far: the events wait.
    pull.unbind(&endpoint).unwrap();
    let events = reader::<Pull>(&context, "inproc://push");
    assert_eq!(v1(&next(&events)).0, EventKind::Listening.number());
    assert_eq!(v1(&next(&events)).0, EventKind::Closed.number());
}

#[test]
fn nobody_waits_for_a_reader_that_does_not_read() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    monitor(&pull, "inproc://slow", EventKind::ALL_V1, 1);
    let slow = open_with::<Pair>(&context, &[(RCVHWM, 10)]);
    slow.connect("inproc://slow").unwrap();
    for _ in 0..2_000 {
        let endpoint = bind(&pull);
        pull.unbind(&endpoint).unwrap();
    }
    let mut received = 0;
    while slow.recv_timeout(std::time::Duration::from_millis(200)).is_ok() {
        received += 1;
    }
    // What its mark, that of the monitor socket and the queue between hold.
    assert!((1_024..4_000).contains(&received), "{received}");
    bind(&pull);
    assert_eq!(v1(&next(&slow)).0, EventKind::Listening.number(), "and on it goes");
    pull.close();
    drop(slow);
    context.term().unwrap();
}

#[test]
fn a_monitored_socket_is_terminated_with_events_unread() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    monitor(&pull, "inproc://unread", EventKind::ALL_V1, 1);
    bind(&pull);
    pull.close();
    context.term().unwrap();
}
