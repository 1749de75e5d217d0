//! Connections without ZMTP: STREAM, and ROUTER_RAW.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use tightbeam::SocketType::{Dealer, Router, Stream};
use tightbeam::options::number;

use crate::stage::{Cast, End};
use crate::theirs::{ANYWHERE, LIMIT};

/// A program that knows nothing of ZeroMQ comes to a socket without ZMTP.
fn client_of(actor: &mut End) -> TcpStream {
    let endpoint = actor.try_bind(ANYWHERE).expect("an endpoint");
    let client = TcpStream::connect(endpoint.trim_start_matches("tcp://")).expect("a listener");
    client.set_read_timeout(Some(LIMIT)).expect("a limit");
    client
}

fn read(mut from: &TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).expect("bytes");
    bytes
}

/// Bytes that come in pieces as it happens.
fn gather(end: &mut End, id: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let message = end.recv();
        assert_eq!((message.len(), &message[0][..]), (2, id));
        bytes.extend_from_slice(&message[1]);
    }
    bytes
}

#[test]
fn programs_without_zmtp_are_told_from_each_other() {
    Cast::each(|cast| {
        for (socket_type, raw) in [(Stream, 0), (Router, 1)] {
            let mut actor = cast.actor(socket_type);
            if raw == 1 {
                actor.set_int(number::ROUTER_RAW, 1);
            }
            let clients = [client_of(&mut actor), client_of(&mut actor)];
            let mut ids = Vec::new();
            for (client, body) in clients.iter().zip(["one", "two"]) {
                (&*client).write_all(body.as_bytes()).expect("a connection");
                let mut message = actor.recv();
                while message[1].is_empty() {
                    message = actor.recv();
                }
                assert_eq!(message[1], body.as_bytes());
                ids.push(message.swap_remove(0));
            }
            assert_ne!(ids[0], ids[1]);
            for (at, body) in [(1, "to two"), (0, "to one")] {
                actor.send(&[&ids[at][..], body.as_bytes()]);
                assert_eq!(read(&clients[at], body.len()), body.as_bytes());
            }
        }
    });
}

#[test]
fn empty_messages_tell_of_a_client_that_comes_and_goes() {
    Cast::each(|cast| {
        for half in [false, true] {
            let mut actor = cast.actor(Stream);
            let client = client_of(&mut actor);
            let mut message = actor.recv();
            assert_eq!((message.len(), message[1].len()), (2, 0));
            let id = message.swap_remove(0);
            let body = "x".repeat(50_000);
            (&client).write_all(body.as_bytes()).expect("a connection");
            assert_eq!(gather(&mut actor, &id, body.len()), body.as_bytes());
            assert_eq!(actor.gets("Peer-Address").as_deref(), Some("127.0.0.1"));
            if half {
                client.shutdown(Shutdown::Write).expect("a connection");
            } else {
                drop(client);
            }
            actor.expect(&[&id[..], b""]);
            // It takes libzmq a moment to forget whom it has told of.
            let deadline = Instant::now() + LIMIT;
            while actor.try_send(&[&id[..], b"too late"]) != Err(libc::EHOSTUNREACH) {
                assert!(Instant::now() < deadline, "who has gone is still there");
                thread::sleep(Duration::from_millis(5));
            }
        }
    });
}

#[test]
fn an_empty_message_ends_a_connection_after_what_was_sent_before() {
    Cast::each(|cast| {
        let mut actor = cast.actor(Stream);
        let mut client = client_of(&mut actor);
        let id = actor.recv().swap_remove(0);
        actor.send(&[&id[..], b"last words"]);
        actor.send(&[&id[..], b""]);
        let mut heard = String::new();
        client.read_to_string(&mut heard).expect("an end");
        assert_eq!(heard, "last words");
    });
}

#[test]
fn a_stream_goes_to_a_program_without_zmtp_and_comes_again() {
    Cast::each(|cast| {
        let mut actor = cast.actor(Stream);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        actor.set_text(number::CONNECT_ROUTING_ID, "server");
        actor.connect(&format!("tcp://{address}"));
        for _ in 0..2 {
            let (server, _) = listener.accept().expect("a client");
            server.set_read_timeout(Some(LIMIT)).expect("a limit");
            actor.expect(&["server", ""]);
            actor.send(&["server", "question"]);
            assert_eq!(read(&server, 8), b"question");
            (&server).write_all(b"answer").expect("a connection");
            assert_eq!(gather(&mut actor, b"server", 6), b"answer");
            drop(server);
            actor.expect(&["server", ""]);
        }
    });
}

#[test]
fn streams_tell_of_peers_that_come_and_go_unless_told_not_to() {
    Cast::each(|cast| {
        for notify in [1, 0] {
            let (mut actor, mut other) = cast.ends(Stream, Stream);
            actor.set_int(number::STREAM_NOTIFY, notify);
            let endpoint = actor.bind();
            other.set_text(number::CONNECT_ROUTING_ID, "server");
            other.connect(&endpoint);
            other.expect(&["server", ""]);
            other.send(&["server", "bytes"]);
            let mut message = actor.recv();
            if notify == 1 {
                assert_eq!(message[1], b"");
                let id = message.swap_remove(0);
                message = actor.recv();
                assert_eq!(message[0], id);
            }
            assert_eq!(message[1], b"bytes");
            actor.send(&[&message[0][..], b"answer"]);
            other.expect(&["server", "answer"]);
            // An empty message ends the connection.
            actor.send(&[&message[0][..], b""]);
            actor.stir();
            other.expect(&["server", ""]);
        }
    });
}

#[test]
fn a_raw_router_talks_with_whom_speaks_no_zmtp() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Router, Stream);
        actor.set_int(number::ROUTER_RAW, 1);
        other.set_text(number::CONNECT_ROUTING_ID, "server");
        let endpoint = actor.bind();
        other.connect(&endpoint);
        other.expect(&["server", ""]);
        other.send(&["server", "bytes"]);
        let message = loop {
            let message = actor.recv();
            if !message[1].is_empty() {
                break message;
            }
        };
        assert_eq!(message[1], b"bytes");
        actor.send(&[&message[0][..], b"answer"]);
        other.expect(&["server", "answer"]);
    });
}

/// What a peer says first: the signature of its greeting, `FF ... 7F` (RFC 23).
#[test]
fn a_stream_sees_the_greeting_of_a_dealer() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Dealer, Stream);
        let endpoint = actor.bind();
        other.set_text(number::CONNECT_ROUTING_ID, "server");
        other.connect(&endpoint);
        other.expect(&["server", ""]);
        let mut said = Vec::new();
        while said.len() < 10 {
            said.extend_from_slice(&other.recv()[1]);
        }
        assert_eq!((said[0], said[9]), (0xff, 0x7f), "{said:?}");
    });
}
