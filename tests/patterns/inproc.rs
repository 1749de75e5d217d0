//! Sockets of one process: names, queues in common, and ends.

use std::thread;
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::context::IO_THREADS;
use tightbeam::options::number::{LINGER, RCVHWM, ROUTER_MANDATORY, SNDHWM};
use tightbeam::{
    Context, Dealer, Frame, Message, PollItem, Pub, Pull, Push, Readiness, Rep, Req, Router,
    Socket, SocketType, Sub, Typed, poll,
};
use tightbeam_tests::sockets::{LIMIT, open, open_with, texts, until};

const NAME: &str = "inproc://name";

fn pair<A: Typed, B: Typed>(context: &Context) -> (Socket<A>, Socket<B>) {
    let (bound, connected) = (open::<A>(context), open::<B>(context));
    bound.bind(NAME).unwrap();
    connected.connect(NAME).unwrap();
    (bound, connected)
}

#[test]
fn without_io_threads_everything_passes_between_sockets_of_the_process() {
    let context = Context::new();
    context.set_option(IO_THREADS, 0).unwrap();
    let (rep, req) = pair::<Rep, Req>(&context);
    let server = thread::spawn(move || {
        for _ in 0..100 {
            let request = rep.recv().unwrap();
            rep.send(request).unwrap();
        }
    });
    for i in 0..100 {
        req.send([format!("part {i}"), "last".to_owned()]).unwrap();
        assert_eq!(texts(&req.recv().unwrap()), [format!("part {i}"), "last".to_owned()]);
    }
    server.join().unwrap();
    assert!(req.bind("tcp://127.0.0.1:*").is_err());
}

#[test]
fn a_name_may_be_connected_to_before_anybody_has_it() {
    let context = Context::new();
    let push = open::<Push>(&context);
    push.connect(NAME).unwrap();
    push.send("early").unwrap();
    let pull = open::<Pull>(&context);
    pull.bind(NAME).unwrap();
    push.send("late").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "early");
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "late");
}

#[test]
fn a_name_belongs_to_one_socket_until_it_is_given_back() {
    let context = Context::new();
    let (first, second) = (open::<Pull>(&context), open::<Pull>(&context));
    first.bind(NAME).unwrap();
    assert_eq!(second.bind(NAME).unwrap_err().errno(), libc::EADDRINUSE);
    first.unbind(NAME).unwrap();
    assert_eq!(first.unbind(NAME).unwrap_err().errno(), libc::ENOENT);
    second.bind(NAME).unwrap();
    second.close();
    first.bind(NAME).unwrap();
    let other = Context::new();
    open::<Pull>(&other).bind(NAME).unwrap();
}

#[test]
fn unbinding_leaves_connections_and_disconnecting_ends_one() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    pull.unbind(NAME).unwrap();
    push.send("still").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "still");
    push.send("before").unwrap();
    push.disconnect(NAME).unwrap();
    assert!(push.try_send("after").unwrap_err().error.is_would_block());
    assert_eq!(push.disconnect(NAME).unwrap_err().errno(), libc::ENOENT);
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "before");
    assert!(pull.try_recv().unwrap_err().is_would_block());
    assert!(pull.stats().unwrap().peers.is_empty());
}

fn fill(push: &Socket<Push>) -> usize {
    (0..).take_while(|i| push.try_send(format!("{i}")).is_ok()).count()
}

#[test]
fn the_high_water_marks_of_both_sides_add_up() {
    let context = Context::new();
    for (send, receive, both) in [(3, 4, 7), (1, 1, 2)] {
        let push = open_with::<Push>(&context, &[(SNDHWM, send)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, receive)]);
        push.connect(NAME).unwrap();
        let alone = fill(&push);
        assert_eq!(alone, usize::try_from(send).unwrap(), "nobody has the name yet");
        pull.bind(NAME).unwrap();
        assert_eq!(alone + fill(&push), both);
        for _ in 0..both {
            pull.try_recv().unwrap();
        }
        assert_eq!(fill(&push), both);
        pull.set_option(RCVHWM, Value::Int(receive + 5)).unwrap();
        assert_eq!(fill(&push), 5, "a raised mark holds at once");
    }
    for (send, receive) in [(0, 4), (3, 0)] {
        let push = open_with::<Push>(&context, &[(SNDHWM, send)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, receive)]);
        pull.bind(NAME).unwrap();
        push.connect(NAME).unwrap();
        for i in 0..5_000 {
            push.try_send(format!("{i}")).unwrap();
        }
    }
}

#[test]
fn who_waits_for_room_or_for_a_message_is_woken() {
    let context = Context::new();
    for (send, receive) in [(1, 1), (1, 2), (10, 10), (1000, 1000)] {
        let push = open_with::<Push>(&context, &[(SNDHWM, send)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, receive)]);
        pull.bind(NAME).unwrap();
        push.connect(NAME).unwrap();
        let sender = thread::spawn(move || {
            for i in 0..20_000_u32 {
                push.send(i.to_le_bytes()).unwrap();
            }
        });
        for i in 0..20_000_u32 {
            assert_eq!(pull.recv_timeout(LIMIT).unwrap(), &i.to_le_bytes()[..]);
        }
        sender.join().unwrap();
    }
}

#[test]
fn bodies_are_not_copied() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    for size in [41, 64, 1_000, 100_000] {
        let body = vec![7_u8; size];
        let address = body.as_ptr();
        push.send([Frame::from("head"), Frame::from(body)]).unwrap();
        let received = pull.recv_timeout(LIMIT).unwrap();
        assert_eq!(received[1].as_ptr(), address, "{size}");
        assert_eq!(received[1].len(), size);
    }
}

#[test]
fn what_was_sent_can_be_received_after_the_sender_has_closed() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    push.send("one").unwrap();
    push.send("two").unwrap();
    assert_eq!(push.close(), 0);
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "one");
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "two");
    assert!(pull.stats().unwrap().peers.is_empty());

    let push = open::<Push>(&context);
    push.connect("inproc://later").unwrap();
    push.send("three").unwrap();
    push.close();
    pull.bind("inproc://later").unwrap();
    assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "three");
}

#[test]
fn a_sender_that_does_not_linger_takes_back_what_nobody_has_got() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    pull.bind(NAME).unwrap();
    for (name, lost) in [(NAME, 0), ("inproc://later", 3)] {
        let push = open_with::<Push>(&context, &[(LINGER, 0)]);
        push.connect(name).unwrap();
        for i in 0..3 {
            push.send(format!("{i}")).unwrap();
        }
        assert_eq!(push.close(), lost);
    }
    pull.bind("inproc://later").unwrap();
    for i in 0..3 {
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"), "it was here already");
    }
    assert!(pull.try_recv().unwrap_err().is_would_block());
}

#[test]
fn a_sender_learns_that_the_receiver_has_closed() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    for i in 0..3 {
        push.send(format!("{i}")).unwrap();
    }
    pull.close();
    assert!(push.try_send("nobody").unwrap_err().error.is_would_block());
    assert_eq!(push.stats().unwrap().traffic.messages_dropped, 3);
    assert!(push.stats().unwrap().peers.is_empty());
}

#[test]
fn subscriptions_hold_when_the_call_returns() {
    let context = Context::new();
    let (publisher, subscriber) = pair::<Pub, Sub>(&context);
    subscriber.subscribe("a").unwrap();
    publisher.send("a1").unwrap();
    publisher.send("b1").unwrap();
    assert_eq!(subscriber.try_recv().unwrap(), "a1");
    subscriber.subscribe("b").unwrap();
    subscriber.unsubscribe("a").unwrap();
    publisher.send("a2").unwrap();
    publisher.send("b2").unwrap();
    assert_eq!(subscriber.try_recv().unwrap(), "b2");
    assert!(subscriber.try_recv().unwrap_err().is_would_block());

    let late = open::<Pub>(&context);
    subscriber.bind("inproc://bound by the subscriber").unwrap();
    late.connect("inproc://bound by the subscriber").unwrap();
    late.send("b3").unwrap();
    assert_eq!(subscriber.try_recv().unwrap(), "b3");
}

#[test]
fn a_router_knows_its_peers_from_the_moment_they_connect() {
    let context = Context::new();
    let router = open_with::<Router>(&context, &[(ROUTER_MANDATORY, 1)]);
    router.bind(NAME).unwrap();
    let dealer = open::<Dealer>(&context);
    dealer.set_routing_id(b"dealer").unwrap();
    dealer.connect(NAME).unwrap();
    router.send(["dealer", "hello"]).unwrap();
    assert_eq!(dealer.try_recv().unwrap(), "hello");
    dealer.send("answer").unwrap();
    assert_eq!(texts(&router.try_recv().unwrap()), ["dealer", "answer"]);
    dealer.close();
    assert_eq!(router.send(["dealer", "hello"]).unwrap_err().error.errno(), libc::EHOSTUNREACH);
}

#[test]
fn the_peer_is_known_by_its_messages() {
    let context = Context::new();
    let pull = open::<Pull>(&context);
    pull.bind(NAME).unwrap();
    let push = open::<Push>(&context);
    push.set_routing_id(b"me").unwrap();
    push.connect(NAME).unwrap();
    push.send("hello").unwrap();
    let message = pull.recv_timeout(LIMIT).unwrap();
    let peer = message[0].peer().unwrap();
    assert_eq!((peer.socket_type(), peer.routing_id()), (Some(SocketType::Push), &b"me"[..]));
    assert_eq!(peer.address(), "");
}

#[test]
fn many_threads_lose_and_swap_nothing() {
    const SENDERS: u32 = 4;
    const EACH: u32 = 5_000;
    let context = Context::new();
    let pull = open_with::<Pull>(&context, &[(RCVHWM, 3)]);
    pull.bind(NAME).unwrap();
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            let push = open_with::<Push>(&context, &[(SNDHWM, 2)]);
            push.connect(NAME).unwrap();
            thread::spawn(move || {
                for i in 0..EACH {
                    let body = vec![u8::try_from(sender).unwrap(); 1 + (i as usize * 7) % 90];
                    push.send([Frame::from(body), Frame::from(i.to_le_bytes().to_vec())]).unwrap();
                }
            })
        })
        .collect();
    let mut next = [0; SENDERS as usize];
    for _ in 0..SENDERS * EACH {
        let message = pull.recv_timeout(LIMIT).unwrap();
        let sender = usize::from(message[0][0]);
        let i = u32::from_le_bytes(*message[1].first_chunk().unwrap());
        assert_eq!(i, next[sender], "sender {sender}");
        next[sender] += 1;
    }
    assert!(pull.try_recv().unwrap_err().is_would_block());
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

#[test]
fn poll_and_termination_see_sockets_of_the_process() {
    let context = Context::new();
    let pulls: Vec<Socket<Pull>> = (0..20).map(|_| open(&context)).collect();
    let push = open::<Push>(&context);
    for (i, pull) in pulls.iter().enumerate() {
        pull.bind(format!("inproc://{i}")).unwrap();
    }
    push.connect("inproc://13").unwrap();
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        push.send("hello").unwrap();
        push
    });
    let wanted = Readiness { readable: true, writable: false };
    let mut items: Vec<PollItem<'_>> =
        pulls.iter().map(|pull| PollItem::socket(pull, wanted)).collect();
    assert_eq!(poll(&mut items, Some(LIMIT)).unwrap(), 1);
    assert!(items[13].ready().readable);
    drop(items);
    let push = sender.join().unwrap();

    let blocked = thread::spawn({
        let context = context.clone();
        move || {
            let idle = open::<Pull>(&context);
            idle.bind("inproc://idle").unwrap();
            idle.recv().unwrap_err().errno()
        }
    });
    until("the receiver waits", || context.stats().sockets == 22);
    thread::sleep(Duration::from_millis(10));
    context.shutdown();
    assert_eq!(blocked.join().unwrap(), tightbeam::ETERM);
    drop((pulls, push));
    context.term().unwrap();
}

#[test]
fn bodies_that_nobody_received_are_freed_when_the_context_ends() {
    let body = std::sync::Arc::new(vec![0_u8; 100]);
    #[derive(Debug)]
    struct Owner(std::sync::Arc<Vec<u8>>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let context = Context::new();
    let push = open::<Push>(&context);
    push.connect("inproc://nobody").unwrap();
    push.send(Message::from(Frame::from_owner(Owner(body.clone())))).unwrap();
    push.close();
    assert_eq!(std::sync::Arc::strong_count(&body), 2);
    context.term().unwrap();
    assert_eq!(std::sync::Arc::strong_count(&body), 1);
}

/// A stream that was received to its end: the receiver will look for the next message itself.
fn stream(push: &Socket<Push>, pull: &Socket<Pull>) {
    for _ in 0..20 {
        push.send("before").unwrap();
    }
    for _ in 0..20 {
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "before");
    }
}

#[test]
fn what_follows_a_stream_is_found_whichever_way_one_looks_for_it() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    let readable = Readiness { readable: true, writable: false };
    for _ in 0..100 {
        stream(&push, &pull);
        push.send("without waiting").unwrap();
        assert_eq!(pull.try_recv().unwrap(), "without waiting");
        stream(&push, &pull);
        push.send("seen").unwrap();
        assert!(pull.readiness().unwrap().readable);
        assert_eq!(pull.try_recv().unwrap(), "seen");
        stream(&push, &pull);
        thread::scope(|scope| {
            let receiver = scope.spawn(|| pull.recv_timeout(LIMIT).unwrap());
            push.send("waited for").unwrap();
            assert_eq!(receiver.join().unwrap(), "waited for");
        });
        stream(&push, &pull);
        thread::scope(|scope| {
            let poller = scope.spawn(|| pull.poll(readable, Some(LIMIT)).unwrap());
            push.send("polled").unwrap();
            assert_eq!(poller.join().unwrap(), readable);
        });
        assert_eq!(pull.try_recv().unwrap(), "polled");
    }
    stream(&push, &pull);
    let descriptor = pull.event_descriptor().unwrap().try_clone_to_owned().unwrap();
    assert!(!pull.readiness().unwrap().readable);
    push.send("signalled").unwrap();
    let mut items = [PollItem::descriptor(&descriptor, readable)];
    assert_eq!(poll(&mut items, Some(LIMIT)).unwrap(), 1);
    assert_eq!(pull.try_recv().unwrap(), "signalled");
}

#[test]
fn a_peer_whose_messages_were_all_received_takes_its_turn_with_the_next() {
    let context = Context::new();
    let (pull, push) = pair::<Pull, Push>(&context);
    let other = open::<Push>(&context);
    other.connect(NAME).unwrap();
    stream(&push, &pull);
    for _ in 0..100 {
        other.send("other").unwrap();
    }
    push.send("next").unwrap();
    let first: Vec<Message> = (0..3).map(|_| pull.recv_timeout(LIMIT).unwrap()).collect();
    assert!(first.iter().any(|message| *message == "next"), "{first:?}");
}

#[test]
fn what_was_received_is_not_underway_any_more_even_if_the_receiver_has_not_looked_for_more() {
    let context = Context::new();
    let push = open_with::<Push>(&context, &[(SNDHWM, 10)]);
    let pull = open_with::<Pull>(&context, &[(RCVHWM, 10)]);
    pull.bind(NAME).unwrap();
    push.connect(NAME).unwrap();
    for _ in 0..9 {
        push.send("received").unwrap();
    }
    for _ in 0..9 {
        assert_eq!(pull.try_recv().unwrap(), "received");
    }
    assert_eq!(push.stats().unwrap().peers[0].send_queue, 0);
    assert_eq!(fill(&push), 20);
    for i in 0..20 {
        assert_eq!(pull.try_recv().unwrap(), format!("{i}"));
    }
    for _ in 0..5 {
        push.send("received").unwrap();
    }
    for _ in 0..3 {
        assert_eq!(pull.try_recv().unwrap(), "received");
    }
    drop(pull);
    until("the receiver is gone", || push.stats().unwrap().peers.is_empty());
    assert_eq!(push.stats().unwrap().traffic.messages_dropped, 2);
}

#[test]
fn a_socket_that_has_received_all_may_be_closed_while_others_are_sent_to() {
    let context = Context::new();
    let (bound, connected) = pair::<Dealer, Dealer>(&context);
    bound.set_linger(Some(Duration::from_millis(50))).unwrap();
    for _ in 0..20 {
        connected.send("received").unwrap();
    }
    for _ in 0..20 {
        bound.recv_timeout(LIMIT).unwrap();
    }
    bound.connect("ipc://@tightbeam-nobody-has-this-name").unwrap();
    for _ in 0..2 {
        bound.send("undelivered").unwrap();
    }
    connected.send("received").unwrap();
    bound.recv_timeout(LIMIT).unwrap();
    assert_eq!(bound.close(), 1);
}

#[test]
fn senders_of_one_socket_that_wait_for_room_are_all_woken_when_there_is_enough() {
    let context = Context::new();
    for _ in 0..50 {
        let push = open_with::<Push>(&context, &[(SNDHWM, 1)]);
        let pull = open_with::<Pull>(&context, &[(RCVHWM, 1)]);
        pull.bind(NAME).unwrap();
        push.connect(NAME).unwrap();
        assert_eq!(fill(&push), 2);
        thread::scope(|scope| {
            let senders = [(); 2].map(|()| scope.spawn(|| push.send_timeout("next", LIMIT)));
            // There is nothing to ask that says whether they wait.
            thread::sleep(Duration::from_millis(2));
            for i in 0..2 {
                assert_eq!(pull.recv_timeout(LIMIT).unwrap(), format!("{i}"));
            }
            for sender in senders {
                sender.join().unwrap().unwrap();
            }
        });
        pull.unbind(NAME).unwrap();
    }
}
