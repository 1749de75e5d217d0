//! RFC 29: PUB and SUB.

use std::thread;
use std::time::Duration;

use tightbeam::options::Value;
use tightbeam::options::number::{RCVHWM, SNDHWM, SUBSCRIBE, UNSUBSCRIBE, XPUB_NODROP};
use tightbeam::{Context, Error, EventKind, Pub, Socket, SocketType, Sub, Timing};
use tightbeam_tests::proxy::Proxy;
use tightbeam_tests::sockets::*;

/// A publisher and a subscriber with these topics, known to the publisher.
fn publisher_and(context: &Context, topics: &[&str]) -> (Socket<Pub>, Socket<Sub>) {
    let (publisher, subscriber) = join::<Pub, Sub>(context);
    for topic in topics {
        subscriber.subscribe(topic).unwrap();
    }
    synchronise(&publisher, &subscriber);
    (publisher, subscriber)
}

/// What arrives of these messages; the last of them must.
fn heard(publisher: &Socket<Pub>, subscriber: &Socket<Sub>, sent: &[&str]) -> Vec<String> {
    for message in sent {
        publisher.send([*message, "body"]).unwrap();
    }
    let mut heard = Vec::new();
    while heard
        .last()
        .is_none_or(|last| Some(last) != sent.last().map(ToString::to_string).as_ref())
    {
        let message = subscriber.recv_timeout(LIMIT).unwrap();
        assert_eq!(message[1..], ["body"]);
        heard.push(message[0].to_string_lossy().into_owned());
    }
    heard
}

#[test]
fn a_subscriber_gets_what_begins_with_its_topics() {
    let context = Context::new();
    let (publisher, subscriber) = publisher_and(&context, &["ab", "x", "end"]);
    let sent = ["a", "ab", "abc", "", "b", "ba", "AB", "x", "xx", "end"];
    assert_eq!(heard(&publisher, &subscriber, &sent), ["ab", "abc", "x", "xx", "end"]);
    assert!(subscriber.try_recv().unwrap_err().is_would_block());
}

#[test]
fn the_empty_topic_is_everything_and_no_topic_is_nothing() {
    let context = Context::new();
    let (publisher, all) = publisher_and(&context, &[""]);
    let none = open::<Sub>(&context);
    connect(&none, &publisher.bind(ANY_PORT).unwrap());
    await_peers(&publisher, 2);
    let sent = publisher.stats().unwrap().traffic.messages_sent;
    assert_eq!(heard(&publisher, &all, &["a", "", "b"]), ["a", "", "b"]);
    assert_eq!(publisher.stats().unwrap().traffic.messages_sent, sent + 3);
    assert!(none.try_recv().unwrap_err().is_would_block());
}

#[test]
fn subscriptions_are_counted() {
    let context = Context::new();
    let (publisher, subscriber) = publisher_and(&context, &["a", "a", "end"]);
    subscriber.unsubscribe("a").unwrap();
    synchronise(&publisher, &subscriber);
    assert_eq!(heard(&publisher, &subscriber, &["a", "end"]), ["a", "end"]);
    subscriber.unsubscribe("a").unwrap();
    subscriber.unsubscribe("never subscribed").unwrap();
    synchronise(&publisher, &subscriber);
    let sent = publisher.stats().unwrap().traffic.messages_sent;
    assert_eq!(heard(&publisher, &subscriber, &["a", "end"]), ["end"]);
    assert_eq!(
        publisher.stats().unwrap().traffic.messages_sent,
        sent + 1,
        "filtered by the publisher"
    );
}

#[test]
fn subscriptions_are_options_too() {
    let context = Context::new();
    let (publisher, subscriber) = join::<Pub, Sub>(&context);
    let base = subscriber.as_any();
    for topic in ["a", "b", "end"] {
        base.set_option(SUBSCRIBE, Value::Bytes(topic.as_bytes())).unwrap();
    }
    base.set_option(UNSUBSCRIBE, Value::Bytes(b"a")).unwrap();
    synchronise(&publisher, &subscriber);
    assert_eq!(heard(&publisher, &subscriber, &["a", "b", "end"]), ["b", "end"]);
    let refused = publisher.set_option(SUBSCRIBE, Value::Bytes(b"a")).unwrap_err();
    assert!(matches!(refused, Error::UnknownOption(_)));
    assert!(matches!(publisher.as_any().subscribe("a"), Err(Error::UnknownOption(_))));
}

#[test]
fn a_late_joiner_gets_what_is_sent_from_then_on() {
    let context = Context::new();
    let publisher = open::<Pub>(&context);
    let endpoint = bind(&publisher);
    publisher.send("before anybody listened").unwrap();
    assert_eq!(publisher.stats().unwrap().traffic.messages_sent, 0);
    let subscriber = open::<Sub>(&context);
    subscriber.subscribe("").unwrap();
    connect(&subscriber, &endpoint);
    synchronise(&publisher, &subscriber);
    publisher.send("after").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "after");
}

#[test]
fn a_publisher_may_connect_and_a_subscriber_bind() {
    let context = Context::new();
    let subscriber = open::<Sub>(&context);
    subscriber.subscribe("").unwrap();
    let publishers: Vec<Socket<Pub>> = (0..2).map(|_| open(&context)).collect();
    let endpoint = bind(&subscriber);
    for publisher in &publishers {
        connect(publisher, &endpoint);
        await_peers(publisher, 1);
        synchronise(publisher, &subscriber);
    }
    publishers[0].send("0").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "0");
    publishers[1].send("1").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "1");
}

#[test]
fn what_was_unsubscribed_meanwhile_is_not_received() {
    let context = Context::new();
    let (publisher, subscriber) = publisher_and(&context, &["old", "end"]);
    publisher.send("old").unwrap();
    await_waiting(&subscriber, 1);
    subscriber.unsubscribe("old").unwrap();
    assert!(!subscriber.readiness().unwrap().readable);
    publisher.send("end").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "end");
}

#[test]
fn a_subscriber_reads_on_behind_a_queue_full_of_what_it_unsubscribed() {
    let context = Context::new();
    let (publisher, subscriber) = publisher_and(&context, &["old"]);
    set(&subscriber, RCVHWM, 10);
    for _ in 0..10 {
        publisher.send("old").unwrap();
    }
    await_waiting(&subscriber, 10);
    subscriber.unsubscribe("old").unwrap();
    assert!(!subscriber.readiness().unwrap().readable);
    subscriber.subscribe("new").unwrap();
    synchronise(&publisher, &subscriber);
    publisher.send("new").unwrap();
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "new");
}

/// A publisher whose only subscriber is full for good.
fn stuck(context: &Context, nodrop: bool) -> (Socket<Pub>, Socket<Sub>) {
    let publisher = open_with::<Pub>(context, &[(SNDHWM, 2), (XPUB_NODROP, 1)]);
    let subscriber = open_with::<Sub>(context, &[(RCVHWM, 1)]);
    join_up(&publisher, &subscriber);
    synchronise(&publisher, &subscriber);
    subscriber.subscribe("").unwrap();
    synchronise(&publisher, &subscriber);
    while publisher.send_timeout(vec![1; 1 << 20], Duration::from_millis(300)).is_ok() {}
    set(&publisher, XPUB_NODROP, nodrop.into());
    (publisher, subscriber)
}

#[test]
fn a_full_subscriber_costs_its_own_messages_and_each_is_counted() {
    let context = Context::new();
    let (publisher, full) = stuck(&context, false);
    let other = open::<Sub>(&context);
    connect(&other, &publisher.bind(ANY_PORT).unwrap());
    other.subscribe("").unwrap();
    await_peers(&publisher, 2);
    until("the other subscribes", || {
        publisher.send("news").unwrap();
        other.recv_timeout(Duration::from_millis(10)).is_ok()
    });
    let before = publisher.stats().unwrap().traffic;
    let body = vec![2; 1 << 20];
    for _ in 0..50 {
        publisher.send(body.clone()).unwrap();
        while other.recv_timeout(LIMIT).unwrap() == "news" {}
    }
    let after = publisher.stats().unwrap().traffic;
    let drops = after.messages_dropped - before.messages_dropped;
    assert!(drops > 0, "nothing holds fifty megabytes");
    assert_eq!(after.messages_sent - before.messages_sent + drops, 100);
    drop(full);
}

#[test]
fn with_nodrop_a_full_subscriber_makes_send_wait() {
    let context = Context::new();
    let (publisher, subscriber) = stuck(&context, true);
    let refused = publisher.try_send("x").unwrap_err();
    assert_eq!((refused.error.errno(), refused.message), (libc::EAGAIN, "x".into()));
    thread::scope(|scope| {
        let sender = scope.spawn(|| publisher.send_timeout("x", LIMIT * 3));
        while subscriber.recv_timeout(LIMIT).unwrap() != "x" {}
        sender.join().unwrap().unwrap();
    });
    assert_eq!(dropped(&publisher), 0);
}

/// Who has sent the first part may rely on sending the rest.
#[test]
fn with_nodrop_the_first_of_several_parts_is_refused_and_nothing_is_kept() {
    let context = Context::new();
    for socket_type in [SocketType::Pub, SocketType::XPub] {
        let publisher = context.any_socket(socket_type).unwrap();
        set(&publisher, SNDHWM, 1);
        set(&publisher, XPUB_NODROP, 1);
        let subscriber = open_with::<Sub>(&context, &[(RCVHWM, 1)]);
        subscriber.subscribe("full").unwrap();
        publisher.bind(format!("inproc://{socket_type}")).unwrap();
        subscriber.connect(format!("inproc://{socket_type}")).unwrap();
        let try_part = |text: &str, more| {
            publisher.send_part(&text.into(), more, Some(Timing::Never)).map_err(|e| e.errno())
        };
        for _ in 0..2 {
            assert_eq!((try_part("full", true), try_part("rest", false)), (Ok(()), Ok(())));
        }
        assert_eq!(try_part("full", true), Err(libc::EAGAIN), "{socket_type}");
        // Nobody wants these, so nobody has no room for them.
        assert_eq!((try_part("other", true), try_part("rest", false)), (Ok(()), Ok(())));
        for _ in 0..2 {
            assert_eq!(texts(&subscriber.try_recv().unwrap()), ["full", "rest"]);
        }
        assert_eq!((try_part("full", true), try_part("last", false)), (Ok(()), Ok(())));
        assert_eq!(texts(&subscriber.try_recv().unwrap()), ["full", "last"]);
    }
}

#[test]
fn with_nodrop_a_full_subscriber_that_leaves_sets_send_free() {
    let context = Context::new();
    let (publisher, subscriber) = stuck(&context, true);
    thread::scope(|scope| {
        let sender = scope.spawn(|| publisher.send_timeout("x", LIMIT * 3));
        thread::sleep(Duration::from_millis(50));
        drop(subscriber);
        until("the sender goes on", || sender.is_finished());
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn subscriptions_are_sent_again_after_a_reconnect() {
    let context = Context::new();
    let publisher = open::<Pub>(&context);
    let proxy = Proxy::to(bind(&publisher));
    let subscriber = open::<Sub>(&context);
    let events = subscriber.monitor().unwrap();
    for topic in ["kept", "gone", "end"] {
        subscriber.subscribe(topic).unwrap();
    }
    subscriber.connect(proxy.endpoint()).unwrap();
    for _ in 0..3 {
        await_event(&events, EventKind::HandshakeSucceeded);
        synchronise(&publisher, &subscriber);
        proxy.cut();
        await_event(&events, EventKind::Disconnected);
        subscriber.unsubscribe("gone").unwrap();
        subscriber.subscribe("new").unwrap();
    }
    await_event(&events, EventKind::HandshakeSucceeded);
    synchronise(&publisher, &subscriber);
    let sent = ["gone", "kept", "new", "end"];
    assert_eq!(heard(&publisher, &subscriber, &sent), ["kept", "new", "end"]);
    assert_eq!(peers(&publisher), 1);
}

#[test]
fn a_hundred_thousand_subscriptions_cross_the_wire_and_back_again() {
    let context = Context::new();
    let (publisher, subscriber) = publisher_and(&context, &[]);
    let topics: Vec<String> = (0..100_000).map(|i| format!("topic {i:06}.")).collect();
    for topic in &topics {
        subscriber.subscribe(topic).unwrap();
    }
    synchronise(&publisher, &subscriber);
    for topic in topics.iter().step_by(1_000) {
        publisher.send(format!("{topic}x")).unwrap();
        publisher.send(topic.trim_end_matches('.')).unwrap();
        assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), format!("{topic}x"));
    }
    for topic in &topics[1..] {
        subscriber.unsubscribe(topic).unwrap();
    }
    synchronise(&publisher, &subscriber);
    let sent: Vec<&str> = [topics[99_999].as_str(), &topics[5], &topics[0]].to_vec();
    assert_eq!(heard(&publisher, &subscriber, &sent), ["topic 000000."]);
}

#[test]
fn many_subscriptions_made_before_the_connection_arrive_with_it() {
    let context = Context::new();
    let subscriber = open::<Sub>(&context);
    for i in 0..100_000 {
        subscriber.subscribe(format!("{i}.")).unwrap();
    }
    let publisher = open::<Pub>(&context);
    join_up(&publisher, &subscriber);
    synchronise(&publisher, &subscriber);
    assert_eq!(heard(&publisher, &subscriber, &["none", "7.", "99999."]), ["7.", "99999."]);
}
