//! RFC 28: DEALER and ROUTER.

use std::thread;
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::{
    CONNECT_ROUTING_ID, RCVHWM, ROUTER_HANDOVER, ROUTER_MANDATORY, ROUTER_NOTIFY, ROUTING_ID,
    SNDHWM,
};
use tightbeam::{Context, Dealer, Error, Frame, Readiness, Router, Socket};
use tightbeam_tests::sockets::*;

/// A DEALER with this routing id.
fn dealer(context: &Context, name: &str) -> Socket<Dealer> {
    let dealer = open::<Dealer>(context);
    dealer.set_option(ROUTING_ID, Value::Bytes(name.as_bytes())).unwrap();
    dealer
}

/// A body that fills kernel buffers soon.
fn big() -> Frame {
    Frame::from(vec![7; 1 << 20])
}

/// Sends to `id` until it has no room, nor gets any from what the kernel still moves.
fn fill(router: &Socket<Router>, id: &str) -> Error {
    for _ in 0..1000 {
        if let Err(refused) = router.send_timeout([id.into(), big()], Duration::from_millis(300)) {
            assert_eq!(refused.message, [id.into(), big()]);
            return refused.error;
        }
    }
    panic!("a peer that does not read took a gigabyte");
}

/// A mandatory ROUTER with small queues, and a DEALER of this name that reads at most one message.
fn stuck(context: &Context, names: &[&str]) -> (Socket<Router>, Vec<Socket<Dealer>>) {
    let router = open_with::<Router>(context, &[(ROUTER_MANDATORY, 1), (SNDHWM, 1)]);
    let dealers = names.iter().map(|name| {
        let dealer = dealer(context, name);
        set(&dealer, RCVHWM, 1);
        join_up(&router, &dealer);
        assert!(fill(&router, name).is_would_block());
        dealer
    });
    let dealers = dealers.collect();
    (router, dealers)
}

#[test]
fn a_dealer_sends_to_its_peers_in_turn() {
    let context = Context::new();
    let dealer = open::<Dealer>(&context);
    let routers: Vec<Socket<Router>> = (0..3).map(|_| open(&context)).collect();
    for router in &routers {
        connect(&dealer, &bind(router));
    }
    await_peers(&dealer, 3);
    for i in 0..9 {
        dealer.send(format!("{i}")).unwrap();
    }
    for (at, router) in routers.iter().enumerate() {
        for round in 0..3 {
            assert_eq!(router.recv_timeout(LIMIT).unwrap()[1], format!("{}", at + 3 * round));
        }
        assert!(router.try_recv().unwrap_err().is_would_block());
    }
}

#[test]
fn router_and_dealer_receive_from_their_peers_in_turn() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let endpoint = bind(&router);
    let dealers = ["A", "B"].map(|name| dealer(&context, name));
    for dealer in &dealers {
        connect(dealer, &endpoint);
        for i in 0..50 {
            dealer.send([format!("{i}"), "rest".into()]).unwrap();
        }
    }
    await_waiting(&router, 100);
    for i in 0..50 {
        let mut pair = [0, 1].map(|_| texts(&router.recv_timeout(LIMIT).unwrap()));
        pair.sort();
        let number = i.to_string();
        assert_eq!(pair, [["A", &number, "rest"], ["B", &number, "rest"]]);
    }
}

#[test]
fn a_router_names_its_peers_as_they_ask_or_with_five_bytes() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let endpoint = bind(&router);
    let [named, one, two] = [dealer(&context, "named"), open(&context), open(&context)];
    for socket in [&named, &one, &two] {
        connect(socket, &endpoint);
        socket.send("hello").unwrap();
    }
    let mut ids: Vec<Frame> =
        (0..3).map(|_| router.recv_timeout(LIMIT).unwrap()[0].clone()).collect();
    ids.sort_by_key(|id| id[0]);
    assert_eq!(ids[2], "named");
    assert!(ids[0] != ids[1] && ids[..2].iter().all(|id| id.len() == 5 && id[0] == 0));
    for (i, id) in ids.iter().enumerate() {
        router.send([id.clone(), i.to_string().into()]).unwrap();
    }
    assert_eq!(named.recv_timeout(LIMIT).unwrap(), "2");
    let mut answers = [&one, &two].map(|s| texts(&s.recv_timeout(LIMIT).unwrap()));
    answers.sort();
    assert_eq!(answers, [["0"], ["1"]]);
}

/// Programs name their peers by numbers, and the first one is often zero.
#[test]
fn a_routing_id_may_begin_with_a_zero_unless_it_looks_made_up() {
    for name in ["\0", "\0\0", "\0\0\0\0", "\0\0\0\0\0\0"] {
        let context = Context::new();
        let (router, dealer) = (open::<Router>(&context), dealer(&context, name));
        join_up(&router, &dealer);
        dealer.send("here").unwrap();
        assert_eq!(router.recv_timeout(LIMIT).unwrap(), [name, "here"]);
        router.send([name, "reply"]).unwrap();
        assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "reply");
    }
}

#[test]
fn a_second_peer_with_the_same_routing_id_is_ignored() {
    let context = Context::new();
    let router = open::<Router>(&context);
    let [first, second] = [dealer(&context, "same"), dealer(&context, "same")];
    join_up(&router, &first);
    join_up(&router, &second);
    second.send("second").unwrap();
    until("what the nameless one sent is dropped", || dropped(&router) == 1);
    first.send("first").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "first"]);
    assert!(router.try_recv().unwrap_err().is_would_block());
    router.send(["same", "reply"]).unwrap();
    assert_eq!(first.recv_timeout(LIMIT).unwrap(), "reply");
    assert!(second.try_recv().unwrap_err().is_would_block());
}

#[test]
fn a_routing_id_may_be_used_again_once_its_owner_left() {
    let context = Context::new();
    let router = open::<Router>(&context);
    for i in ["1", "2", "3"] {
        let dealer = dealer(&context, "same");
        join_up(&router, &dealer);
        dealer.send(i).unwrap();
        assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", i]);
        drop(dealer);
        await_peers(&router, 0);
    }
}

#[test]
fn with_handover_a_new_peer_takes_over_the_routing_id() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_HANDOVER, 1), (ROUTER_MANDATORY, 1)]);
    let [first, second] = [dealer(&context, "same"), dealer(&context, "same")];
    join_up(&router, &first);
    first.send("first").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "first"]);
    join_up(&router, &second);
    second.send("second").unwrap();
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "second"]);
    router.send(["same", "reply"]).unwrap();
    assert_eq!(second.recv_timeout(LIMIT).unwrap(), "reply");
    drop(first);
    await_peers(&router, 1);
    router.send(["same", "still"]).unwrap();
    assert_eq!(second.recv_timeout(LIMIT).unwrap(), "still");
}

#[test]
fn after_a_handover_what_had_come_is_received_and_the_old_peer_is_unheard() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_HANDOVER, 1)]);
    let [first, second] = [dealer(&context, "same"), dealer(&context, "same")];
    join_up(&router, &first);
    first.send("before").unwrap();
    await_waiting(&router, 1);
    join_up(&router, &second);
    assert_eq!(router.recv_timeout(LIMIT).unwrap(), ["same", "before"]);
    first.send("after").unwrap();
    until("it is dropped", || dropped(&router) == 1);
    router.send(["same", "x"]).unwrap();
    assert_eq!(second.recv_timeout(LIMIT).unwrap(), "x");
    assert!(first.try_recv().unwrap_err().is_would_block());
}

#[test]
fn with_mandatory_a_router_is_writable_while_a_peer_has_room() {
    let context = Context::new();
    let router = open::<Router>(&context);
    assert!(router.readiness().unwrap().writable);
    set(&router, ROUTER_MANDATORY, 1);
    assert!(!router.readiness().unwrap().writable);
    drop(router);
    let (router, dealers) = stuck(&context, &["full"]);
    assert!(!router.readiness().unwrap().writable);
    let other = dealer(&context, "other");
    connect(&other, &bind(&router));
    let writable = Readiness { readable: false, writable: true };
    assert_eq!(router.poll(writable, Some(LIMIT)).unwrap(), writable);
    drop(dealers);
}

#[test]
fn the_state_of_one_peer_is_known_by_its_routing_id() {
    let context = Context::new();
    let (router, dealers) = stuck(&context, &["full"]);
    let other = dealer(&context, "other");
    join_up(&router, &other);
    let state = |id: &str| router.peer_state(id.as_bytes()).unwrap();
    assert_eq!(state("full"), Readiness::default());
    assert_eq!(state("other"), Readiness { readable: false, writable: true });
    other.send("x").unwrap();
    await_waiting(&router, 1);
    assert_eq!(state("other"), Readiness { readable: true, writable: true });
    assert_eq!(router.peer_state(b"nobody").unwrap_err().errno(), libc::EHOSTUNREACH);
    assert_eq!(other.peer_state(b"x").unwrap_err().errno(), libc::ENOTSUP);
    drop(dealers);
}

#[test]
fn a_router_that_connects_may_name_its_peer_itself() {
    let context = Context::new();
    let (server, client) = (open::<Router>(&context), open::<Router>(&context));
    server.set_option(ROUTING_ID, Value::Bytes(b"own")).unwrap();
    client.set_option(ROUTING_ID, Value::Bytes(b"client")).unwrap();
    client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"alias")).unwrap();
    set(&client, ROUTER_MANDATORY, 1);
    // What fails uses nothing up.
    client.connect("tcp://no port").unwrap_err();
    let endpoint = bind(&server);
    connect(&client, &endpoint);
    client.send(["alias", "at once"]).unwrap();
    assert_eq!(server.recv_timeout(LIMIT).unwrap(), ["client", "at once"]);
    await_peers(&client, 1);
    server.send(["client", "answer"]).unwrap();
    assert_eq!(client.recv_timeout(LIMIT).unwrap(), ["alias", "answer"]);
    let refused = client.send(["own", "x"]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    // The name is taken, and stays so when the peer comes again.
    client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"alias")).unwrap();
    assert_eq!(client.connect(&endpoint).unwrap_err().errno(), libc::EINVAL);
    drop(server);
    await_peers(&client, 0);
    let server = open::<Router>(&context);
    server.bind(&endpoint).unwrap();
    await_peers(&client, 1);
    client.send(["alias", "again"]).unwrap();
    assert_eq!(server.recv_timeout(LIMIT).unwrap()[1], "again");
}

#[test]
fn a_name_that_a_peer_brought_cannot_be_given_to_another() {
    let context = Context::new();
    let (router, other) = (open::<Router>(&context), open::<Router>(&context));
    let dealer = dealer(&context, "taken");
    join_up(&router, &dealer);
    router.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"taken")).unwrap();
    assert_eq!(router.connect(bind(&other)).unwrap_err().errno(), libc::EINVAL);
    router.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"free")).unwrap();
    connect(&router, &other.bind(ANY_PORT).unwrap());
    router.send(["free", "x"]).unwrap();
    assert_eq!(other.recv_timeout(LIMIT).unwrap()[1], "x");
}

#[test]
fn a_peer_of_the_same_process_may_be_named_too() {
    let context = Context::new();
    let (server, client) = (open::<Router>(&context), open::<Router>(&context));
    client.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"alias")).unwrap();
    client.connect("inproc://named").unwrap();
    server.bind("inproc://named").unwrap();
    client.send(["alias", "x"]).unwrap();
    assert_eq!(server.recv_timeout(LIMIT).unwrap()[1], "x");
}

#[test]
fn with_router_notify_peers_that_come_and_go_are_told_by_empty_messages() {
    let context = Context::new();
    for (notify, told) in [(1, 1), (2, 1), (3, 2)] {
        let router = open_with::<Router>(&context, &[(ROUTER_NOTIFY, notify)]);
        let dealer = dealer(&context, "peer");
        join_up(&router, &dealer);
        dealer.send("x").unwrap();
        await_waiting(&router, 1 + (notify & 1) as usize);
        drop(dealer);
        await_peers(&router, 0);
        let mut got: Vec<Vec<String>> = Vec::new();
        while let Ok(message) = router.try_recv() {
            got.push(texts(&message));
        }
        let (notice, sent) = (["peer", ""].map(String::from), ["peer", "x"].map(String::from));
        let at = (notify & 1) as usize;
        assert_eq!(got.len(), 1 + told, "{got:?}");
        assert_eq!(got[at], sent);
        assert_eq!(got.iter().filter(|message| **message == notice).count(), told);
    }
}

#[test]
fn an_empty_routing_id_is_nobody_and_one_of_ours_is_somebody() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    let odd = open::<Dealer>(&context);
    odd.set_option(CONNECT_ROUTING_ID, Value::Bytes(b"x")).unwrap_err();
    join_up(&router, &odd);
    let refused = router.send(["", "x"]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    odd.send("hello").unwrap();
    let id = router.recv_timeout(LIMIT).unwrap()[0].clone();
    assert_eq!(id[0], 0);
    router.send([id, "answer".into()]).unwrap();
    assert_eq!(odd.recv_timeout(LIMIT).unwrap(), "answer");
}

#[test]
fn what_cannot_be_routed_is_dropped_and_counted() {
    let context = Context::new();
    let (router, _dealer) = join::<Router, Dealer>(&context);
    router.send(["nobody", "x"]).unwrap();
    router.send("an id alone").unwrap();
    assert_eq!(dropped(&router), 2);
    assert_eq!(router.stats().unwrap().traffic.messages_sent, 0);
}

#[test]
fn what_a_full_peer_has_no_room_for_is_dropped_and_counted() {
    let context = Context::new();
    let (router, dealers) = stuck(&context, &["full"]);
    let before = dropped(&router);
    set(&router, ROUTER_MANDATORY, 0);
    router.send(["full", "x"]).unwrap();
    assert_eq!(dropped(&router), before + 1);
    drop(dealers);
}

#[test]
fn with_mandatory_an_unknown_peer_is_unroutable() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    bind(&router);
    let refused = router.send(["nobody", "x"]).unwrap_err();
    assert!(matches!(&refused.error, Error::Unroutable(id) if id == b"nobody"));
    assert_eq!(refused.error.errno(), libc::EHOSTUNREACH);
    assert_eq!(refused.message, ["nobody", "x"]);
}

#[test]
fn with_mandatory_the_first_of_several_parts_is_refused_and_nothing_is_kept() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    let dealer = dealer(&context, "known");
    join_up(&router, &dealer);
    let refused = router.send_part(&"nobody".into(), true);
    assert!(matches!(refused, Err(Error::Unroutable(_))), "{refused:?}");
    router.send_part(&"known".into(), true).unwrap();
    router.send_part(&"x".into(), false).unwrap();
    assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn parts_for_a_peer_that_left_meanwhile_are_not_kept() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    let [gone, stays] = [dealer(&context, "gone"), dealer(&context, "stays")];
    join_up(&router, &stays);
    join_up(&router, &gone);
    router.send_part(&"gone".into(), true).unwrap();
    drop(gone);
    await_peers(&router, 1);
    // Its first part was accepted: what is left of it is dropped, as with any peer that leaves.
    router.send_part(&"x".into(), false).unwrap();
    assert_eq!(dropped(&router), 1);
    router.send(["stays", "y"]).unwrap();
    assert_eq!(stays.recv_timeout(LIMIT).unwrap(), "y");
}

#[test]
fn with_mandatory_a_full_peer_would_block() {
    let context = Context::new();
    let (router, dealers) = stuck(&context, &["full"]);
    let refused = router.try_send(["full", "x"]).unwrap_err();
    assert_eq!(refused.error.errno(), libc::EAGAIN);
    let sent = router.stats().unwrap().traffic.messages_sent;
    for _ in 0..sent {
        assert_eq!(dealers[0].recv_timeout(LIMIT).unwrap(), big());
    }
    router.send(["full", "x"]).unwrap();
    assert_eq!(dealers[0].recv_timeout(LIMIT).unwrap(), "x");
}

#[test]
fn a_send_that_waits_for_a_peer_ends_when_the_peer_leaves() {
    let context = Context::new();
    let (router, dealers) = stuck(&context, &["full"]);
    thread::scope(|scope| {
        let sender = scope.spawn(|| router.send_timeout(["full", "x"], LIMIT * 3));
        thread::sleep(Duration::from_millis(50));
        drop(dealers);
        until("the sender is told", || sender.is_finished());
        let refused = sender.join().unwrap().unwrap_err();
        assert!(matches!(refused.error, Error::Unroutable(_)), "{}", refused.error);
    });
}

#[test]
fn sends_that_wait_for_different_peers_do_not_wait_for_each_other() {
    let context = Context::new();
    let (router, dealers) = stuck(&context, &["A", "B"]);
    thread::scope(|scope| {
        // Whoever waits first must not take the news that is meant for the other.
        let senders = ["A", "B"].map(|id| {
            let router = &router;
            let sender = scope.spawn(move || router.send_timeout([id, "x"], LIMIT * 3));
            thread::sleep(Duration::from_millis(50));
            sender
        });
        for (sender, dealer) in senders.into_iter().zip(&dealers).rev() {
            while dealer.recv_timeout(LIMIT).unwrap() == big() {}
            sender.join().unwrap().unwrap();
        }
    });
}

#[test]
fn routers_talk_to_each_other_by_name() {
    let context = Context::new();
    let [server, client] = ["server", "client"].map(|name| {
        let router = open::<Router>(&context);
        router.set_option(ROUTING_ID, Value::Bytes(name.as_bytes())).unwrap();
        router
    });
    join_up(&server, &client);
    client.send(["server", "question"]).unwrap();
    assert_eq!(server.recv_timeout(LIMIT).unwrap(), ["client", "question"]);
    server.send(["client", "answer"]).unwrap();
    assert_eq!(client.recv_timeout(LIMIT).unwrap(), ["server", "answer"]);
}

#[test]
fn dealers_talk_to_each_other_in_any_order() {
    let context = Context::new();
    let (one, two) = join::<Dealer, Dealer>(&context);
    for i in 0..100 {
        one.send(format!("{i}")).unwrap();
        two.send(format!("{}", i + 1000)).unwrap();
    }
    for i in 0..100 {
        assert_eq!(two.recv_timeout(LIMIT).unwrap(), format!("{i}"));
        assert_eq!(one.recv_timeout(LIMIT).unwrap(), format!("{}", i + 1000));
    }
}
