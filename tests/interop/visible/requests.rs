//! What REQ does by itself, as the other side sees it.

use std::time::Duration;

use tightbeam::SocketType::{Dealer, Rep, Req, Router};
use tightbeam::options::number;

use crate::stage::Cast;

/// libzmq's number for a call in the wrong state.
const EFSM: i32 = 156_384_763;

#[test]
fn a_strict_requester_waits_for_its_reply() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Router);
        actor.set_text(number::ROUTING_ID, "asker");
        actor.meet(&mut other);
        actor.send(&["question"]);
        assert_eq!(actor.try_send(&["another"]), Err(EFSM));
        other.expect(&["asker", "", "question"]);
        other.send(&["asker", "", "answer"]);
        actor.expect(&["answer"]);
    });
}

#[test]
fn correlated_requests_have_numbers_which_replies_have_to_bear() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Router);
        actor.set_text(number::ROUTING_ID, "asker");
        actor.set_int(number::REQ_CORRELATE, 1);
        actor.meet(&mut other);
        let mut numbers = Vec::new();
        for _ in 0..2 {
            actor.send(&["question"]);
            let mut request = other.recv();
            assert_eq!(request.len(), 4, "{request:?}");
            assert_eq!((request[1].len(), &request[2][..]), (4, &b""[..]));
            numbers.push(request[1].clone());
            let right = request[1].clone();
            request[1] = right.iter().map(|byte| !byte).collect();
            request[3] = b"wrong".to_vec();
            other.send(&request);
            request[1] = right;
            request[3] = b"answer".to_vec();
            other.send(&request);
            actor.expect(&["answer"]);
        }
        assert_ne!(numbers[0], numbers[1]);
    });
}

#[test]
fn a_replier_answers_correlated_requests() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Rep);
        actor.set_int(number::REQ_CORRELATE, 1);
        actor.meet(&mut other);
        for _ in 0..3 {
            actor.send(&["question"]);
            other.expect(&["question"]);
            other.send(&["answer"]);
            actor.expect(&["answer"]);
        }
    });
}

#[test]
fn a_relaxed_requester_asks_anew_and_hears_the_new_reply() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Router);
        actor.set_text(number::ROUTING_ID, "asker");
        actor.set_int(number::REQ_CORRELATE, 1);
        actor.set_int(number::REQ_RELAXED, 1);
        actor.meet(&mut other);
        actor.send(&["first"]);
        let mut first = other.recv();
        actor.send(&["second"]);
        let mut second = other.recv();
        assert_eq!((&first[3][..], &second[3][..]), (&b"first"[..], &b"second"[..]));
        first[3] = b"answer to the first".to_vec();
        second[3] = b"answer to the second".to_vec();
        other.send(&first);
        other.send(&second);
        actor.expect(&["answer to the second"]);
    });
}

/// What had come before the request, that is: libzmq cannot tell it from the reply otherwise, so a round in which it was late counts not.
#[test]
fn what_came_before_a_request_is_no_reply_to_it() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Router);
        actor.set_text(number::ROUTING_ID, "asker");
        actor.meet(&mut other);
        let passed_over = (0..20).any(|_| {
            actor.send(&["question"]);
            other.expect(&["asker", "", "question"]);
            other.send(&["asker", "", "answer"]);
            other.send(&["asker", "", "stale"]);
            while actor.recv() != [b"answer"] {}
            // Nobody can be asked whether it has come: a requester in whose turn it is to send is not readable.
            std::thread::sleep(Duration::from_millis(50));
            actor.send(&["question"]);
            other.expect(&["asker", "", "question"]);
            other.send(&["asker", "", "fresh"]);
            actor.recv() == [b"fresh"]
        });
        assert!(passed_over, "what was stale was always taken for the reply");
    });
}

#[test]
fn a_replier_passes_over_what_has_no_envelope() {
    Cast::each(|cast| {
        let (mut actor, mut other) = cast.ends(Rep, Dealer);
        actor.meet(&mut other);
        other.send(&["no envelope"]);
        other.send(&["a", "b"]);
        other.send(&[""]);
        let served: [(&[&str], &[&str]); 5] = [
            (&["", "1"], &["1"]),
            (&["x", "", "2"], &["2"]),
            (&["x", "y", "", "3", "", "4"], &["3", "", "4"]),
            (&["", ""], &[""]),
            (&["", "", "5"], &["", "5"]),
        ];
        for (request, body) in served {
            other.send(request);
            actor.expect(body);
            actor.send(&["re", "ply"]);
            let envelope = &request[..request.len() - body.len()];
            other.expect(&[envelope, &["re", "ply"]].concat());
        }
    });
}

/// libzmq's requester gives the connection up.
#[test]
fn what_has_no_envelope_is_no_reply_and_is_passed_over() {
    Cast::against_them(|cast| {
        let (mut actor, mut other) = cast.ends(Req, Router);
        actor.set_text(number::ROUTING_ID, "asker");
        actor.meet(&mut other);
        actor.send(&["question"]);
        other.expect(&["asker", "", "question"]);
        other.send(&["asker", "no", "envelope"]);
        other.send(&["asker", "", "answer"]);
        actor.expect(&["answer"]);
    });
}
