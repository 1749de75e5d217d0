//! CONFLATE: the last message is kept, and no other.

use tightbeam::options::number::{CONFLATE, RCVHWM, SNDHWM};
use tightbeam::{Context, Dealer, Pair, Pull, Push, Socket, Sub, XPub};
use tightbeam_tests::sockets::*;

const ENDPOINTS: [&str; 2] = [ANY_PORT, "inproc://conflate"];

fn joined(context: &Context, endpoint: &str, pull: i32, push: i32) -> (Socket<Pull>, Socket<Push>) {
    let pull = open_with::<Pull>(context, &[(CONFLATE, pull), (RCVHWM, 1)]);
    let push = open_with::<Push>(context, &[(CONFLATE, push), (SNDHWM, 1)]);
    push.connect(pull.bind(endpoint).unwrap()).unwrap();
    await_peers(&pull, 1);
    await_peers(&push, 1);
    (pull, push)
}

/// The messages that are received before "last", which comes last.
fn before_last(pull: &Socket<Pull>) -> usize {
    let mut count = 0;
    while pull.recv_timeout(LIMIT).unwrap() != "last" {
        count += 1;
    }
    assert!(pull.try_recv().unwrap_err().is_would_block());
    count
}

#[test]
fn a_receiver_has_the_last_message_only() {
    for endpoint in ENDPOINTS {
        let context = Context::new();
        let (pull, push) = joined(&context, endpoint, 1, 0);
        for i in 0..1_000 {
            push.send(format!("{i}")).unwrap();
        }
        push.send(vec![1; 100_000]).unwrap();
        push.send("last").unwrap();
        until("the last has come", || dropped(&pull) + dropped(&push) == 1_001);
        assert_eq!(waiting(&pull), 1, "{endpoint}");
        assert_eq!(before_last(&pull), 0, "{endpoint}");
        push.send("and the next").unwrap();
        assert_eq!(pull.recv_timeout(LIMIT).unwrap(), "and the next");
    }
}

#[test]
fn a_sender_keeps_the_last_message_only_and_never_waits() {
    for endpoint in ["tcp://127.0.0.1:0", "inproc://later"] {
        let context = Context::new();
        let push = open_with::<Push>(&context, &[(CONFLATE, 1), (SNDHWM, 1)]);
        let pull = open::<Pull>(&context);
        let endpoint = if endpoint.starts_with("tcp") {
            let free = bind(&pull);
            pull.unbind(free.as_str()).unwrap();
            free.as_str().to_owned()
        } else {
            endpoint.to_owned()
        };
        push.connect(&endpoint).unwrap();
        for _ in 0..100 {
            push.try_send(vec![1; 100_000]).unwrap();
        }
        push.try_send(["of this", "last"]).unwrap();
        assert_eq!(dropped(&push), 100);
        pull.bind(&endpoint).unwrap();
        assert_eq!(before_last(&pull), 0, "{endpoint}");
    }
}

#[test]
fn a_peer_that_does_not_read_gets_whole_messages_and_the_last_of_all() {
    let context = Context::new();
    let (pull, push) = joined(&context, ANY_PORT, 0, 1);
    for i in 0..100_u8 {
        push.send(vec![i; 1 << 20]).unwrap();
    }
    push.send("last").unwrap();
    let mut previous = None;
    loop {
        let message = pull.recv_timeout(LIMIT).unwrap();
        if message == "last" {
            break;
        }
        let first = message[0][0];
        assert!(message[0].len() == 1 << 20 && message[0].iter().all(|byte| *byte == first));
        assert!(previous < Some(first));
        previous = Some(first);
    }
    assert!(dropped(&push) > 0, "nothing holds a hundred megabytes");
}

#[test]
fn of_several_parts_the_last_is_kept() {
    for endpoint in ENDPOINTS {
        for (pull, push) in [(1, 0), (0, 1), (1, 1)] {
            let context = Context::new();
            let (pull, push) = joined(&context, endpoint, pull, push);
            push.send(["one", "two", "last"]).unwrap();
            assert_eq!(before_last(&pull), 0, "{endpoint}");
        }
    }
}

#[test]
fn a_subscriber_keeps_the_last_message_of_each_publisher() {
    let context = Context::new();
    let subscriber = open_with::<Sub>(&context, &[(CONFLATE, 1)]);
    subscriber.subscribe("t").unwrap();
    let publishers = [(), ()].map(|()| {
        let publisher = open::<XPub>(&context);
        connect(&subscriber, &bind(&publisher));
        assert_eq!(publisher.recv_timeout(LIMIT).unwrap(), b"\x01t");
        publisher
    });
    for (publisher, name) in publishers.iter().zip(["a", "b"]) {
        for i in 0..100 {
            publisher.send(format!("t{i}{name}")).unwrap();
        }
    }
    until("all have come", || dropped(&subscriber) == 198);
    let mut last = [(), ()].map(|()| subscriber.recv_timeout(LIMIT).unwrap()[0].to_vec());
    last.sort();
    assert_eq!(last, [b"t99a", b"t99b"]);
}

#[test]
fn dealers_conflate_and_pairs_do_not() {
    let context = Context::new();
    let (one, other) = (open_with::<Dealer>(&context, &[(CONFLATE, 1)]), open::<Dealer>(&context));
    join_up(&one, &other);
    (0..10).for_each(|i| other.send(format!("{i}")).unwrap());
    until("all have come", || dropped(&one) == 9);
    assert_eq!(one.recv_timeout(LIMIT).unwrap(), "9");
    let (one, other) = (open_with::<Pair>(&context, &[(CONFLATE, 1)]), open::<Pair>(&context));
    join_up(&one, &other);
    (0..10).for_each(|i| other.send(format!("{i}")).unwrap());
    for i in 0..10 {
        assert_eq!(one.recv_timeout(LIMIT).unwrap(), format!("{i}").as_str());
    }
}
