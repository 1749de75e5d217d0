//! Peers while somebody decides on them: what they do meanwhile, what those who decide do, and how many there are.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context as TaskContext, Wake, Waker};
use std::time::{Duration, Instant};

use tightbeam::auth::{Request, Verdict};
use tightbeam::options::number;
use tightbeam::{Context, Dealer, EventKind, Message, Pull, Push, Router};
use tightbeam_tests::peer::{HANG, Peer, command};
use tightbeam_tests::sockets::until;
use tightbeam_tests::speaker::{Speaker, greeting};
use tightbeam_tests::transport::anywhere;
use zmtp::SocketType;

use crate::child::alone;
use crate::memory;
use crate::secured::{End, Guard, Subject};
use crate::starved::limit_descriptors;

const HANDLER: &str = "inproc://zeromq.zap.01";

/// A handler that answers when the test says so.
struct Handler(tightbeam::Socket<Router>);

impl Handler {
    fn of(subject: &Subject) -> Handler {
        subject.context.remove_authenticator();
        let socket = subject.context.socket::<Router>().expect("socket");
        socket.bind(HANDLER).expect("bind");
        Handler(socket)
    }

    fn next(&self) -> Vec<tightbeam::Frame> {
        self.0.recv_timeout(HANG).expect("a request").into_frames()
    }

    fn answer(&self, request: &[tightbeam::Frame], status: &str) {
        let id = request[3].clone();
        self.answer_as(request, id, status);
    }

    fn answer_as(&self, request: &[tightbeam::Frame], id: tightbeam::Frame, status: &str) {
        let mut frames = request[..3].to_vec();
        frames.push(id);
        frames.extend([status.into(), "".into(), "user".into(), "".into()]);
        self.0.send(Message::multipart(frames)).expect("reply");
    }

    /// Lets in whoever asks, until the socket is gone.
    fn run(self) {
        std::thread::spawn(move || {
            while let Ok(request) = self.0.recv() {
                self.answer(request.frames(), "200");
            }
        });
    }
}

/// Goes on until it is judged: a speaker that has said all that it says before the verdict.
fn up_to_the_verdict(subject: &Subject) -> Speaker {
    let mut speaker = subject.visit(End::Listens, 1).speaker;
    let acts = match subject.guard() {
        Guard::Curve => 3,
        _ => 2,
    };
    for _ in 0..acts {
        let act = speaker.next_act().expect("a step");
        speaker.peer.send_bytes(&act);
    }
    speaker
}

const SERVERS: [(Guard, bool); 3] =
    [(Guard::Domain, false), (Guard::Plain, true), (Guard::Curve, true)];

#[test]
fn whoever_goes_while_it_is_judged_is_let_go_at_once_and_its_verdict_is_for_nobody() {
    for (guard, server) in SERVERS {
        for how in ["closes", "half-closes", "resets"] {
            let subject = Subject::new(guard, server);
            let handler = Handler::of(&subject);
            let mut speaker = up_to_the_verdict(&subject);
            let request = handler.next();
            match how {
                "closes" => speaker.peer.cut(),
                "half-closes" => {
                    speaker.peer.finish();
                    speaker.peer.expect_closed_eventually();
                }
                _ => speaker.peer.reset(),
            }
            let (failure, end) = subject.next_end();
            assert!(failure.is_some(), "{guard:?} {how}: {end:?}");
            assert_eq!(subject.connections(), 0, "{guard:?} {how}");
            handler.answer(&request, "200");
            handler.run();
            subject.expect_nothing(how);
            subject.expect_good_service(how);
        }
    }
}

#[test]
fn nothing_that_is_said_before_the_verdict_is_read_or_delivered() {
    for (guard, server) in SERVERS {
        for status in ["200", "300", "400", "500", "nonsense"] {
            let subject = Subject::new(guard, server);
            let handler = Handler::of(&subject);
            let mut speaker = up_to_the_verdict(&subject);
            let request = handler.next();
            let flood = tightbeam_tests::bytes::frame(0, &[b'e'; 1000]).repeat(64);
            speaker.peer.offer(&flood);
            subject.expect_nothing(status);
            handler.answer(&request, status);
            if guard == Guard::Domain && status == "200" {
                // It was let in, and knew beforehand.
                assert_eq!(
                    subject.socket.recv_timeout(HANG).expect("a message").frames()[0].len(),
                    1000
                );
                continue;
            }
            speaker.peer.expect_closed_eventually();
            let (failure, _) = subject.next_end();
            assert!(failure.is_some() || status == "200", "{guard:?} {status}");
            subject.expect_nothing(status);
            handler.run();
            subject.expect_good_service(status);
        }
    }
}

#[test]
fn a_verdict_that_does_not_come_costs_the_peer_its_handshake_and_nobody_else() {
    for (guard, server) in SERVERS {
        let subject = Subject::with(guard, server, &[(number::HANDSHAKE_IVL, 300)]);
        let handler = Handler::of(&subject);
        let mut waiting: Vec<Speaker> = (0..5).map(|_| up_to_the_verdict(&subject)).collect();
        let requests: Vec<_> = waiting.iter().map(|_| handler.next()).collect();
        for speaker in &mut waiting {
            speaker.peer.expect_closed_eventually();
            let (failure, end) = subject.next_end();
            assert!(failure.is_some() && end.reason.is_some_and(|why| why.contains("too long")));
        }
        // Too late.
        requests.iter().for_each(|request| handler.answer(request, "200"));
        handler.run();
        subject.expect_good_service("slow verdicts");
    }
}

#[test]
fn a_handler_that_answers_twice_or_for_others_lets_nobody_in_and_harms_nobody() {
    let subject = Subject::new(Guard::Plain, true);
    let handler = Handler::of(&subject);
    let mut first = up_to_the_verdict(&subject);
    let one = handler.next();
    handler.answer(&one, "200");
    assert!(first.shake_hands());
    let mut second = up_to_the_verdict(&subject);
    let two = handler.next();
    // Once more for the first, and for one that was never asked about: the first of these is for nobody.
    for _ in 0..100 {
        handler.answer(&one, "400");
    }
    handler.answer(&two, "200");
    assert!(second.shake_hands(), "the second was refused for what was said of the first");
    let mut third = up_to_the_verdict(&subject);
    let three = handler.next();
    handler.answer_as(&three, "4711".into(), "200");
    third.peer.expect_closed_eventually();
    let (failure, end) = subject.next_end();
    assert!(
        failure.is_some_and(|event| event.kind == EventKind::HandshakeFailedProtocol),
        "{end:?}"
    );
    // For nobody: none waits.
    handler.answer_as(&three, "4712".into(), "200");
    handler.answer(&three, "200");
    drop((first, second));
    subject.next_end();
    subject.next_end();
    handler.run();
    subject.expect_good_service("replies to nobody");
}

#[test]
fn handlers_come_and_go_under_load_and_everybody_gets_in_in_the_end() {
    let subject = Subject::new(Guard::Plain, true);
    subject.context.remove_authenticator();
    let stop = Arc::new(AtomicBool::new(false));
    let (context, stopped) = (subject.context.clone(), Arc::clone(&stop));
    let handlers = std::thread::spawn(move || {
        let mut rounds = 0;
        while !stopped.load(Ordering::SeqCst) {
            let socket = context.socket::<Router>().expect("socket");
            socket.bind(HANDLER).expect("bind");
            let handler = Handler(socket);
            // Some of those who ask are answered, then it leaves in the middle; every other one unbinds first.
            for _ in 0..rounds % 7 {
                if let Ok(request) = handler.0.recv_timeout(Duration::from_millis(5)) {
                    handler.answer(request.frames(), "200");
                }
            }
            if rounds % 2 == 0 {
                handler.0.unbind(HANDLER).expect("unbind");
            }
            rounds += 1;
        }
        rounds
    });
    let clients = subject.context.clone();
    let pushers: Vec<_> = (0..20)
        .map(|number| {
            let push = clients.socket::<Push>().expect("socket");
            push.set_plain_client("ada", "secret").expect("option");
            for (option, value) in [(number::RECONNECT_IVL, 1), (number::LINGER, 0)] {
                push.set_option(option, tightbeam::options::Value::Int(value)).expect("option");
            }
            push.connect(subject.endpoint()).expect("connect");
            push.send(format!("{number}")).expect("queued");
            push
        })
        .collect();
    for _ in 0..pushers.len() {
        subject.socket.recv_timeout(HANG).expect("each gets in");
    }
    stop.store(true, Ordering::SeqCst);
    println!("measured: {} handlers came and went", handlers.join().expect("no panic"));
}

#[test]
fn with_2_000_peers_that_wait_for_a_slow_handler_good_ones_get_in_behind_them() {
    if !alone("judged::with_2_000_peers_that_wait_for_a_slow_handler_good_ones_get_in_behind_them")
    {
        return;
    }
    limit_descriptors(10_000);
    let subject = Subject::with(Guard::Plain, true, &[(number::MAX_HANDSHAKES, 3000)]);
    let handler = Handler::of(&subject);
    let before = memory::live();
    let flood: Vec<Speaker> = (0..2000).map(|_| up_to_the_verdict(&subject)).collect();
    until("all have come", || subject.connections() >= 1900);
    let held = memory::live() - before;
    println!("measured: {} bytes for each of 2,000 peers that are judged", held / 2000);
    assert!(held / 2000 < 16 * 1024, "{held} bytes");
    handler.run();
    let began = Instant::now();
    // As long as the handler's queue is full, who comes is sent away and comes again.
    let mut good = std::iter::repeat_with(|| {
        let peer = Peer::connect(subject.endpoint());
        Speaker::new(peer, subject.other_end(SocketType::Push), 1)
    })
    .find_map(|mut good| good.shake_hands().then_some(good))
    .expect("there is no end");
    let message = good.message(b"good");
    good.peer.send_bytes(&message);
    assert_eq!(subject.socket.recv_timeout(HANG).expect("a message"), "good");
    println!("measured: a good peer behind 2,000 judged ones after {:?}", began.elapsed());
    drop((flood, good));
    until("nobody is left", || subject.connections() == 0);
    let left = memory::live() - before;
    assert!(left < 1 << 20, "{left} bytes left");
}

/// They do what an authenticator should not: block, close, shut down, panic, change the rules, use sockets.
#[test]
fn authenticators_that_call_back_into_the_library_end_nothing_but_what_they_end() {
    type Deed = fn(&Subject);
    let deeds: [(&str, Deed); 7] = [
        ("blocks", |_| std::thread::sleep(Duration::from_millis(50))),
        ("receives on the socket", |subject| {
            let received = subject.socket.recv_timeout(Duration::from_millis(20));
            assert!(received.is_err_and(|error| error.is_would_block()));
        }),
        ("asks for statistics", |subject| assert!(subject.socket.stats().is_ok())),
        ("replaces itself", |subject| {
            subject.context.set_authenticator(|_: &Request| Verdict::accept("by another"));
        }),
        ("removes itself", |subject| subject.context.remove_authenticator()),
        ("uses other sockets", |subject| {
            let (one, other) = (
                subject.context.socket::<Dealer>().expect("socket"),
                subject.context.socket::<Dealer>().expect("socket"),
            );
            // The I/O thread is here, so it must be without one.
            other.connect(one.bind("inproc://others").expect("bind")).expect("connect");
            other.send("hello").expect("send");
            assert_eq!(one.recv_timeout(HANG).expect("a message"), "hello");
        }),
        ("panics", |_| panic!("as asked")),
    ];
    for (what, deed) in deeds {
        let subject = Arc::new(Subject::new(Guard::Plain, true));
        let calls = Arc::new(AtomicUsize::new(0));
        let (within, counted) = (Arc::downgrade(&subject), Arc::clone(&calls));
        subject.context.set_authenticator(move |_: &Request| {
            if counted.fetch_add(1, Ordering::SeqCst) == 0
                && let Some(subject) = within.upgrade()
            {
                deed(&subject);
            }
            Verdict::accept("somebody")
        });
        let mut speaker = up_to_the_verdict(&subject);
        assert_eq!(speaker.shake_hands(), what != "panics", "{what}");
        drop(speaker);
        let (failure, _) = subject.next_end();
        assert_eq!(failure.is_some(), what == "panics", "{what}");
        if what != "removes itself" {
            subject.expect_good_service(what);
        }
        assert_eq!(subject.context.stats().contained_panics, 0, "{what}");
    }
}

#[test]
fn an_authenticator_may_close_the_socket_or_shut_the_context_down() {
    for ends_context in [false, true] {
        let context = Context::new();
        let server = context.socket::<Pull>().expect("socket");
        server.set_plain_server(true).expect("option");
        let endpoint = server.bind(anywhere()).expect("bind");
        let (kept, within) = (Arc::new(Mutex::new(Some(server))), context.clone());
        let socket = Arc::clone(&kept);
        let (asked, was_asked) = mpsc::channel();
        context.set_authenticator(move |_: &Request| {
            if ends_context {
                within.shutdown();
                // It cannot end while the socket is open.
                assert!(!within.term_timeout(Duration::from_millis(1)).expect("not done"));
            } else {
                drop(socket.lock().expect("lock").take());
            }
            let _ = asked.send(());
            Verdict::accept("too late")
        });
        let mut peer = Peer::connect(&endpoint);
        peer.send_bytes(&greeting("PLAIN", false, 1));
        peer.send_bytes(&command("HELLO", b"\x03ada\x06secret"));
        was_asked.recv_timeout(HANG).expect("asked");
        if !ends_context {
            peer.expect_closed_eventually();
        }
        // The authenticator holds the context.
        context.remove_authenticator();
        drop(kept);
        assert!(context.term_timeout(HANG).expect("ended"));
        peer.expect_closed_eventually();
    }
}

/// A socket may be its own handler, and two servers may be judged by a third that is judged itself.
#[test]
fn a_server_may_be_the_handler_of_its_own_peers() {
    let context = tightbeam::Context::new();
    let server = context.socket::<Router>().expect("socket");
    server.set_plain_server(true).expect("option");
    server.bind(HANDLER).expect("bind");
    let endpoint = server.bind("tcp://127.0.0.1:*").expect("bind");
    let clients: Vec<_> = (0..10)
        .map(|_| {
            let client = context.socket::<Dealer>().expect("socket");
            client.set_plain_client("ada", "secret").expect("option");
            client.connect(&endpoint).expect("connect");
            client.send("hello").expect("queued");
            client
        })
        .collect();
    let mut served = 0;
    while served < clients.len() {
        let frames = server.recv_timeout(HANG).expect("a message").into_frames();
        if frames.len() == 2 {
            assert_eq!(frames[1], b"hello"[..]);
            served += 1;
        } else {
            let mut reply = frames[..4].to_vec();
            reply.extend(["200".into(), "".into(), "me".into(), "".into()]);
            server.send(Message::multipart(reply)).expect("reply");
        }
    }
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("a waker that panics");
    }
}

/// Monitors are told in the thread in which the handler answers: a task that is woken there may panic.
#[test]
fn a_panic_of_a_task_that_is_woken_by_a_verdict_holds_nobody_up() {
    let subject = Subject::new(Guard::Plain, true);
    let handler = Handler::of(&subject);
    let mut speaker = up_to_the_verdict(&subject);
    let request = handler.next();
    let monitor = subject.socket.monitor().expect("monitor");
    let waker = Waker::from(Arc::new(Bomb));
    let mut event = Box::pin(monitor.next_async());
    assert!(event.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
    handler.answer(&request, "400");
    speaker.peer.expect_closed_eventually();
    drop(event);
    drop(monitor);
    subject.next_end();
    handler.run();
    subject.expect_good_service("a waker that panics");
}
