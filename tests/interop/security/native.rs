//! Our own interface in place of libzmq's: typed setters for mechanisms, and an authenticator in place of a handler.

use std::sync::{Arc, Mutex};

use tightbeam::AnySocket;
use tightbeam::auth::{Credentials, Request, Verdict};
use tightbeam::curve::{Keypair, PublicKey, SecretKey};
use tightbeam::options::{Value, number};

use super::scene::{Given, Judge, Reply, Scene, Setting, is_known};

/// The requests that an authenticator has seen, as a handler would have seen them.
pub(super) type Seen = Arc<Mutex<Vec<Vec<Vec<u8>>>>>;

/// Whether an authenticator can play all handlers of a scene, of which there are some.
pub(super) fn can_act(scene: &Scene) -> bool {
    let mut judges = scene.handlers.iter().flatten().map(|handler| &handler.judge).peekable();
    judges.peek().is_some()
        && judges.all(|judge| match judge {
            Judge::All(reply) => verdict_of(reply).is_some(),
            Judge::Careful => true,
            Judge::First(_) | Judge::Silent | Judge::Leaves => false,
        })
}

/// What a reply says, if an authenticator can say that.
fn verdict_of(reply: &Reply) -> Option<Verdict> {
    let is_sound = reply.version == "1.0" && reply.id.is_none() && reply.count == 6;
    let properties = zmtp::parse_properties(&reply.metadata, 10).filter(|_| is_sound)?;
    match reply.status {
        "200" => Some(Verdict::Accept { user_id: Some(reply.user.into()), properties }),
        "300" => Some(Verdict::Temporary),
        "400" => Some(Verdict::deny()),
        "500" => Some(Verdict::Deny { status: 500 }),
        _ => None,
    }
}

/// An authenticator that decides like this judge, and where it notes what it was asked.
pub(super) fn authenticator(
    judge: &Judge,
    identity: &'static str,
) -> (impl Fn(&Request) -> Verdict + Send + Sync + 'static, Seen) {
    let seen = Seen::default();
    let (judge, notes) = (judge.clone(), Arc::clone(&seen));
    let authenticator = move |request: &Request| {
        let frames = frames_of(request, identity);
        let reply = match &judge {
            Judge::Careful if !is_known(&frames) => Reply::of("400"),
            Judge::All(reply) => reply.clone(),
            _ => Reply::welcome(),
        };
        notes.lock().expect("no panic while it is held").push(frames);
        verdict_of(&reply).expect("can_act")
    };
    (authenticator, seen)
}

/// The request of RFC 27 that says the same.
fn frames_of(request: &Request, identity: &str) -> Vec<Vec<u8>> {
    let mechanism = request.credentials.mechanism();
    let start = ["1.0".as_bytes(), b"1", &request.domain, request.address.as_bytes()];
    let start = start.into_iter().chain([identity.as_bytes(), mechanism.as_bytes()]);
    let mut frames: Vec<Vec<u8>> = start.map(<[u8]>::to_vec).collect();
    match &request.credentials {
        Credentials::Null => {}
        Credentials::Plain { username, password } => {
            frames.extend([username.clone(), password.to_vec()]);
        }
        Credentials::Curve(key) => frames.push(key.as_bytes().to_vec()),
        other => panic!("{other:?}"),
    }
    frames
}

/// A text among settings.
pub(super) fn text(settings: &[Setting], option: i32) -> Option<&'static str> {
    settings.iter().find_map(|(number, given)| match given {
        Given::Text(text) if *number == option => Some(*text),
        _ => None,
    })
}

/// Sets options by the setters that are made for it.
pub(super) fn configure(socket: &AnySocket, settings: &[Setting]) {
    let [user, password] =
        [number::PLAIN_USERNAME, number::PLAIN_PASSWORD].map(|option| text(settings, option));
    if user.is_some() || password.is_some() {
        socket.set_plain_client(user.unwrap_or(""), password.unwrap_or("")).expect("a login");
    }
    let secret = text(settings, number::CURVE_SECRETKEY);
    if let Some(secret) = secret.map(|key| key.parse::<SecretKey>().expect("a key")) {
        let mut pair = Keypair::from_secret(secret);
        if let Some(server) = text(settings, number::CURVE_SERVERKEY) {
            let key = |key: &str| key.parse::<PublicKey>().expect("a key");
            pair.public = text(settings, number::CURVE_PUBLICKEY).map_or(pair.public, key);
            socket.set_curve_client(&pair, &key(server)).expect("keys");
        } else {
            socket.set_curve_server(&pair).expect("keys");
        }
    }
    for (option, given) in settings {
        match (*option, *given) {
            (number::PLAIN_SERVER, _) => socket.set_plain_server(true).expect("a server"),
            (number::ZAP_DOMAIN, Given::Text(domain)) => {
                socket.set_zap_domain(domain).expect("a domain");
            }
            (number::PLAIN_USERNAME | number::PLAIN_PASSWORD, _) => {}
            (
                number::CURVE_SERVER
                | number::CURVE_PUBLICKEY
                | number::CURVE_SECRETKEY
                | number::CURVE_SERVERKEY,
                _,
            ) => {}
            (option, Given::Int(value)) => {
                socket.set_option(option, Value::Int(value)).expect("an option");
            }
            (option, Given::Text(text)) => {
                socket.set_option(option, Value::Bytes(text.as_bytes())).expect("an option");
            }
        }
    }
}
