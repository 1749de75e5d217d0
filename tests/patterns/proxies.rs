//! Proxies: what passes, what does not, who holds whom back, and how they are steered.

use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use tightbeam::options::number;
use tightbeam::{
    AnySocket, Context, Dealer, Error, Message, Pair, Proxy, ProxyHandle, Pub, Pull, Push, Rep,
    Req, Router, Socket, Sub, Typed, XPub, XSub,
};
use tightbeam_tests::sockets::{
    LIMIT, bind, connect, join_up, open, open_with, synchronise, until,
};

/// Runs a proxy beside a test, and ends it.
fn beside(mut proxy: Proxy<'_>, test: impl FnOnce(&ProxyHandle)) {
    let handle = proxy.handle();
    thread::scope(|scope| {
        let running = scope.spawn(move || proxy.run());
        // Ends the proxy also when the test panics: the scope waits for it.
        let _end = EndOnDrop(handle.clone());
        test(&handle);
        handle.terminate();
        ended(running).unwrap();
    });
}

struct EndOnDrop(ProxyHandle);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.terminate();
    }
}

fn ended(running: ScopedJoinHandle<'_, tightbeam::Result<()>>) -> tightbeam::Result<()> {
    until("the proxy ends", || running.is_finished());
    running.join().unwrap()
}

/// A socket connected to one that is bound.
fn client<T: Typed>(context: &Context, bound: &impl AsRef<AnySocket>) -> Socket<T> {
    let socket = open(context);
    join_up(bound.as_ref(), &socket);
    socket
}

fn is_nothing(result: tightbeam::Result<Message>) -> bool {
    result.is_err_and(|error| error.is_would_block())
}

#[test]
fn requests_and_replies_pass_a_broker() {
    let context = Context::new();
    let (front, back) = (open::<Router>(&context), open::<Dealer>(&context));
    let clients: Vec<Socket<Req>> = (0..4).map(|_| client(&context, &front)).collect();
    let workers: Vec<Socket<Rep>> = (0..3).map(|_| client(&context, &back)).collect();
    beside(Proxy::new(&front, &back), |handle| {
        thread::scope(|scope| {
            for worker in &workers {
                scope.spawn(|| {
                    while let Ok(mut request) = worker.recv_timeout(Duration::from_secs(1)) {
                        request.push("answered");
                        worker.send(request).unwrap();
                    }
                });
            }
            for (n, client) in clients.iter().enumerate() {
                scope.spawn(move || {
                    for i in 0..200 {
                        let question = format!("{n} {i}");
                        client.send([question.as_str(), "", "third"]).unwrap();
                        let answer = client.recv_timeout(LIMIT).unwrap();
                        assert_eq!(
                            answer,
                            Message::multipart([&*question, "", "third", "answered"])
                        );
                    }
                });
            }
        });
        let stats = handle.stats();
        assert_eq!((stats.front.messages_received, stats.front.messages_sent), (800, 800));
        assert_eq!((stats.back.messages_received, stats.back.messages_sent), (800, 800));
    });
}

#[test]
fn large_bodies_pass_without_being_copied() {
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    let (push, pull) = (open::<Push>(&context), open::<Pull>(&context));
    push.connect("inproc://front").unwrap();
    pull.connect("inproc://back").unwrap();
    beside(Proxy::new(&front, &back), |_| {
        let body = vec![7; 1_000_000];
        let address = body.as_ptr();
        push.send(body).unwrap();
        let message = pull.recv_timeout(LIMIT).unwrap();
        assert_eq!(message.frames()[0].as_ptr(), address);
    });
}

#[test]
fn a_streamer_passes_everything_in_order() {
    const COUNT: usize = 50_000;
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    let (push, pull) = (client::<Push>(&context, &front), client::<Pull>(&context, &back));
    beside(Proxy::new(&front, &back), |handle| {
        thread::scope(|scope| {
            scope.spawn(|| (0..COUNT).for_each(|n| push.send(n.to_string()).unwrap()));
            for n in 0..COUNT {
                assert_eq!(pull.recv_timeout(LIMIT).unwrap(), n.to_string().as_str());
            }
        });
        until("all are counted", || handle.stats().back.messages_sent == COUNT as u64);
        assert_eq!(handle.stats().front.bytes_received, handle.stats().back.bytes_sent);
    });
}

/// libzmq does the same: 10 sent, and none more.
#[test]
fn nothing_is_taken_while_the_other_side_has_no_room() {
    let context = Context::new();
    let front = open_with::<Pull>(&context, &[(number::RCVHWM, 5)]);
    let back = open_with::<Push>(&context, &[(number::SNDHWM, 5)]);
    front.bind("inproc://front").unwrap();
    back.bind("inproc://back").unwrap();
    let push = open_with::<Push>(&context, &[(number::SNDHWM, 5)]);
    push.connect("inproc://front").unwrap();
    beside(Proxy::new(&front, &back), |handle| {
        let fill = || (0..).take_while(|_| push.try_send("x").is_ok()).count();
        assert_eq!(fill(), 10);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(fill(), 0);
        assert_eq!(handle.stats().front.messages_received, 0);
        let pull = open_with::<Pull>(&context, &[(number::RCVHWM, 5)]);
        pull.connect("inproc://back").unwrap();
        until("the other side is full, too", || handle.stats().back.messages_sent == 10);
        for _ in 0..10 {
            pull.recv_timeout(LIMIT).unwrap();
        }
        assert!(is_nothing(pull.recv_timeout(Duration::from_millis(20))));
    });
}

#[test]
fn a_capture_socket_is_sent_what_passes_both_ways() {
    let context = Context::new();
    let (front, back) = (open::<Router>(&context), open::<Dealer>(&context));
    let capture = open::<Pub>(&context);
    let ear = client::<Sub>(&context, &capture);
    synchronise(&capture, &ear);
    ear.subscribe("").unwrap();
    synchronise(&capture, &ear);
    let (req, rep) = (client::<Req>(&context, &front), client::<Rep>(&context, &back));
    beside(Proxy::new(&front, &back).capture(&capture), |_| {
        req.send("question").unwrap();
        rep.send([rep.recv_timeout(LIMIT).unwrap().frames()[0].clone(), "answer".into()]).unwrap();
        assert_eq!(req.recv_timeout(LIMIT).unwrap().len(), 2);
        for last in ["question", "answer"] {
            let captured = ear.recv_timeout(LIMIT).unwrap();
            assert_eq!(captured.len(), if last == "question" { 3 } else { 4 });
            assert_eq!(captured.frames().last().unwrap(), last);
        }
        assert!(is_nothing(ear.recv_timeout(Duration::from_millis(20))));
    });
}

/// As with libzmq: a capture socket that takes nothing holds the proxy back, so that nothing passes uncaught.
#[test]
fn a_capture_socket_without_room_holds_everything_back() {
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    let capture = open::<Push>(&context);
    let (push, pull) = (client::<Push>(&context, &front), client::<Pull>(&context, &back));
    beside(Proxy::new(&front, &back).capture(&capture), |_| {
        push.send("hello").unwrap();
        assert!(is_nothing(pull.recv_timeout(Duration::from_millis(50))));
        let ear = open::<Pull>(&context);
        connect(&ear, &bind(&capture));
        assert_eq!(ear.recv_timeout(LIMIT).unwrap(), "hello");
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "hello");
    });
}

#[test]
fn one_socket_may_be_both_sides() {
    let context = Context::new();
    let both = open::<Router>(&context);
    let dealer = client::<Dealer>(&context, &both);
    beside(Proxy::new(&both, &both), |handle| {
        dealer.send("there and back").unwrap();
        assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "there and back");
        // As libzmq counts: 14 bytes and the 5 of the routing id; the front receives, the back sends.
        until("it is counted", || handle.stats().numbers() == [1, 19, 0, 0, 0, 0, 1, 19]);
    });
}

#[test]
fn a_rep_that_is_both_sides_answers_with_what_it_is_asked() {
    let context = Context::new();
    let rep = open::<Rep>(&context);
    let req = client::<Req>(&context, &rep);
    beside(Proxy::new(&rep, &rep), |_| {
        for beat in ["1", "2", "3"] {
            assert_eq!(req.request(beat).unwrap(), beat);
        }
    });
}

fn command<T: Typed>(control: &Socket<T>, word: &str) {
    control.as_any().send(word).unwrap();
}

fn statistics<T: Typed>(control: &Socket<T>) -> Vec<u64> {
    command(control, "STATISTICS");
    let answer = control.as_any().recv_timeout(LIMIT).unwrap();
    answer.iter().map(|frame| u64::from_ne_bytes(frame[..].try_into().unwrap())).collect()
}

/// The numbers are those that libzmq answers for the same messages.
#[test]
fn a_control_socket_pauses_resumes_counts_and_ends_the_proxy() {
    let context = Context::new();
    let (front, back) = (open::<Router>(&context), open::<Dealer>(&context));
    let (req, rep) = (client::<Req>(&context, &front), client::<Rep>(&context, &back));
    let inside = open::<Pair>(&context);
    inside.bind("inproc://control").unwrap();
    let control = open::<Pair>(&context);
    control.connect("inproc://control").unwrap();
    let mut proxy = Proxy::new(&front, &back).control(&inside);
    thread::scope(|scope| {
        let running = scope.spawn(move || proxy.run());
        for reply in [true, false] {
            req.send("hello").unwrap();
            assert_eq!(rep.recv_timeout(LIMIT).unwrap(), "hello");
            if reply {
                rep.send("hi").unwrap();
                assert_eq!(req.recv_timeout(LIMIT).unwrap(), "hi");
            }
        }
        until("all is counted", || statistics(&control) == [2, 20, 1, 7, 1, 7, 2, 20]);
        command(&control, "PAUSE");
        statistics(&control);
        rep.send("hi").unwrap();
        assert!(is_nothing(req.recv_timeout(Duration::from_millis(50))), "it is paused");
        command(&control, "no such command");
        assert_eq!(statistics(&control)[2], 1, "it still answers");
        command(&control, "RESUME");
        assert_eq!(req.recv_timeout(LIMIT).unwrap(), "hi");
        command(&control, "PAUSE");
        command(&control, "TERMINATE");
        ended(running).unwrap();
    });
}

#[test]
fn a_rep_control_socket_answers_every_command() {
    let context = Context::new();
    let (front, back, inside) =
        (open::<Pull>(&context), open::<Push>(&context), open::<Rep>(&context));
    let control = client::<Req>(&context, &inside);
    let mut proxy = Proxy::new(&front, &back).control(&inside);
    thread::scope(|scope| {
        let running = scope.spawn(move || proxy.run());
        for word in ["PAUSE", "RESUME", "nonsense"] {
            command(&control, word);
            assert_eq!(control.recv_timeout(LIMIT).unwrap(), "", "{word}");
        }
        assert_eq!(statistics(&control), [0; 8]);
        command(&control, "TERMINATE");
        assert_eq!(control.recv_timeout(LIMIT).unwrap(), "");
        ended(running).unwrap();
    });
}

#[test]
fn a_subscriber_may_be_the_control_socket() {
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    let control = open::<Pub>(&context);
    let inside = client::<Sub>(&context, &control);
    inside.subscribe("").unwrap();
    synchronise(&control, &inside);
    let mut proxy = Proxy::new(&front, &back).control(&inside);
    thread::scope(|scope| {
        let running = scope.spawn(move || proxy.run());
        command(&control, "STATISTICS");
        command(&control, "TERMINATE");
        ended(running).unwrap();
    });
}

#[test]
fn a_handle_pauses_resumes_and_ends_the_proxy() {
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    let (push, pull) = (client::<Push>(&context, &front), client::<Pull>(&context, &back));
    let mut proxy = Proxy::new(&front, &back);
    let handle = proxy.handle();
    handle.pause();
    thread::scope(|scope| {
        let running = scope.spawn(move || proxy.run());
        push.send("hello").unwrap();
        assert!(is_nothing(pull.recv_timeout(Duration::from_millis(50))), "it is paused");
        handle.resume();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "hello");
        handle.terminate();
        handle.resume();
        ended(running).unwrap();
    });
}

#[test]
fn an_order_to_end_holds_for_the_next_run_only() {
    let context = Context::new();
    let (front, back) = (open::<Pull>(&context), open::<Push>(&context));
    let mut proxy = Proxy::new(&front, &back);
    let handle = proxy.handle();
    for _ in 0..2 {
        handle.terminate();
        proxy.run().unwrap();
    }
}

#[test]
fn the_end_of_the_context_ends_the_proxy() {
    for pause in [false, true] {
        let context = Context::new();
        let (front, back) = (open::<Router>(&context), open::<Dealer>(&context));
        let mut proxy = Proxy::new(&front, &back);
        if pause {
            proxy.handle().pause();
        }
        thread::scope(|scope| {
            let running = scope.spawn(move || proxy.run());
            thread::sleep(Duration::from_millis(10));
            context.shutdown();
            assert!(matches!(ended(running), Err(Error::Terminated)));
        });
    }
}

/// The message names a peer that is not there, and MANDATORY makes that an error: not the proxy's end.
#[test]
fn a_message_for_nobody_does_not_end_the_proxy() {
    let context = Context::new();
    let front = open::<Pull>(&context);
    let back = open_with::<Router>(&context, &[(number::ROUTER_MANDATORY, 1)]);
    let (push, dealer) = (client::<Push>(&context, &front), open::<Dealer>(&context));
    dealer.set_routing_id(b"somebody").unwrap();
    join_up(&back, &dealer);
    beside(Proxy::new(&front, &back), |_| {
        push.send(["nobody", "lost"]).unwrap();
        push.send(["somebody", "found"]).unwrap();
        assert_eq!(dealer.recv_timeout(LIMIT).unwrap(), "found");
    });
}

/// A routing id in front makes it too long for the worker, who would leave, and lose what others have asked.
#[test]
fn a_request_that_workers_would_not_accept_costs_a_broker_no_worker() {
    let context = Context::new();
    let frames = [(number::MAX_FRAMES, 3)];
    let front = open_with::<Router>(&context, &frames);
    let back = open_with::<Dealer>(&context, &frames);
    let (hostile, good) = (client::<Dealer>(&context, &front), client::<Dealer>(&context, &front));
    let worker = open_with::<Dealer>(&context, &frames);
    join_up(&back, &worker);
    beside(Proxy::new(&front, &back), |_| {
        hostile.send(["1", "2", "3"]).unwrap();
        until("the broker has taken it", || front.stats().unwrap().traffic.messages_received == 1);
        good.send(["1", "2"]).unwrap();
        assert_eq!(worker.recv_timeout(LIMIT).unwrap().len(), 3);
        assert_eq!(worker.stats().unwrap().counters.disconnected, 0);
    });
}

/// The socket says that it can send; only this message cannot go now. The proxy waits, and loses nothing.
#[test]
fn a_message_for_a_peer_without_room_waits() {
    let context = Context::new();
    let front = open::<Pull>(&context);
    let options = [(number::ROUTER_MANDATORY, 1), (number::SNDHWM, 1), (number::LINGER, 0)];
    let back = open_with::<Router>(&context, &options);
    let push = client::<Push>(&context, &front);
    let dealer = open_with::<Dealer>(&context, &[(number::RCVHWM, 1)]);
    dealer.set_routing_id(b"slow").unwrap();
    join_up(&back, &dealer);
    beside(Proxy::new(&front, &back), |handle| {
        let body = vec![1; 300_000];
        for _ in 0..60 {
            push.send([b"slow".as_slice(), &body]).unwrap();
        }
        until("it is stuck", || {
            let before = handle.stats().back.messages_sent;
            thread::sleep(Duration::from_millis(50));
            before > 0 && before < 60 && before == handle.stats().back.messages_sent
        });
        for _ in 0..60 {
            assert_eq!(dealer.recv_timeout(LIMIT).unwrap().frames()[0].len(), body.len());
        }
    });
}

/// Strict turns on both sides: one request at a time, as REP and REQ have it.
#[test]
fn rep_and_req_make_a_proxy_of_one_request_at_a_time() {
    let context = Context::new();
    let (front, back) = (open::<Rep>(&context), open::<Req>(&context));
    let (req, rep) = (client::<Req>(&context, &front), client::<Rep>(&context, &back));
    beside(Proxy::new(&front, &back), |_| {
        for n in 0..50 {
            req.send(n.to_string()).unwrap();
            assert_eq!(rep.recv_timeout(LIMIT).unwrap(), n.to_string().as_str());
            rep.send("done").unwrap();
            assert_eq!(req.recv_timeout(LIMIT).unwrap(), "done");
        }
    });
}

/// Subscriptions travel upstream, so that publishers send only what somebody wants.
#[test]
fn a_forwarder_passes_messages_down_and_subscriptions_up() {
    let context = Context::new();
    let (front, back) = (open::<XSub>(&context), open::<XPub>(&context));
    let publishers: Vec<Socket<Pub>> = (0..2).map(|_| client(&context, &front)).collect();
    let subscribers: Vec<Socket<Sub>> = (0..2).map(|_| client(&context, &back)).collect();
    beside(Proxy::new(&front, &back), |_| {
        for (subscriber, topic) in subscribers.iter().zip(["weather", "news"]) {
            subscriber.subscribe(topic).unwrap();
            subscriber.subscribe("for all").unwrap();
        }
        let sent = |publisher: &Socket<Pub>| publisher.stats().unwrap().traffic.messages_sent;
        for publisher in &publishers {
            for topic in ["weather", "news", "for all"] {
                until("the subscription has come up", || {
                    let before = sent(publisher);
                    publisher.send([topic, "test"]).unwrap();
                    sent(publisher) > before
                });
            }
            publisher.send(["sports", "nobody wants it"]).unwrap();
            publisher.send(["for all", "the end"]).unwrap();
        }
        for (subscriber, topic) in subscribers.iter().zip(["weather", "news"]) {
            let mut heard = Vec::new();
            let mut ends = 0;
            while ends < 2 {
                let message = subscriber.recv_timeout(LIMIT).unwrap();
                ends += usize::from(message.frames()[1] == "the end");
                heard.push(message.frames()[0].to_string_lossy().into_owned());
            }
            assert!(heard.iter().any(|other| other == topic));
            assert!(heard.iter().all(|other| other == topic || other == "for all"), "{heard:?}");
        }
        for (subscriber, topic) in subscribers.iter().zip(["weather", "news"]) {
            subscriber.unsubscribe(topic).unwrap();
        }
        until("the subscriptions are cancelled", || {
            let before = sent(&publishers[0]);
            publishers[0].send(["weather", "test"]).unwrap();
            publishers[0].send(["news", "test"]).unwrap();
            sent(&publishers[0]) == before
        });
    });
}
