//! The options of publishers and subscribers.

use std::time::Duration;

use tightbeam::options::number::*;
use tightbeam::options::{OwnedValue, Value};
use tightbeam::{Context, Error, Message, Pub, Receives, Socket, Sub, XPub, XSub};
use tightbeam_tests::sockets::*;

/// What the publisher is told next.
fn told(publisher: &Socket<XPub>) -> String {
    let message = publisher.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(message.len(), 1);
    message[0].to_string_lossy().replace('\u{1}', "+").replace('\0', "-")
}

/// What a subscriber receives up to the message "end", which it must be sent.
fn heard<T: Receives>(subscriber: &Socket<T>) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let message = subscriber.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{error}"));
        let first = message[0].to_string_lossy().into_owned();
        if first == "end" {
            return heard;
        }
        heard.push(first);
    }
}

fn send<'a>(publisher: &Socket<XPub>, messages: impl IntoIterator<Item = &'a str>) {
    messages.into_iter().for_each(|message| publisher.send(message).unwrap());
}

/// A publisher that decides what its two subscribers get, of which each gets "end".
fn manual(context: &Context, option: i32) -> (Socket<XPub>, [Socket<XSub>; 2]) {
    let publisher = open_with::<XPub>(context, &[(option, 1)]);
    let subscribers = [(), ()].map(|()| {
        let subscriber = open::<XSub>(context);
        connect(&subscriber, &bind(&publisher));
        subscriber.subscribe("end").unwrap();
        assert_eq!(told(&publisher), "+end");
        publisher.subscribe("end").unwrap();
        subscriber
    });
    // The message that goes to the last of them alone.
    publisher.send("nothing").unwrap();
    (publisher, subscribers)
}

#[test]
fn with_manual_the_application_says_what_a_peer_gets_that_asked_last() {
    let context = Context::new();
    let (publisher, [a, b]) = manual(&context, XPUB_MANUAL);
    a.subscribe("x").unwrap();
    assert_eq!(told(&publisher), "+x");
    publisher.subscribe("for a").unwrap();
    publisher.subscribe("for both").unwrap();
    b.subscribe("x").unwrap();
    assert_eq!(told(&publisher), "+x", "others have it, but all are told of");
    publisher.subscribe("for b").unwrap();
    publisher.subscribe("for both").unwrap();
    b.send("not a request").unwrap();
    assert_eq!(told(&publisher), "not a request");
    send(&publisher, ["x", "for a", "for b", "for both", "end"]);
    assert_eq!(heard(&a), ["for a", "for both"]);
    assert_eq!(heard(&b), ["for b", "for both"]);
    a.unsubscribe("x").unwrap();
    assert_eq!(told(&publisher), "-x");
    publisher.unsubscribe("for a").unwrap();
    publisher.unsubscribe("never").unwrap();
    send(&publisher, ["for a", "for both", "end"]);
    assert_eq!(heard(&a), ["for both"]);
}

#[test]
fn with_manual_what_a_peer_asked_for_is_cancelled_when_it_leaves() {
    let context = Context::new();
    let (publisher, [a, b]) = manual(&context, XPUB_MANUAL);
    a.subscribe("x").unwrap();
    assert_eq!(told(&publisher), "+x");
    publisher.subscribe("other").unwrap();
    a.close();
    let mut last = [told(&publisher), told(&publisher)];
    last.sort();
    assert_eq!(last, ["-end", "-x"]);
    publisher.subscribe("nobody").unwrap();
    b.send("mark").unwrap();
    assert_eq!(told(&publisher), "mark");
    assert_eq!(publisher.option(TOPICS_COUNT).unwrap(), OwnedValue::Int(1), "the end of b");
}

#[test]
fn without_manual_an_xpub_does_not_subscribe() {
    let context = Context::new();
    let publisher = open::<XPub>(&context);
    for refused in [
        publisher.subscribe("x"),
        publisher.set_option(SUBSCRIBE, Value::Bytes(b"x")),
        publisher.set_option(UNSUBSCRIBE, Value::Bytes(b"x")),
    ] {
        assert!(matches!(refused, Err(Error::UnknownOption(_))), "{refused:?}");
    }
    set(&publisher, XPUB_MANUAL, 1);
    publisher.set_option(SUBSCRIBE, Value::Bytes(b"x")).unwrap();
    let subscriber = open::<XSub>(&context);
    assert!(subscriber.set_option(SUBSCRIBE, Value::Bytes(b"x")).is_err(), "as libzmq");
}

#[test]
fn with_last_value_the_next_message_goes_to_the_last_subscriber_alone() {
    let context = Context::new();
    let (publisher, [a, b]) = manual(&context, XPUB_MANUAL_LAST_VALUE);
    for (subscriber, topic) in [(&a, "v"), (&b, "v")] {
        subscriber.subscribe(topic).unwrap();
        assert_eq!(told(&publisher), "+v");
        publisher.subscribe("v").unwrap();
    }
    send(&publisher, ["v of b", "v of both", "end"]);
    assert_eq!(heard(&a), ["v of both"]);
    assert_eq!(heard(&b), ["v of b", "v of both"]);
    b.subscribe("w").unwrap();
    assert_eq!(told(&publisher), "+w");
    b.close();
    for _ in 0..3 {
        assert!(told(&publisher).starts_with('-'));
    }
    send(&publisher, ["v again", "end"]);
    assert_eq!(heard(&a), ["v again"], "the last subscriber has gone");
    publisher.set_xpub_manual_last_value(false).unwrap();
    assert!(publisher.subscribe("v").is_err(), "with it goes XPUB_MANUAL");
}

#[test]
fn a_pub_with_manual_sends_nothing_for_nobody_can_say_to_whom() {
    let context = Context::new();
    let (publisher, subscriber) = join::<Pub, Sub>(&context);
    subscriber.subscribe("before").unwrap();
    synchronise(&publisher, &subscriber);
    set(&publisher, XPUB_MANUAL, 1);
    subscriber.subscribe("after").unwrap();
    publisher.send("after").unwrap();
    publisher.send("before").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "before");
}

#[test]
fn a_welcome_message_goes_to_every_peer_that_comes() {
    let context = Context::new();
    let publisher = open::<XPub>(&context);
    let welcome =
        |message: &[u8]| publisher.set_option(XPUB_WELCOME_MSG, Value::Bytes(message)).unwrap();
    welcome(b"welcome");
    let raw = open::<XSub>(&context);
    let (subscribed, other) = (open::<Sub>(&context), open::<Sub>(&context));
    subscribed.subscribe("wel").unwrap();
    other.subscribe("end").unwrap();
    for endpoint in [ANY_PORT, "inproc://welcome"] {
        let endpoint = publisher.bind(endpoint).unwrap();
        connect(&raw, &endpoint);
        assert_eq!(raw.recv_timeout(LIMIT).unwrap(), "welcome", "an XSUB does not filter");
    }
    let endpoint = bind(&publisher);
    connect(&subscribed, &endpoint);
    assert_eq!(subscribed.recv_timeout(LIMIT).unwrap(), "welcome");
    connect(&other, &endpoint);
    assert_eq!([told(&publisher), told(&publisher)], ["+wel", "+end"]);
    send(&publisher, ["end"]);
    assert_eq!(heard(&other), [""; 0]);
    welcome(b"");
    let late = open::<XSub>(&context);
    connect(&late, &endpoint);
    late.subscribe("late").unwrap();
    assert_eq!(told(&publisher), "+late");
    send(&publisher, ["late"]);
    assert_eq!(late.recv_timeout(LIMIT).unwrap(), "late");
}

#[test]
fn a_large_welcome_message_arrives_whole_from_a_publisher_that_connects() {
    let context = Context::new();
    let publisher = open::<Pub>(&context);
    let message = vec![b'w'; 100_000];
    publisher.set_xpub_welcome_message(&message).unwrap();
    let subscriber = open::<XSub>(&context);
    connect(&publisher, &bind(&subscriber));
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), &message[..]);
}

#[test]
fn inverted_publishers_send_to_those_who_did_not_subscribe() {
    let context = Context::new();
    let publisher = open_with::<XPub>(&context, &[(INVERT_MATCHING, 1)]);
    let [a, b] = [(), ()].map(|()| {
        let subscriber = open::<XSub>(&context);
        connect(&subscriber, &bind(&publisher));
        subscriber
    });
    a.subscribe("A").unwrap();
    a.subscribe("AA").unwrap();
    b.subscribe("B").unwrap();
    for _ in 0..3 {
        told(&publisher);
    }
    send(&publisher, ["A1", "B1", "", "AA", "end"]);
    assert_eq!(heard(&a), ["B1", ""]);
    assert_eq!(heard(&b), ["A1", "", "AA"]);
    publisher.set_invert_matching(false).unwrap();
    send(&publisher, ["A2", "B2"]);
    assert_eq!(a.recv_timeout(LIMIT).unwrap(), "A2");
    assert_eq!(b.recv_timeout(LIMIT).unwrap(), "B2");
}

#[test]
fn inverted_subscribers_receive_what_they_did_not_subscribe_to() {
    let context = Context::new();
    let (publisher, subscriber) = join::<XPub, Sub>(&context);
    for socket in [publisher.as_any(), subscriber.as_any()] {
        set(socket, INVERT_MATCHING, 1);
    }
    subscriber.subscribe("A").unwrap();
    assert_eq!(told(&publisher), "+A");
    send(&publisher, ["A1", "B1", "end"]);
    assert_eq!(heard(&subscriber), ["B1"]);
    // The publisher sends everything else now, and the subscriber refuses it.
    set(&publisher, INVERT_MATCHING, 0);
    send(&publisher, ["A2"]);
    let count = || subscriber.stats().unwrap().peers[0].recv_queue;
    until("it has come", || count() == 1);
    assert!(subscriber.try_recv().unwrap_err().is_would_block());
    assert_eq!(count(), 0);
}

#[test]
fn every_repeated_subscription_is_heard_of_by_a_verbose_publisher() {
    let context = Context::new();
    let (publisher, subscriber) = join::<XPub, Sub>(&context);
    publisher.set_xpub_verbose(true).unwrap();
    for _ in 0..2 {
        subscriber.subscribe("t").unwrap();
        assert_eq!(told(&publisher), "+t");
    }
    subscriber.unsubscribe("t").unwrap();
    subscriber.unsubscribe("t").unwrap();
    assert_eq!(told(&publisher), "-t");
    assert!(publisher.try_recv().unwrap_err().is_would_block());
}

#[test]
fn an_xpub_drops_what_a_full_subscriber_has_no_room_for_unless_told_not_to() {
    let context = Context::new();
    let publisher = open_with::<XPub>(&context, &[(SNDHWM, 2)]);
    let subscriber = open_with::<Sub>(&context, &[(RCVHWM, 1)]);
    join_up(&publisher, &subscriber);
    subscriber.subscribe("").unwrap();
    assert_eq!(told(&publisher), "+");
    until("the subscriber is full", || {
        publisher.send(vec![1; 1 << 20]).unwrap();
        dropped(&publisher) > 0
    });
    publisher.set_pub_nodrop(true).unwrap();
    let refused = loop {
        match publisher.send_timeout(vec![1; 1 << 20], Duration::from_millis(200)) {
            Ok(()) => {}
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.error.errno(), libc::EAGAIN);
    let before = dropped(&publisher);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| publisher.send_timeout("end", LIMIT));
        let last = |message: &Message| *message == "end";
        until("the last message arrives", || last(&subscriber.recv_timeout(LIMIT).unwrap()));
        sender.join().unwrap().unwrap();
    });
    assert_eq!(dropped(&publisher), before);
}
