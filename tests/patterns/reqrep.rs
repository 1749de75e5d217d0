//! RFC 28: REQ and REP.

use tightbeam::options::Value;
use tightbeam::options::number::{RCVHWM, RECONNECT_IVL, REQ_CORRELATE, REQ_RELAXED, ROUTING_ID};
use tightbeam::{Context, Dealer, EFSM, Error, Rep, Req, Router, Socket};
use tightbeam_tests::sockets::*;

/// A ROUTER that a REQ with these options is connected to.
fn router_and_req(context: &Context, options: &[(i32, i32)]) -> (Socket<Router>, Socket<Req>) {
    let (router, req) = (open(context), open_with(context, options));
    join_up(&router, &req);
    (router, req)
}

fn named(context: &Context, name: &str) -> Socket<Req> {
    let req = open::<Req>(context);
    req.set_option(ROUTING_ID, Value::Bytes(name.as_bytes())).unwrap();
    req
}

#[test]
fn a_request_and_its_reply_alternate_strictly() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    assert!(matches!(req.try_recv(), Err(Error::OutOfTurn(_))));
    assert!(matches!(rep.try_send("early").unwrap_err().error, Error::OutOfTurn(_)));
    req.send("one").unwrap();
    let refused = req.send("two").unwrap_err();
    assert_eq!(refused.error.errno(), EFSM);
    assert_eq!(refused.message, "two");
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "one");
    assert!(matches!(rep.recv_timeout(LIMIT), Err(Error::OutOfTurn(_))));
    rep.send("reply").unwrap();
    assert!(matches!(rep.send("again").unwrap_err().error, Error::OutOfTurn(_)));
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "reply");
    assert!(matches!(req.recv_timeout(LIMIT), Err(Error::OutOfTurn(_))));
}

#[test]
fn requests_and_replies_may_have_many_parts_and_empty_ones() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    req.send(["", "a", "", "b"]).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), ["", "a", "", "b"]);
    rep.send(["c", "", ""]).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), ["c", "", ""]);
    assert_eq!(req.send("").map(|()| rep.recv_timeout(LIMIT).unwrap()).unwrap(), "");
}

#[test]
fn a_request_carries_an_empty_delimiter() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[]);
    req.send(["body", "more"]).unwrap();
    let request = router.recv_timeout(LIMIT).unwrap();
    assert_eq!(request[1..], ["", "body", "more"]);
    router.send([request[0].clone(), "".into(), "reply".into()]).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "reply");
}

#[test]
fn a_reply_carries_the_whole_envelope_back() {
    let context = Context::new();
    let (rep, dealer) = join::<Rep, Dealer>(&context);
    let long = "x".repeat(100_000);
    dealer.send(["hop 1", &long, "", "request", "", "rest"]).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), ["request", "", "rest"]);
    rep.send(["reply", "more"]).unwrap();
    assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), ["hop 1", &long, "", "reply", "more"]);
}

#[test]
fn rep_skips_requests_without_a_delimiter_or_a_body() {
    let context = Context::new();
    let (rep, dealer) = join::<Rep, Dealer>(&context);
    dealer.send("x").unwrap();
    dealer.send(["x", "y"]).unwrap();
    dealer.send("").unwrap();
    dealer.send(["x", ""]).unwrap();
    dealer.send(["", "ok"]).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "ok");
}

#[test]
fn rep_reads_on_behind_a_queue_full_of_malformed_requests() {
    let context = Context::new();
    let (rep, dealer) = (open_with::<Rep>(&context, &[(RCVHWM, 10)]), open::<Dealer>(&context));
    join_up(&rep, &dealer);
    for _ in 0..3 {
        for _ in 0..10 {
            dealer.send("malformed").unwrap();
        }
        await_waiting(&rep, 10);
        assert!(!rep.readiness().unwrap().readable);
        dealer.send(["", "ok"]).unwrap();
        assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "ok");
        rep.send("reply").unwrap();
        assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), ["", "reply"]);
    }
}

#[test]
fn requests_go_to_the_repliers_in_turn() {
    let context = Context::new();
    let req = open::<Req>(&context);
    let repliers: Vec<Socket<Rep>> = (0..3).map(|_| open(&context)).collect();
    for replier in &repliers {
        connect(&req, &bind(replier));
    }
    await_peers(&req, 3);
    for _ in 0..4 {
        for replier in &repliers {
            req.send("request").unwrap();
            assert_eq!(replier.recv_timeout(LIMIT).unwrap(), "request");
            replier.send("reply").unwrap();
            assert_eq!(req.recv_timeout(LIMIT).unwrap(), "reply");
        }
    }
}

#[test]
fn rep_serves_its_requesters_in_turn() {
    let context = Context::new();
    let rep = open::<Rep>(&context);
    let endpoint = bind(&rep);
    let dealers: Vec<Socket<Dealer>> = (0..3).map(|_| open(&context)).collect();
    for (i, dealer) in dealers.iter().enumerate() {
        connect(dealer, &endpoint);
        for _ in 0..5 {
            dealer.send(["", &i.to_string()]).unwrap();
        }
    }
    await_waiting(&rep, 15);
    for _ in 0..5 {
        let mut served: Vec<String> = Vec::new();
        for _ in 0..3 {
            served.extend(texts(&rep.recv_timeout(LIMIT).unwrap()));
            rep.send("ok").unwrap();
        }
        served.sort();
        assert_eq!(served, ["0", "1", "2"]);
    }
}

#[test]
fn req_discards_what_other_peers_send() {
    let context = Context::new();
    let req = named(&context, "me");
    let (asked, other) = (open::<Router>(&context), open::<Router>(&context));
    connect(&req, &bind(&asked));
    connect(&req, &bind(&other));
    for socket in [&asked, &other] {
        await_peers(socket, 1);
    }
    req.send("request").unwrap();
    assert_eq!(asked.recv_timeout(LIMIT).unwrap(), ["me", "", "request"]);
    other.send(["me", "", "spoofed"]).unwrap();
    await_waiting(&req, 1);
    assert!(req.try_recv().unwrap_err().is_would_block());
    asked.send(["me", "", "real"]).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "real");
}

#[test]
fn req_discards_a_reply_without_delimiter_or_body() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[]);
    req.send("request").unwrap();
    let id = router.recv_timeout(LIMIT).unwrap()[0].clone();
    router.send([id.clone(), "bare".into()]).unwrap();
    router.send([id.clone(), "".into()]).unwrap();
    router.send([id.clone(), "x".into(), "".into(), "y".into()]).unwrap();
    router.send([id, "".into(), "good".into()]).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "good");
}

#[test]
fn req_discards_what_comes_without_a_request() {
    let context = Context::new();
    let (router, req) = (open::<Router>(&context), named(&context, "me"));
    join_up(&router, &req);
    router.send(["me", "", "unasked"]).unwrap();
    await_waiting(&req, 1);
    assert!(!req.readiness().unwrap().readable);
    assert!(matches!(req.try_recv(), Err(Error::OutOfTurn(_))));
    req.send("question").unwrap();
    let mut reply = router.recv_timeout(LIMIT).unwrap();
    reply[2] = "answer".into();
    router.send(reply).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "answer");
}

/// As with libzmq: what is there already answers no request that is sent only now.
#[test]
fn req_discards_a_second_reply_and_what_came_unasked_when_it_sends() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[]);
    for round in 0..3 {
        req.send(format!("question {round}")).unwrap();
        let mut answer = router.recv_timeout(LIMIT).unwrap();
        let asked = format!("question {round}");
        assert_eq!(answer[2], asked.as_str());
        for text in ["answer", "answer again", "and again"] {
            answer[2] = format!("{text} {round}").into();
            router.send(answer.clone()).unwrap();
        }
        await_waiting(&req, 3);
        assert_eq!(req.recv_timeout(LIMIT).unwrap(), format!("answer {round}").as_str());
        assert_eq!(waiting(&req), 2);
    }
}

#[test]
fn req_correlate_numbers_requests_and_takes_only_the_reply_with_the_number() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[(REQ_CORRELATE, 1)]);
    req.send("request").unwrap();
    let request = router.recv_timeout(LIMIT).unwrap();
    assert_eq!((request.len(), request[1].len()), (4, 4));
    assert_eq!(request[2..], ["", "request"]);
    let [id, number] = [request[0].clone(), request[1].clone()];
    let mut wrong = number.clone();
    wrong.make_mut()[3] ^= 1;
    router.send([id.clone(), wrong, "".into(), "late".into()]).unwrap();
    router.send([id.clone(), "".into(), "uncorrelated".into()]).unwrap();
    router.send([id, number.clone(), "".into(), "reply".into()]).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "reply");
    req.send("next").unwrap();
    assert_ne!(router.recv_timeout(LIMIT).unwrap()[1], number);
}

#[test]
fn req_correlate_works_with_rep() {
    let context = Context::new();
    let (rep, req) = (open::<Rep>(&context), open_with::<Req>(&context, &[(REQ_CORRELATE, 1)]));
    join_up(&rep, &req);
    for i in 0..3 {
        req.send(format!("{i}")).unwrap();
        let request = rep.recv_timeout(LIMIT).unwrap();
        rep.send(request).unwrap();
        assert_eq!(req.recv_timeout(LIMIT).unwrap(), format!("{i}"));
    }
}

#[test]
fn req_relaxed_gives_up_a_request_for_a_new_one() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[(REQ_CORRELATE, 1), (REQ_RELAXED, 1)]);
    req.send("first").unwrap();
    req.send("second").unwrap();
    for expected in ["first", "second"] {
        let request = router.recv_timeout(LIMIT).unwrap();
        assert_eq!(request[3], expected);
        let [id, number] = [request[0].clone(), request[1].clone()];
        router.send([id, number, "".into(), format!("re: {expected}").into()]).unwrap();
    }
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "re: second");
}

#[test]
fn req_relaxed_gives_up_a_reply_received_in_part() {
    let context = Context::new();
    let (rep, req) = (open::<Rep>(&context), open_with::<Req>(&context, &[(REQ_RELAXED, 1)]));
    join_up(&rep, &req);
    req.send("one").unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "one");
    rep.send(["a", "b", "c"]).unwrap();
    let part = req.recv_part().unwrap();
    assert!(part == "a" && part.more());
    req.send("two").unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "two");
    rep.send("d").unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "d");
}

#[test]
fn a_reply_to_a_requester_that_left_is_dropped_and_counted() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    req.send("request").unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "request");
    drop(req);
    await_peers(&rep, 0);
    rep.send("too late").unwrap();
    assert_eq!(dropped(&rep), 1);
    let next = open::<Req>(&context);
    connect(&next, &rep.bind(ANY_PORT).unwrap());
    next.send("next").unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "next");
}

#[test]
fn req_without_a_replier_would_block_and_may_try_again() {
    let context = Context::new();
    let req = open::<Req>(&context);
    let refused = req.try_send("request").unwrap_err();
    assert!(refused.error.is_would_block());
    let rep = open::<Rep>(&context);
    connect(&req, &bind(&rep));
    req.send(refused.message).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "request");
}

#[test]
fn a_time_out_leaves_the_turn_as_it_was() {
    let context = Context::new();
    let (rep, req) = join::<Rep, Req>(&context);
    req.send("request").unwrap();
    assert!(req.recv_timeout(std::time::Duration::from_millis(1)).unwrap_err().is_would_block());
    assert!(matches!(req.try_send("x").unwrap_err().error, Error::OutOfTurn(_)));
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "request");
    rep.send("reply").unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "reply");
}

#[test]
fn req_relaxed_alone_takes_a_late_reply_for_the_new_one() {
    let context = Context::new();
    let (router, req) = router_and_req(&context, &[(REQ_RELAXED, 1)]);
    req.send("first").unwrap();
    let mut late = router.recv_timeout(LIMIT).unwrap();
    req.send("second").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap()[2], "second");
    late[2] = "late".into();
    router.send(late).unwrap();
    assert_eq!(req.recv_timeout(LIMIT).unwrap(), "late");
}

#[test]
fn a_request_whose_replier_went_is_not_sent_again_unless_relaxed() {
    let context = Context::new();
    for relaxed in [0, 1] {
        let req = open_with::<Req>(&context, &[(REQ_RELAXED, relaxed), (RECONNECT_IVL, 1)]);
        let router = open::<Router>(&context);
        let endpoint = join_up(&router, &req);
        req.send("first").unwrap();
        assert_eq!(router.recv_timeout(LIMIT).unwrap()[2], "first");
        router.close();
        await_peers(&req, 0);
        assert!(req.try_recv().unwrap_err().is_would_block());
        let next = open::<Router>(&context);
        until("the port is free", || next.bind(&endpoint).is_ok());
        await_peers(&req, 1);
        if relaxed == 0 {
            assert!(matches!(req.try_send("second").unwrap_err().error, Error::OutOfTurn(_)));
            assert!(next.try_recv().unwrap_err().is_would_block());
        } else {
            req.send("second").unwrap();
            let request = next.recv_timeout(LIMIT).unwrap();
            assert_eq!(request[2], "second");
            next.send(request).unwrap();
            assert_eq!(req.recv_timeout(LIMIT).unwrap(), "second");
        }
    }
}

#[test]
fn req_takes_no_reply_from_another_when_the_peer_it_asked_has_gone() {
    let context = Context::new();
    let req = named(&context, "me");
    let (asked, other) = (open::<Router>(&context), open::<Router>(&context));
    join_up(&req, &asked);
    req.send("request").unwrap();
    assert_eq!(asked.recv_timeout(LIMIT).unwrap(), ["me", "", "request"]);
    join_up(&req, &other);
    drop(asked);
    await_peers(&req, 1);
    other.send(["me", "", "not asked"]).unwrap();
    await_waiting(&req, 1);
    assert!(req.try_recv().unwrap_err().is_would_block());
    assert!(matches!(req.try_send("again").unwrap_err().error, Error::OutOfTurn(_)));
}

#[test]
fn rep_keeps_the_envelope_of_several_hops_up_to_the_first_empty_part() {
    let context = Context::new();
    let (rep, dealer) = join::<Rep, Dealer>(&context);
    dealer.send(["hop 1", "hop 2", "", "", "body"]).unwrap();
    assert_eq!(rep.recv_timeout(LIMIT).unwrap(), ["", "body"]);
    rep.send(["re", "ply"]).unwrap();
    assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), ["hop 1", "hop 2", "", "re", "ply"]);
}
