//! Sending and receiving part by part, beside whole messages.

use std::time::Duration;

use tightbeam::options::OwnedValue;
use tightbeam::options::number::{MAX_FRAMES, RCVMORE};
use tightbeam::{
    Context, Dealer, Error, Frame, Pull, Push, Rep, Req, Router, SocketBase, XPub, XSub,
};
use tightbeam_tests::sockets::*;

fn rcvmore(socket: &SocketBase) -> bool {
    socket.option(RCVMORE).unwrap() == OwnedValue::Int(1)
}

#[test]
fn parts_sent_one_by_one_arrive_as_one_message() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    for part in ["a", "", "c"] {
        push.send_part(&part.into(), true).unwrap();
        assert!(pull.try_recv().unwrap_err().is_would_block());
    }
    push.send_part(&"d".into(), false).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["a", "", "c", "d"]);
    push.send_part(&"alone".into(), false).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "alone");
}

#[test]
fn short_parts_and_long_ones_arrive_in_order_however_they_are_sent() {
    let lengths = [5, 0, 64, 256, 1024, 1025, 3, 20_000, 7];
    let bodies: Vec<Vec<u8>> = (b'a'..).zip(lengths).map(|(byte, len)| vec![byte; len]).collect();
    for (count, endpoint) in
        (2..=bodies.len()).flat_map(|n| [(n, "tcp://127.0.0.1:*"), (n, "inproc://parts")])
    {
        let context = Context::new();
        let (pull, router) = (open::<Pull>(&context), open::<Router>(&context));
        let (push, dealer) = (open::<Push>(&context), open::<Dealer>(&context));
        dealer.set_routing_id(&bodies[0]).unwrap();
        push.connect(pull.bind(endpoint).unwrap()).unwrap();
        dealer.connect(router.bind(endpoint.replace("parts", "routes").as_str()).unwrap()).unwrap();
        dealer.send("hello").unwrap();
        assert_eq!(router.recv_timeout(LIMIT).unwrap().len(), 2);
        for turn in 0..4 {
            for (i, body) in bodies[..count].iter().enumerate() {
                let more = i + 1 < count;
                if (i + turn) % 2 == 0 {
                    push.send_slice_part(body, more).unwrap();
                    router.send_slice_part(body, more).unwrap();
                } else {
                    push.send_part(&Frame::copy_from(body), more).unwrap();
                    router.send_part(&Frame::copy_from(body), more).unwrap();
                }
            }
            assert_eq!(pull.recv_timeout(LIMIT).unwrap().frames(), &bodies[..count]);
            assert_eq!(dealer.recv_timeout(LIMIT).unwrap().frames(), &bodies[1..count]);
        }
        let traffic = push.stats().unwrap().traffic;
        let bytes: usize = bodies[..count].iter().map(Vec::len).sum();
        assert_eq!((traffic.messages_sent, traffic.bytes_sent), (4, 4 * bytes as u64));
    }
}

#[test]
fn subscriptions_in_front_of_parts_sent_one_by_one_are_none_of_the_message() {
    let context = Context::new();
    let publisher = open::<XPub>(&context);
    let subscriber = open::<XSub>(&context);
    join_up(&publisher, &subscriber);
    subscriber.send_slice_part(b"\x01one", true).unwrap();
    subscriber.send_slice_part(b"\x01two", true).unwrap();
    subscriber.send_slice_part(b"data", true).unwrap();
    subscriber.send_slice_part(b"end", false).unwrap();
    assert_eq!(publisher.recv_timeout(LIMIT).unwrap(), &b"\x01one"[..]);
    assert_eq!(publisher.recv_timeout(LIMIT).unwrap(), &b"\x01two"[..]);
    assert_eq!(publisher.recv_timeout(LIMIT).unwrap(), ["data", "end"]);
    publisher.send("one, and more").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "one, and more");
}

#[test]
fn a_whole_message_or_a_slice_ends_what_was_staged() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send_part(&"a".into(), true).unwrap();
    push.send(["b", "c"]).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["a", "b", "c"]);
    push.send_part(&"a".into(), true).unwrap();
    push.send_slice(b"z").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["a", "z"]);
    push.send("next").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "next");
}

#[test]
fn parts_are_received_one_by_one_and_rcvmore_says_whether_more_follow() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    let large = "x".repeat(200_000);
    push.send(["a", &large, ""]).unwrap();
    push.send("next").unwrap();
    assert!(pull.poll(readable(), Some(LIMIT)).unwrap().readable);
    assert!(!rcvmore(&pull));
    for (part, more) in [("a", true), (large.as_str(), true), ("", false), ("next", false)] {
        let received = pull.recv_part().unwrap();
        assert_eq!((received == part, received.more(), rcvmore(&pull)), (true, more, more));
    }
}

fn readable() -> tightbeam::Readiness {
    tightbeam::Readiness { readable: true, writable: false }
}

#[test]
fn a_whole_receive_answers_the_parts_that_are_left() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send(["a", "b", "c"]).unwrap();
    push.send(["d", "e"]).unwrap();
    assert!(pull.poll(readable(), Some(LIMIT)).unwrap().readable);
    assert_eq!(pull.recv_part().unwrap(), "a");
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["b", "c"]);
    assert!(!rcvmore(&pull));
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["d", "e"]);
}

#[test]
fn a_message_begun_is_finished_before_another_peer_is_served() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let endpoint = bind(&router);
    let dealers = [0; 2].map(|_| open::<Dealer>(&context));
    for (i, dealer) in dealers.iter().enumerate() {
        connect(dealer, &endpoint);
        dealer.send([format!("{i}1"), format!("{i}2")]).unwrap();
    }
    await_waiting(&router, 2);
    for _ in 0..2 {
        let id = router.recv_part().unwrap();
        assert!(id.len() == 5 && rcvmore(&router));
        let first = router.recv_part().unwrap().to_string_lossy().into_owned();
        let second = router.recv_part().unwrap().to_string_lossy().into_owned();
        assert_eq!((first[..1] == second[..1], &first[1..], &second[1..]), (true, "1", "2"));
    }
}

#[test]
fn a_buffer_too_short_takes_the_start_and_the_rest_is_lost() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send(["abcdef", "gh"]).unwrap();
    push.send(vec![7; 100_000]).unwrap();
    push.send("last").unwrap();
    let mut buffer = [0; 4];
    let copied = pull.recv_into(&mut buffer).unwrap();
    assert_eq!((copied.len, copied.more, &buffer), (6, true, b"abcd"));
    let copied = pull.recv_into(&mut buffer).unwrap();
    assert_eq!((copied.len, copied.more, &buffer), (2, false, b"ghcd"));
    let copied = pull.recv_into(&mut buffer).unwrap();
    assert_eq!((copied.len, copied.more, &buffer), (100_000, false, &[7; 4]));
    let copied = pull.recv_into(&mut []).unwrap();
    assert_eq!((copied.len, copied.more), (4, false));
    assert!(pull.try_recv().unwrap_err().is_would_block());
}

#[test]
fn the_first_part_is_refused_where_a_message_would_be() {
    let context = Context::new();
    let (push, rep, req) = (open::<Push>(&context), open::<Rep>(&context), open::<Req>(&context));
    let part = Frame::from("x");
    let within = Some(tightbeam::Timing::Within(Duration::from_millis(1)));
    assert!(push.as_any().send_part(&part, true, within).unwrap_err().is_would_block());
    assert!(matches!(rep.send_part(&part, true), Err(Error::OutOfTurn(_))));
    assert!(req.as_any().send_part(&part, true, within).unwrap_err().is_would_block());
    let pull = open::<Pull>(&context);
    join_up(&pull, &push);
    push.send_part(&"y".into(), false).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "y", "what was refused is not kept");
}

#[test]
fn staged_parts_are_kept_when_the_last_part_would_block() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send_part(&"a".into(), true).unwrap();
    drop(pull);
    await_peers(&push, 0);
    push.disconnect(push_endpoint(&push)).unwrap();
    let last = push.as_any().send_part(&"b".into(), false, Some(tightbeam::Timing::Never));
    assert!(last.unwrap_err().is_would_block());
    let again = open::<Pull>(&context);
    join_up(&again, &push);
    push.send_part(&"b".into(), false).unwrap();
    assert_eq!(again.recv_timeout(LIMIT).unwrap(), ["a", "b"]);
}

fn push_endpoint(socket: &SocketBase) -> String {
    match socket.option(tightbeam::options::number::LAST_ENDPOINT).unwrap() {
        OwnedValue::Bytes(text) => String::from_utf8(text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_staged_when_the_socket_is_closed_are_not_sent() {
    let context = Context::new();
    let (pull, push) = join::<Pull, Push>(&context);
    push.send("whole").unwrap();
    push.send_part(&"half".into(), true).unwrap();
    assert_eq!(push.close(), 0);
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "whole");
    await_peers(&pull, 0);
    assert!(pull.try_recv().unwrap_err().is_would_block());
}

#[test]
fn req_and_rep_take_turns_by_messages_not_parts() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    req.send_part(&"a".into(), true).unwrap();
    assert!(matches!(req.try_recv(), Err(Error::OutOfTurn(_))));
    req.send_part(&"b".into(), false).unwrap();
    assert!(matches!(req.send_part(&"c".into(), true), Err(Error::OutOfTurn(_))));
    assert!(rep.poll(readable(), Some(LIMIT)).unwrap().readable);
    assert_eq!(rep.recv_part().unwrap(), "a");
    assert!(matches!(rep.send_part(&"x".into(), true), Err(Error::OutOfTurn(_))));
    assert_eq!(rep.recv_part().unwrap(), "b");
    rep.send_part(&"x".into(), true).unwrap();
    assert!(matches!(rep.try_recv(), Err(Error::OutOfTurn(_))));
    rep.send_part(&"y".into(), false).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), ["x", "y"]);
}

#[test]
fn more_parts_than_peers_accept_are_refused_and_the_socket_stays_usable() {
    let context = Context::new();
    let (pull, push) = (open::<Pull>(&context), open_with::<Push>(&context, &[(MAX_FRAMES, 3)]));
    join_up(&pull, &push);
    push.send_part(&"1".into(), true).unwrap();
    push.send_part(&"2".into(), true).unwrap();
    assert!(matches!(push.send_part(&"3".into(), true), Err(Error::BadMessage(_))));
    push.send_part(&"last".into(), false).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["1", "2", "last"]);
    let whole = push.send(["1", "2", "3", "4"]).unwrap_err();
    assert!(matches!(whole.error, Error::BadMessage(_)));
    assert_eq!(whole.message.len(), 4);
    push.send_part(&"staged".into(), true).unwrap();
    assert!(matches!(push.send(["1", "2", "3"]).unwrap_err().error, Error::BadMessage(_)));
    push.send(["1", "2"]).unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), ["staged", "1", "2"]);
    assert!(matches!(
        push.send(tightbeam::Message::new()).unwrap_err().error,
        Error::BadMessage(_)
    ));
}

#[test]
fn parts_are_counted_as_peers_see_them() {
    let context = Context::new();
    let frames = [(MAX_FRAMES, 3)];
    let (rep, req) = (open_with::<Rep>(&context, &frames), open_with::<Req>(&context, &frames));
    join_up(&rep, &req);
    // A request has a delimiter in front.
    assert!(matches!(req.send(["1", "2", "3"]).unwrap_err().error, Error::BadMessage(_)));
    req.send(["1", "2"]).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), ["1", "2"]);

    let router = open_with::<Router>(&context, &frames);
    let dealer = open_with::<Dealer>(&context, &frames);
    join_up(&router, &dealer);
    dealer.send(["1", "2", "3"]).unwrap();
    // The routing id does not reach the peer, and may be sent back to it.
    let mut message = router.recv_timeout(LIMIT).unwrap();
    assert_eq!(message.len(), 4);
    router.send(message.clone()).unwrap();
    assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), ["1", "2", "3"]);
    message.push("4");
    assert!(matches!(router.send(message).unwrap_err().error, Error::BadMessage(_)));
}
