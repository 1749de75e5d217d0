//! PLAIN, CURVE and who decides on peers: an authenticator, a handler of ZAP, or nobody (RFC 24, 26 and 27).

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tightbeam::auth::{Credentials, Request, Verdict};
use tightbeam::curve::Keypair;
use tightbeam::options::Value;
use tightbeam::options::number::*;
use tightbeam::{
    Context, Dealer, Error, EventKind, Message, MonitorEvent, ProtocolError, Rep, Router, Socket,
    Stream,
};
use tightbeam_tests::sockets::*;

const HANDLER: &str = "inproc://zeromq.zap.01";

/// How a server is set up, and a client that may come in.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Null,
    Plain,
    Curve,
}

const KINDS: [Kind; 3] = [Kind::Null, Kind::Plain, Kind::Curve];

impl Kind {
    fn pair(self, context: &Context) -> (Socket<Dealer>, Socket<Dealer>) {
        let (server, client) = (open::<Dealer>(context), open::<Dealer>(context));
        match self {
            Kind::Null => {}
            Kind::Plain => {
                set(&server, PLAIN_SERVER, 1);
                client.set_option(PLAIN_USERNAME, Value::Bytes(b"ada")).unwrap();
                client.set_option(PLAIN_PASSWORD, Value::Bytes(b"secret")).unwrap();
            }
            Kind::Curve => {
                let keys = Keypair::generate().unwrap();
                set_key(&server, CURVE_SECRETKEY, keys.secret.as_bytes());
                set(&server, CURVE_SERVER, 1);
                let mine = Keypair::generate().unwrap();
                set_key(&client, CURVE_PUBLICKEY, mine.public.as_bytes());
                set_key(&client, CURVE_SECRETKEY, mine.secret.as_bytes());
                set_key(&client, CURVE_SERVERKEY, keys.public.as_bytes());
            }
        }
        server.set_option(ZAP_DOMAIN, Value::Bytes(b"global")).unwrap();
        (server, client)
    }
}

fn set_key(socket: &Socket<Dealer>, option: i32, key: &[u8; 32]) {
    socket.set_option(option, Value::Bytes(key)).unwrap();
}

/// One message over a new connection, as the server receives it.
fn first_message(server: &Socket<Dealer>, client: &Socket<Dealer>) -> Message {
    connect(client, &bind(server));
    client.send("hello").unwrap();
    server.recv_timeout(LIMIT).unwrap()
}

fn user_of(message: &Message) -> Option<&str> {
    message.frames()[0].peer()?.get("User-Id")
}

/// A handler that answers each request with these frames behind the number of the request, and tells what it was asked.
fn handler(context: &Context, reply: &[&str]) -> Arc<Mutex<Vec<Vec<String>>>> {
    let socket = open::<Rep>(context);
    socket.bind(HANDLER).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let reply: Vec<String> = reply.iter().map(|&frame| frame.to_owned()).collect();
    thread::spawn(move || {
        while let Ok(request) = socket.recv() {
            let id = request.frames()[1].clone();
            heard.lock().unwrap().push(texts(&request));
            let mut message = Message::from("1.0");
            message.push(id);
            reply.iter().for_each(|frame| message.push(frame.as_str()));
            socket.send(message).unwrap();
        }
    });
    asked
}

/// How the first handshake with the server fails.
fn refusal(server: &Socket<Dealer>, client: &Socket<Dealer>) -> MonitorEvent {
    let monitor = server.monitor().unwrap();
    connect(client, &bind(server));
    // Where the refusal is quicker, there is nobody to send to.
    drop(client.try_send("never"));
    let refused = await_refusal(&monitor);
    assert!(server.try_recv().is_err(), "nothing was delivered");
    refused
}

#[test]
fn an_authenticator_judges_every_mechanism_and_names_the_user() {
    for kind in KINDS {
        let context = Context::new();
        context.set_authenticator(|request: &Request| {
            assert_eq!(
                (request.domain.as_slice(), request.address.is_empty()),
                (&b"global"[..], false)
            );
            let user = match &request.credentials {
                Credentials::Plain { username, password } => {
                    assert_eq!(
                        (username.as_slice(), password.as_slice()),
                        (&b"ada"[..], &b"secret"[..])
                    );
                    "by password".to_owned()
                }
                Credentials::Curve(key) => {
                    format!("by key of {} characters", key.to_string().len())
                }
                _ => "anybody".to_owned(),
            };
            Verdict::Accept {
                user_id: Some(user.into()),
                properties: vec![("Desk".into(), b"7".into())],
            }
        });
        let (server, client) = kind.pair(&context);
        let message = first_message(&server, &client);
        let user = match kind {
            Kind::Null => "anybody",
            Kind::Plain => "by password",
            Kind::Curve => "by key of 40 characters",
        };
        assert_eq!(user_of(&message), Some(user), "{kind:?}");
        assert_eq!(message.frames()[0].peer().unwrap().get("Desk"), Some("7"));
        server.send("back").unwrap();
        assert_eq!(client.recv_timeout(LIMIT).unwrap(), "back");
    }
}

#[test]
fn whoever_an_authenticator_refuses_is_told_and_does_not_come_back() {
    for kind in KINDS {
        let context = Context::new();
        context.set_authenticator(|_: &Request| Verdict::deny());
        let (server, client) = kind.pair(&context);
        let monitor = client.monitor().unwrap();
        let refused = refusal(&server, &client);
        assert_eq!(
            (refused.kind, refused.value()),
            (EventKind::HandshakeFailedAuth, 400),
            "{kind:?}"
        );
        let told = await_event(&monitor, EventKind::HandshakeFailedAuth);
        assert_eq!(told.value(), 400);
        await_event(&monitor, EventKind::Disconnected);
        assert_eq!(client.stats().unwrap().counters.connect_retries, 0, "{kind:?}");
    }
}

#[test]
fn whoever_is_refused_for_now_comes_back_and_gets_in() {
    for kind in KINDS {
        let context = Context::new();
        let tries = Mutex::new(0);
        context.set_authenticator(move |_: &Request| {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            if *tries < 3 { Verdict::Temporary } else { Verdict::accept("third time") }
        });
        let (server, client) = kind.pair(&context);
        assert_eq!(user_of(&first_message(&server, &client)), Some("third time"), "{kind:?}");
    }
}

#[test]
fn an_authenticator_that_panics_refuses_and_harms_nothing() {
    let context = Context::new();
    let calm = Mutex::new(false);
    context.set_authenticator(move |_: &Request| {
        assert!(
            std::mem::replace(&mut *calm.lock().unwrap_or_else(|e| e.into_inner()), true),
            "the first time"
        );
        Verdict::accept("")
    });
    let (server, client) = Kind::Plain.pair(&context);
    let monitor = server.monitor().unwrap();
    let message = first_message(&server, &client);
    assert_eq!((message.to_string_lossy().as_str(), user_of(&message)), ("hello", Some("")));
    let failed = await_refusal(&monitor);
    assert_eq!(failed.kind, EventKind::HandshakeFailedNoDetail);
    assert_eq!(context.stats().contained_panics, 0);
}

/// RFC 27, "Message Format".
#[test]
fn a_handler_is_asked_with_all_that_is_known() {
    for kind in KINDS {
        let context = Context::new();
        let asked = handler(&context, &["200", "OK", "grace", "\u{4}Desk\0\0\0\u{1}7"]);
        let (server, client) = kind.pair(&context);
        server.set_routing_id(b"the server").unwrap();
        let message = first_message(&server, &client);
        assert_eq!(user_of(&message), Some("grace"), "{kind:?}");
        assert_eq!(message.frames()[0].peer().unwrap().get("Desk"), Some("7"));
        let asked = asked.lock().unwrap();
        let [request] = asked.as_slice() else { panic!("asked {} times", asked.len()) };
        let (mechanism, credentials) = match kind {
            Kind::Null => ("NULL", 0),
            Kind::Plain => ("PLAIN", 2),
            Kind::Curve => ("CURVE", 1),
        };
        assert_eq!(request[0], "1.0");
        assert_eq!(request[2], "global");
        assert_eq!(&request[4..6], ["the server", mechanism]);
        assert_eq!(request.len(), 6 + credentials, "{request:?}");
        if let Kind::Plain = kind {
            assert_eq!(&request[6..], ["ada", "secret"]);
        }
    }
}

#[test]
fn a_handler_may_be_bound_after_the_server_and_goes_without_harm() {
    let context = Context::new();
    let (server, client) = Kind::Plain.pair(&context);
    let refused = refusal(&server, &client);
    assert_eq!(
        (refused.kind, refused.value()),
        (EventKind::HandshakeFailedNoDetail, libc::EFAULT as u64)
    );
    handler(&context, &["200", "", "", ""]);
    assert_eq!(server.recv_timeout(LIMIT).unwrap(), "never", "the client has tried again");
}

#[test]
fn a_handler_that_is_a_router_is_asked_by_one_peer_and_may_answer_in_any_order() {
    let context = Context::new();
    let zap = open::<Router>(&context);
    zap.bind(HANDLER).unwrap();
    let (server, first) = Kind::Plain.pair(&context);
    let second = open::<Dealer>(&context);
    second.set_plain_client("bob", "secret").unwrap();
    let endpoint = bind(&server);
    let requests: Vec<Message> = [&first, &second]
        .map(|client| {
            connect(client, &endpoint);
            client.send("hello").unwrap();
            zap.recv_timeout(LIMIT).unwrap()
        })
        .into();
    for request in requests.into_iter().rev() {
        let mut frames = request.into_frames();
        let user = frames[8].clone();
        frames.truncate(4);
        frames.extend(["200".into(), "".into(), user, "".into()]);
        zap.send(Message::multipart(frames)).unwrap();
        let message = server.recv_timeout(LIMIT).unwrap();
        assert_eq!(message, "hello");
    }
    let stats = zap.stats().unwrap();
    assert_eq!(stats.peers.len(), 1);
}

/// It fails closed, whatever comes.
#[test]
fn a_handler_that_errs_lets_nobody_in_and_is_told_of() {
    let wrong = [
        (&["200", "OK", "user"][..], ProtocolError::ZapMalformedReply),
        (&["200", "OK", "user", "", "more"], ProtocolError::ZapMalformedReply),
        (&[], ProtocolError::ZapMalformedReply),
        (&["999", "", "", ""], ProtocolError::ZapInvalidStatusCode),
        (&["20", "", "", ""], ProtocolError::ZapInvalidStatusCode),
        (&["", "", "", ""], ProtocolError::ZapInvalidStatusCode),
        (&["200", "", "", "\u{ff}bad"], ProtocolError::ZapInvalidMetadata),
        (&["400", "", "", "x"], ProtocolError::ZapInvalidMetadata),
    ];
    for (reply, error) in wrong {
        let context = Context::new();
        handler(&context, reply);
        let (server, client) = Kind::Curve.pair(&context);
        let refused = refusal(&server, &client);
        assert_eq!(refused.kind, EventKind::HandshakeFailedProtocol, "{reply:?}");
        assert_eq!(refused.value(), u64::from(error.number()), "{reply:?}");
    }
}

#[test]
fn a_reply_with_another_version_or_number_is_no_verdict() {
    for (version, id, status, error) in [
        ("2.0", None, "200", ProtocolError::ZapBadVersion),
        ("1.0", Some("none of them"), "200", ProtocolError::ZapBadRequestId),
        ("1.0", Some("99"), "200", ProtocolError::ZapBadRequestId),
        ("1.0", Some("99"), "999", ProtocolError::ZapBadRequestId),
    ] {
        let context = Context::new();
        let zap = open::<Rep>(&context);
        zap.bind(HANDLER).unwrap();
        let (server, client) = Kind::Plain.pair(&context);
        let monitor = server.monitor().unwrap();
        connect(&client, &bind(&server));
        let request = zap.recv_timeout(LIMIT).unwrap();
        let id =
            id.map_or_else(|| request.frames()[1].to_string_lossy().into_owned(), str::to_owned);
        zap.send(Message::multipart([version, &id, status, "", "", ""])).unwrap();
        let refused = await_refusal(&monitor);
        assert_eq!(refused.value(), u64::from(error.number()), "{version} {id}");
    }
}

#[test]
fn a_handler_that_is_silent_lets_nobody_in_and_the_time_goes_on() {
    let context = Context::new();
    let zap = open::<Rep>(&context);
    zap.bind(HANDLER).unwrap();
    let (server, client) = Kind::Plain.pair(&context);
    server.set_handshake_timeout(Some(Duration::from_millis(100))).unwrap();
    let refused = refusal(&server, &client);
    assert_eq!(
        (refused.kind, refused.value()),
        (EventKind::HandshakeFailedNoDetail, libc::EAGAIN as u64)
    );
}

#[test]
fn a_handler_that_leaves_before_it_answers_lets_nobody_in() {
    let context = Context::new();
    let zap = open::<Rep>(&context);
    zap.bind(HANDLER).unwrap();
    let (server, client) = Kind::Null.pair(&context);
    let monitor = server.monitor().unwrap();
    connect(&client, &bind(&server));
    client.send("later").unwrap();
    zap.recv_timeout(LIMIT).unwrap();
    drop(zap);
    let refused = await_refusal(&monitor);
    assert_eq!(refused.kind, EventKind::HandshakeFailedNoDetail);
    handler(&context, &["200", "", "again", ""]);
    assert_eq!(user_of(&server.recv_timeout(LIMIT).unwrap()), Some("again"));
}

#[test]
fn without_anybody_to_ask_a_domain_and_plain_are_refused() {
    for kind in KINDS {
        let context = Context::new();
        let (server, client) = kind.pair(&context);
        let refused = refusal(&server, &client);
        assert_eq!(
            (refused.kind, refused.value()),
            (EventKind::HandshakeFailedNoDetail, libc::EFAULT as u64),
            "{kind:?}"
        );
    }
}

#[test]
fn without_a_domain_and_anybody_to_ask_any_key_will_do_and_nobody_is_named() {
    let context = Context::new();
    let (server, client) = (open::<Dealer>(&context), open::<Dealer>(&context));
    let keys = Keypair::generate().unwrap();
    server.set_curve_server(&keys).unwrap();
    client.set_curve_client(&Keypair::generate().unwrap(), &keys.public).unwrap();
    assert_eq!(user_of(&first_message(&server, &client)), None);
}

/// As with libzmq, where PLAIN would end the process.
#[test]
fn with_zap_enforce_domain_a_server_without_a_domain_asks_no_handler() {
    let context = Context::new();
    let asked = handler(&context, &["200", "", "somebody", ""]);
    let keys = Keypair::generate().unwrap();
    let (server, client) =
        (open_with::<Dealer>(&context, &[(ZAP_ENFORCE_DOMAIN, 1)]), open::<Dealer>(&context));
    server.set_curve_server(&keys).unwrap();
    client.set_curve_client(&Keypair::generate().unwrap(), &keys.public).unwrap();
    assert_eq!(user_of(&first_message(&server, &client)), None);

    let (server, client) =
        (open_with::<Dealer>(&context, &[(ZAP_ENFORCE_DOMAIN, 1)]), open::<Dealer>(&context));
    server.set_plain_server(true).unwrap();
    client.set_plain_client("ada", "secret").unwrap();
    assert_eq!(refusal(&server, &client).kind, EventKind::HandshakeFailedNoDetail);
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn a_client_with_another_key_of_the_server_is_not_heard() {
    let context = Context::new();
    let (server, client) = (open::<Dealer>(&context), open::<Dealer>(&context));
    server.set_curve_server(&Keypair::generate().unwrap()).unwrap();
    let (mine, other) = (Keypair::generate().unwrap(), Keypair::generate().unwrap());
    client.set_curve_client(&mine, &other.public).unwrap();
    let refused = refusal(&server, &client);
    assert_eq!(refused.value(), u64::from(ProtocolError::ZmtpCryptographic.number()));
}

#[test]
fn both_ends_must_name_the_same_mechanism_or_nothing_passes() {
    for (ours, theirs) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let context = Context::new();
        context.set_authenticator(|_: &Request| Verdict::accept("anybody"));
        let (server, _) = KINDS[ours].pair(&context);
        let (_, client) = KINDS[theirs].pair(&context);
        refusal(&server, &client);
    }
}

#[test]
fn sockets_without_a_protocol_refuse_what_would_need_one() {
    let context = Context::new();
    let stream = open::<Stream>(&context);
    stream.set_plain_server(true).unwrap();
    assert!(matches!(stream.bind(ANY_PORT), Err(Error::NoMechanism(_))));
}

#[test]
fn a_context_ends_though_a_handler_was_asked_and_has_not_answered() {
    let context = Context::new();
    let zap = open::<Rep>(&context);
    zap.bind(HANDLER).unwrap();
    let (server, client) = Kind::Plain.pair(&context);
    client.set_linger(Some(Duration::ZERO)).unwrap();
    connect(&client, &bind(&server));
    zap.recv_timeout(LIMIT).unwrap();
    drop((zap, server, client));
    assert!(context.term_timeout(LIMIT).unwrap());
}

/// RFC 24 allows either to be empty.
#[test]
fn a_client_of_plain_may_have_a_name_or_a_password_alone() {
    for (name, password) in [("ada", ""), ("", "secret")] {
        let context = Context::new();
        context.set_authenticator(move |request: &Request| match &request.credentials {
            Credentials::Plain { username, password: given } => {
                assert_eq!((&username[..], &given[..]), (name.as_bytes(), password.as_bytes()));
                Verdict::accept("known")
            }
            _ => Verdict::deny(),
        });
        let (server, client) = (open::<Dealer>(&context), open::<Dealer>(&context));
        server.set_plain_server(true).unwrap();
        client.set_plain_client("old", "older").unwrap();
        client.set_plain_client(name, password).unwrap();
        assert_eq!(user_of(&first_message(&server, &client)), Some("known"));
        assert!(matches!(client.set_plain_client("", ""), Err(Error::BadArgument(_))));
    }
}

/// The verdict comes while the greeting may still be written.
#[test]
fn a_client_that_refuses_its_server_says_why() {
    for _ in 0..50 {
        let (context, servers) = (Context::new(), Context::new());
        context.set_authenticator(|_: &Request| Verdict::deny());
        let (server, client) = (open::<Dealer>(&servers), open::<Dealer>(&context));
        client.set_zap_domain("global").unwrap();
        let monitor = server.monitor().unwrap();
        connect(&client, &bind(&server));
        let told = await_refusal(&monitor);
        assert_eq!((told.kind, told.value()), (EventKind::HandshakeFailedAuth, 400));
    }
}
