//! RFC 29: XPUB and XSUB.

use tightbeam::options::OwnedValue;
use tightbeam::options::number::*;
use tightbeam::{Context, EventKind, Message, Peer, Pub, Socket, SocketBase, Sub, XPub, XSub};
use tightbeam_tests::sockets::*;

/// What the publisher receives next: so many messages of one part.
fn told(publisher: &Socket<XPub>, count: usize) -> Vec<String> {
    let next = |_| publisher.recv_timeout(LIMIT).unwrap_or_else(|error| panic!("{error}"));
    (0..count).map(next).map(|message| text(&message)).collect()
}

/// The parts of a message, with `+` for 1 and `-` for 0 where it is about a subscription.
fn text(message: &Message) -> String {
    let part =
        |part: &tightbeam::Frame| part.to_string_lossy().replace('\u{1}', "+").replace('\0', "-");
    message.iter().map(part).collect::<Vec<_>>().join(",")
}

/// Nothing more comes: what comes next is what is sent now.
fn nothing_more(publisher: &Socket<XPub>, peer: &Socket<XSub>) {
    peer.send("mark").unwrap();
    assert_eq!(told(publisher, 1), ["mark"]);
}

fn subscriber_of(context: &Context, publisher: &SocketBase) -> Socket<XSub> {
    let subscriber = open::<XSub>(context);
    let before = peers(publisher);
    connect(&subscriber, &publisher.bind(ANY_PORT).unwrap());
    await_peers(publisher, before + 1);
    await_peers(&subscriber, 1);
    subscriber
}

/// A publisher with two subscribers.
fn three(context: &Context) -> (Socket<XPub>, Socket<XSub>, Socket<XSub>) {
    let publisher = open::<XPub>(context);
    let (a, b) = (subscriber_of(context, &publisher), subscriber_of(context, &publisher));
    (publisher, a, b)
}

/// `a` subscribes a topic twice and `b` once, then all is cancelled; what the publisher hears of each step.
fn course(publisher: &Socket<XPub>, a: &Socket<XSub>, b: &Socket<XSub>) -> Vec<String> {
    let mut course = Vec::new();
    for (who, request) in
        [(a, "\u{1}t"), (a, "\u{1}t"), (b, "\u{1}t"), (a, "\0t"), (a, "\0t"), (b, "\0t")]
    {
        who.send(request).unwrap();
        who.send("mark").unwrap();
        loop {
            match &told(publisher, 1)[0] {
                mark if mark == "mark" => break,
                heard => course.push(heard.clone()),
            }
        }
    }
    course
}

#[test]
fn the_first_subscription_and_the_last_cancellation_of_a_topic_are_received() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    assert_eq!(course(&publisher, &a, &b), ["+t", "-t"]);
}

#[test]
fn with_verbose_every_subscription_is_received() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    publisher.set_xpub_verboser(true).unwrap();
    publisher.set_xpub_verbose(true).unwrap();
    assert_eq!(course(&publisher, &a, &b), ["+t", "+t", "+t", "-t"]);
    publisher.set_xpub_verbose(false).unwrap();
    assert_eq!(course(&publisher, &a, &b), ["+t", "-t"]);
}

#[test]
fn with_verboser_every_cancellation_is_received_too() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    publisher.set_xpub_verboser(true).unwrap();
    // An XSUB tells its publishers of each subscription, but only of the last cancellation.
    assert_eq!(course(&publisher, &a, &b), ["+t", "+t", "+t", "-t", "-t"]);
    publisher.set_xpub_verboser(false).unwrap();
    assert_eq!(course(&publisher, &a, &b), ["+t", "-t"]);
}

#[test]
fn a_peer_that_leaves_has_cancelled_what_nobody_else_has() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    for topic in ["only a", "both"] {
        a.subscribe(topic).unwrap();
    }
    assert_eq!(told(&publisher, 2), ["+only a", "+both"]);
    b.subscribe("both").unwrap();
    nothing_more(&publisher, &b);
    a.close();
    assert_eq!(told(&publisher, 1), ["-only a"]);
    nothing_more(&publisher, &b);
    b.close();
    assert_eq!(told(&publisher, 1), ["-both"]);
    assert!(publisher.try_recv().unwrap_err().is_would_block());
    assert_eq!(
        publisher.stats().unwrap().peers.len(),
        0,
        "what was kept for the last word is gone"
    );
}

#[test]
fn with_verboser_a_peer_that_leaves_has_cancelled_all() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    publisher.set_xpub_verboser(true).unwrap();
    a.subscribe("both").unwrap();
    assert_eq!(told(&publisher, 1), ["+both"]);
    b.subscribe("both").unwrap();
    assert_eq!(told(&publisher, 1), ["+both"]);
    a.close();
    assert_eq!(told(&publisher, 1), ["-both"]);
    nothing_more(&publisher, &b);
}

#[test]
fn messages_and_subscriptions_of_a_peer_are_received_in_the_order_in_which_it_sent_them() {
    let context = Context::new();
    for endpoint in [ANY_PORT, "inproc://order"] {
        let (publisher, subscriber) = (open::<XPub>(&context), open::<XSub>(&context));
        subscriber.connect(publisher.bind(endpoint).unwrap()).unwrap();
        await_peers(&publisher, 1);
        await_peers(&subscriber, 1);
        let mut sent = Vec::new();
        for i in 0..1000 {
            subscriber.send(format!("{i}")).unwrap();
            subscriber.send(["two", "parts"]).unwrap();
            subscriber.send(format!("\u{1}{i}")).unwrap();
            sent.extend([format!("{i}"), "two,parts".to_owned(), format!("+{i}")]);
        }
        assert_eq!(told(&publisher, sent.len()), sent, "{endpoint}");
    }
}

#[test]
fn any_message_that_is_no_subscription_goes_upstream_to_every_publisher() {
    let context = Context::new();
    let subscriber = open::<XSub>(&context);
    let publishers: Vec<Socket<XPub>> = (0..2).map(|_| open(&context)).collect();
    for publisher in &publishers {
        join_up(publisher, &subscriber);
    }
    for message in [vec!["hello"], vec!["two", "parts"], vec![""], vec!["\u{2}x"]] {
        subscriber.send(message.into_iter().collect::<Message>()).unwrap();
    }
    for publisher in &publishers {
        assert_eq!(told(publisher, 4), ["hello", "two,parts", "", "\u{2}x"]);
    }
}

fn name_of(peer: &Peer) -> &[u8] {
    let mut properties = peer.properties().iter();
    properties.find(|(name, _)| name == "X-name").map(|(_, value)| &value[..]).unwrap()
}

#[test]
fn the_peer_of_a_received_subscription_is_who_sent_it() {
    let context = Context::new();
    let publisher = open::<XPub>(&context);
    let names = ["first", "second"];
    let subscribers = names.map(|name| {
        let subscriber = open::<Sub>(&context);
        subscriber.set_property("X-name", name).unwrap();
        connect(&subscriber, &bind(&publisher));
        subscriber.subscribe(name).unwrap();
        subscriber
    });
    let mut peers = names.map(|_| publisher.recv_timeout(LIMIT).unwrap());
    peers.sort_by_key(text);
    for (message, name) in peers.iter().zip(names) {
        let peer = message[0].peer().unwrap();
        assert_eq!((text(message), name_of(peer)), (format!("+{name}"), name.as_bytes()));
    }
    drop(subscribers);
    for _ in names {
        let gone = publisher.recv_timeout(LIMIT).unwrap();
        assert_eq!(name_of(gone[0].peer().unwrap()), &gone[0][1..]);
    }
}

#[test]
fn a_subscription_holds_before_the_application_hears_of_it() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    a.subscribe("t").unwrap();
    until("it holds", || topics(&publisher) == 1);
    publisher.send("topic").unwrap();
    assert_eq!(a.recv_timeout(LIMIT).unwrap(), "topic");
    assert!(b.try_recv().unwrap_err().is_would_block());
    assert_eq!(told(&publisher, 1), ["+t"]);
}

#[test]
fn a_subscription_wakes_who_waits_to_receive() {
    let context = Context::new();
    let (publisher, a, _b) = three(&context);
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| told(&publisher, 2));
        a.subscribe("t").unwrap();
        a.close();
        assert_eq!(receiver.join().unwrap(), ["+t", "-t"]);
    });
}

#[test]
fn an_xsub_does_not_check_what_it_is_sent() {
    let context = Context::new();
    let (publisher, subscriber) = join::<XPub, XSub>(&context);
    subscriber.subscribe("t").unwrap();
    assert_eq!(told(&publisher, 1), ["+t"]);
    publisher.send("topic").unwrap();
    await_waiting(&subscriber, 1);
    subscriber.unsubscribe("t").unwrap();
    assert_eq!(told(&publisher, 1), ["-t"]);
    assert_eq!(subscriber.recv_timeout(LIMIT).unwrap(), "topic");
}

#[test]
fn the_subscriptions_of_an_xsub_hold_for_publishers_that_come_later() {
    let context = Context::new();
    let subscriber = open::<XSub>(&context);
    for topic in ["kept", "kept", "gone"] {
        subscriber.send(format!("\u{1}{topic}")).unwrap();
    }
    subscriber.send("\0gone").unwrap();
    subscriber.send("\0never").unwrap();
    subscriber.send("lost: there is nobody").unwrap();
    let publisher = open_with::<XPub>(&context, &[(XPUB_VERBOSER, 1)]);
    join_up(&publisher, &subscriber);
    assert_eq!(told(&publisher, 1), ["+kept"]);
    nothing_more(&publisher, &subscriber);
}

#[test]
fn the_topics_are_counted() {
    let context = Context::new();
    let (publisher, a, b) = three(&context);
    for (who, topic) in [(&a, "t"), (&a, "t"), (&a, "u"), (&b, "t"), (&b, "")] {
        who.subscribe(topic).unwrap();
    }
    until("all have arrived", || topics(&publisher) == 3);
    assert_eq!((topics(&a), topics(&b)), (2, 2));
    a.close();
    until("its last topics are gone", || topics(&publisher) == 2);
    let (publisher, subscriber) = join::<Pub, Sub>(&context);
    subscriber.subscribe("x").unwrap();
    until("it has arrived", || topics(&publisher) == 1);
    assert_eq!(topics(&subscriber), 1);
}

fn topics(socket: &SocketBase) -> i32 {
    match socket.option(TOPICS_COUNT).unwrap() {
        OwnedValue::Int(count) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_at_the_front_that_are_subscriptions_are_messages_of_their_own() {
    let context = Context::new();
    let (publisher, subscriber) = join::<XPub, XSub>(&context);
    subscriber.send(["\u{1}a", "\u{1}b", "\0a", "data", "more"]).unwrap();
    assert_eq!(told(&publisher, 4), ["+a", "+b", "-a", "data,more"]);
    subscriber.send(["\u{1}c", "\u{1}d"]).unwrap();
    assert_eq!(told(&publisher, 2), ["+c", "+d"]);
}

#[test]
fn parts_behind_data_are_subscriptions_unless_only_the_first_may_be() {
    let context = Context::new();
    let (publisher, subscriber) = join::<XPub, XSub>(&context);
    subscriber.send(["data", "\u{1}a"]).unwrap();
    assert_eq!(told(&publisher, 1), ["data,+a"]);
    assert_eq!((topics(&publisher), topics(&subscriber)), (1, 1));
    publisher.set_only_first_subscribe(true).unwrap();
    subscriber.send(["data", "\u{1}b", "\0a"]).unwrap();
    assert_eq!(told(&publisher, 1), ["data,+b,-a"]);
    assert_eq!(topics(&publisher), 1);
    subscriber.set_only_first_subscribe(true).unwrap();
    subscriber.send(["data", "\u{1}c"]).unwrap();
    assert_eq!(told(&publisher, 1), ["data,+c"]);
    assert_eq!((topics(&publisher), topics(&subscriber)), (1, 1));
}

#[test]
fn a_peer_that_floods_what_nobody_receives_is_closed_at_its_budget() {
    let context = Context::new();
    let (publisher, flooder) = (open::<XPub>(&context), open::<XSub>(&context));
    let other = open::<XSub>(&context);
    set(&publisher, MAX_SUBSCRIPTIONS, 100);
    join_up(&publisher, &flooder);
    connect(&other, &bind(&publisher));
    await_peers(&publisher, 2);
    let events = publisher.monitor().unwrap();
    for _ in 0..200 {
        flooder.send("\u{1}t").unwrap();
        flooder.send("\0t").unwrap();
    }
    let event = await_event(&events, EventKind::Disconnected);
    assert!(format!("{event:?}").contains("budget"), "{event:?}");
    other.subscribe("quiet").unwrap();
    let mut heard = 0;
    while told(&publisher, 1) != ["+quiet"] {
        heard += 1;
    }
    assert!(heard <= 400, "{heard}");
}
