//! The ready-made authenticator over real connections: who is let in as what, and changes while sockets are open.

use std::fs;
use std::os::unix::fs::MetadataExt;

use tightbeam::auth::Authenticator;
use tightbeam::curve::{Certificate, Keypair};
use tightbeam::{Context, Endpoint, Message, Pull, Push, Socket};
use tightbeam_tests::paths::Directory;
use tightbeam_tests::sockets::*;

/// A server in a context that goes by these rules.
fn server(rules: &Authenticator) -> (Context, Socket<Pull>) {
    let context = Context::new();
    context.set_authenticator(rules.clone());
    let server = open::<Pull>(&context);
    server.set_zap_domain("weather").unwrap();
    (context, server)
}

/// What the server receives of a new client.
fn arrival(server: &Socket<Pull>, client: &Socket<Push>, endpoint: &Endpoint) -> Message {
    connect(client, endpoint);
    client.send("hello").unwrap();
    server.recv_timeout(LIMIT).unwrap()
}

/// With which status a new client is refused.
fn status(server: &Socket<Pull>, client: &Socket<Push>, endpoint: &Endpoint) -> u64 {
    let monitor = server.monitor().unwrap();
    connect(client, endpoint);
    let refused = await_refusal(&monitor);
    assert!(server.try_recv().is_err(), "nothing was delivered");
    refused.value()
}

fn property<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.frames()[0].peer()?.get(name)
}

#[test]
fn users_of_plain_come_and_go() {
    let rules = Authenticator::new();
    let (context, server) = server(&rules);
    server.set_plain_server(true).unwrap();
    let endpoint = bind(&server);
    let client = |password: &str| {
        let client = open::<Push>(&context);
        client.set_plain_client("ada", password).unwrap();
        client
    };
    assert_eq!(status(&server, &client("secret"), &endpoint), 400);
    rules.plain("weather", "ada", "secret").unwrap();
    let message = arrival(&server, &client("secret"), &endpoint);
    assert_eq!(property(&message, "User-Id"), Some("ada"));
    assert_eq!(status(&server, &client("Secret"), &endpoint), 400);
    rules.deny("127.0.0.0/8").unwrap();
    assert_eq!(status(&server, &client("secret"), &endpoint), 400);
    rules.forget_address("127.0.0.0/8").unwrap();
    arrival(&server, &client("secret"), &endpoint);
    rules.forget_user("weather", "ada");
    assert_eq!(status(&server, &client("secret"), &endpoint), 400);
}

#[test]
fn the_owners_of_certificates_come_in_with_what_is_known_of_them() {
    let directory = Directory::new();
    let rules = Authenticator::new();
    rules.curve_folder("weather", directory.path("clients"));
    let (context, server) = server(&rules);
    let keys = Keypair::generate().unwrap();
    server.set_curve_server(&keys).unwrap();
    let endpoint = bind(&server);
    let mut ada = Certificate::new(Keypair::generate().unwrap());
    ada.set("name", "Ada").unwrap();
    let client = || {
        let client = open::<Push>(&context);
        client.set_curve_client(&ada.keypair().unwrap(), &keys.public).unwrap();
        client
    };
    assert_eq!(status(&server, &client(), &endpoint), 400);
    fs::create_dir(directory.path("clients")).unwrap();
    ada.save_public(directory.path("clients/ada.key")).unwrap();
    let message = arrival(&server, &client(), &endpoint);
    assert_eq!(property(&message, "User-Id"), Some(&*ada.public_key().to_string()));
    assert_eq!(property(&message, "name"), Some("Ada"));
    fs::remove_file(directory.path("clients/ada.key")).unwrap();
    assert_eq!(status(&server, &client(), &endpoint), 400);
    rules.curve_key("*", ada.public_key());
    let message = arrival(&server, &client(), &endpoint);
    assert_eq!(property(&message, "name"), None);
}

#[test]
fn peers_without_credentials_come_in_by_their_address() {
    let directory = Directory::new();
    let rules = Authenticator::new();
    let (context, server) = server(&rules);
    let (over_tcp, over_ipc) = (bind(&server), directory.endpoint("socket"));
    let over_ipc = server.bind(&over_ipc).unwrap();
    let client = || open::<Push>(&context);
    assert_eq!(status(&server, &client(), &over_tcp), 400);
    assert_eq!(status(&server, &client(), &over_ipc), 400);
    let user = fs::metadata(directory.path("socket")).unwrap().uid();
    rules.allow(&format!("localhost:{user}:*:*")).unwrap();
    arrival(&server, &client(), &over_ipc);
    assert_eq!(status(&server, &client(), &over_tcp), 400);
    rules.allow("127.0.0.1").unwrap();
    let message = arrival(&server, &client(), &over_tcp);
    assert_eq!(property(&message, "User-Id"), None);
    rules.deny(&format!("localhost:{user}:*:*")).unwrap();
    assert_eq!(status(&server, &client(), &over_ipc), 400);
}
