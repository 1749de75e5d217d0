//! STREAM and ROUTER_RAW: bytes to and from peers without ZMTP.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use tightbeam::options::number::{
    HANDSHAKE_IVL, HEARTBEAT_IVL, LINGER, RCVHWM, ROUTER_RAW, SNDBUF, SNDHWM, STREAM_NOTIFY,
};
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{
    Context, Dealer, Endpoint, Error, EventKind, Frame, Router, Socket, SocketBase, SocketType,
    Stream, Timing,
};
use tightbeam_tests::sockets::*;

/// A plain connection to an endpoint.
pub(crate) fn plain(endpoint: &Endpoint) -> TcpStream {
    let address = endpoint.as_str().strip_prefix("tcp://").unwrap();
    limited(TcpStream::connect(address).unwrap())
}

pub(crate) fn limited(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

/// The next message: a routing id and bytes.
pub(crate) fn next(socket: &Socket<Stream>) -> (Frame, Vec<u8>) {
    let message = socket.recv_timeout(LIMIT).unwrap();
    assert_eq!(message.len(), 2);
    (message[0].clone(), message[1].to_vec())
}

/// A bound STREAM, a plain connection to it, and its routing id, the notice of it taken.
fn served(context: &Context) -> (Socket<Stream>, TcpStream, Frame) {
    let server = open::<Stream>(context);
    let (client, id) = client_of(&server, &bind(&server));
    (server, client, id)
}

fn client_of(server: &Socket<Stream>, endpoint: &Endpoint) -> (TcpStream, Frame) {
    let client = plain(endpoint);
    let (id, bytes) = next(server);
    assert_eq!(bytes, b"", "the notice of the connection");
    (client, id)
}

pub(crate) fn expect(client: &mut TcpStream, bytes: &[u8]) {
    let mut got = vec![0; bytes.len()];
    client.read_exact(&mut got).unwrap();
    assert_eq!(got, bytes);
}

pub(crate) fn expect_end(client: &mut TcpStream) {
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0, "the connection goes on");
}

pub(crate) fn is_unroutable(socket: &Socket<Stream>, id: &Frame) -> bool {
    matches!(socket.peer_state(id), Err(Error::Unroutable(_)))
}

#[test]
fn bytes_come_with_the_id_of_their_connection_and_go_by_it() {
    let context = Context::new();
    let (server, mut one, first) = served(&context);
    let endpoint = last_endpoint(&server);
    let (mut two, second) = client_of(&server, &endpoint);
    assert!(first.len() == 5 && first[0] == 0 && second.len() == 5 && first != second);
    one.write_all(b"from one").unwrap();
    assert_eq!(next(&server), (first.clone(), b"from one".to_vec()));
    two.write_all(b"from two").unwrap();
    assert_eq!(next(&server), (second.clone(), b"from two".to_vec()));
    server.send([second, "to two".into()]).unwrap();
    server.send([first.clone(), "to ".into()]).unwrap();
    server.send([first, "one".into()]).unwrap();
    expect(&mut one, b"to one");
    expect(&mut two, b"to two");
}

fn last_endpoint(socket: &SocketBase) -> Endpoint {
    match socket.option(tightbeam::options::number::LAST_ENDPOINT).unwrap() {
        OwnedValue::Bytes(text) => String::from_utf8(text).unwrap().parse().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_bytes_come_in_order_in_messages_of_at_most_8192() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    let sent: Vec<u8> = (0..1_000_003_u32).map(|i| (i % 251) as u8).collect();
    let writer = std::thread::spawn({
        let sent = sent.clone();
        move || client.write_all(&sent).map(|()| client)
    });
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let (from, bytes) = next(&server);
        assert!(from == id && !bytes.is_empty() && bytes.len() <= 8192, "{}", bytes.len());
        got.extend(bytes);
    }
    assert!(got == sent, "bytes were changed");
    drop(writer.join().unwrap().unwrap());
}

#[test]
fn many_bytes_of_many_sizes_go_out_as_they_are() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    let mut all = Vec::new();
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        client.read_to_end(&mut got).map(|_| got)
    });
    for size in [1, 255, 256, 8191, 8192, 8193, 70_000, 3, 300_000, 1] {
        let body: Vec<u8> = (0..size).map(|i| (i % 253) as u8).collect();
        server.send([id.clone(), Frame::from(body.clone())]).unwrap();
        all.extend(body);
    }
    server.send([id, Frame::new()]).unwrap();
    assert!(reader.join().unwrap().unwrap() == all, "bytes were changed");
}

#[test]
fn connecting_and_disconnecting_are_told_by_empty_messages() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    client.write_all(b"last words").unwrap();
    drop(client);
    assert_eq!(next(&server), (id.clone(), b"last words".to_vec()));
    assert_eq!(next(&server), (id.clone(), Vec::new()));
    let refused = server.send([id.clone(), "x".into()]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    assert_eq!(refused.message, [id, "x".into()]);
    // A peer that says no more has gone, too: so it is with libzmq.
    let (client, id) = client_of(&server, &last_endpoint(&server));
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(next(&server), (id, Vec::new()));
}

#[test]
fn without_stream_notify_only_bytes_are_received() {
    let context = Context::new();
    let server = open_with::<Stream>(&context, &[(STREAM_NOTIFY, 0)]);
    let endpoint = bind(&server);
    for body in [b"a", b"b"] {
        let mut client = plain(&endpoint);
        client.write_all(body).unwrap();
        assert_eq!(next(&server).1, body);
        drop(client);
        await_peers(&server, 0);
    }
    assert!(server.try_recv().unwrap_err().is_would_block());
}

#[test]
fn what_is_told_of_connections_is_settled_when_their_endpoint_is_bound() {
    let context = Context::new();
    for (bound, later) in [(1, 0), (0, 1)] {
        let server = open_with::<Stream>(&context, &[(STREAM_NOTIFY, bound)]);
        let endpoint = bind(&server);
        server.set_option(STREAM_NOTIFY, Value::Int(later)).unwrap();
        let mut client = plain(&endpoint);
        client.write_all(b"x").unwrap();
        if bound == 1 {
            assert!(next(&server).1.is_empty());
        }
        assert_eq!(next(&server).1, b"x");
        drop(client);
        await_peers(&server, 0);
        assert_eq!(server.try_recv().is_ok(), bound == 1);
    }
}

#[test]
fn sending_no_bytes_closes_the_connection_once_all_is_written() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    let body = Frame::from(vec![7; 1 << 20]);
    for _ in 0..8 {
        server.send([id.clone(), body.clone()]).unwrap();
    }
    server.send([id.clone(), Frame::new()]).unwrap();
    assert!(is_unroutable(&server, &id));
    for _ in 0..8 {
        expect(&mut client, &body);
    }
    expect_end(&mut client);
    await_peers(&server, 0);
    // Who closes needs not be told.
    assert!(server.try_recv().unwrap_err().is_would_block());
}

#[test]
fn what_was_not_received_is_dropped_with_a_connection_that_is_closed() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    client.write_all(b"unread").unwrap();
    await_waiting(&server, 1);
    server.send([id, Frame::new()]).unwrap();
    expect_end(&mut client);
    until("the connection is gone", || server.stats().unwrap().connections == 0);
    assert!(server.try_recv().unwrap_err().is_would_block());
    assert_eq!(dropped(&server), 1);
}

#[test]
fn a_message_that_is_being_received_outlives_its_connection() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    client.write_all(b"bytes").unwrap();
    let front = server.recv_part().unwrap();
    assert!(front == id && front.more());
    server.send([id, Frame::new()]).unwrap();
    expect_end(&mut client);
    assert_eq!(server.recv_part().unwrap(), "bytes");
    assert!(server.try_recv().unwrap_err().is_would_block());
}

#[test]
fn parts_are_a_routing_id_and_bytes_whatever_is_said_of_more() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    server.send_part(&id, true).unwrap();
    server.send_part(&"A".into(), true).unwrap();
    expect(&mut client, b"A");
    // The id is refused as soon as it is given, and nothing is kept of it.
    let refused = server.send_part(&"nobody".into(), true).unwrap_err();
    assert_eq!(refused.errno(), libc::EHOSTUNREACH);
    assert_eq!(server.send_part(&Frame::new(), true).unwrap_err().errno(), libc::EHOSTUNREACH);
    // An id alone says nothing.
    let before = dropped(&server);
    server.send(id.clone()).unwrap();
    server.send("nobody").unwrap();
    assert_eq!(dropped(&server), before + 2);
    let refused = server.send([id.clone(), "B".into(), "C".into()]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EINVAL);
    assert_eq!(refused.message.len(), 3);
    server.send_part(&id, true).unwrap();
    server.send_part(&"D".into(), false).unwrap();
    expect(&mut client, b"D");
}

#[test]
fn a_connection_that_takes_no_more_refuses_at_the_high_water_mark() {
    let context = Context::new();
    let server = open_with::<Stream>(&context, &[(SNDHWM, 2), (SNDBUF, 4096)]);
    let (client, id) = client_of(&server, &bind(&server));
    let body = Frame::from(vec![1; 1 << 20]);
    let mut sent = 0;
    let refused = loop {
        match server.send_timeout([id.clone(), body.clone()], Duration::from_millis(200)) {
            Ok(()) => sent += 1,
            Err(refused) => break refused,
        }
        assert!(sent < 1000, "a peer that does not read took a gigabyte");
    };
    assert_eq!(refused.error.errno(), libc::EAGAIN);
    assert_eq!(refused.message[1], body);
    assert!(!server.peer_state(&id).unwrap().writable);
    let refused = server.as_any().send_part(&id, true, Some(Timing::Never));
    assert_eq!(refused.unwrap_err().errno(), libc::EAGAIN);
    // Closing needs no room, and ends the wait of others.
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| server.send([id.clone(), "x".into()]));
        std::thread::sleep(Duration::from_millis(50));
        server.send([id.clone(), Frame::new()]).unwrap();
        until("the sender is told", || sender.is_finished());
        let refused = sender.join().unwrap().unwrap_err();
        assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    });
    drop(client);
}

#[test]
fn at_the_receive_mark_reading_stops_and_goes_on() {
    let context = Context::new();
    let server = open_with::<Stream>(&context, &[(RCVHWM, 2)]);
    let (mut client, id) = client_of(&server, &bind(&server));
    client.set_nonblocking(true).unwrap();
    let (mut sent, mut quiet) = (0, 0);
    while quiet < 50 {
        match client.write(&[9; 65_536]) {
            Ok(n) => (sent, quiet) = (sent + n, 0),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                std::thread::sleep(Duration::from_millis(2));
                quiet += 1;
            }
        }
        assert!(sent < 1 << 30, "a socket that is not received from took a gigabyte");
    }
    assert!(waiting(&server) <= 4, "{}", waiting(&server));
    let mut got = 0;
    while got < sent {
        let (from, bytes) = next(&server);
        assert_eq!(from, id);
        got += bytes.len();
    }
    assert_eq!(got, sent);
}

#[test]
fn there_is_no_handshake_that_could_take_too_long() {
    let context = Context::new();
    let options = [(HANDSHAKE_IVL, 20), (HEARTBEAT_IVL, 10)];
    let server = open_with::<Stream>(&context, &options);
    let monitor = server.monitor().unwrap();
    let (mut client, id) = client_of(&server, &bind(&server));
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let said = client.read(&mut [0; 64]).unwrap_err();
    assert!(matches!(said.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{said}");
    server.send([id, "still here".into()]).unwrap();
    expect(&mut client, b"still here");
    drop(client);
    let mut kinds = Vec::new();
    while kinds.last() != Some(&EventKind::Disconnected) {
        kinds.push(monitor.next_timeout(LIMIT).expect("an event").kind);
    }
    assert_eq!(kinds, [EventKind::Listening, EventKind::Accepted, EventKind::Disconnected]);
}

#[test]
fn messages_say_where_they_come_from() {
    let context = Context::new();
    let (server, mut client, _) = served(&context);
    client.write_all(b"x").unwrap();
    let message = server.recv_timeout(LIMIT).unwrap();
    for part in &message {
        let peer = part.peer().expect("metadata");
        assert_eq!(peer.address(), "127.0.0.1");
        assert_eq!((peer.socket_type(), peer.get("Socket-Type")), (None, None));
    }
}

#[test]
fn closing_the_socket_lingers_for_what_is_queued() {
    let context = Context::new();
    let server = open_with::<Stream>(&context, &[(LINGER, -1)]);
    let (mut client, id) = client_of(&server, &bind(&server));
    let body = Frame::from(vec![3; 1 << 20]);
    for _ in 0..16 {
        server.send([id.clone(), body.clone()]).unwrap();
    }
    let reader = std::thread::spawn(move || {
        let mut got = Vec::new();
        client.read_to_end(&mut got).map(|_| got.len())
    });
    assert_eq!(server.close(), 0);
    assert_eq!(reader.join().unwrap().unwrap(), 16 << 20);
}

#[test]
fn a_stream_is_always_writable_and_knows_its_type() {
    let context = Context::new();
    let server = open::<Stream>(&context);
    let ready = server.readiness().unwrap();
    assert!(ready.writable && !ready.readable);
    assert_eq!(server.socket_type(), SocketType::Stream);
    assert_eq!(SocketType::Stream as i32, 11);
}

#[test]
fn bytes_need_a_transport_of_bytes() {
    let context = Context::new();
    let stream = open::<Stream>(&context);
    let raw = open_with::<Router>(&context, &[(ROUTER_RAW, 1)]);
    for error in [
        stream.bind("inproc://bytes").unwrap_err(),
        stream.connect("inproc://bytes").unwrap_err(),
        raw.bind("inproc://bytes").unwrap_err(),
    ] {
        assert_eq!(error.errno(), tightbeam::ENOCOMPATPROTO);
    }
}

#[test]
fn a_peer_that_speaks_zmtp_is_bytes_like_any_other() {
    let context = Context::new();
    let (server, dealer) = (open::<Stream>(&context), open::<Dealer>(&context));
    connect(&dealer, &bind(&server));
    assert_eq!(next(&server).1, b"");
    let (_, greeting) = next(&server);
    assert_eq!(greeting[0], 0xff);
}

#[test]
fn connections_are_closed_within_a_burst_too() {
    let context = Context::new();
    let (server, mut client, id) = served(&context);
    let begun = Instant::now();
    for _ in 0..200 {
        server.send([id.clone(), "x".into()]).unwrap();
    }
    server.send([id, Frame::new()]).unwrap();
    expect(&mut client, &[b'x'; 200]);
    expect_end(&mut client);
    assert!(begun.elapsed() < LIMIT);
}
