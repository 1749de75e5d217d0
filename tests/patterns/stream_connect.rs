//! STREAM that connects, STREAM with STREAM, and ROUTER_RAW.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use tightbeam::options::number::{
    CONNECT_ROUTING_ID, IMMEDIATE, ROUTER_MANDATORY, ROUTER_RAW, ROUTING_ID,
};
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{Context, Frame, Router, Stream};
use tightbeam_tests::sockets::*;

use crate::stream::{expect, expect_end, is_unroutable, limited, next, plain};

/// A plain listener, and its endpoint.
fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// Accepts one connection within the limit.
fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    until("somebody connects", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.unwrap();
    stream.set_nonblocking(false).unwrap();
    limited(stream)
}

#[test]
fn a_stream_that_connects_knows_the_id_at_once_and_keeps_it() {
    let context = Context::new();
    let (listener, endpoint) = listener();
    let client = open::<Stream>(&context);
    client.connect(&endpoint).unwrap();
    let OwnedValue::Bytes(id) = client.option(ROUTING_ID).unwrap() else { panic!("bytes") };
    assert_eq!(id.len(), 5);
    // Before the connection is made.
    client.send([&id[..], b"early"]).unwrap();
    let mut accepted = accept(&listener);
    expect(&mut accepted, b"early");
    assert_eq!(next(&client), (Frame::from(&id[..]), Vec::new()));
    accepted.write_all(b"hello").unwrap();
    assert_eq!(next(&client).1, b"hello");
    drop(accepted);
    assert_eq!(next(&client), (Frame::from(&id[..]), Vec::new()));
    let mut again = accept(&listener);
    assert_eq!(next(&client), (Frame::from(&id[..]), Vec::new()));
    client.send([&id[..], b"again"]).unwrap();
    expect(&mut again, b"again");
}

#[test]
fn a_stream_that_closes_what_it_connected_does_not_connect_again() {
    let context = Context::new();
    let (listener, endpoint) = listener();
    let client = open::<Stream>(&context);
    client.connect(&endpoint).unwrap();
    let mut accepted = accept(&listener);
    let (id, _) = next(&client);
    client.send([id.clone(), "bye".into()]).unwrap();
    client.send([id.clone(), Frame::new()]).unwrap();
    expect(&mut accepted, b"bye");
    expect_end(&mut accepted);
    assert!(is_unroutable(&client, &id));
    until("the endpoint is forgotten", || client.disconnect(&endpoint).is_err());
    assert!(listener.accept().is_err());
    // Nor if it never was connected.
    drop(listener);
    client.connect(&endpoint).unwrap();
    let OwnedValue::Bytes(id) = client.option(ROUTING_ID).unwrap() else { panic!("bytes") };
    client.send([&id[..], b""]).unwrap();
    until("the endpoint is forgotten", || client.disconnect(&endpoint).is_err());
}

#[test]
fn connect_routing_id_names_the_next_connection() {
    let context = Context::new();
    for immediate in [0, 1] {
        let (listener, endpoint) = listener();
        let client = open_with::<Stream>(&context, &[(IMMEDIATE, immediate)]);
        client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"server")).unwrap();
        client.connect(&endpoint).unwrap();
        if immediate == 0 {
            client.send(["server", "at once"]).unwrap();
        }
        let mut accepted = accept(&listener);
        assert_eq!(next(&client), ("server".into(), Vec::new()));
        client.send(["server", "later"]).unwrap();
        expect(&mut accepted, if immediate == 0 { b"at oncelater" } else { b"later" });
        // Once only.
        client.connect(&endpoint).unwrap();
        let _second = accept(&listener);
        let (id, _) = next(&client);
        assert!(id.len() == 5 && id[0] == 0, "{id:?}");
    }
}

#[test]
fn a_routing_id_that_is_in_use_is_refused_at_connect() {
    let context = Context::new();
    let (_listener, endpoint) = listener();
    let client = open::<Stream>(&context);
    for _ in 0..2 {
        client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"same")).unwrap();
        let connected = client.connect(&endpoint);
        if let Err(refused) = connected {
            assert_eq!(refused.errno(), libc::EINVAL);
            return;
        }
    }
    panic!("two connections have one name");
}

#[test]
fn streams_talk_to_each_other() {
    let context = Context::new();
    let (server, client) = (open::<Stream>(&context), open::<Stream>(&context));
    client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"server")).unwrap();
    connect(&client, &bind(&server));
    let (id, _) = next(&server);
    assert_eq!(next(&client), ("server".into(), Vec::new()));
    client.send(["server", "question"]).unwrap();
    assert_eq!(next(&server), (id.clone(), b"question".to_vec()));
    server.send([id, "answer".into()]).unwrap();
    assert_eq!(next(&client), ("server".into(), b"answer".to_vec()));
}

#[test]
fn a_raw_router_is_a_stream_that_drops_what_it_cannot_route() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_RAW, 1)]);
    let endpoint = bind(&router);
    let mut client = plain(&endpoint);
    let notice = router.recv_timeout(LIMIT).unwrap();
    assert_eq!(notice[1], "");
    let id = notice[0].clone();
    client.write_all(b"hello").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), [id.clone(), "hello".into()]);
    router.send([id.clone(), "answer".into()]).unwrap();
    expect(&mut client, b"answer");
    router.send(["nobody", "x"]).unwrap();
    assert_eq!(dropped(&router), 1);
    set(&router, ROUTER_MANDATORY, 1);
    let refused = router.send(["nobody", "x"]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    router.send_part(&id, true).unwrap();
    router.send_part(&"part".into(), true).unwrap();
    expect(&mut client, b"part");
    router.send([id.clone(), Frame::new()]).unwrap();
    expect_end(&mut client);
    let client = plain(&endpoint);
    let id = router.recv_timeout(LIMIT).unwrap()[0].clone();
    drop(client);
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), [id, Frame::new()]);
}
